import { Graph } from '../ir/graph.js'
import type { FunctionSchema } from '../ir/schema.js'
import type { ScriptFunction, Type } from '../ir/types.js'
import { NoneType, TensorType, tupleOf } from '../ir/types.js'
import type { TensorHandle } from '../native/binding.js'
import { Tensor } from '../tensor/tensor.js'
import { fromNative, toNative } from './convert.js'
import { resolveOverload } from './overloads.js'
import { Program } from './program.js'

/*
 * Eager calls: one operator on JavaScript values, now. Each overload is a program of one node, made on first use, so that an eager call and a
 * node of a graph run the very same code.
 */

/** Sees every eager call with its overload resolved: the tracer records through it. */
export interface CallListener {
  /** After the call. `args` are in the order of the schema with defaults filled in. */
  called(schema: FunctionSchema, args: readonly unknown[], result: unknown): void
}

let listener: CallListener | undefined

/** Calls `body` with every eager call going to `to` as well. */
export function withListener<T>(to: CallListener | undefined, body: () => T): T {
  const saved = listener
  listener = to
  try {
    return body()
  } finally {
    listener = saved
  }
}
/** The listener of the moment. */
export const currentListener = (): CallListener | undefined => listener

const noClasses = {
  classType: (name: string): never => {
    throw new Error(`No class ${name}.`)
  },
  parseType: () => undefined,
  enumType: () => undefined,
}

function functionOf(schema: FunctionSchema): ScriptFunction {
  const graph = new Graph()
  const inputs = schema.arguments.map((argument) => graph.block.addInput(argument.type, argument.name))
  const node = graph.block.append(graph.create(schema.name, inputs, schema.returns.length))
  node.schema = schema
  node.outputs.forEach((output, i) => output.setType(schema.returns[i].type))
  const types = schema.returns.map((r) => r.type)
  let returnType: Type = NoneType
  if (types.length === 1) {
    returnType = types[0]
    graph.block.addOutput(node.output)
  } else if (types.length === 0) {
    graph.block.addOutput(graph.block.append(graph.createConstant({ kind: 'none' }, NoneType)).output)
  } else {
    const tuple = graph.block.append(graph.create('prim::TupleConstruct', node.outputs))
    returnType = tupleOf(types)
    graph.block.addOutput(tuple.output.setType(returnType))
  }
  const parameters = schema.arguments.map(({ name, type }) => ({ name, type }))
  return { qualifiedName: schema.fullName, name: schema.name, parameters, returnType, graph }
}

interface Runner {
  readonly run: (args: readonly unknown[]) => unknown
  /** One tensor and nothing else comes out: the most common case, which needs no look at the result. */
  readonly isTensor: boolean
  /** Index of the argument that the result is, for in-place and out variants; -1 for none. */
  readonly resultIs: number
  /** Names of several results. */
  readonly names: readonly (string | undefined)[]
}

const runners = new Map<FunctionSchema, Runner>()

function runnerOf(schema: FunctionSchema): Runner {
  let runner = runners.get(schema)
  if (runner === undefined) {
    const fn = functionOf(schema)
    const program = new Program({ classes: noClasses, functions: [fn] })
    program.setRecording(false)
    const { returns } = schema
    const alias = returns.length === 1 ? returns[0].alias : undefined
    const resultIs =
      alias?.isWrite === true ? schema.arguments.findIndex((a) => a.alias?.isWrite && a.alias.before[0] === alias.before[0]) : -1
    const isTensor = returns.length === 1 && returns[0].type === TensorType
    runner = { run: program.direct(fn), isTensor, resultIs, names: returns.map((r) => r.name) }
    runners.set(schema, runner)
  }
  return runner
}

/** Several results as an array whose members also have the schema's names: `const { values, indices } = x.max(1)`. */
function named(results: unknown[], names: readonly (string | undefined)[]): unknown[] {
  names.forEach((name, i) => {
    if (name !== undefined) Object.defineProperty(results, name, { value: results[i], enumerable: false })
  })
  return results
}

/** An argument as the addon takes it. Sizes of a trace are the numbers they are. */
function toAddon(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Tensor) return Tensor.handleOf(value)
  if (Array.isArray(value)) return value.map(toAddon)
  return value instanceof Number ? value.valueOf() : toNative(value)
}

/** Runs one overload; arguments in the order of the schema, all present. */
export function callOverload(schema: FunctionSchema, args: readonly unknown[]): unknown {
  const { run, isTensor, resultIs, names } = runnerOf(schema)
  const converted = new Array<unknown>(args.length)
  for (let i = 0; i < args.length; i++) {
    const value = args[i]
    converted[i] = value instanceof Tensor ? Tensor.argumentOf(value, i) : toAddon(value)
  }
  let given: unknown
  try {
    given = run(converted)
  } finally {
    Tensor.settleArguments(args)
  }
  let result: unknown
  if (resultIs >= 0 && args[resultIs] instanceof Tensor) result = args[resultIs]
  else if (isTensor) result = Tensor.fromResult(given as TensorHandle | number)
  else {
    result = fromNative(given, (handle) => handle)
    if (names.length > 1) named(result as unknown[], names)
  }
  listener?.called(schema, args, result)
  return result
}

/**
 * Calls an operator on eager tensors: `callOperator('aten::softmax', [x, 1])`, `callOperator('aten::sum', [x, [1]], { keepdim: true })`.
 * The overload is the first in PyTorch's order that takes the values. In-place and out variants return the very tensor they write.
 */
export function callOperator(name: string, args: readonly unknown[], kwargs?: Readonly<Record<string, unknown>>): unknown {
  const call = resolveOverload(name, args, kwargs)
  return callOverload(call.schema, call.args)
}
