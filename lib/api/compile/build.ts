import { inlineCalls } from '../../passes/inline.js'
import { cloneGraph } from '../../passes/clone.js'
import { optimizeFrozenGraph } from '../../passes/frozen-pipeline.js'
import { allNodes } from '../../ir/graph.js'
import type { ScriptFunction as CompiledFunction } from '../../ir/types.js'
import { evaluator } from '../../runtime/evaluator.js'
import { Tensor } from '../../tensor/tensor.js'
import { TorchScriptError, UnsupportedError } from '../../util/errors.js'
import type { FoundSource } from '../jit/find-source.js'
import { frozenModule, withWeights } from '../jit/freeze.js'
import { functionModule } from '../jit/function-module.js'
import { compiledFunctionOf, type ScriptFunction } from '../jit/script-function.js'
import { partsOf, rootModule, ScriptModule } from '../jit/script-module.js'
import { scriptFrom } from '../jit/script.js'
import { traceTensors } from '../jit/trace.js'
import { type AnyModule, Module } from '../nn/module.js'
import { isPlainResult } from './accepts.js'
import { fromCache } from './cache.js'
import { FieldGuard } from './guards.js'
import type { CompileSettings } from './options.js'
import { flatten, type Flat, hasOpaque, type Structure, unflatten } from './structure.js'
import { keepingBuffers } from './verify.js'
import { gather, ModuleCall, type Origin, type Variant } from './variant.js'

// Arguments and results are the function's.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Callable = (...args: any[]) => any
export type Target = Module | ScriptModule | ScriptFunction | Callable

/** Why a function cannot be compiled in one of the ways. */
export class Refusal extends Error {}

export interface ScriptVariant extends Variant {
  readonly call: ModuleCall
}
export interface TraceVariant extends Variant {
  /** The trace holds for the sizes of its example only. */
  readonly isForSizes: boolean
  run(flat: Flat): unknown
  runAsync(flat: Flat): Promise<unknown>
}

const isTraining = (module: Module): boolean =>
  module.modules().some((m) => (m instanceof Module ? m.training : m.hasMember('training') && m.getAttribute('training') === true))

function hasHooks(module: AnyModule): boolean {
  if (!(module instanceof Module)) return false
  const { pre, post } = module.forwardHooks()
  return pre.length + post.length > 0
}

/** Whether a method or what it calls writes attributes, which a copy of the module would keep to itself. */
function writesAttributes(fn: CompiledFunction): boolean {
  const graph = cloneGraph(fn.graph)
  inlineCalls.run(graph)
  for (const node of allNodes(graph.block)) if (node.kind === 'prim::SetAttr') return true
  return false
}

interface Optimized {
  readonly module: ScriptModule
  readonly reason: string
  /** To be called after the first run. */
  readonly afterFirst?: (() => void) | undefined
}

/** A frozen and optimised copy of a module; the reason where it has to stay as it is. */
export function optimizedModule(source: ScriptModule, settings: CompileSettings): Optimized {
  try {
    const module = frozenModule(source, {
      preserved: [],
      optimize: (graph) => optimizeFrozenGraph(graph, evaluator, { numerics: true }),
    })
    const made = settings.weights === undefined ? module : withWeights(module, settings.weights)
    const { program } = partsOf(made)
    program.setAutotune(settings.mode === 'max-autotune')
    program.setKeepsResults(settings.mode === 'reduce-overhead')
    if (settings.mode === 'reduce-overhead') program.setLeastGraph(1)
    return { module: made, reason: '', afterFirst: fromCache(program, settings) }
  } catch (error) {
    if (!(error instanceof TorchScriptError) || error.code === 'ERR_INVARIANT') throw error
    return { module: source, reason: `not frozen: ${error.message}` }
  }
}

/** The program of a frozen copy and of what it was made from: the copy holds as long as no memory of the source is written. */
function guardOf(source: ScriptModule, module: ScriptModule, fields: FieldGuard | undefined): () => boolean {
  const { program } = partsOf(source)
  if (module === source) return () => fields?.holds() ?? true
  const version = program.stateVersion()
  return () => program.stateVersion() === version && (fields?.holds() ?? true)
}

/** Compiles a module of jit.load, jit.trace or jit.script, or a function of those. */
export function moduleVariant(target: ScriptModule | ScriptFunction, settings: CompileSettings): ScriptVariant {
  const compiled = compiledFunctionOf(target)
  const source = compiled === undefined ? (target as ScriptModule) : functionModule(compiled.fn)
  const { type } = partsOf(source)
  const fn = type.methods.get('forward')
  if (fn === undefined)
    throw new UnsupportedError(`Expected a module with a method forward for \`target\` but received ${type.qualifiedName}`)
  const hasTraining = (): boolean => source.modules().some((m) => m.hasMember('training') && m.getAttribute('training') === true)
  let reason = ''
  if (hasTraining()) reason = 'not frozen: the module is in training mode'
  else if (writesAttributes(fn)) reason = 'not frozen: forward writes attributes'
  const made: Optimized = reason === '' ? optimizedModule(source, settings) : { module: source, reason }
  const before = hasTraining()
  const guard = guardOf(source, made.module, undefined)
  return {
    origin: 'module',
    frozen: made.module !== source,
    reason: made.reason,
    module: made.module,
    call: new ModuleCall(made.module, made.afterFirst),
    holds: made.module === source ? () => before === hasTraining() : guard,
  }
}

