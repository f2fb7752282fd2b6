import type { Graph, SourceRange } from '../ir/graph.js'
import type { FunctionSchema } from '../ir/schema.js'
import type { ClassType, ConstantValue, EnumType, Parameter, ScriptFunction, Type } from '../ir/types.js'
import { AnyType, NoneType, typeToString } from '../ir/types.js'
import type { ComposedDefinition } from '../ops/op.js'
import { implementationOf } from '../ops/registry.js'
import { CompileError, InvariantError, TorchScriptError, UnsupportedError } from '../util/errors.js'
import { OperatorKind, OperatorVariant } from './format.js'
import { FunctionLowering } from './lower.js'
import { type RenderedRange, renderRange } from './ranges.js'
import { type HeapEntry, noneValue, type PlanValue } from './value.js'

/** What the executor can run by name (NativeBinding.nativeOperators). */
export interface NativeOperators {
  readonly builtins: ReadonlySet<string>
  readonly kernels: ReadonlySet<string>
}

export interface PlanOptions {
  readonly native: NativeOperators
  /** The function of a composed operator. */
  compile(definition: ComposedDefinition): ScriptFunction
  /** Rewrites a graph before it is lowered; may change it in place only if it is its own. */
  prepare(graph: Graph): Graph
  /** Opaque objects among constants: custom classes of a frozen module. */
  object?(tables: PlanTables, value: ConstantValue & { kind: 'object' }): PlanValue
}

interface OperatorRow {
  readonly name: string
  readonly kind: number
  readonly target: string
  readonly variant: number
  readonly arguments: number | undefined
  readonly results: number | undefined
}

export interface FunctionRow {
  readonly fn: ScriptFunction
  /** As the function declares them; empty and None when the declaration does not compile. */
  parameters: readonly Parameter[]
  returnType: Type
  registers: number
  code: readonly number[]
  error: string
  errorKind: 'compile' | 'unsupported'
  lines: readonly (readonly [pc: number, range: number])[]
  ranges: readonly RenderedRange[]
}

export interface TypeRow {
  readonly type: Type
  readonly operands: readonly number[]
}

/** How a schema is called: an operator of the plan, or a function for a composed one. */
export type OperatorCall =
  | { readonly kind: 'operator'; readonly operator: number }
  | { readonly kind: 'composed'; readonly fn: ScriptFunction; readonly variant: 'functional' | 'inplace' | 'out' }

const variants = OperatorVariant

/** The tables of a plan while it grows. Functions are lowered when `lowerPending` runs, which may add others. */
export class PlanTables {
  readonly types: TypeRow[] = []
  readonly classes: ClassType[] = []
  readonly operators: OperatorRow[] = []
  readonly heap: HeapEntry[] = []
  readonly constants: PlanValue[] = []
  readonly functions: FunctionRow[] = []
  /** The plan's tensor table; what the tensors are is up to the caller. */
  readonly tensors: unknown[] = []

  private readonly typeIndices = new Map<Type, number>()
  private readonly typeKeys = new Map<string, number>()
  private readonly classIndices = new Map<ClassType, number>()
  private readonly operatorIndices = new Map<string, number>()
  private readonly calls = new Map<FunctionSchema, OperatorCall>()
  private readonly constantIndices = new Map<string, number>()
  private readonly heapConstants = new Map<ConstantValue, PlanValue>()
  private readonly functionIndices = new Map<ScriptFunction, number>()
  private readonly tensorIndices = new Map<unknown, number>()
  private readonly dynamicMethods = new Set<string>()
  private lowered = 0

  constructor(private readonly options: PlanOptions) {}

  // Types and classes

  type(type: Type): number {
    const known = this.typeIndices.get(type)
    if (known !== undefined) return known
    const operands = this.typeOperands(type)
    const key = this.typeKey(type, operands)
    let index = this.typeKeys.get(key)
    if (index === undefined) {
      index = this.types.push({ type, operands }) - 1
      this.typeKeys.set(key, index)
    }
    this.typeIndices.set(type, index)
    return index
  }

