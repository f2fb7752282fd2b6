import { assertExhaustive } from '../util/errors.js'
import type { Graph } from './graph.js'

/**
 * TorchScript's types. Simple types are singletons; composite types are built by the functions below and compared with
 * {@link sameType}.
 */
export type Type =
  | SimpleType
  | { readonly kind: 'List'; readonly element: Type }
  | { readonly kind: 'Dict'; readonly key: Type; readonly value: Type }
  | { readonly kind: 'Optional'; readonly element: Type }
  | { readonly kind: 'Union'; readonly members: readonly Type[] }
  | { readonly kind: 'Tuple'; readonly elements: readonly Type[]; readonly named?: NamedTupleInfo }
  | { readonly kind: 'Future'; readonly element: Type }
  | { readonly kind: 'RRef'; readonly element: Type }
  | { readonly kind: 'Await'; readonly element: Type }
  | { readonly kind: 'Var'; readonly name: string }
  | { readonly kind: 'Function'; readonly fn: ScriptFunction }
  | EnumType
  | ClassType

/** `Any` is the top type, `number` TorchScript's Scalar (int, float or complex), `AnyList` and so on match any instance. */
export type SimpleKind =
  | 'Tensor'
  | 'int'
  | 'float'
  | 'bool'
  | 'complex'
  | 'str'
  | 'number'
  | 'NoneType'
  | 'Device'
  | 'Generator'
  | 'Any'
  | 'Stream'
  | 'AnyList'
  | 'AnyTuple'
  | 'AnyClass'
  | 'AnyEnum'
  | 'Storage'
  | 'Quantizer'
  | 'Capsule'
export interface SimpleType {
  readonly kind: 'Simple'
  readonly name: SimpleKind
}

export interface NamedTupleInfo {
  readonly qualifiedName: string
  readonly fields: readonly string[]
  /** Archives keep no defaults; programs written by hand may have them. */
  readonly defaults?: readonly (ConstantValue | undefined)[]
}

export class EnumType {
  readonly kind = 'Enum'
  constructor(
    readonly qualifiedName: string,
    readonly valueType: Type,
    readonly members: readonly { readonly name: string; readonly value: ConstantValue }[],
  ) {}
}

export interface Attribute {
  readonly name: string
  type: Type
  readonly isParameter: boolean
  readonly isBuffer: boolean
}

/** A module, script class, interface or opaque custom class such as a packed quantized parameter. */
export class ClassType {
  readonly kind = 'Class'
  readonly attributes: Attribute[] = []
  /** `Final` constants: class constants that live in the type, not in the object. */
  readonly constants = new Map<string, ConstantValue>()
  readonly methods = new Map<string, ScriptFunction>()
  readonly staticMethods = new Map<string, ScriptFunction>()
  readonly properties = new Map<string, { getter: ScriptFunction; setter?: ScriptFunction }>()
  /** What objects have in the language they come from and not here, with the reason. */
  readonly unavailable = new Map<string, string>()
  forwardHooks: string[] = []
  forwardPreHooks: string[] = []
  constructor(
    /** Only uniqueness matters: a class that joins a program which has another of its name gets a new one. */
    public qualifiedName: string,
    readonly flavor: 'module' | 'class' | 'interface' | 'moduleInterface' | 'custom',
  ) {}
  get isModule(): boolean {
    return this.flavor === 'module'
  }
  get isInterface(): boolean {
    return this.flavor === 'interface' || this.flavor === 'moduleInterface'
  }
  attribute(name: string): Attribute | undefined {
    return this.attributes.find((a) => a.name === name)
  }
  /** Position of an attribute, which is its slot in objects; -1 when there is none. */
  slot(name: string): number {
    return this.attributes.findIndex((a) => a.name === name)
  }
}

export interface Parameter {
  readonly name: string
  readonly type: Type
  readonly default?: ConstantValue
  readonly kwargOnly?: boolean
}

