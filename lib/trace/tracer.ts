import type { SourceRange } from '../ir/graph.js'
import type { FunctionSchema } from '../ir/schema.js'
import { isMutating, schemaByFullName } from '../ir/schema.js'
import type { ConstantValue, ScriptFunction, Type } from '../ir/types.js'
import {
  dictOf,
  FloatType,
  IntType,
  listOf,
  NoneType,
  optionalOf,
  scalarConstantType,
  StringType,
  TensorType,
  tupleOf,
} from '../ir/types.js'
import { Tensor } from '../tensor/tensor.js'
import { ArgumentError, invariant } from '../util/errors.js'
import { tracedCall } from './canonical.js'
import { callerPlace, rangeOf, TracerWarnings } from './location.js'
import { Frame, type InputTree, type TraceArgument, type TracedModule, type TraceResult, TraceValue } from './records.js'
import { TracedSize } from './sizes.js'

/** How a tensor of a trace became a JavaScript value. */
export type Departure = 'item' | 'toArray' | 'data'

const departures: Record<Departure, string> = {
  item: 'Converting a tensor to a JavaScript number might cause the trace to be incorrect.',
  toArray: 'Converting a tensor to a JavaScript array might cause the trace to be incorrect.',
  data: 'Looking at the memory of a tensor might cause the trace to be incorrect.',
}
const keptAsConstant =
  'The trace cannot follow JavaScript values, so this one is kept as a constant: the trace might not generalize to other inputs.'

/** Writes down what runs between `begin` and `end` of a trace; see records.ts. */
export class Tracer {
  readonly root: Frame
  private frame: Frame
  /** Modules that run inside the current frame without one of their own. */
  private readonly inline: boolean[] = []
  private readonly values = new Map<Tensor, TraceValue>()
  readonly warnings: TracerWarnings

  constructor(module: TracedModule | undefined, isQuiet = false) {
    this.warnings = new TracerWarnings(isQuiet)
    this.root = new Frame(module, undefined, undefined)
    this.frame = this.root
  }

  /** Makes a tensor known as an attribute of a module. The first place of a shared tensor is its place. */
  attribute(tensor: Tensor, path: readonly string[], name: string): void {
    if (!this.values.has(tensor)) this.values.set(tensor, new TraceValue({ kind: 'attribute', path, name }, TensorType, name))
  }

  /** Makes the tensors of an example input known; the tree says how the traced function takes them apart. */
  input(input: unknown, name: string): InputTree {
    if (input instanceof Tensor) {
      const value = new TraceValue({ kind: 'local', frame: this.root }, TensorType, name)
      this.values.set(input, value)
      return { kind: 'tensor', value }
    }
    if (Array.isArray(input)) {
      const items = input.map((item) => this.input(item, ''))
      return {
        kind: 'tuple',
        items,
        value: new TraceValue({ kind: 'local', frame: this.root }, tupleOf(items.map((item) => item.value.type)), name),
      }
    }
    if (input instanceof Map || (typeof input === 'object' && input !== null && Object.getPrototypeOf(input) === Object.prototype)) {
      const pairs = input instanceof Map ? [...(input as Map<string, unknown>)] : Object.entries(input)
      if (pairs.length > 0 && pairs.every(([, item]) => item instanceof Tensor)) {
        const entries = pairs.map(([key, item]) => [key, this.input(item, '')] as const)
        return { kind: 'dict', entries, value: new TraceValue({ kind: 'local', frame: this.root }, dictOf(StringType, TensorType), name) }
      }
    }
    throw new ArgumentError(
      `Expected a Tensor, an array of them, or a Map or object of Tensors for the example input \`${name}\` but received ${String(input)}. Numbers cannot be inputs of a trace: make them tensors, or constants of the function`,
    )
  }
  private local(tensor: Tensor): TraceValue {
    const value = new TraceValue({ kind: 'local', frame: this.frame }, TensorType)
    this.values.set(tensor, value)
    return value
  }

  // Modules

