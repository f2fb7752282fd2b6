import type { ClassType, ScriptFunction } from '../ir/types.js'
import { isSubtype, typeToString } from '../ir/types.js'
import { ByteWriter } from './bytes.js'
import { AttributeFlag, ClassFlavor, FunctionErrorKind, noIndex, planMagic, planVersion, TypeKind } from './format.js'
import type { FunctionRow, PlanTables, TypeRow } from './tables.js'
import { type PlanValue, writeHeapEntry, writeValue } from './value.js'

/** A plan as the executor takes it. */
export interface EncodedPlan {
  readonly bytes: Uint8Array
  /** The tensor table. */
  readonly tensors: readonly unknown[]
  indexOf(fn: ScriptFunction): number | undefined
}

/** Lowers what is pending and writes the tables as bytes. */
export function encodePlan(tables: PlanTables, root: PlanValue, startFunctions: readonly number[] = []): EncodedPlan {
  tables.lowerPending()
  const out = new ByteWriter()
  out.u32(planMagic).u32(planVersion)
  out.vec(tables.types, (row) => writeType(out, tables, row))
  out.vec(tables.classes, (type) => writeClass(out, tables, type))
  out.vec(tables.operators, (row) => {
    out
      .str(row.name)
      .u8(row.kind)
      .str(row.target)
      .u8(row.variant)
      .u32(row.arguments ?? noIndex)
      .u32(row.results ?? noIndex)
  })
  out.vec(tables.heap, (entry) => writeHeapEntry(out, entry))
  out.vec(tables.constants, (value) => writeValue(out, value))
  out.vec(tables.functions, (row) => writeFunction(out, tables, row))
  writeValue(out, root)
  out.vec(startFunctions, (index) => out.u32(index))
  return { bytes: out.finish(), tensors: tables.tensors, indexOf: (fn) => tables.functionIndex(fn) }
}

function writeType(out: ByteWriter, tables: PlanTables, { type, operands }: TypeRow): void {
  const index = (operand: number): void => {
    out.u32(operand)
  }
  switch (type.kind) {
    case 'Simple':
      if (type.name in TypeKind) out.u8(TypeKind[type.name as keyof typeof TypeKind])
      else out.u8(TypeKind.other).str(type.name)
      break
    case 'List':
    case 'Optional':
    case 'Future':
    case 'Class':
    case 'Dict':
      out.u8(TypeKind[type.kind])
      operands.forEach(index)
      break
    case 'Union':
      out.u8(TypeKind.Union).vec(operands, index)
      break
    case 'Tuple':
      if (type.named === undefined) out.u8(TypeKind.Tuple).vec(operands, index)
      else
        out
          .u8(TypeKind.NamedTuple)
          .str(type.named.qualifiedName)
          .vec(type.named.fields, (field) => out.str(field))
          .vec(operands, index)
      break
    case 'Enum':
      out
        .u8(TypeKind.Enum)
        .str(type.qualifiedName)
        .u32(operands[0])
        .vec(type.members, ({ name, value }) => {
          out.str(name)
          writeValue(out, tables.value(value, type.valueType))
        })
      break
    case 'Function':
      out.u8(TypeKind.Function)
      break
    default:
      out.u8(TypeKind.other).str(typeToString(type))
  }
}

function writeClass(out: ByteWriter, tables: PlanTables, type: ClassType): void {
  out.str(type.qualifiedName).u8(ClassFlavor[type.flavor])
  out.vec(type.attributes, (attribute) => {
    const flags = (attribute.isParameter ? AttributeFlag.parameter : 0) | (attribute.isBuffer ? AttributeFlag.buffer : 0)
    out.str(attribute.name).u32(tables.type(attribute.type)).u8(flags)
  })
  const methods = type.isInterface ? [] : [...type.methods].filter(([, fn]) => tables.functionIndex(fn) !== undefined)
  out.vec(methods, ([name, fn]) => out.str(name).u32(tables.functionIndex(fn)!))
  const implementers = type.isInterface ? [...tables.classes.keys()].filter((i) => isSubtype(tables.classes[i], type)) : []
  out.vec(implementers, (index) => out.u32(index))
}

function writeFunction(out: ByteWriter, tables: PlanTables, row: FunctionRow): void {
  const { fn } = row
  out.str(fn.qualifiedName)
  out.vec(row.parameters, (parameter) => {
    out
      .str(parameter.name)
      .u32(tables.type(parameter.type))
      .u8(parameter.default === undefined ? 0 : 1)
    if (parameter.default !== undefined) writeValue(out, tables.value(parameter.default, parameter.type))
    out.u8(parameter.kwargOnly ? 1 : 0)
  })
  out.u32(tables.type(row.returnType)).u32(row.registers).str(row.error).u8(FunctionErrorKind[row.errorKind])
  out.i32s(row.code)
  out.vec(row.lines, ([pc, range]) => out.u32(pc).u32(range))
  out.vec(row.ranges, (range) => out.str(range.file).u32(range.line).u32(range.column).str(range.text))
}