/** A compiled function or method. `graph` compiles on first use and throws the compile error of this function only. */
export interface ScriptFunction {
  readonly qualifiedName: string
  readonly name: string
  readonly parameters: readonly Parameter[]
  readonly returnType: Type
  readonly graph: Graph
}

/** A value known at compile time. Tensors and objects are opaque here: rooms above give them meaning. */
export type ConstantValue =
  | { readonly kind: 'none' }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'complex'; readonly re: number; readonly im: number }
  /** `bytes` is given when the string is not valid UTF-8 text. */
  | { readonly kind: 'string'; readonly value: string; readonly bytes?: Uint8Array }
  | { readonly kind: 'device'; readonly value: string }
  | { readonly kind: 'tensor'; readonly tensor: unknown }
  | { readonly kind: 'list'; readonly items: readonly ConstantValue[]; readonly type?: Type }
  | { readonly kind: 'tuple'; readonly items: readonly ConstantValue[]; readonly type?: Type }
  | { readonly kind: 'dict'; readonly entries: readonly (readonly [ConstantValue, ConstantValue])[]; readonly type?: Type }
  | { readonly kind: 'enum'; readonly className: string; readonly value: ConstantValue }
  | { readonly kind: 'object'; readonly className: string; readonly object?: unknown }
  | { readonly kind: 'function'; readonly fn: ScriptFunction }

const singletons = new Map<SimpleKind, SimpleType>()
export function simpleType(name: SimpleKind): SimpleType {
  let type = singletons.get(name)
  if (type === undefined) singletons.set(name, (type = Object.freeze({ kind: 'Simple' as const, name })))
  return type
}
export const TensorType = simpleType('Tensor')
export const IntType = simpleType('int')
export const FloatType = simpleType('float')
export const BoolType = simpleType('bool')
export const ComplexType = simpleType('complex')
export const StringType = simpleType('str')
export const NumberType = simpleType('number')
export const NoneType = simpleType('NoneType')
export const DeviceType = simpleType('Device')
export const GeneratorType = simpleType('Generator')
export const AnyType = simpleType('Any')

/** The type of a constant that its kind alone tells; undefined for containers, functions and what is of a class. */
export function scalarConstantType(value: ConstantValue): Type | undefined {
  switch (value.kind) {
    case 'none':
      return NoneType
    case 'bool':
      return BoolType
    case 'int':
      return IntType
    case 'float':
      return FloatType
    case 'complex':
      return ComplexType
    case 'string':
      return StringType
    case 'device':
      return DeviceType
    case 'tensor':
      return TensorType
    default:
      return undefined
  }
}

/** Whether a type has a type variable in it, as those of operators on containers have. */
export function hasTypeVariables(type: Type): boolean {
  switch (type.kind) {
    case 'Var':
      return true
    case 'List':
    case 'Optional':
    case 'Future':
    case 'RRef':
    case 'Await':
      return hasTypeVariables(type.element)
    case 'Dict':
      return hasTypeVariables(type.key) || hasTypeVariables(type.value)
    case 'Tuple':
      return type.elements.some(hasTypeVariables)
    default:
      return false
  }
}

/** Whether values of a type are tensors or may hold some. */
export function mayHoldTensors(type: Type): boolean {
  switch (type.kind) {
    case 'List':
    case 'Optional':
    case 'Future':
    case 'RRef':
    case 'Await':
      return mayHoldTensors(type.element)
    case 'Dict':
      return mayHoldTensors(type.key) || mayHoldTensors(type.value)
    case 'Tuple':
      return type.elements.some(mayHoldTensors)
    case 'Union':
      return type.members.some(mayHoldTensors)
    case 'Simple':
      return type === TensorType || type === AnyType
    case 'Var':
    case 'Class':
      return true
    default:
      return false
  }
}

export const listOf = (element: Type): Type => ({ kind: 'List', element })
export const dictOf = (key: Type, value: Type): Type => ({ kind: 'Dict', key, value })
export const tupleOf = (elements: readonly Type[], named?: NamedTupleInfo): Type =>
  named ? { kind: 'Tuple', elements, named } : { kind: 'Tuple', elements }
