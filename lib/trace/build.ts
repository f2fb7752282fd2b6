import { Graph, GraphBuilder, type Value } from '../ir/graph.js'
import { isMutating, schemaByFullName } from '../ir/schema.js'
import type { ConstantValue, Parameter, ScriptFunction, Type } from '../ir/types.js'
import { type ClassType, NoneType, StringType, TensorType, tupleOf } from '../ir/types.js'
import type { Tensor } from '../tensor/tensor.js'
import { invariant } from '../util/errors.js'
import { Frame, type InputTree, type TraceArgument, type TraceResult, type TraceValue, valuesOf } from './records.js'

export interface BuildContext {
  /** The class of the module at a path from the root. */
  classAt(path: readonly string[]): ClassType
  /** What a constant tensor is in a graph. */
  describe(tensor: Tensor): unknown
  /** Name that a method gets: the first call of a module is its `forward`, further ones `forward1` and so on. */
  methodName(type: ClassType, isRoot: boolean): string
}

/** A finished function: what its caller hands over besides the module, and what it gets. */
interface Built {
  readonly fn: ScriptFunction
  readonly inputs: readonly TraceValue[]
  readonly outputs: readonly TraceValue[]
}

/** The frames that use each value; undefined is the caller of the traced function. */
type Uses = Map<TraceValue, Set<Frame | undefined>>

function collectUses(frame: Frame, uses: Uses): void {
  const use = (value: TraceValue): void => {
    const frames = uses.get(value)
    if (frames === undefined) uses.set(value, new Set([frame]))
    else frames.add(frame)
  }
  for (const record of frame.records) {
    if (record.kind === 'frame') collectUses(record, uses)
    else for (const argument of record.args) for (const value of valuesOf(argument)) use(value)
  }
}

/** Values that records of a frame and below make, in order. */
function* definitions(frame: Frame): Generator<TraceValue> {
  for (const record of frame.records) {
    if (record.kind === 'frame') yield* definitions(record)
    else for (const result of record.kind === 'operator' ? record.results : [record.result]) yield* leaves(result)
  }
}
function* leaves(result: TraceResult): Generator<TraceValue> {
  if (result.kind === 'value') yield result.value
  else if (result.kind !== 'ignored') for (const item of result.items) yield* leaves(item)
}

/** Removes operators that change nothing and whose results nobody uses; `live` holds the values that are used. */
function prune(frame: Frame, live: Set<TraceValue>): void {
  const { records } = frame
  for (let i = records.length - 1; i >= 0; i--) {
    const record = records[i]
    if (record.kind === 'frame') {
      prune(record, live)
      continue
    }
    if (record.kind === 'operator' && !isMutating(record.schema)) {
      const results = record.results.flatMap((result) => [...leaves(result)])
      if (!results.some((value) => live.has(value))) {
        records.splice(i, 1)
        continue
      }
    }
    for (const argument of record.args) for (const value of valuesOf(argument)) live.add(value)
  }
}

const startsWith = (path: readonly string[], prefix: readonly string[]): boolean =>
  path.length >= prefix.length && prefix.every((name, i) => path[i] === name)

/** Makes the graph of a frame. */
class FrameBuilder {
  readonly graph = new Graph()
  private readonly b = new GraphBuilder(this.graph)
  private readonly values = new Map<TraceValue, Value>()
  private readonly objects = new Map<string, Value>()
  private readonly self: Value | undefined
  private readonly parameters: Parameter[] = []
  readonly inputs: TraceValue[] = []

  constructor(
    private readonly frame: Frame,
    private readonly uses: Uses,
    private readonly context: BuildContext,
  ) {
    const { module } = frame
    if (module !== undefined) {
      const type = context.classAt(module.path)
      this.self = this.graph.block.addInput(type, 'self')
      this.parameters.push({ name: 'self', type })
    }
  }

  private get path(): readonly string[] {
    return this.frame.module?.path ?? []
  }
  private isOutside(value: TraceValue): boolean {
    const { origin } = value
    if (origin.kind === 'attribute') return this.self === undefined || !startsWith(origin.path, this.path)
    return origin.kind === 'local' && !origin.frame.isInside(this.frame)
  }
  private isUsedInside(value: TraceValue): boolean {
    for (const user of this.uses.get(value) ?? []) if (user?.isInside(this.frame)) return true
    return false
  }

