import type { ScriptModule } from './script-module.js'
import { checkModule, checkNames, freeze, runFrozenOptimizations } from './freeze.js'

export interface OptimizeForInferenceOptions {
  /** Methods to keep and optimise besides `forward`. */
  otherMethods?: readonly string[]
}

/** The fastest form of a module for inference: frozen, if it is not yet, and with all optimisations. Results may differ by rounding. */
export function optimizeForInference(module: ScriptModule, options: OptimizeForInferenceOptions = {}): ScriptModule {
  checkModule(module)
  const methods = checkNames(options.otherMethods, 'otherMethods')
  // Frozen modules have no `training` left.
  if (!module.hasMember('training')) return runFrozenOptimizations(module, { preservedMethods: methods })
  const training = module.getAttribute('training') === true
  try {
    return freeze(module.eval(), { preservedAttrs: methods })
  } finally {
    if (training) module.train()
  }
}
