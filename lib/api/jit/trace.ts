import { printGraph } from '../../ir/printer.js'
import type { ScriptFunction as CompiledFunction } from '../../ir/types.js'
import { cloneGraph } from '../../passes/clone.js'
import { inlineCalls } from '../../passes/inline.js'
import { callOperator, withListener } from '../../runtime/dispatch.js'
import { KeywordArguments } from '../../runtime/convert.js'
import { liveTensor } from '../../runtime/live-tensors.js'
import { Program } from '../../runtime/program.js'
import { setTensorObserver, Tensor } from '../../tensor/tensor.js'
import { type BuildContext, buildTrace } from '../../trace/build.js'
import { Tracer } from '../../trace/tracer.js'
import { ArgumentError, TorchScriptError, UnsupportedError } from '../../util/errors.js'
import { className } from '../nn/attributes.js'
import { Module, setModuleListener } from '../nn/module.js'
import { setScriptListener } from './script-calls.js'
import { type ScriptFunction, scriptFunction } from './script-function.js'
import { ScriptModule, wrapObjects } from './script-module.js'
import { TracedClasses } from './traced-classes.js'

export interface TraceOptions {
  /** Trace a second time and run the result against the function on the same inputs. Default: true. */
  checkTrace?: boolean
  /** Further tuples of inputs to check with; default: the example inputs. */
  checkInputs?: readonly (readonly unknown[])[]
  /** Relative tolerance of the check. Default: 1e-5. */
  checkTolerance?: number
  /** Refuse dicts as output, whose keys might depend on the input. Default: true. */
  strict?: boolean
}

/** A second trace of the same function gives another graph: it is not a function of its inputs. */
export class TracingCheckError extends TorchScriptError {
  constructor(message: string) {
    super('ERR_TRACING_CHECK', message)
  }
}

type Callable = (...args: never[]) => unknown

/** Names of a function's parameters, as far as its text tells. */
function parameterNames(fn: Callable, count: number): string[] {
  const text = Function.prototype.toString.call(fn).replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
  const list = /^(?:async\s+)?(?:function\s*)?[\w$#]*\s*\(([^)]*)\)/.exec(text)?.[1] ?? /^(?:async\s+)?([\w$]+)\s*=>/.exec(text)?.[1] ?? ''
  const names = list.split(',').map((part) => /^\s*([A-Za-z_]\w*)/.exec(part)?.[1] ?? '')
  return Array.from({ length: count }, (_, i) => names[i] || (i === 0 ? 'x' : `x${i}`))
}

/** Copies of tensors, so that in-place operators of one run do not reach the next. */
function copied(value: unknown): unknown {
  if (value instanceof Tensor) return callOperator('aten::clone', [value])
  if (Array.isArray(value)) return value.map(copied)
  if (value instanceof Map) return new Map([...value].map(([k, v]) => [k, copied(v)]))
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, copied(v)]))
  }
  return value
}

interface TraceJob {
  readonly fn: Callable
  /** Whose parameters have the names of the inputs, where it is not `fn`. */
  readonly written?: Callable
  readonly self: unknown
  readonly inputs: readonly unknown[]
  readonly strict: boolean
  /** The classes that methods go to; undefined when a plain function is traced. */
  readonly classes: TracedClasses | undefined
  readonly methodName: string
  /** The second trace of a check says nothing that the first has not said. */
  readonly isQuiet?: boolean
  /** Filled in with what the trace depends on besides its inputs. */
  readonly findings?: TraceFindings
}

/** What a trace depends on besides the tensors that it takes. */
export interface TraceFindings {
  /** Is told of a module that is about to run. */
  entered(module: Module): void
  /** Sizes or elements of tensors became JavaScript values, which the trace has as constants. */
  readonly subjects: Set<'sizes' | 'values'>
}

let isTracingNow = false
/** Whether a trace is being made. */
export const isTracing = (): boolean => isTracingNow

