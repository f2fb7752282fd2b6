import { invariant } from '../util/errors.js'
import type { FunctionSchema } from './schema.js'
import type { ConstantValue, Type } from './types.js'
import { TensorType } from './types.js'

/** Where a node comes from. `text` is the whole source, so that messages can show the lines around. */
export interface SourceRange {
  readonly file: string
  readonly text: string
  readonly start: number
  readonly end: number
}

/** Attribute of a node: a compile-time value, a name, a list of types (isinstance), or a nested graph (fork). */
export type NodeAttribute =
  | { readonly kind: 'value'; readonly value: ConstantValue }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'types'; readonly types: readonly Type[] }
  | { readonly kind: 'graph'; readonly graph: Graph }

/** One use of a value: input number `offset` of `user`; block results are uses by the block's return node. */
export interface Use {
  readonly user: Node
  readonly offset: number
}

/** An SSA value: an output of a node or a parameter of a block. */
export class Value {
  readonly uses: Use[] = []
  constructor(
    readonly node: Node,
    public offset: number,
    public type: Type,
    /** Name without `%`; the printer numbers values that have none. */
    public debugName?: string,
  ) {}
  setType(type: Type): this {
    this.type = type
    return this
  }
  /** Given `f(%this)`, Execute `a.replaceAllUsesWith(b)`, Result `f(%b)` for every use. */
  replaceAllUsesWith(other: Value): void {
    for (const { user, offset } of [...this.uses]) user.replaceInput(offset, other)
  }
}

/**
 * One operation. `kind` is qualified (`aten::add`, `prim::If`). Nodes of registered operators carry the matched `schema`.
 * A block's parameters are outputs of its `prim::Param` node and its results are inputs of its `prim::Return` node.
 */
export class Node {
  readonly inputs: Value[] = []
  readonly outputs: Value[] = []
  readonly blocks: Block[] = []
  readonly attributes = new Map<string, NodeAttribute>()
  /** The block that holds this node; undefined before insertion and after removal. */
  owner: Block | undefined
  schema: FunctionSchema | undefined
  range: SourceRange | undefined
  /** Calls that inlining has dissolved, outermost first, for stack traces. */
  callStack: readonly { readonly functionName: string; readonly range: SourceRange | undefined }[] | undefined
  constructor(
    readonly graph: Graph,
    readonly kind: string,
  ) {}

  get output(): Value {
    invariant(this.outputs.length === 1, `${this.kind} has ${this.outputs.length} outputs where one is needed.`)
    return this.outputs[0]
  }
  addInput(value: Value): this {
    value.uses.push({ user: this, offset: this.inputs.length })
    this.inputs.push(value)
    return this
  }
  addOutput(type: Type = TensorType, debugName?: string): Value {
    const value = new Value(this, this.outputs.length, type, debugName)
    this.outputs.push(value)
    return value
  }
  replaceInput(offset: number, value: Value): void {
    this.dropUse(offset)
    this.inputs[offset] = value
    value.uses.push({ user: this, offset })
  }
  removeInput(offset: number): void {
    const rest = this.inputs.slice(offset + 1)
    for (let i = this.inputs.length - 1; i >= offset; i--) this.dropUse(i)
    this.inputs.length = offset
    for (const value of rest) this.addInput(value)
  }
  removeAllInputs(): void {
    for (let i = this.inputs.length - 1; i >= 0; i--) this.dropUse(i)
    this.inputs.length = 0
  }
  private dropUse(offset: number): void {
    const uses = this.inputs[offset].uses
    const at = uses.findIndex((u) => u.user === this && u.offset === offset)
    invariant(at >= 0, `A use of input ${offset} of ${this.kind} is not registered.`)
    uses.splice(at, 1)
  }
  removeOutput(offset: number): void {
    invariant(this.outputs[offset].uses.length === 0, `Output ${offset} of ${this.kind} is still used.`)
    this.outputs.splice(offset, 1)
    for (let i = offset; i < this.outputs.length; i++) this.outputs[i].offset = i
  }
  addBlock(): Block {
    const block = new Block(this.graph, this)
    this.blocks.push(block)
    return block
  }
  insertBefore(other: Node): this {
    this.detach()
    invariant(other.owner !== undefined, 'The node to insert before is not in a block.')
    this.owner = other.owner
    other.owner.nodes.splice(other.owner.nodes.indexOf(other), 0, this)
    return this
  }
  insertAfter(other: Node): this {
    this.detach()
    invariant(other.owner !== undefined, 'The node to insert after is not in a block.')
    this.owner = other.owner
    other.owner.nodes.splice(other.owner.nodes.indexOf(other) + 1, 0, this)
    return this
  }
  private detach(): void {
    if (this.owner !== undefined) this.owner.nodes.splice(this.owner.nodes.indexOf(this), 1)
    this.owner = undefined
  }
  /** Removes a node whose outputs have no uses, with its blocks. */
  destroy(): void {
    for (const output of this.outputs) invariant(output.uses.length === 0, `An output of ${this.kind} is still used.`)
    for (const block of this.blocks) block.destroyContents()
    this.removeAllInputs()
    this.detach()
  }
  setAttribute(name: string, attribute: NodeAttribute): this {
    this.attributes.set(name, attribute)
    return this
  }
  stringAttribute(name: string): string {
    const attribute = this.attributes.get(name)
    invariant(attribute?.kind === 'string', `${this.kind} has no string attribute "${name}".`)
    return attribute.value
  }
  /** The compile-time value of a prim::Constant, else undefined. */
  get constant(): ConstantValue | undefined {
    if (this.kind !== 'prim::Constant') return undefined
    const attribute = this.attributes.get('value')
    return attribute?.kind === 'value' ? attribute.value : { kind: 'none' }
  }
}