  private typeOperands(type: Type): number[] {
    switch (type.kind) {
      case 'List':
      case 'Optional':
      case 'Future':
        return [this.type(type.element)]
      case 'Dict':
        return [this.type(type.key), this.type(type.value)]
      case 'Union':
        return type.members.map((member) => this.type(member))
      case 'Tuple':
        return type.elements.map((element) => this.type(element))
      case 'Class':
        return [this.class(type)]
      case 'Enum':
        for (const { value } of type.members) this.value(value, type.valueType)
        return [this.type(type.valueType)]
      default:
        return []
    }
  }

  private typeKey(type: Type, operands: readonly number[]): string {
    const children = operands.join(',')
    switch (type.kind) {
      case 'Tuple':
        return type.named === undefined
          ? `Tuple(${children})`
          : `NamedTuple ${type.named.qualifiedName}(${type.named.fields.join(',')})(${children})`
      case 'Enum':
        return `Enum ${type.qualifiedName}`
      case 'Function':
        return 'Function'
      case 'Simple':
      case 'Var':
      case 'RRef':
      case 'Await':
        return typeToString(type)
      default:
        return `${type.kind}(${children})`
    }
  }

  class(type: ClassType): number {
    let index = this.classIndices.get(type)
    if (index === undefined) {
      index = this.classes.push(type) - 1
      this.classIndices.set(type, index)
    }
    return index
  }

  // Values

  tensor(tensor: unknown): number {
    let index = this.tensorIndices.get(tensor)
    if (index === undefined) {
      index = this.tensors.push(tensor) - 1
      this.tensorIndices.set(tensor, index)
    }
    return index
  }

  addHeapEntry(entry: HeapEntry): PlanValue {
    return { kind: 'heap', index: this.heap.push(entry) - 1 }
  }

  /** Keeps the place of an entry whose parts may refer back to it. */
  reserveHeapEntry(): { readonly value: PlanValue; fill(entry: HeapEntry): void } {
    const index = this.heap.push({ kind: 'tuple', type: undefined, items: [] }) - 1
    return {
      value: { kind: 'heap', index },
      fill: (entry) => {
        this.heap[index] = entry
      },
    }
  }

  /** A compile-time value of a type. Equal containers of one ConstantValue object are one heap entry. */
  value(constant: ConstantValue, type: Type = AnyType): PlanValue {
    switch (constant.kind) {
      case 'none':
        return noneValue
      case 'bool':
      case 'int':
      case 'complex':
      case 'device':
        return constant
      case 'float':
        return constant
      case 'string':
        return { kind: 'string', value: constant.bytes ?? constant.value }
      case 'tensor':
        return { kind: 'tensor', index: this.tensor(constant.tensor) }
      case 'function':
        return { kind: 'function', index: this.function(constant.fn) }
      default: {
        let value = this.heapConstants.get(constant)
        if (value === undefined) this.heapConstants.set(constant, (value = this.heapValue(constant, type)))
        return value
      }
    }
  }

  private heapValue(constant: ConstantValue & { kind: 'list' | 'tuple' | 'dict' | 'enum' | 'object' }, declared: Type): PlanValue {
    const outer = declared.kind === 'Optional' ? declared.element : declared
    switch (constant.kind) {
      case 'list': {
        const type = constant.type ?? outer
        const element = type.kind === 'List' ? type.element : AnyType
        return this.addHeapEntry({
          kind: 'list',
          element: this.type(element),
          items: constant.items.map((item) => this.value(item, element)),
        })
      }
      case 'tuple': {
        const type = constant.type ?? outer
        const elements = type.kind === 'Tuple' ? type.elements : []
        return this.addHeapEntry({
          kind: 'tuple',
          type: type.kind === 'Tuple' && type.named ? this.type(type) : undefined,
          items: constant.items.map((item, i) => this.value(item, elements[i])),
        })
      }
      case 'dict': {
        const type = constant.type ?? outer
        const [key, value] = type.kind === 'Dict' ? [type.key, type.value] : [AnyType, AnyType]
        return this.addHeapEntry({
          kind: 'dict',
          key: this.type(key),
          value: this.type(value),
          entries: constant.entries.map(([k, v]) => [this.value(k, key), this.value(v, value)] as const),
        })
      }
      case 'enum':
        return this.enumValue(outer.kind === 'Enum' ? outer : undefined, constant.className, this.value(constant.value))
      case 'object': {
        if (this.options.object === undefined) throw new UnsupportedError(`Constants of class ${constant.className} are not supported.`)
        return this.options.object(this, constant)
      }
    }
  }