/** Runs a function once and makes its graph. */
function record(job: TraceJob): CompiledFunction {
  if (isTracingNow) throw new ArgumentError('A trace began inside another trace. Trace the inner function before the outer one.')
  const { classes } = job
  const describe = (module: Module): { className: string; qualifiedName: string; path: readonly string[] } | undefined => {
    job.findings?.entered(module)
    const node = classes?.nodeOf(module)
    return node && { className: className(module), qualifiedName: node.type.qualifiedName, path: node.path }
  }
  const root = job.self instanceof Module ? job.self : undefined
  const tracer = new Tracer(root && describe(root), job.isQuiet === true)
  for (const { module, path } of classes?.modules() ?? []) {
    for (const [name, tensor] of [...module.ownParameters(), ...module.ownBuffers()]) tracer.attribute(tensor, path, name)
  }
  const inputs = job.inputs.map(copied)
  const names = parameterNames(job.written ?? job.fn, inputs.length)
  const trees = inputs.map((input, i) => tracer.input(input, names[i]))
  const savedObserver = setTensorObserver(tracer)
  const savedListener = setModuleListener({
    enter: (module, args) => tracer.enter(describe(module), args),
    leave: () => tracer.leave(),
  })
  const savedScripts = setScriptListener(({ fn, self, args, result }) => {
    const path = self && classes?.pathOfScripted(self)
    if (self !== undefined && path === undefined) {
      throw new UnsupportedError(
        `Expected a submodule of the traced module but ${fn.qualifiedName} is a method of a compiled module elsewhere. Make it a field of the module, and trace that`,
      )
    }
    const named = args.at(-1) instanceof KeywordArguments ? (args.at(-1) as KeywordArguments).values : {}
    tracer.calledScript(
      fn,
      path,
      args.filter((arg) => !(arg instanceof KeywordArguments)),
      named,
      result,
    )
  })
  isTracingNow = true
  let output: unknown
  try {
    output = withListener(tracer, () => job.fn.apply(job.self, inputs as never[]))
  } finally {
    isTracingNow = false
    setModuleListener(savedListener)
    setScriptListener(savedScripts)
    setTensorObserver(savedObserver)
    for (const subject of tracer.warnings.subjects) job.findings?.subjects.add(subject)
  }
  const context: BuildContext = {
    classAt: (path) => classes!.classAt(path),
    describe: liveTensor,
    methodName: (type, isRoot) => {
      if (isRoot) return job.methodName
      const count = [...type.methods.keys()].filter((name) => /^forward\d*$/.test(name)).length
      return count === 0 ? 'forward' : `forward${count}`
    },
  }
  return buildTrace(tracer.root, trees, tracer.output(output, job.strict), context)
}