export const futureOf = (element: Type): Type => ({ kind: 'Future', element })

/** Optional[T]; Optional[None] is None and Optional[Optional[T]] is Optional[T]. */
export function optionalOf(element: Type): Type {
  if (element.kind === 'Optional' || element === NoneType) return element
  if (element.kind === 'Union') return unionOf([...element.members, NoneType])
  return { kind: 'Optional', element }
}

/** Union with flattened, deduplicated members; int|float|complex collapses to number, T|None to Optional[T]. */
export function unionOf(types: readonly Type[]): Type {
  const flat: Type[] = []
  const add = (type: Type): void => {
    if (type.kind === 'Union') type.members.forEach(add)
    else if (type.kind === 'Optional') [type.element, NoneType].forEach(add)
    else if (!flat.some((m) => isSubtype(type, m))) {
      for (let i = flat.length - 1; i >= 0; i--) if (isSubtype(flat[i], type)) flat.splice(i, 1)
      flat.push(type)
    }
  }
  types.forEach(add)
  const numeric: Type[] = [IntType, FloatType, ComplexType]
  if (numeric.every((n) => flat.includes(n))) {
    for (let i = flat.length - 1; i >= 0; i--) if (numeric.includes(flat[i])) flat.splice(i, 1)
    flat.unshift(NumberType)
  }
  if (flat.length === 1) return flat[0]
  if (flat.length === 2 && flat.includes(NoneType)) return { kind: 'Optional', element: flat.find((m) => m !== NoneType)! }
  return { kind: 'Union', members: flat }
}

export const isNumeric = (type: Type): boolean => type === IntType || type === FloatType || type === ComplexType || type === NumberType

/** The members of an Optional or Union, or the type itself. */
export function unionMembers(type: Type): readonly Type[] {
  if (type.kind === 'Optional') return [type.element, NoneType]
  return type.kind === 'Union' ? type.members : [type]
}

export function sameType(a: Type, b: Type): boolean {
  if (a === b) return true
  switch (a.kind) {
    case 'Simple':
      return false
    case 'Enum':
      return b.kind === 'Enum' && a.qualifiedName === b.qualifiedName
    case 'Class':
      return b.kind === 'Class' && a.qualifiedName === b.qualifiedName && a.flavor === b.flavor
    case 'Function':
      return b.kind === 'Function' && a.fn === b.fn
    case 'Var':
      return b.kind === 'Var' && a.name === b.name
    case 'List':
    case 'Optional':
    case 'Future':
    case 'RRef':
    case 'Await':
      return b.kind === a.kind && sameType(a.element, b.element)
    case 'Dict':
      return b.kind === 'Dict' && sameType(a.key, b.key) && sameType(a.value, b.value)
    case 'Union':
      return b.kind === 'Union' && a.members.length === b.members.length && a.members.every((m) => b.members.some((n) => sameType(m, n)))
    case 'Tuple':
      return (
        b.kind === 'Tuple' &&
        a.named?.qualifiedName === b.named?.qualifiedName &&
        a.elements.length === b.elements.length &&
        a.elements.every((e, i) => sameType(e, b.elements[i]))
      )
    default:
      return assertExhaustive(a, 'type')
  }
}

/** Pairs of a class and an interface being compared, with what is known: interfaces may mention each other and themselves. */
const comparing = new Map<ClassType, Map<ClassType, boolean>>()

/** Every method with the same names of parameters, and types that fit. Only modules implement interfaces of modules. */
function implementsInterface(type: ClassType, wanted: ClassType): boolean {
  if (wanted.flavor === 'moduleInterface' && type.flavor !== 'module' && type.flavor !== 'moduleInterface') return false
  const outermost = comparing.size === 0
  const row = comparing.get(type) ?? new Map<ClassType, boolean>()
  comparing.set(type, row)
  const known = row.get(wanted)
  if (known !== undefined) return known
  row.set(wanted, true)
  try {
    const result = [...wanted.methods].every(([name, method]) => {
      const mine = type.methods.get(name)
      if (mine === undefined || mine.parameters.length !== method.parameters.length) return false
      if (!isSubtype(mine.returnType, method.returnType)) return false
      return method.parameters.every(
        (p, i) => i === 0 || (p.name === mine.parameters[i].name && isSubtype(p.type, mine.parameters[i].type)),
      )
    })
    row.set(wanted, result)
    return result
  } finally {
    if (outermost) comparing.clear()
  }
}

