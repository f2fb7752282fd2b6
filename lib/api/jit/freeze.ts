import type { WeightStorage } from '../../passes/compress-weights.js'
import { optimizeFrozenGraph } from '../../passes/frozen-pipeline.js'
import { evaluator, releaseRead } from '../../runtime/evaluator.js'
import type { ProgramSource } from '../../runtime/compile.js'
import { freezeProgram, type FreezeProgramOptions } from '../../runtime/freeze-program.js'
import { liveSource } from '../../runtime/live-source.js'
import { Program } from '../../runtime/program.js'
import { deviceIndex } from '../../tensor/device.js'
import { ArgumentError } from '../../util/errors.js'
import { partsOf, rootModule, ScriptModule } from './script-module.js'

export interface FreezeOptions {
  /** Attributes and methods that stay, besides `forward`. Names may be dotted: `encoder.weight`. */
  preservedAttrs?: readonly string[]
  /** Fold batch norms and arithmetic into weights, which changes results by rounding. Default true. */
  optimizeNumerics?: boolean
}

/** The device of a module: -1 for the CPU. */
function deviceOf(module: ScriptModule): number {
  const { program } = partsOf(module)
  if (program.device >= 0) return program.device
  const [first] = module.stateDict().values()
  return first === undefined ? -1 : deviceIndex(first.device)
}

/** A program from the source of another, which is on the CPU meanwhile: passes work on weights there. It goes where that was. */
function remade(module: ScriptModule, make: (source: ProgramSource) => ProgramSource): ScriptModule {
  const { program, handle } = partsOf(module)
  const device = deviceOf(module)
  if (device < 0) return rootModule(new Program(make(liveSource(program, handle))))
  program.moveTo(-1)
  try {
    const fresh = new Program(make(liveSource(program, handle)))
    fresh.moveTo(device)
    return rootModule(fresh)
  } finally {
    program.moveTo(device)
  }
}

/** A new module from a running one, with its graphs worked on. */
export function frozenModule(module: ScriptModule, options: FreezeProgramOptions): ScriptModule {
  try {
    return remade(module, (source) => freezeProgram(source, options))
  } finally {
    releaseRead()
  }
}

/** The same module with packed weights of 16 bits, for running only. */
export const withWeights = (module: ScriptModule, weights: WeightStorage): ScriptModule =>
  remade(module, (source) => ({ ...source, weights }))

export function checkModule(module: unknown): asserts module is ScriptModule {
  if (module instanceof ScriptModule) return
  const given =
    typeof module === 'object' && module !== null ? module.constructor.name : typeof module === 'function' ? 'a function' : String(module)
  throw new ArgumentError(`Expected a module of jit.load, jit.trace or jit.script for \`module\` but received ${given}`)
}

/** The names in a list of names. */
export function checkNames(names: unknown, argument: string): readonly string[] {
  if (names === undefined) return []
  if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return names
  throw new ArgumentError(`Expected an array of strings for \`${argument}\` but received ${String(names)}`)
}

/**
 * A copy of a module in which all calls are inlined and the attributes that no method changes are constants; attributes and methods that are not
 * needed or preserved are gone. It shares the memory of the weights. The module has to be in evaluation mode.
 */
export function freeze(module: ScriptModule, options: FreezeOptions = {}): ScriptModule {
  checkModule(module)
  const preserved = checkNames(options.preservedAttrs, 'preservedAttrs')
  const { optimizeNumerics: numerics = true } = options
  if (module.hasMember('training') && module.getAttribute('training') === true)
    throw new ArgumentError('Freezing module in training mode is not yet supported: call eval() on the module before freezing.')
  return frozenModule(module, { preserved, optimize: (graph) => optimizeFrozenGraph(graph, evaluator, { numerics }) })
}

export interface FrozenOptimizationOptions {
  optimizeNumerics?: boolean
  /** Methods to work on besides `forward`. */
  preservedMethods?: readonly string[]
}

/** What freezing does to the graphs of a module once its attributes are constants, for a module that was frozen without it. */
export function runFrozenOptimizations(module: ScriptModule, options: FrozenOptimizationOptions = {}): ScriptModule {
  checkModule(module)
  const methods = checkNames(options.preservedMethods, 'preservedMethods')
  const { optimizeNumerics: numerics = true } = options
  const { type } = partsOf(module)
  return frozenModule(module, {
    preserved: [...type.attributes.map(({ name }) => name), ...methods],
    optimize: (graph) => optimizeFrozenGraph(graph, evaluator, { numerics }),
  })
}