  private readonly enumValues = new Map<string, PlanValue>()
  /** A member of an enum; the same member is one heap entry. */
  enumValue(type: EnumType | undefined, className: string, value: PlanValue): PlanValue {
    const member = type?.members.find(
      (m) => m.value.kind === value.kind && 'value' in m.value && 'value' in value && m.value.value === value.value,
    )
    const key = `${className} ${value.kind} ${'value' in value ? String(value.value) : ''}`
    let entry = this.enumValues.get(key)
    if (entry === undefined) {
      this.enumValues.set(key, (entry = this.addHeapEntry({ kind: 'enum', className, name: member?.name ?? '', value })))
    }
    return entry
  }

  /** Index into the constant pool. */
  constant(constant: ConstantValue, type: Type = AnyType): number {
    return this.pooled(this.value(constant, type))
  }

  functionConstant(fn: ScriptFunction): number {
    return this.pooled({ kind: 'function', index: this.function(fn) })
  }

  private pooled(value: PlanValue): number {
    const key = constantKey(value)
    let index = this.constantIndices.get(key)
    if (index === undefined) {
      index = this.constants.push(value) - 1
      this.constantIndices.set(key, index)
    }
    return index
  }

  // Operators

  private operatorRow(row: OperatorRow): number {
    const key = `${row.name} ${row.kind} ${row.target} ${row.variant} ${row.arguments} ${row.results}`
    let index = this.operatorIndices.get(key)
    if (index === undefined) {
      index = this.operators.push(row) - 1
      this.operatorIndices.set(key, index)
    }
    return index
  }

  /** An operator that has no schema, or that the lowering itself needs. */
  operatorByName(name: string, results: number): number {
    return this.operatorRow({ name, kind: OperatorKind.byName, target: name, variant: variants.functional, arguments: undefined, results })
  }

  /** Writes a tensor to another one: `inplace` takes (destination, source), `out` (source, destination), which is resized. */
  writeOperator(variant: 'inplace' | 'out'): number {
    if (variant === 'inplace') return this.operatorByName('aten::copy_', 1)
    return this.operatorRow({
      name: 'aten::detach',
      kind: OperatorKind.byName,
      target: 'aten::detach',
      variant: variants.out,
      arguments: 2,
      results: 1,
    })
  }

  /** How a schema runs. What nothing here can run becomes an operator that raises when it is reached. */
  implementation(schema: FunctionSchema): OperatorCall {
    let call = this.calls.get(schema)
    if (call === undefined) this.calls.set(schema, (call = this.resolve(schema)))
    return call
  }

  private resolve(schema: FunctionSchema): OperatorCall {
    const row = (kind: number, target: string, variant: number): OperatorCall => ({
      kind: 'operator',
      operator: this.operatorRow({
        name: schema.fullName,
        kind,
        target,
        variant,
        arguments: schema.isVararg ? undefined : schema.arguments.length,
        results: schema.isVarret ? undefined : schema.returns.length,
      }),
    })
    const { definition, functional, variant } = implementationOf(schema)
    const { builtins, kernels } = this.options.native
    if (builtins.has(schema.fullName) && (definition === undefined || variant !== 'functional'))
      return row(OperatorKind.byName, schema.fullName, variants.functional)
    if (definition === undefined) {
      const isTensor = schema.arguments[0]?.type.kind === 'Simple' && schema.arguments[0].type.name === 'Tensor'
      const known = builtins.has(functional.fullName) || kernels.has(functional.fullName)
      if (variant !== 'functional' && known && isTensor) return row(OperatorKind.byName, functional.fullName, variants[variant])
      return row(OperatorKind.byName, schema.fullName, variants.functional)
    }
    if (definition.kind === 'composed') return { kind: 'composed', fn: this.options.compile(definition), variant }
    return row(OperatorKind.kernelRow, definition.kernel, variants[variant])
  }