/** A list of nodes with parameters and results. */
export class Block {
  readonly nodes: Node[] = []
  readonly paramNode: Node
  readonly returnNode: Node
  constructor(
    readonly graph: Graph,
    /** The node this block belongs to; undefined for a graph's top block. */
    readonly owner: Node | undefined,
  ) {
    this.paramNode = new Node(graph, 'prim::Param')
    this.returnNode = new Node(graph, 'prim::Return')
    this.paramNode.owner = this
    this.returnNode.owner = this
  }
  get inputs(): readonly Value[] {
    return this.paramNode.outputs
  }
  get outputs(): readonly Value[] {
    return this.returnNode.inputs
  }
  addInput(type: Type = TensorType, debugName?: string): Value {
    return this.paramNode.addOutput(type, debugName)
  }
  addOutput(value: Value): void {
    this.returnNode.addInput(value)
  }
  append(node: Node): Node {
    node.owner = this
    this.nodes.push(node)
    return node
  }
  prepend(node: Node): Node {
    node.owner = this
    this.nodes.unshift(node)
    return node
  }
  destroyContents(): void {
    this.returnNode.removeAllInputs()
    for (let i = this.nodes.length - 1; i >= 0; i--) {
      const node = this.nodes[i]
      for (const block of node.blocks) block.destroyContents()
      node.removeAllInputs()
      node.owner = undefined
    }
    this.nodes.length = 0
  }
}

/** A function body in SSA form. */
export class Graph {
  readonly block: Block = new Block(this, undefined)
  get inputs(): readonly Value[] {
    return this.block.inputs
  }
  get outputs(): readonly Value[] {
    return this.block.outputs
  }
  get nodes(): readonly Node[] {
    return this.block.nodes
  }
  /** A node with `outputs` outputs of type Tensor that is in no block yet. */
  create(kind: string, inputs: readonly Value[] = [], outputs = 1): Node {
    const node = new Node(this, kind)
    for (const input of inputs) node.addInput(input)
    for (let i = 0; i < outputs; i++) node.addOutput()
    return node
  }
  createConstant(value: ConstantValue, type: Type): Node {
    const node = this.create('prim::Constant', [], 1)
    if (value.kind !== 'none') node.setAttribute('value', { kind: 'value', value })
    node.output.setType(type)
    return node
  }
}

/** Every node below a block, nested blocks included, in order. */
export function* allNodes(block: Block): Generator<Node> {
  for (const node of [...block.nodes]) {
    yield node
    for (const inner of node.blocks) yield* allNodes(inner)
  }
}

/** Inserts nodes at the end of a block. */
export class GraphBuilder {
  /** Source position that inserted nodes get. */
  range: SourceRange | undefined
  /** The source language has one type of numbers: implicit conversions make floats of ints. */
  widensInts = false
  constructor(
    readonly graph: Graph,
    public block: Block = graph.block,
  ) {}
  insert(node: Node): Node {
    node.range ??= this.range
    return this.block.append(node)
  }
  add(kind: string, inputs: readonly Value[] = [], outputs = 1): Node {
    return this.insert(this.graph.create(kind, inputs, outputs))
  }
  constant(value: ConstantValue, type: Type): Value {
    return this.insert(this.graph.createConstant(value, type)).output
  }
  /** Runs `emit` with insertions going to `block`. */
  within<T>(block: Block, emit: () => T): T {
    const saved = this.block
    this.block = block
    try {
      return emit()
    } finally {
      this.block = saved
    }
  }
}