  private addInput(value: TraceValue): Value {
    const taken = new Set(this.parameters.map((p) => p.name))
    const base = value.name !== undefined && value.name !== '' && value.name !== 'self' ? value.name : value.type === TensorType ? 'x' : 'n'
    let name = base
    for (let i = 1; taken.has(name); i++) name = `${base}${i}`
    const input = this.graph.block.addInput(value.type, name)
    this.parameters.push({ name, type: value.type })
    this.inputs.push(value)
    this.values.set(value, input)
    return input
  }

  /** Inputs of the traced function itself. */
  takeInputs(inputs: readonly InputTree[]): void {
    for (const input of inputs) this.addInput(input.value)
    for (const input of inputs) this.takeApart(input)
  }
  private takeApart(input: InputTree): void {
    if (input.kind === 'tensor') return
    const value = this.values.get(input.value)
    invariant(value !== undefined, 'An input of a trace has no value.')
    if (input.kind === 'tuple') {
      const unpack = this.b.add('prim::TupleUnpack', [value], input.items.length)
      input.items.forEach((item, i) => this.values.set(item.value, unpack.outputs[i].setType(item.value.type)))
      for (const item of input.items) this.takeApart(item)
      return
    }
    for (const [key, item] of input.entries) {
      const node = this.b.add('aten::__getitem__', [value, this.constant({ kind: 'string', value: key }, StringType)])
      node.schema = schemaByFullName('aten::__getitem__.Dict_str')
      this.values.set(item.value, node.output.setType(TensorType))
    }
  }
  /** Values that the call of a module is given, where something inside uses them. */
  takeArguments(): void {
    for (const value of this.frame.args)
      if (!this.values.has(value) && this.isOutside(value) && this.isUsedInside(value)) this.addInput(value)
  }

  private constant(value: ConstantValue, type: Type): Value {
    return this.b.constant(value, type)
  }

  /** The object at a path that starts with the frame's own. */
  private object(path: readonly string[]): Value {
    invariant(this.self !== undefined, 'A frame without a module reaches for one.')
    if (path.length === this.path.length) return this.self
    const key = path.join('.')
    let value = this.objects.get(key)
    if (value === undefined) {
      value = this.attribute(this.object(path.slice(0, -1)), path[path.length - 1], this.context.classAt(path))
      this.objects.set(key, value)
    }
    return value
  }
  private attribute(object: Value, name: string, type: Type): Value {
    return this.b.add('prim::GetAttr', [object]).setAttribute('name', { kind: 'string', value: name }).output.setType(type)
  }

  private value(traced: TraceValue): Value {
    const known = this.values.get(traced)
    if (known !== undefined) return known
    if (this.isOutside(traced)) {
      const { origin } = traced
      // A function has no module whose attributes it could read: their tensors are its constants.
      if (origin.kind !== 'attribute' || this.self !== undefined) return this.addInput(traced)
    }
    const { origin } = traced
    invariant(origin.kind !== 'local', 'A value of a trace is used before it is made.')
    const value =
      origin.kind === 'attribute'
        ? this.attribute(this.object(origin.path), origin.name, TensorType)
        : this.constant({ kind: 'tensor', tensor: this.context.describe(origin.tensor) }, TensorType)
    this.values.set(traced, value)
    return value
  }

  argument(argument: TraceArgument): Value {
    switch (argument.kind) {
      case 'value':
        return this.value(argument.value)
      case 'constant':
        return this.constant(argument.constant, argument.type)
      case 'list':
        return this.b
          .add(
            'prim::ListConstruct',
            argument.items.map((item) => this.argument(item)),
          )
          .output.setType(argument.type)
      case 'tuple': {
        const items = argument.items.map((item) => this.argument(item))
        return this.b.add('prim::TupleConstruct', items).output.setType(tupleOf(items.map((item) => item.type)))
      }
      case 'dict':
        return this.b
          .add(
            'prim::DictConstruct',
            argument.entries.flatMap((pair) => pair.map((part) => this.argument(part))),
          )
          .output.setType(argument.type)
    }
  }

  private bind(result: TraceResult, value: Value): void {
    if (result.kind === 'value') this.values.set(result.value, value)
    else if (result.kind !== 'ignored') {
      const unpack = this.b.add(result.kind === 'list' ? 'prim::ListUnpack' : 'prim::TupleUnpack', [value], result.items.length)
      unpack.outputs.forEach((output, i) => output.setType(typeOfResult(result.items[i])))
      result.items.forEach((item, i) => this.bind(item, unpack.outputs[i]))
    }
  }