  /** Constant index of a method's name for calls by dynamic class. */
  methodName(name: string): number {
    this.dynamicMethods.add(name)
    return this.constant({ kind: 'string', value: name })
  }

  // Functions

  function(fn: ScriptFunction): number {
    let index = this.functionIndices.get(fn)
    if (index === undefined) {
      index =
        this.functions.push({
          fn,
          parameters: [],
          returnType: NoneType,
          registers: 0,
          code: [],
          error: '',
          errorKind: 'compile',
          lines: [],
          ranges: [],
        }) - 1
      this.functionIndices.set(fn, index)
    }
    return index
  }

  functionIndex(fn: ScriptFunction): number | undefined {
    return this.functionIndices.get(fn)
  }

  /** Lowers all functions that are reachable from those asked for, through interfaces too. */
  lowerPending(): void {
    for (;;) {
      while (this.lowered < this.functions.length) this.lower(this.functions[this.lowered++])
      this.visitTypes()
      if (this.lowered === this.functions.length) return
    }
  }

  /** Types of classes and functions, and methods that calls by dynamic class may reach. */
  private visitTypes(): void {
    for (const row of this.functions) {
      for (const parameter of row.parameters) {
        this.type(parameter.type)
        if (parameter.default !== undefined) this.value(parameter.default, parameter.type)
      }
      this.type(row.returnType)
    }
    for (let i = 0; i < this.classes.length; i++) {
      const type = this.classes[i]
      for (const attribute of type.attributes) this.type(attribute.type)
      if (type.isInterface) continue
      for (const name of this.dynamicMethods) {
        const method = type.methods.get(name)
        if (method !== undefined) this.function(method)
      }
    }
  }

  private lower(row: FunctionRow): void {
    try {
      row.parameters = row.fn.parameters
      row.returnType = row.fn.returnType
      const graph = this.options.prepare(row.fn.graph)
      const { registers, code, lines } = new FunctionLowering(graph, this).lower()
      const rendered = new Map<SourceRange, number>()
      const ranges: RenderedRange[] = []
      row.lines = lines.map(({ pc, range }) => {
        let index = rendered.get(range)
        if (index === undefined) rendered.set(range, (index = ranges.push(renderRange(range)) - 1))
        return [pc, index] as const
      })
      row.ranges = ranges
      row.registers = registers
      row.code = code
    } catch (error) {
      const known = typedError(error, row.fn)
      row.error = known.message
      row.errorKind = known instanceof UnsupportedError ? 'unsupported' : 'compile'
    }
  }
}

/** Errors that are none of ours are defects of the compiler, or a source that is nested deeper than the stack. */
function typedError(error: unknown, fn: ScriptFunction): TorchScriptError {
  if (error instanceof TorchScriptError) return error
  if (error instanceof RangeError && /call stack/.test(error.message))
    return new CompileError(`The code of ${fn.qualifiedName} is nested too deeply.`)
  return new InvariantError(`Compiling ${fn.qualifiedName} failed: ${error instanceof Error ? error.message : String(error)}.`, {
    cause: error,
  })
}

function constantKey(value: PlanValue): string {
  switch (value.kind) {
    case 'float':
      return Object.is(value.value, -0) ? 'float -0' : `float ${value.value}`
    case 'complex':
      return `complex ${Object.is(value.re, -0) ? '-0' : value.re} ${Object.is(value.im, -0) ? '-0' : value.im}`
    case 'string':
      return typeof value.value === 'string' ? `string ${value.value}` : `bytes ${value.value.join(',')}`
    case 'tensor':
    case 'heap':
    case 'function':
      return `${value.kind} ${value.index}`
    case 'none':
    case 'uninitialized':
      return value.kind
    default:
      return `${value.kind} ${String(value.value)}`
  }
}
