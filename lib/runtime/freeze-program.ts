import type { ObjectValue, PickleValue, TensorData } from '../archive/values.js'
import { allNodes, type Graph } from '../ir/graph.js'
import { PrintedTensor } from '../ir/printer.js'
import type { ClassType, ConstantValue, ScriptFunction, Type } from '../ir/types.js'
import { AnyType } from '../ir/types.js'
import { simplifyingPasses, runToFixpoint } from '../passes/frozen-pipeline.js'
import { type FreezeObject, type FreezeSlot, freezeModule } from '../passes/freeze.js'
import { dtypeCode } from '../tensor/dtype.js'
import { ArgumentError } from '../util/errors.js'
import type { ProgramSource } from './compile.js'
import { evaluator } from './evaluator.js'
import { liveTensorOf } from './live-tensors.js'
import type { ClassTable } from './objects.js'

const detached = new WeakMap<TensorData, TensorData>()
/**
 * A tensor as a constant of a frozen graph. Constants do not require gradients: PyTorch refuses those that do. And they are weights, which kernels pack
 * once, also where they are tensors that JavaScript has: on the same memory, but apart from what is written there later.
 */
function asWeight(tensor: TensorData): TensorData {
  if (!tensor.requiresGrad && liveTensorOf(tensor) === undefined) return tensor
  let copy = detached.get(tensor)
  if (copy === undefined) detached.set(tensor, (copy = { ...tensor, requiresGrad: false }))
  return copy
}

/** A value of an object tree as a constant of a declared type; undefined for what has to stay in an attribute. */
function constantOf(value: PickleValue, declared: Type): ConstantValue | undefined {
  const type = declared.kind === 'Optional' && value.kind !== 'none' ? declared.element : declared
  switch (value.kind) {
    case 'none':
    case 'bool':
    case 'float':
    case 'complex':
    case 'string':
    case 'device':
      return value
    case 'tensor':
      return { kind: 'tensor', tensor: asWeight(value.tensor) }
    case 'int':
      return type.kind === 'Simple' && type.name === 'float' ? { kind: 'float', value: Number(value.value) } : value
    case 'dtype':
      return { kind: 'int', value: BigInt(dtypeCode(value.value)) }
    case 'list':
    case 'tuple': {
      if (type.kind !== 'List' && type.kind !== 'Tuple') return undefined
      const items = value.items.map((item, i) => constantOf(item, type.kind === 'List' ? type.element : (type.elements[i] ?? AnyType)))
      return items.every((item) => item !== undefined) ? { kind: value.kind, items, type } : undefined
    }
    case 'enum': {
      const inner = type.kind === 'Enum' ? constantOf(value.value, type.valueType) : undefined
      return inner && { kind: 'enum', className: value.className, value: inner }
    }
    case 'object':
      // Packed weights: opaque and never changed. Objects of other classes have attributes that may change.
      return type.kind === 'Class' && type.flavor === 'custom' ? { kind: 'object', className: value.className, object: value } : undefined
    default:
      return undefined
  }
}

/** An object tree as freezing sees it. */
class Tree {
  private readonly objects = new Map<PickleValue, FreezeObject>()
  readonly values = new Map<FreezeObject, ObjectValue>()

  constructor(private readonly classes: ClassTable) {}

  object(value: ObjectValue): FreezeObject {
    const known = this.objects.get(value)
    if (known !== undefined) return known
    const slots = new Map<string, FreezeSlot>()
    const object: FreezeObject = { type: this.classes.classType(value.className), slots }
    this.objects.set(value, object)
    this.values.set(object, value)
    for (const attribute of object.type.attributes) {
      const held = value.attributes?.get(attribute.name)
      if (held === undefined) continue
      if (held.kind === 'object' && this.classes.classType(held.className).isModule && held.attributes !== undefined)
        slots.set(attribute.name, { kind: 'module', module: this.object(held) })
      else slots.set(attribute.name, { kind: 'value', constant: constantOf(held, attribute.type) })
    }
    return object
  }
}

