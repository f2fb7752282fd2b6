import type { Block, Graph, Node, Value } from '../ir/graph.js'
import type { AliasInfo, FunctionSchema } from '../ir/schema.js'
import { hasTypeVariables, type Type } from '../ir/types.js'
import { knownFunctional, mayReturnArgument } from './effects.js'

/**
 * A place in memory, or several that cannot be told apart. Places that may be the same are united. `fields` are what the place holds: the attributes
 * of an object by name, the elements of a container under `*`.
 */
class Place {
  private parent: Place | undefined
  private readonly fields = new Map<string, Place>()
  /** Attributes that some node sets, for objects. */
  readonly attributesSet = new Set<string>()
  /** Some node changes the memory or the container itself. */
  written = false
  /** Memory that code outside of the graph has as well: inputs, results of unknown calls. It holds itself. */
  outside = false
  /** Reached from the results of the graph, from its objects, or from outside. */
  escapes = false

  root(): Place {
    if (this.parent === undefined) return this
    const root = this.parent.root()
    this.parent = root
    return root
  }
  field(name: string): Place {
    const self = this.root()
    if (self.outside) return self
    let place = self.fields.get(name)
    if (place === undefined) self.fields.set(name, (place = new Place()))
    return place.root()
  }
  *held(): Generator<[string, Place]> {
    for (const [name, place] of this.root().fields) yield [name, place.root()]
  }

  static unite(a: Place, b: Place): void {
    const pending: [Place, Place][] = [[a, b]]
    for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
      const [to, from] = [pair[0].root(), pair[1].root()]
      if (to === from) continue
      from.parent = to
      to.written ||= from.written
      to.outside ||= from.outside
      to.escapes ||= from.escapes
      for (const name of from.attributesSet) to.attributesSet.add(name)
      for (const [name, place] of from.fields) {
        const mine = to.fields.get(name)
        if (mine === undefined) to.fields.set(name, place)
        else pending.push([mine, place])
      }
      from.fields.clear()
      if (!to.outside) continue
      for (const place of to.fields.values()) pending.push([to, place])
      to.fields.clear()
    }
  }
}

/** Whether values of a type can change, or share memory with others that can. */
export function isMutableType(type: Type): boolean {
  switch (type.kind) {
    case 'Simple':
      return ['Tensor', 'Any', 'AnyList', 'AnyTuple', 'AnyClass', 'Generator', 'Storage', 'Stream', 'Capsule', 'Quantizer'].includes(
        type.name,
      )
    case 'Optional':
      return isMutableType(type.element)
    case 'Union':
      return type.members.some(isMutableType)
    case 'Tuple':
      return type.elements.some(isMutableType)
    case 'Function':
    case 'Enum':
      return false
    default:
      return true
  }
}

const isContainer = (type: Type): boolean => {
  switch (type.kind) {
    case 'List':
    case 'Dict':
    case 'Tuple':
      return true
    case 'Simple':
      return type.name === 'AnyList' || type.name === 'AnyTuple'
    case 'Optional':
      return isContainer(type.element)
    default:
      return false
  }
}

/** Kinds that may run code which cannot be seen here. */
const opaque = new Set([
  'prim::CallMethod',
  'prim::CallFunction',
  'prim::fork',
  'aten::wait',
  'prim::Enter',
  'prim::Exit',
  'prim::PythonOp',
])

/** The memory behind a constant tensor: tensors of one storage share it. */
export const memoryOf = (tensor: unknown): unknown =>
  (typeof tensor === 'object' && tensor !== null ? (tensor as { storage?: unknown }).storage : undefined) ?? tensor

export interface AliasOptions {
  /** The first input is a module of which nothing is passed in by another way, as in a method. */
  readonly ownsSelf?: boolean
}

/**
 * Which values of a graph may share memory, and which may change. The answers hold for the whole graph at once: a value that changes anywhere counts
 * as changing everywhere. Values are places in memory; what may be the same place is united (after Steensgaard), so that views, branches, loops and
 * containers need no special rules. Calls that cannot be seen into may do anything to what they are given.
 */
export class AliasAnalysis {
  private readonly places = new Map<Value, Place>()
  private readonly constants = new Map<unknown, Place>()
  private readonly outside = new Place()
  /** Whether some call or other node may run code that is not in this graph. */
  readonly callsOut: boolean = false

  constructor(
    readonly graph: Graph,
    options: AliasOptions = {},
  ) {
    this.outside.outside = true
    const inputs = options.ownsSelf ? graph.inputs.slice(1) : graph.inputs
    for (const input of inputs) this.meet(input, this.outside)
    if (options.ownsSelf) this.place(graph.inputs[0])
    const unknown = { seen: false }
    this.visit(graph.block, unknown)
    this.callsOut = unknown.seen
    this.markEscapes(options.ownsSelf ? [graph.inputs[0], ...graph.outputs] : graph.outputs)
  }

