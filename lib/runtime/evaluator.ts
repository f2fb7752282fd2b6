import type { TensorData } from '../archive/values.js'
import { Graph, type Node } from '../ir/graph.js'
import type { ConstantValue, ScriptFunction, Type } from '../ir/types.js'
import { AnyType, NoneType, NumberType, tupleOf, typeToString } from '../ir/types.js'
import type { Evaluator } from '../passes/evaluator.js'
import { typeOfConstant } from '../passes/evaluator.js'
import { Tensor } from '../tensor/tensor.js'
import { InvariantError } from '../util/errors.js'
import { constantFacts } from './constant-facts.js'
import { liveTensorOf } from './live-tensors.js'
import { Program } from './program.js'
import { TensorExporter } from './snapshot.js'
import { TensorImporter } from './tensors.js'

interface Runner {
  readonly program: Program
  readonly fn: ScriptFunction
}

const noClasses = {
  classType: (name: string): never => {
    throw new InvariantError(`No class ${name}.`)
  },
  parseType: () => undefined,
  enumType: () => undefined,
}

/** Has no form as a constant, or as an argument. */
class Inexpressible extends Error {}

/** Programs of one node, by what makes them differ. The process keeps them: there are as many as operators in use. */
const runners = new Map<string, Runner>()

function runnerOf(node: Node, types: readonly Type[]): Runner {
  const results = node.outputs.map((output) => output.type)
  const key = `${node.kind} ${node.schema?.fullName} (${types.map(typeToString).join()}) ${results.map(typeToString).join()}`
  let runner = runners.get(key)
  if (runner === undefined) {
    const graph = new Graph()
    const copy = graph.create(
      node.kind,
      types.map((type) => graph.block.addInput(type)),
      results.length,
    )
    copy.schema = node.schema
    copy.outputs.forEach((output, i) => output.setType(results[i]))
    graph.block.append(copy)
    let returnType: Type = NoneType
    if (results.length === 1) {
      returnType = results[0]
      graph.block.addOutput(copy.output)
    } else {
      returnType = tupleOf(results)
      const tuple = graph.block.append(graph.create('prim::TupleConstruct', copy.outputs))
      graph.block.addOutput(tuple.output.setType(returnType))
    }
    const fn: ScriptFunction = {
      qualifiedName: node.schema?.fullName ?? node.kind,
      name: node.kind,
      parameters: types.map((type, i) => ({ name: `input_${i}`, type })),
      returnType,
      graph,
    }
    const program = new Program({ classes: noClasses, functions: [fn] })
    program.setRecording(false)
    program.setDerives(true)
    runner = { program, fn }
    runners.set(key, runner)
  }
  return runner
}

const tensors = new WeakMap<TensorData, Tensor>()
const read = new Set<Tensor>()

/** Gives back the memory of mapped weights that passes have looked at: mostly it is what passes made of them that programs use. */
export function releaseRead(): void {
  for (const tensor of read) if (!tensor.isDisposed) Tensor.handleOf(tensor).releasePages()
  read.clear()
}

/** The tensor that a constant stands for. */
export function tensorOfConstant(data: TensorData): Tensor {
  let tensor = liveTensorOf(data) ?? tensors.get(data)
  if (tensor === undefined) tensors.set(data, (tensor = Tensor.fromHandle(new TensorImporter().import(data))))
  return tensor
}

function argumentOf(value: ConstantValue): unknown {
  switch (value.kind) {
    case 'none':
      return null
    case 'bool':
    case 'int':
    case 'float':
    case 'device':
      return value.value
    case 'complex':
      return { re: value.re, im: value.im }
    case 'string':
      if (value.bytes !== undefined) throw new Inexpressible()
      return value.value
    case 'tensor': {
      const tensor = tensorOfConstant(value.tensor as TensorData)
      read.add(tensor)
      return tensor
    }
    case 'list':
    case 'tuple':
      return value.items.map(argumentOf)
    case 'dict':
      return new Map(value.entries.map(([k, v]) => [argumentOf(k), argumentOf(v)]))
    default:
      throw new Inexpressible()
  }
}

/** A result as programs hold weights: kernels pack those once. */
function weightOf(tensor: Tensor): TensorData {
  const data = { ...new TensorExporter().export(Tensor.handleOf(tensor)), requiresGrad: false }
  tensors.set(data, tensor)
  return data
}

function constantOf(value: unknown, type: Type): ConstantValue {
  switch (type.kind) {
    case 'Optional':
      return value === null ? { kind: 'none' } : constantOf(value, type.element)
    case 'List':
      return { kind: 'list', items: (value as unknown[]).map((item) => constantOf(item, type.element)), type }
    case 'Tuple':
      if (type.named !== undefined) throw new Inexpressible()
      return { kind: 'tuple', items: (value as unknown[]).map((item, i) => constantOf(item, type.elements[i])), type }
    case 'Simple':
      break
    default:
      throw new Inexpressible()
  }
  switch (type.name) {
    case 'Tensor':
      // An undefined tensor comes as null.
      return value instanceof Tensor ? { kind: 'tensor', tensor: weightOf(value) } : fail()
    case 'int':
      return { kind: 'int', value: BigInt(value as number | bigint) }
    case 'float':
      return { kind: 'float', value: Number(value) }
    case 'bool':
      return { kind: 'bool', value: value as boolean }
    case 'str':
      return typeof value === 'string' ? { kind: 'string', value } : fail()
    case 'Device':
      return { kind: 'device', value: value as string }
    case 'NoneType':
      return { kind: 'none' }
    case 'complex': {
      const { re, im } = value as { re: number; im: number }
      return { kind: 'complex', re, im }
    }
    default:
      return fail()
  }
}

function fail(): never {
  throw new Inexpressible()
}

/** Types of which an argument may be a number of either kind are those of the number. */
function argumentType(value: ConstantValue, declared: Type): Type {
  const type = typeOfConstant(value, declared)
  return type === AnyType || type === NumberType ? fail() : type
}

/** Runs nodes on the executor, one at a time. */
export const evaluator: Evaluator = {
  evaluate(node, inputs) {
    try {
      const types = inputs.map((input, i) => argumentType(input, node.inputs[i].type))
      const { program, fn } = runnerOf(node, types)
      const result = program.call(fn, inputs.map(argumentOf))
      const results = node.outputs.length === 1 ? [result] : (result as unknown[])
      return node.outputs.map((output, i) => constantOf(results[i], output.type))
    } catch {
      // The program raises at run time what it raises here, if it gets there.
      return undefined
    }
  },
  facts: constantFacts.facts,
  release(values, kept) {
    const tensorOf = (value: ConstantValue): Tensor | undefined =>
      value.kind === 'tensor' ? tensors.get(value.tensor as TensorData) : undefined
    const used = new Set(kept.map(tensorOf))
    for (const value of values) {
      const tensor = tensorOf(value)
      if (tensor === undefined || used.has(tensor)) continue
      tensors.delete((value as { tensor: TensorData }).tensor)
      read.delete(tensor)
      tensor.dispose()
    }
  },
}