export interface FreezeProgramOptions {
  /** Dotted names of attributes and methods that stay. */
  readonly preserved: readonly string[]
  /** Works on the graphs once their constants are in place. */
  optimize(graph: Graph): void
}

/** Makes weights of the tensors that a graph had as constants before it was frozen: those that a trace met. */
function constantsAsWeights(graph: Graph): void {
  for (const node of allNodes(graph.block)) {
    const { constant } = node
    if (constant?.kind !== 'tensor' || constant.tensor instanceof PrintedTensor) continue
    const tensor = asWeight(constant.tensor as TensorData)
    if (tensor !== constant.tensor) node.setAttribute('value', { kind: 'value', value: { kind: 'tensor', tensor } })
  }
}

/** Finds what a dotted name below an object means. */
function resolve(root: FreezeObject, name: string): { object: FreezeObject; name: string; method?: ScriptFunction } {
  const parts = name.split('.')
  let object = root
  for (const part of parts.slice(0, -1)) {
    const slot = object.slots.get(part)
    if (slot?.kind !== 'module') return missing(root.type, name)
    object = slot.module
  }
  const last = parts[parts.length - 1]
  const method = object.type.methods.get(last)
  if (method === undefined && !object.slots.has(last)) return missing(root.type, name)
  return { object, name: last, method }
}

function missing(type: ClassType, name: string): never {
  throw new ArgumentError(`Expected an attribute or method of ${type.qualifiedName} for \`preservedAttrs\` but received '${name}'`)
}

/** The program of a module with its unchanging attributes as constants. Memory of tensors is shared with the source. */
export function freezeProgram(source: ProgramSource, options: FreezeProgramOptions): ProgramSource {
  const { root, classes } = source
  if (root?.kind !== 'object')
    throw new ArgumentError(`Expected a module for \`module\` but received a ${root?.kind ?? 'program without one'}`)
  const tree = new Tree(classes)
  const top = tree.object(root)
  const preserved = [...(top.type.methods.has('forward') ? ['forward'] : []), ...options.preserved].map((name) => resolve(top, name))
  const methods = new Map(preserved.flatMap(({ object, method }) => (method === undefined ? [] : [[method, { object, method }] as const])))
  const frozen = freezeModule(top, {
    methods: [...methods.values()],
    attributes: preserved.filter(({ method }) => method === undefined),
    simplify: (graph) => void runToFixpoint(graph, simplifyingPasses(evaluator)),
    finish(graph) {
      constantsAsWeights(graph)
      options.optimize(graph)
    },
  })
  return rebuild(source, top, tree, frozen.classes)
}

function rebuild(source: ProgramSource, top: FreezeObject, tree: Tree, classes: ReadonlyMap<FreezeObject, ClassType>): ProgramSource {
  const values = new Map<FreezeObject, ObjectValue>()
  const names = new Map<string, ClassType>()
  const valueOf = (object: FreezeObject): ObjectValue => {
    const known = values.get(object)
    if (known !== undefined) return known
    const old = tree.values.get(object)!
    const type = classes.get(object)
    if (type === undefined || type === object.type) return old
    names.set(type.qualifiedName, type)
    const attributes = new Map<string, PickleValue>()
    const value: ObjectValue = { kind: 'object', className: type.qualifiedName, attributes }
    values.set(object, value)
    for (const { name } of type.attributes) {
      const slot = object.slots.get(name)
      attributes.set(name, slot?.kind === 'module' ? valueOf(slot.module) : old.attributes!.get(name)!)
    }
    return value
  }
  const root = valueOf(top)
  const { classes: before } = source
  return {
    root,
    classes: {
      classType: (name) => names.get(name) ?? before.classType(name),
      parseType: (text) => before.parseType(text),
      enumType: (name) => before.enumType(name),
    },
  }
}