  /** Whether the memory of a value, or anything it holds, may be changed by a node of the graph. */
  isWritten(value: Value): boolean {
    const place = this.places.get(value)
    return place !== undefined && reaches(place, (p) => p.written)
  }
  /** Whether code outside of the graph may have the value's memory after or before the graph runs. */
  escapes(value: Value): boolean {
    const place = this.places.get(value)
    return place !== undefined && reaches(place, (p) => p.escapes || p.outside)
  }
  /** Whether two values may share memory. */
  mayAlias(a: Value, b: Value): boolean {
    const [x, y] = [this.places.get(a)?.root(), this.places.get(b)?.root()]
    return x !== undefined && y !== undefined && (x === y || reaches(x, (p) => p === y) || reaches(y, (p) => p === x))
  }
  /** Whether a node, or one nested in it, may change the memory of a value. */
  mayChange(node: Node, value: Value): boolean {
    if (node.blocks.some((block) => block.nodes.some((inner) => this.mayChange(inner, value)))) return true
    if (node.schema === undefined) return opaque.has(node.kind)
    return node.schema.arguments.some((a, i) => (a.alias?.isWrite || a.elementAlias?.isWrite) && this.mayAlias(node.inputs[i], value))
  }
  /** Says that a new value takes the place of one that was there before. */
  adopt(value: Value, before: Value): void {
    const place = this.places.get(before)
    if (place !== undefined) this.places.set(value, place)
  }
  /** Whether uses of `from` can read `to`, which has the same contents, without anybody seeing that they are not two. */
  canReplace(from: Value, to: Value): boolean {
    if (!isMutableType(from.type)) return true
    if (this.isWritten(from) || this.isWritten(to)) return false
    return !(this.escapes(from) && this.escapes(to))
  }

  /** What the graph may change in an object: names of attributes, and for each attribute that holds an object the same. */
  changesOf(object: Value): ObjectChanges {
    return new ObjectChanges(this.place(object))
  }

  private place(value: Value): Place {
    let place = this.places.get(value)
    if (place === undefined) this.places.set(value, (place = new Place()))
    return place.root()
  }
  private meet(value: Value, place: Place): void {
    if (isMutableType(value.type)) Place.unite(this.place(value), place)
  }
  private same(a: Value, b: Value): void {
    if (isMutableType(a.type) && isMutableType(b.type)) Place.unite(this.place(a), this.place(b))
  }

  private visit(block: Block, unknown: { seen: boolean }): void {
    for (const node of block.nodes) this.visitNode(node, unknown)
  }

  private visitNode(node: Node, unknown: { seen: boolean }): void {
    switch (node.kind) {
      case 'prim::Constant':
        return this.constant(node)
      case 'prim::If':
        for (const block of node.blocks) {
          this.visit(block, unknown)
          block.outputs.forEach((value, i) => this.same(node.outputs[i], value))
        }
        return
      case 'prim::Loop': {
        const [body] = node.blocks
        node.outputs.forEach((output, i) => {
          this.same(output, node.inputs[i + 2])
          this.same(output, body.inputs[i + 1])
        })
        this.visit(body, unknown)
        node.outputs.forEach((output, i) => this.same(output, body.outputs[i + 1]))
        return
      }
      case 'prim::GetAttr':
        return this.meet(node.output, this.place(node.inputs[0]).field(node.stringAttribute('name')))
      case 'prim::SetAttr': {
        const [object, value] = node.inputs
        const name = node.stringAttribute('name')
        this.place(object).attributesSet.add(name)
        if (isMutableType(value.type)) Place.unite(this.place(object).field(name), this.place(value))
        return
      }
      case 'prim::TupleConstruct':
      case 'prim::ListConstruct':
      case 'prim::DictConstruct':
        for (const input of node.inputs) this.meet(input, this.place(node.output).field('*'))
        return
      case 'prim::TupleUnpack':
      case 'prim::ListUnpack':
      case 'prim::TupleIndex':
        for (const output of node.outputs) this.meet(output, this.place(node.inputs[0]).field('*'))
        return
      case 'prim::TupleSlice':
      case 'prim::unchecked_cast':
      case 'prim::unchecked_unwrap_optional':
      case 'aten::_unwrap_optional':
        return this.same(node.output, node.inputs[0])
      case 'prim::fork': {
        const attribute = node.attributes.get('Subgraph')
        if (attribute?.kind !== 'graph') return this.unknownCall(node, unknown)
        const { graph } = attribute
        graph.inputs.forEach((input, i) => this.same(input, node.inputs[i]))
        this.visit(graph.block, unknown)
        for (const output of graph.outputs) this.meet(output, this.place(node.output).field('*'))
        return
      }
      case 'aten::wait':
        return this.meet(node.output, this.place(node.inputs[0]).field('*'))
    }
    if (node.schema !== undefined) this.operator(node, node.schema)
    else if (knownFunctional.has(node.kind)) for (const output of node.outputs) this.meet(output, new Place())
    else this.unknownCall(node, unknown)
  }

