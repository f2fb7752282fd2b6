import type { ObjectValue, PickleValue } from '../archive/values.js'
import type { ClassType, ConstantValue, Type } from '../ir/types.js'
import { AnyType } from '../ir/types.js'
import type { PlanTables } from '../plan/tables.js'
import { noneValue, type PlanValue } from '../plan/value.js'
import { dtypeCode } from '../tensor/dtype.js'
import { ArchiveError } from '../util/errors.js'

/** What the writer of object trees needs to know about the program's classes. */
export interface ClassTable {
  classType(qualifiedName: string): ClassType
  /** The type that an annotation such as `Optional[Tensor]` names; undefined when it cannot be read. */
  parseType(text: string): Type | undefined
  /** The enum class of a name. */
  enumType(qualifiedName: string): Type | undefined
}

const maxDepth = 2000

/** Writes unpickled values into the tables of a plan. What the archive shares is one entry; objects may form cycles. */
export class ObjectWriter {
  private readonly entries = new Map<PickleValue, PlanValue>()
  private readonly pending = new Set<PickleValue>()
  private depth = 0
  /** Classes of the objects written so far. */
  readonly classes = new Set<ClassType>()

  constructor(
    private readonly tables: PlanTables,
    private readonly types: ClassTable,
  ) {}

  value(value: PickleValue, declared: Type = AnyType): PlanValue {
    switch (value.kind) {
      case 'none':
        return noneValue
      case 'bool':
        return value
      case 'int':
        return wantsFloat(declared) ? { kind: 'float', value: Number(value.value) } : value
      case 'float':
      case 'complex':
      case 'device':
        return value
      case 'string':
        return { kind: 'string', value: value.bytes ?? value.value }
      case 'dtype':
        return { kind: 'int', value: BigInt(dtypeCode(value.value)) }
      case 'tensor':
        return { kind: 'tensor', index: this.tables.tensor(value.tensor) }
      case 'constant':
      case 'storage':
        throw new ArchiveError(`Expected a value of TorchScript but received a ${value.kind}`, 'data.pkl')
      default:
        return this.counted(value, declared)
    }
  }

  private counted(value: PickleValue & { kind: 'list' | 'tuple' | 'dict' | 'enum' | 'object' }, declared: Type): PlanValue {
    const known = this.entries.get(value)
    if (known !== undefined) return known
    if (this.pending.has(value)) throw new ArchiveError(`A ${value.kind} contains itself in a way that cannot be built`, 'data.pkl')
    if (++this.depth > maxDepth) throw new ArchiveError(`Objects are nested deeper than ${maxDepth}`, 'data.pkl')
    this.pending.add(value)
    const entry = value.kind === 'object' ? this.object(value) : this.container(value, unwrapped(declared, value.kind))
    this.pending.delete(value)
    this.depth--
    this.entries.set(value, entry)
    return entry
  }

  private container(value: PickleValue & { kind: 'list' | 'tuple' | 'dict' | 'enum' }, declared: Type): PlanValue {
    const { tables } = this
    switch (value.kind) {
      case 'list': {
        const element = declared.kind === 'List' ? declared.element : this.parsed(value.elementType)
        return tables.addHeapEntry({
          kind: 'list',
          element: tables.type(element),
          items: value.items.map((item) => this.value(item, element)),
        })
      }
      case 'tuple': {
        const elements = declared.kind === 'Tuple' ? declared.elements : []
        const type = declared.kind === 'Tuple' && declared.named !== undefined ? tables.type(declared) : undefined
        return tables.addHeapEntry({ kind: 'tuple', type, items: value.items.map((item, i) => this.value(item, elements[i])) })
      }
      case 'dict': {
        const [keyType, valueType] =
          declared.kind === 'Dict' ? [declared.key, declared.value] : [this.parsed(value.keyType), this.parsed(value.valueType)]
        const entries = value.entries.map(([k, v]) => [this.value(k, keyType), this.value(v, valueType)] as const)
        return tables.addHeapEntry({ kind: 'dict', key: tables.type(keyType), value: tables.type(valueType), entries })
      }
      case 'enum': {
        const type = declared.kind === 'Enum' ? declared : this.types.enumType(value.className)
        return tables.enumValue(type?.kind === 'Enum' ? type : undefined, value.className, this.value(value.value))
      }
    }
  }

  private parsed(text: string | undefined): Type {
    return (text === undefined ? undefined : this.types.parseType(text)) ?? AnyType
  }

  private object(value: ObjectValue): PlanValue {
    const { tables } = this
    const type = value.type ?? this.types.classType(value.className)
    this.classes.add(type)
    const setState = type.methods.get('__setstate__')
    if (type.flavor === 'custom' || setState !== undefined) {
      // The state comes first in the table, so that inner objects have theirs when this one gets its own.
      const state = value.state === undefined ? noneValue : this.value(value.state, setState?.parameters[1]?.type)
      return tables.addHeapEntry({
        kind: 'objectWithState',
        class: tables.class(type),
        state,
        setState: setState === undefined ? undefined : tables.function(setState),
      })
    }
    const { value: entry, fill } = tables.reserveHeapEntry()
    this.entries.set(value, entry)
    const slots = type.attributes.map(({ name, type: declared }) => {
      const slot = value.attributes?.get(name)
      if (slot === undefined)
        throw new ArchiveError(`Expected an attribute "${name}" in an object of ${value.className} but it has none`, 'data.pkl')
      return this.value(slot, declared)
    })
    fill({ kind: 'object', class: tables.class(type), slots })
    return entry
  }
}

function wantsFloat(type: Type): boolean {
  const inner = type.kind === 'Optional' ? type.element : type
  return inner.kind === 'Simple' && inner.name === 'float'
}

/** The member of an Optional or Union that a container of this kind can be. */
function unwrapped(type: Type, kind: string): Type {
  const members = type.kind === 'Optional' ? [type.element] : type.kind === 'Union' ? type.members : [type]
  return members.find((member) => member.kind.toLowerCase() === kind) ?? type
}

/** A constant of an archive (`CONSTANTS.c0`) as the front end knows constants. */
export function constantOf(value: PickleValue): ConstantValue {
  switch (value.kind) {
    case 'list':
      return { kind: 'list', items: value.items.map(constantOf) }
    case 'tuple':
      return { kind: 'tuple', items: value.items.map(constantOf) }
    case 'dict':
      return { kind: 'dict', entries: value.entries.map(([k, v]) => [constantOf(k), constantOf(v)] as const) }
    case 'enum':
      return { kind: 'enum', className: value.className, value: constantOf(value.value) }
    case 'object':
      return { kind: 'object', className: value.className, object: value }
    case 'dtype':
      return { kind: 'int', value: BigInt(dtypeCode(value.value)) }
    case 'constant':
    case 'storage':
      throw new ArchiveError(`Expected a value of TorchScript but received a ${value.kind}`, 'constants.pkl')
    default:
      return value
  }
}