  addRecords(): void {
    for (const record of this.frame.records) {
      this.b.range = record.range
      if (record.kind === 'frame') this.addCall(record)
      else if (record.kind === 'operator') {
        const node = this.b.add(
          record.schema.name,
          record.args.map((argument) => this.argument(argument)),
          record.schema.returns.length,
        )
        node.schema = record.schema
        node.outputs.forEach((output, i) => output.setType(record.schema.returns[i].type))
        record.results.forEach((result, i) => this.bind(result, node.outputs[i]))
      } else {
        const args = record.args.map((argument) => this.argument(argument))
        const { fn, path } = record
        const node =
          path === undefined
            ? this.b.add('prim::CallFunction', [this.constant({ kind: 'function', fn }, { kind: 'Function', fn }), ...args])
            : this.b.add('prim::CallMethod', [this.object(path), ...args]).setAttribute('name', { kind: 'string', value: fn.name })
        this.bind(record.result, node.output.setType(fn.returnType))
      }
      this.b.range = undefined
    }
  }

  private addCall(frame: Frame): void {
    const { module } = frame
    invariant(module !== undefined, 'A frame inside a trace has no module.')
    const built = build(frame, this.uses, this.context)
    if (built === undefined) return
    const args = built.inputs.map((input) => this.value(input))
    const node = this.b
      .add('prim::CallMethod', [this.object(module.path), ...args])
      .setAttribute('name', { kind: 'string', value: built.fn.name })
    node.output.setType(built.fn.returnType)
    if (built.outputs.length === 1) this.values.set(built.outputs[0], node.output)
    else if (built.outputs.length > 1) {
      const unpack = this.b.add('prim::TupleUnpack', [node.output], built.outputs.length)
      built.outputs.forEach((output, i) => this.values.set(output, unpack.outputs[i].setType(output.type)))
    }
  }

  finish(outputs: readonly TraceValue[] | TraceArgument, isRoot: boolean): ScriptFunction {
    let result: Value
    if (!Array.isArray(outputs)) result = this.argument(outputs as TraceArgument)
    else {
      const values = outputs.map((output: TraceValue) => this.value(output))
      if (values.length === 0) result = this.constant({ kind: 'none' }, NoneType)
      else if (values.length === 1) result = values[0]
      else result = this.b.add('prim::TupleConstruct', values).output.setType(tupleOf(values.map((value) => value.type)))
    }
    this.graph.block.addOutput(result)
    const { module } = this.frame
    const type = module === undefined ? undefined : this.context.classAt(module.path)
    const name = type === undefined ? 'forward' : this.context.methodName(type, isRoot)
    const fn: ScriptFunction = {
      qualifiedName: type === undefined ? `__torch__.${name}` : `${type.qualifiedName}.${name}`,
      name,
      parameters: this.parameters,
      returnType: result.type,
      graph: this.graph,
    }
    type?.methods.set(name, fn)
    return fn
  }
}

const typeOfResult = (result: TraceResult): Type => (result.kind === 'value' ? result.value.type : result.type)

/** The method of a module's call; undefined when the call does nothing that anyone sees. */
function build(frame: Frame, uses: Uses, context: BuildContext): Built | undefined {
  const outputs = [...definitions(frame)].filter((value) => {
    for (const user of uses.get(value) ?? []) if (user === undefined || !user.isInside(frame)) return true
    return false
  })
  const unique = [...new Set(outputs)]
  if (unique.length === 0 && !hasEffect(frame)) return undefined
  const builder = new FrameBuilder(frame, uses, context)
  builder.takeArguments()
  builder.addRecords()
  const fn = builder.finish(unique, false)
  return { fn, inputs: builder.inputs, outputs: unique }
}

function hasEffect(frame: Frame): boolean {
  return frame.records.some((record) => {
    if (record.kind === 'frame') return hasEffect(record)
    return record.kind === 'scriptCall' || isMutating(record.schema)
  })
}

/** Makes the traced function, and the methods of the modules it calls. Methods are put into their classes. */
export function buildTrace(root: Frame, inputs: readonly InputTree[], output: TraceArgument, context: BuildContext): ScriptFunction {
  prune(root, new Set(valuesOf(output)))
  const uses: Uses = new Map()
  collectUses(root, uses)
  for (const value of valuesOf(output)) {
    const users = uses.get(value)
    if (users === undefined) uses.set(value, new Set([undefined]))
    else users.add(undefined)
  }
  const builder = new FrameBuilder(root, uses, context)
  builder.takeInputs(inputs)
  builder.addRecords()
  return builder.finish(output, true)
}