  /** A module begins to run. `module` is undefined for one outside the tree of the traced module: it has no frame. */
  enter(module: TracedModule | undefined, args: readonly unknown[]): void {
    const here = this.frame.module?.path
    const isBelow =
      module !== undefined && here !== undefined && module.path.length > here.length && here.every((name, i) => module.path[i] === name)
    this.inline.push(!isBelow)
    if (!isBelow) return
    const inner = new Frame(module, this.frame, this.range())
    inner.args = this.tensorsOf(args).flatMap((tensor) => this.values.get(tensor) ?? [])
    this.frame.records.push(inner)
    this.frame = inner
  }
  leave(): void {
    const wasInline = this.inline.pop()
    invariant(wasInline !== undefined, 'A module ends that did not begin in this trace.')
    if (wasInline) return
    invariant(this.frame.parent !== undefined, 'The frame of the trace itself ends.')
    this.frame = this.frame.parent
  }
  private tensorsOf(value: unknown): Tensor[] {
    if (value instanceof Tensor) return [value]
    if (Array.isArray(value)) return value.flatMap((item) => this.tensorsOf(item))
    return []
  }

  private range(): SourceRange | undefined {
    return rangeOf(callerPlace())
  }

  // Operators

  called(schema: FunctionSchema, args: readonly unknown[], result: unknown): void {
    const types = schema.returns.map((r) => r.type)
    const parts = types.length === 1 ? [result] : types.length === 0 ? [] : (result as unknown[])
    // A call whose results are all JavaScript values and that changes nothing is no part of a trace.
    if (!isMutating(schema) && types.length > 0 && !parts.some((part) => this.tensorsOf(part).length > 0)) {
      if (
        schema.arguments.some((a, i) => a.type === TensorType && this.isTraced(args[i])) &&
        !/^aten::(dim|size|stride|is_\w+|numel|len)$/.test(schema.name)
      ) {
        this.warnings.warn(`${schema.name} gave a JavaScript value. ${keptAsConstant}`)
      }
      return
    }
    const traced = tracedCall(schema, args)
    const values = traced.args.map((arg, i) => this.argument(arg, traced.schema.arguments[i].type))
    const results = parts.map((part, i) => this.result(part, types[i]))
    this.frame.records.push({ kind: 'operator', schema: traced.schema, args: values, results, range: this.range() })
  }

  /** A scripted function ran, or a method of a scripted module of the tree. */
  calledScript(
    fn: ScriptFunction,
    path: readonly string[] | undefined,
    args: readonly unknown[],
    kwargs: Readonly<Record<string, unknown>>,
    result: unknown,
  ): void {
    const formals = path === undefined ? fn.parameters : fn.parameters.slice(1)
    const values = formals.map((formal, i): TraceArgument => {
      const value = args[i] === undefined ? kwargs[formal.name] : args[i]
      if (value !== undefined || formal.default === undefined) return this.argument(value, formal.type)
      return constantArgument(formal.default)
    })
    this.frame.records.push({ kind: 'scriptCall', fn, path, args: values, result: this.result(result, fn.returnType), range: this.range() })
  }

  private isTraced(value: unknown): boolean {
    return value instanceof Tensor && this.values.get(value)?.origin.kind === 'local'
  }

  private valueOf(tensor: Tensor): TraceValue {
    let value = this.values.get(tensor)
    if (value === undefined) this.values.set(tensor, (value = new TraceValue({ kind: 'constant', tensor }, TensorType)))
    return value
  }

  /** An argument as an operator of this type takes it. */
  argument(value: unknown, type: Type): TraceArgument {
    if (value instanceof Tensor) return { kind: 'value', value: this.valueOf(value) }
    if (value instanceof TracedSize) return { kind: 'value', value: value.traced }
    if (type.kind === 'Optional') {
      return value === null || value === undefined
        ? { kind: 'constant', constant: { kind: 'none' }, type: NoneType }
        : this.argument(value, type.element)
    }
    if (type.kind === 'List' && Array.isArray(value))
      return { kind: 'list', items: value.map((item) => this.argument(item, type.element)), type }
    if (type.kind === 'Tuple' && Array.isArray(value))
      return { kind: 'tuple', items: value.map((item, i) => this.argument(item, type.elements[i])), type }
    return constantArgument(constantOf(value, type))
  }