/** Whether a value of type `a` can be used where `b` is asked for, without conversion. Lists, dicts and futures are invariant. */
export function isSubtype(a: Type, b: Type): boolean {
  if (sameType(a, b) || b === AnyType) return true
  if (a.kind === 'Optional' || a.kind === 'Union') return unionMembers(a).every((m) => isSubtype(m, b))
  if (b.kind === 'Optional' || b.kind === 'Union') return unionMembers(b).some((m) => isSubtype(a, m))
  if (b === NumberType) return a === IntType || a === FloatType || a === ComplexType
  if (b.kind === 'Simple') {
    if (b.name === 'AnyList') return a.kind === 'List'
    if (b.name === 'AnyTuple') return a.kind === 'Tuple'
    if (b.name === 'AnyClass') return a.kind === 'Class'
    if (b.name === 'AnyEnum') return a.kind === 'Enum'
    return false
  }
  if (a.kind === 'Tuple' && b.kind === 'Tuple') {
    if (b.named !== undefined && a.named?.qualifiedName !== b.named.qualifiedName) return false
    return a.elements.length === b.elements.length && a.elements.every((e, i) => isSubtype(e, b.elements[i]))
  }
  if (a.kind === 'Class' && b.kind === 'Class' && b.isInterface) return implementsInterface(a, b)
  return false
}

/** PyTorch's text of a type in IR dumps and schemas: `int[]`, `Tensor?`, `Dict(str, int)`, `(int, Tensor)`. */
export function typeToString(type: Type): string {
  switch (type.kind) {
    case 'Simple':
      return type.name === 'number' ? 'Scalar' : type.name === 'AnyList' ? 'list' : type.name === 'AnyTuple' ? 'tuple' : type.name
    case 'List':
      return `${typeToString(type.element)}[]`
    case 'Dict':
      return `Dict(${typeToString(type.key)}, ${typeToString(type.value)})`
    case 'Optional':
      return `${typeToString(type.element)}?`
    case 'Union':
      return `Union[${type.members.map(typeToString).sort().join(', ')}]`
    case 'Tuple':
      return type.named
        ? `NamedTuple(${type.elements.map((e, i) => `${typeToString(e)} ${type.named!.fields[i]}`).join(', ')})`
        : `(${type.elements.map(typeToString).join(', ')})`
    case 'Future':
    case 'RRef':
    case 'Await':
      return `${type.kind}[${typeToString(type.element)}]`
    case 'Var':
      return type.name
    case 'Function':
      return 'Function'
    case 'Enum':
      return `Enum<${type.qualifiedName}>`
    case 'Class':
      return type.qualifiedName
    default:
      return assertExhaustive(type, 'type')
  }
}

/** PyTorch's text of a type in code: `List[int]`, `Optional[Tensor]`, `Dict[str, int]`. */
export function typeAnnotation(type: Type): string {
  switch (type.kind) {
    case 'List':
    case 'Optional':
    case 'Future':
    case 'RRef':
    case 'Await':
      return `${type.kind}[${typeAnnotation(type.element)}]`
    case 'Dict':
      return `Dict[${typeAnnotation(type.key)}, ${typeAnnotation(type.value)}]`
    case 'Union':
      return `Union[${type.members.map(typeAnnotation).sort().join(', ')}]`
    case 'Tuple':
      if (type.named) return type.named.qualifiedName
      return type.elements.length === 0 ? 'Tuple[()]' : `Tuple[${type.elements.map(typeAnnotation).join(', ')}]`
    case 'Enum':
    case 'Class':
      return type.qualifiedName
    case 'Simple':
      return type.name
    default:
      return typeToString(type)
  }
}