  private constant(node: Node): void {
    const { constant } = node
    if (constant?.kind === 'tensor') {
      const memory = memoryOf(constant.tensor)
      let place = this.constants.get(memory)
      if (place === undefined) this.constants.set(memory, (place = new Place()))
      this.meet(node.output, place)
    } else if (isMutableType(node.output.type)) {
      // Lists of tensors and objects may share anything with one another.
      let place = this.constants.get('containers')
      if (place === undefined) this.constants.set('containers', (place = new Place()))
      this.meet(node.output, place)
    }
  }

  private unknownCall(node: Node, unknown: { seen: boolean }): void {
    unknown.seen = true
    this.outside.root().written = true
    for (const value of [...node.inputs, ...node.outputs]) this.meet(value, this.outside)
    for (const block of node.blocks) this.visit(block, unknown)
  }

  /** Unites arguments and results by the sets that the schema names; elements of all its containers are one set. */
  private operator(node: Node, schema: FunctionSchema): void {
    const sets = new Map<string, Place>()
    const join = (name: string, place: Place): void => {
      const known = sets.get(name)
      if (known === undefined) sets.set(name, place)
      else Place.unite(known, place)
    }
    const pooled = (info: AliasInfo | undefined): boolean => info !== undefined && (info.before.includes('*') || info.after.includes('*'))
    const moves = [...schema.arguments, ...schema.returns].some(
      (a) => pooled(a.alias) || pooled(a.elementAlias) || hasTypeVariables(a.type),
    )
    const annotate = (value: Value, info: { type: Type; alias?: AliasInfo; elementAlias?: AliasInfo }): void => {
      const place = this.place(value)
      for (const name of info.alias?.before ?? []) if (name !== '*') join(name, place)
      for (const name of info.elementAlias?.before ?? []) if (name !== '*') join(name, place.field('*'))
      if (info.alias?.isWrite) place.root().written = true
      if (info.elementAlias?.isWrite) place.field('*').written = true
      if (!moves) return
      if (isVariable(info.type)) join('*', place)
      else if (isContainer(value.type)) join('*', place.field('*'))
      else if (pooled(info.alias)) join('*', place)
    }
    node.inputs.forEach((input, i) => {
      const argument = schema.arguments[i]
      if (argument !== undefined && isMutableType(input.type)) annotate(input, argument)
    })
    node.outputs.forEach((output, i) => {
      const result = schema.returns[i]
      if (!isMutableType(output.type)) return
      if (result !== undefined) annotate(output, result)
      if (mayReturnArgument(node)) {
        const elements = (value: Value): Place => (isContainer(value.type) ? this.place(value).field('*') : this.place(value))
        for (const input of node.inputs) if (isMutableType(input.type)) Place.unite(elements(output), elements(input))
      }
    })
    // What a schema names in a result but in no argument comes from somewhere unknown.
    const named = new Set(['*', ...schema.arguments.flatMap((a) => [...(a.alias?.before ?? []), ...(a.elementAlias?.before ?? [])])])
    node.outputs.forEach((output, i) => {
      const alias = schema.returns[i]?.alias
      if (alias !== undefined && !alias.before.some((name) => named.has(name))) this.meet(output, this.outside)
    })
  }

  private markEscapes(values: readonly Value[]): void {
    const pending = values.flatMap((value) => {
      const place = this.places.get(value)
      return place === undefined ? [] : [place.root()]
    })
    const seen = new Set<Place>()
    for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
      if (seen.has(place)) continue
      seen.add(place)
      place.escapes = true
      for (const [, inner] of place.held()) pending.push(inner)
    }
  }
}

/** What a graph may change in one object. */
export class ObjectChanges {
  constructor(private readonly place: Place) {}
  /** The object went to code that cannot be seen: everything may change. */
  get anything(): boolean {
    return this.place.root().outside
  }
  /** Whether an attribute may be set, or its value changed in place. */
  mayChange(name: string): boolean {
    const place = this.place.root()
    if (place.outside || place.attributesSet.has(name)) return true
    for (const [field, inner] of place.held()) if (field === name) return reaches(inner, (p) => p.written)
    return false
  }
  /** Whether an attribute may be set to another value. */
  maySet(name: string): boolean {
    const place = this.place.root()
    return place.outside || place.attributesSet.has(name)
  }
  /** What may change in the object that an attribute holds. */
  of(name: string): ObjectChanges {
    return new ObjectChanges(this.place.field(name))
  }
}

function reaches(from: Place, test: (place: Place) => boolean): boolean {
  const pending = [from.root()]
  const seen = new Set(pending)
  for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
    if (test(place)) return true
    for (const [, inner] of place.held()) {
      if (seen.has(inner)) continue
      seen.add(inner)
      pending.push(inner)
    }
  }
  return false
}

const isVariable = (type: Type): boolean => type.kind === 'Var' || (type.kind === 'Optional' && type.element.kind === 'Var')
