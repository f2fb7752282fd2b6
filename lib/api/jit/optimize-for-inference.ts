import { autocast, type ReducedDType } from '../../passes/autocast.js'
import { optimizeFrozenGraph } from '../../passes/frozen-pipeline.js'
import { runPass } from '../../passes/pass.js'
import { evaluator } from '../../runtime/evaluator.js'
import { ArgumentError } from '../../util/errors.js'
import { checkModule, checkNames, freeze, frozenModule, runFrozenOptimizations } from './freeze.js'
import { partsOf, type ScriptModule } from './script-module.js'

export interface OptimizeForInferenceOptions {
  /** Methods to keep and optimise besides `forward`. */
  otherMethods?: readonly string[]
  /** Where it is to run: `cpu`, `cuda` or `cuda:1`. Default: where the module is. */
  device?: string
  /**
   * Mixed precision as under torch.autocast: products and convolutions in this dtype, with their weights, norms, softmax and losses in float32.
   * Default: what the module has.
   */
  dtype?: ReducedDType
}

/** The fastest form of a module for inference: frozen, if it is not yet, and with all optimisations. Results may differ by rounding. */
export function optimizeForInference(module: ScriptModule, options: OptimizeForInferenceOptions = {}): ScriptModule {
  checkModule(module)
  const methods = checkNames(options.otherMethods, 'otherMethods')
  const { device, dtype } = options
  if (dtype !== undefined && dtype !== 'float16' && dtype !== 'bfloat16')
    throw new ArgumentError(`Expected 'float16' or 'bfloat16' for \`dtype\` but received ${JSON.stringify(dtype)}`)
  const made = frozen(module, methods)
  const cast = dtype === undefined ? made : reduced(made, dtype, methods)
  return device === undefined ? cast : cast.to(device)
}

function frozen(module: ScriptModule, methods: readonly string[]): ScriptModule {
  // Frozen modules have no `training` left.
  if (!module.hasMember('training')) return runFrozenOptimizations(module, { preservedMethods: methods })
  const training = module.getAttribute('training') === true
  try {
    return freeze(module.eval(), { preservedAttrs: methods })
  } finally {
    if (training) module.train()
  }
}

/** A frozen module with its products in 16 bits. */
function reduced(module: ScriptModule, dtype: ReducedDType, methods: readonly string[]): ScriptModule {
  const { type } = partsOf(module)
  return frozenModule(module, {
    preserved: [...type.attributes.map(({ name }) => name), ...methods],
    optimize: (graph) => {
      runPass(graph, autocast(dtype, evaluator))
      optimizeFrozenGraph(graph, evaluator, { numerics: false })
    },
  })
}