function inlined(fn: CompiledFunction): string {
  const graph = cloneGraph(fn.graph)
  inlineCalls.run(graph)
  return printGraph(graph).replace(/ # .*$/gm, '')
}

/** Pairs of tensors at the same places of two results. */
function pairs(a: unknown, b: unknown): [Tensor, Tensor][] {
  if (a instanceof Tensor && b instanceof Tensor) return [[a, b]]
  if (Array.isArray(a) && Array.isArray(b)) return a.flatMap((item, i) => pairs(item, b[i]))
  const entries = (value: unknown): unknown[] =>
    value instanceof Map ? [...value.values()] : typeof value === 'object' && value !== null ? Object.values(value) : []
  return a instanceof Tensor || b instanceof Tensor ? [] : entries(a).flatMap((item, i) => pairs(item, entries(b)[i]))
}

const absoluteTolerance: Readonly<Record<string, number>> = {
  float16: 1e-5,
  bfloat16: 1e-5,
  float32: 1e-5,
  float64: 1e-7,
  complex64: 1e-5,
  complex128: 1e-7,
}

function check(what: string, traced: unknown, expected: unknown, tolerance: number): void {
  pairs(traced, expected).forEach(([a, b], i) => {
    const [left, right] = [a, b].map((t) => (t.dtype.startsWith('complex') ? t : callOperator('aten::to', [t, 'float64'])) as Tensor)
    const isSameShape = a.shape.join() === b.shape.join()
    if (isSameShape && callOperator('aten::allclose', [left, right, tolerance, absoluteTolerance[a.dtype] ?? 0, true]) === true) return
    process.emitWarning(
      `Output nr ${i + 1}. of the traced function does not match the corresponding output of the ${what}. ` +
        (isSameShape
          ? `Greatest absolute difference: ${greatestDifference(left, right)}`
          : `Shapes: [${a.shape.join(', ')}] and [${b.shape.join(', ')}]`),
      'TracerWarning',
    )
  })
}
function greatestDifference(a: Tensor, b: Tensor): string {
  const difference = callOperator('aten::abs', [callOperator('aten::sub', [a, b])])
  return String((callOperator('aten::max', [difference]) as Tensor).item())
}

function checkTraced(
  job: TraceJob,
  again: () => CompiledFunction,
  first: CompiledFunction,
  run: (inputs: unknown[]) => unknown,
  options: TraceOptions,
): void {
  const second = inlined(again())
  if (second !== inlined(first)) {
    throw new TracingCheckError(
      `Tracing failed sanity checks!\nERROR: Graphs differed across invocations!\n${firstDifference(inlined(first), second)}\nThe function is not one of its inputs alone: it depends on something that changes from call to call.`,
    )
  }
  for (const inputs of options.checkInputs ?? [job.inputs]) {
    const expected: unknown = job.fn.apply(job.self, inputs.map(copied) as never[])
    check('JavaScript function', run(inputs.map(copied)), expected, options.checkTolerance ?? 1e-5)
  }
}
function firstDifference(a: string, b: string): string {
  const [left, right] = [a.split('\n'), b.split('\n')]
  const at = left.findIndex((line, i) => line !== right[i])
  return `- ${left[at] ?? ''}\n+ ${right[at] ?? ''}`
}

const asInputs = (exampleInputs: unknown): readonly unknown[] =>
  Array.isArray(exampleInputs) ? (exampleInputs as unknown[]) : [exampleInputs]

/**
 * Runs a function or module once on example inputs and keeps the tensor operators that run. Control flow is that of the example; a
 * TracerWarning names each line where a tensor became a JavaScript value. Sizes that are passed on to operators stay sizes.
 * A module keeps its hierarchy, and the result shares its parameters. `exampleInputs` is an array of arguments, or one tensor.
 * As torch.jit.trace.
 */
export function trace(module: Module, exampleInputs: unknown, options?: TraceOptions): ScriptModule
export function trace(fn: Callable, exampleInputs: unknown, options?: TraceOptions): ScriptFunction
export function trace(target: Module | Callable, exampleInputs: unknown, options: TraceOptions = {}): ScriptModule | ScriptFunction {
  if (target instanceof Module) return traceModule(target, { forward: exampleInputs }, options)
  if (target instanceof ScriptModule) return target
  if (typeof target !== 'function')
    throw new ArgumentError(`Expected a function or an nn.Module for \`fnOrModule\` but received ${String(target)}`)
  const job: TraceJob = {
    fn: target,
    self: undefined,
    inputs: asInputs(exampleInputs),
    strict: options.strict ?? true,
    classes: undefined,
    methodName: 'forward',
  }
  const named = (fn: CompiledFunction): CompiledFunction => {
    const name = target.name || 'traced'
    return { ...fn, name, qualifiedName: `__torch__.${name}` }
  }
  const fn = named(record(job))
  const program = new Program({ classes: emptyClasses, functions: [fn] })
  wrapObjects(program)
  const traced = scriptFunction(program, fn)
  if (options.checkTrace ?? true)
    checkTraced(
      job,
      () => named(record({ ...job, isQuiet: true })),
      fn,
      (inputs) => traced(...inputs) as unknown,
      options,
    )
  return traced
}

/**
 * Traces a call of a function or module whose arguments and results are lists of tensors, without a check and without warnings, which the
 * findings stand for. A module gives a program, whose `forward` it is and which has the memory of the parameters.
 */
export function traceTensors(
  target: Module | Callable,
  run: (...tensors: Tensor[]) => Tensor | Tensor[],
  tensors: readonly Tensor[],
  entered: (module: Module) => void,
): { readonly program: Program | undefined; readonly fn: CompiledFunction; readonly findings: TraceFindings } {
  const root = target instanceof Module ? target : undefined
  const classes = root && new TracedClasses(root)
  const findings: TraceFindings = { entered, subjects: new Set() }
  const fn = record({
    fn: run,
    self: root,
    inputs: tensors,
    strict: true,
    classes,
    methodName: 'forward',
    isQuiet: true,
    findings,
  })
  const program = root && new Program({ classes: classes!, root: classes!.objects(root) })
  return { program, fn, findings }
}

const emptyClasses = {
  classType: (name: string): never => {
    throw new ArgumentError(`There is no class ${name} in a traced function`)
  },
  parseType: () => undefined,
  enumType: () => undefined,
}

/** Traces several methods of a module: `traceModule(m, { forward: [x], encode: [x, mask] })`. As torch.jit.trace_module. */
export function traceModule(module: Module, inputs: Readonly<Record<string, unknown>>, options: TraceOptions = {}): ScriptModule {
  const classes = new TracedClasses(module)
  const jobs = Object.entries(inputs).map(([methodName, exampleInputs]): TraceJob => {
    const fn = (module as unknown as Record<string, unknown>)[methodName]
    if (typeof fn !== 'function')
      throw new ArgumentError(`Expected methods of the module as keys of \`inputs\` but received '${methodName}'`)
    // What callers see as forward runs the hooks around the class's own.
    const written = methodName === 'forward' ? (Object.getPrototypeOf(module) as Module).forward : undefined
    return {
      fn: fn as Callable,
      written: written as Callable | undefined,
      self: module,
      inputs: asInputs(exampleInputs),
      strict: options.strict ?? true,
      classes,
      methodName,
    }
  })
  const first = jobs.map(record)
  const program = new Program({ classes, root: classes.objects(module) })
  wrapObjects(program)
  const traced = new ScriptModule(program, program.root()!)
  if (options.checkTrace ?? true) {
    jobs.forEach((job, i) => {
      const others = new TracedClasses(module)
      checkTraced(
        job,
        () => record({ ...job, classes: others, isQuiet: true }),
        first[i],
        (args) => traced.run(job.methodName, ...args),
        options,
      )
    })
  }
  return traced
}