  private result(part: unknown, type: Type): TraceResult {
    if (part instanceof Tensor) return { kind: 'value', value: this.local(part) }
    if (Array.isArray(part) && type.kind === 'List' && part.every((item) => item instanceof Tensor)) {
      return { kind: 'list', items: part.map((item) => this.result(item, TensorType)), type }
    }
    if (Array.isArray(part) && type.kind === 'Tuple')
      return { kind: 'tuple', items: part.map((item, i) => this.result(item, type.elements[i])), type }
    if (part instanceof Map && this.tensorsOf([...part.values()]).length > 0)
      this.warnings.warn(`A scripted function gave a dict of tensors. ${keptAsConstant}`)
    return { kind: 'ignored', type }
  }

  // What JavaScript learns of a tensor

  /** A size that the program reads: part of the trace where the tensor is. */
  size(tensor: Tensor, dim: number, size: number): number {
    if (!this.isTraced(tensor)) return size
    const schema = schemaByFullName('aten::size.int')
    invariant(schema !== undefined, 'The catalog has no aten::size.int.')
    const value = new TraceValue({ kind: 'local', frame: this.frame }, IntType)
    const args = [tensor, dim].map((arg, i) => this.argument(arg, schema.arguments[i].type))
    this.frame.records.push({ kind: 'operator', schema, args, results: [{ kind: 'value', value }], range: this.range() })
    const onPlain = (): void =>
      this.warnings.warn(
        `Converting a size of a tensor to a JavaScript number might cause the trace to be incorrect. ${keptAsConstant}`,
        'sizes',
      )
    return new TracedSize(size, value, onPlain) as unknown as number
  }
  departs(tensor: Tensor, how: Departure): void {
    if (this.isTraced(tensor)) this.warnings.warn(`${departures[how]} ${keptAsConstant}`)
  }

  /** The results of the traced function. Arrays are tuples; with `strict` false, Maps and objects are dicts. */
  output(value: unknown, strict: boolean): TraceArgument {
    if (value instanceof Tensor) return { kind: 'value', value: this.valueOf(value) }
    if (Array.isArray(value)) {
      const items = value.map((item) => this.output(item, strict))
      return { kind: 'tuple', items, type: tupleOf(items.map(typeOfArgument)) }
    }
    if (typeof value === 'object' && value !== null && !(value instanceof Number)) {
      if (strict) {
        throw new ArgumentError(
          'Expected Tensors or (possibly nested) arrays of Tensors as output of the traced function but received a dict; a trace cannot know whether its keys depend on the input. Use { strict: false } if they do not',
        )
      }
      const entries = value instanceof Map ? [...(value as Map<string, unknown>)] : Object.entries(value)
      return {
        kind: 'dict',
        type: dictOf(StringType, TensorType),
        entries: entries.map(([key, item]) => {
          if (!(item instanceof Tensor))
            throw new ArgumentError(`Expected a Tensor for the key '${String(key)}' of the output but received ${String(item)}`)
          return [
            { kind: 'constant', constant: { kind: 'string', value: String(key) }, type: StringType },
            this.output(item, strict),
          ] as const
        }),
      }
    }
    throw new ArgumentError(
      `Expected Tensors or (possibly nested) arrays of Tensors as output of the traced function but received ${String(value)}. Only tensors and tuples of tensors can be output from traced functions`,
    )
  }
}

export function typeOfArgument(argument: TraceArgument): Type {
  return argument.kind === 'value' ? argument.value.type : argument.type
}

const constantArgument = (constant: ConstantValue): TraceArgument => ({
  kind: 'constant',
  constant,
  type: scalarConstantType(constant) ?? listOf(optionalOf(TensorType)),
})

function constantOf(value: unknown, type: Type): ConstantValue {
  if (value === null || value === undefined) return { kind: 'none' }
  if (typeof value === 'boolean') return { kind: 'bool', value }
  if (typeof value === 'string')
    return type.kind === 'Simple' && type.name === 'Device' ? { kind: 'device', value } : { kind: 'string', value }
  if (typeof value === 'bigint') return { kind: 'int', value }
  if (typeof value === 'number' || value instanceof Number) {
    const number = value.valueOf()
    const isFloat = type === FloatType || !Number.isInteger(number) || Object.is(number, -0)
    return isFloat ? { kind: 'float', value: number } : { kind: 'int', value: BigInt(number) }
  }
  if (typeof value === 'object' && 're' in value && 'im' in value) return { kind: 'complex', re: Number(value.re), im: Number(value.im) }
  throw new ArgumentError(`Expected a value that a trace can keep as a constant but received ${String(value)}`)
}