/** Compiles the source of a function or module. Throws a Refusal where that cannot stand for the function. */
export function scriptVariant(
  target: Module | Callable,
  found: { readonly source: FoundSource | undefined; readonly scope: Readonly<Record<string, unknown>> | undefined },
  settings: CompileSettings,
): ScriptVariant {
  if (target instanceof Module && target.modules().some(hasHooks)) throw new Refusal('a module has hooks')
  const fields = target instanceof Module ? new FieldGuard(target) : undefined
  let scripted: ScriptModule
  try {
    const made = scriptFrom(target, found.source, found.scope)
    scripted = made instanceof ScriptModule ? made : functionModule(compiledFunctionOf(made)!.fn)
  } catch (error) {
    if (!(error instanceof TorchScriptError) || error.code === 'ERR_INVARIANT') throw error
    throw new Refusal(error.message)
  }
  const fn = partsOf(scripted).type.methods.get('forward')
  if (fn === undefined) throw new Refusal('it has no forward')
  if (!isPlainResult(fn.returnType)) throw new Refusal('its result would be another kind of object')
  if (writesAttributes(fn)) throw new Refusal('it writes fields of the module')
  const training = target instanceof Module && isTraining(target)
  const made: Optimized = training
    ? { module: scripted, reason: 'not frozen: the module is in training mode' }
    : optimizedModule(scripted, settings)
  return {
    origin: 'script',
    frozen: made.module !== scripted,
    reason: made.reason,
    module: made.module,
    call: new ModuleCall(made.module, made.afterFirst),
    holds: guardOf(scripted, made.module, fields),
  }
}

/** Traces one call of a function or module. Throws a Refusal where a trace cannot stand for the function. */
export function traceVariant(target: Module | Callable, flat: Flat, settings: CompileSettings): TraceVariant {
  if (hasOpaque(flat.structure)) throw new Refusal('an argument is an object or function that only JavaScript knows')
  if (flat.tensors.length === 0) throw new Refusal('no argument is a tensor')
  const call = (args: unknown[]): unknown => (target instanceof Module ? target.forward(...args) : target(...args)) as unknown
  let structure: Structure | undefined
  let origins: Origin[] = []
  const run = (...tensors: Tensor[]): Tensor | Tensor[] => {
    const result = flatten(call(unflatten(flat.structure, tensors) as unknown[]))
    if (hasOpaque(result.structure)) throw new Refusal('its result is an object that only JavaScript knows')
    structure = result.structure
    const computed: Tensor[] = []
    origins = result.tensors.map((tensor) => {
      const input = tensors.indexOf(tensor)
      return input < 0 ? { computed: computed.push(tensor) - 1 } : { input }
    })
    if (computed.length === 0) throw new Refusal('it computes no tensor')
    // Calls that give one tensor are the fast ones.
    return computed.length === 1 ? computed[0] : computed
  }
  const fields = new FieldGuard()
  if (target instanceof Module) fields.add(target)
  let traced: ReturnType<typeof traceTensors>
  try {
    // A traced call changes statistics like any other, and the call that it is made for does so again.
    traced = keepingBuffers(target, () => traceTensors(target, run, flat.tensors, (module) => fields.add(module)))
  } catch (error) {
    if (!(error instanceof TorchScriptError)) throw error
    throw new Refusal(error.message)
  }
  if (!fields.holds()) {
    fields.restore()
    throw new Refusal('it writes fields of a module')
  }
  const { program, fn, findings } = traced
  if (findings.subjects.has('values')) throw new Refusal('JavaScript reads elements of a tensor')
  const source = program === undefined ? functionModule(fn) : rootModule(program)
  const someTraining = fields.modules.some((module) => module.training)
  const made: Optimized = someTraining
    ? { module: source, reason: 'not frozen: a module is in training mode' }
    : optimizedModule(source, settings)
  const native = new ModuleCall(made.module, made.afterFirst)
  const shape = structure!
  const result = (computed: unknown, inputs: readonly Tensor[]): unknown =>
    unflatten(shape, gather(origins, computed instanceof Tensor ? [computed] : (computed as Tensor[]), inputs))
  return {
    origin: 'trace',
    frozen: made.module !== source,
    reason: made.reason,
    module: made.module,
    isForSizes: findings.subjects.has('sizes'),
    run: ({ tensors }) => result(native.run(tensors), tensors),
    runAsync: async ({ tensors }) => result(await native.runAsync(tensors), tensors),
    holds: guardOf(source, made.module, fields),
  }
}
