import type { Value } from '../../ir/graph.js'
import { schemasOf } from '../../ir/schema.js'
import type { Type } from '../../ir/types.js'
import { StringType, TensorType, typeAnnotation } from '../../ir/types.js'
import type { Expr } from '../ast.js'
import { callMethod, callOperator } from './calls.js'
import type { Emitter } from './emitter.js'
import type { Meaning } from './values.js'
import { asValue } from './expressions.js'
import { describe, fail, valueMeaning } from './values.js'
import { lookupTable } from '../tables.js'

/** Attributes of tensors that are operators: name to operator. */
export const tensorAttributes = lookupTable<string>({
  shape: 'aten::size',
  dtype: 'prim::dtype',
  device: 'prim::device',
  layout: 'prim::layout',
  ndim: 'aten::dim',
  grad: 'prim::grad',
  data: 'prim::data',
  requires_grad: 'prim::requires_grad',
  is_cuda: 'prim::is_cuda',
  is_cpu: 'prim::is_cpu',
  is_xpu: 'prim::is_xpu',
  is_sparse: 'prim::is_sparse',
  is_sparse_csr: 'prim::is_sparse_csr',
  is_mkldnn: 'prim::is_mkldnn',
  is_mps: 'prim::is_mps',
  is_vulkan: 'prim::is_vulkan',
  is_ipu: 'prim::is_ipu',
  is_meta: 'prim::is_meta',
  is_quantized: 'prim::is_quantized',
  is_leaf: 'aten::is_leaf',
  is_nested: 'prim::is_nested',
  T: 'aten::numpy_T',
  H: 'aten::matrix_H',
  mT: 'aten::mT',
  mH: 'aten::mH',
  real: 'aten::real',
  imag: 'aten::imag',
  name: 'prim::name',
  itemsize: 'prim::itemsize',
  nbytes: 'prim::nbytes',
  retains_grad: 'aten::retains_grad',
  output_nr: 'aten::output_nr',
})

/** `meaning.name`. */
export function emitAttribute(e: Emitter, meaning: Meaning, name: string, at: Expr): Meaning {
  const own = e.dialect?.attribute(e, meaning, name, at)
  if (own !== undefined) return own
  switch (meaning.kind) {
    case 'namespace': {
      const found = e.unit.meaningOf(`${meaning.path}.${name}`)
      return found ?? fail(`${meaning.path} has no attribute ${name}`, at)
    }
    case 'class':
      if (name === '__new__') return { kind: 'special', name: '__new__' }
      return classMember(e, meaning, name, at)
    case 'enum': {
      const member = meaning.type.members.find((m) => m.name === name)
      if (member === undefined) return fail(`Enum class ${meaning.type.qualifiedName} has no member ${name}`, at)
      return valueMeaning(e.constant({ kind: 'enum', className: meaning.type.qualifiedName, value: member.value }, meaning.type))
    }
    case 'value':
      return valueAttribute(e, meaning.value, name, at)
    case 'meanings':
      return valueAttribute(e, asValue(e, meaning, at), name, at)
    case 'constant':
      return valueAttribute(e, e.constant(meaning.value, meaning.type), name, at)
    default:
      return fail(`${describe(meaning)} has no attribute ${name}`, at)
  }
}

function classMember(e: Emitter, meaning: Meaning & { kind: 'class' }, name: string, at: Expr): Meaning {
  const fn = meaning.type.staticMethods.get(name) ?? meaning.type.methods.get(name)
  if (fn !== undefined) return { kind: 'function', fn }
  const constant = meaning.type.constants.get(name)
  if (constant !== undefined) return e.unit.constantMeaning(constant)
  return fail(`The class ${meaning.type.qualifiedName} has no member ${name}`, at)
}

/** An attribute or method of a value. */
export function valueAttribute(e: Emitter, value: Value, name: string, at: Expr): Meaning {
  const { type } = value
  if (type === TensorType) {
    const operator = tensorAttributes[name]
    if (operator !== undefined) return valueMeaning(callOperator(e, operator, [value], [], at.range))
    return { kind: 'operator', name: `aten::${name}`, self: value }
  }
  if (type.kind === 'Class') {
    const attribute = type.attribute(name)
    if (attribute !== undefined) {
      const node = e.b.add('prim::GetAttr', [value]).setAttribute('name', { kind: 'string', value: name })
      return valueMeaning(node.output.setType(attribute.type))
    }
    const constant = type.constants.get(name)
    if (constant !== undefined) return e.unit.constantMeaning(constant)
    e.unit.demandMethod(type, name)
    if (type.methods.has(name) || type.flavor === 'custom') return { kind: 'method', self: value, name }
    const property = type.methods.get(`__${name}_getter`)
    if (property !== undefined) return valueMeaning(callMethod(e, value, property.name, [], [], at.range))
    const fn = type.staticMethods.get(name)
    if (fn !== undefined) return { kind: 'function', fn }
    const reason = type.unavailable.get(name)
    if (reason !== undefined)
      return fail(`'${name}' of ${type.qualifiedName.split('.').pop()} cannot be used in TorchScript: ${reason}`, at)
    return fail(`${type.isModule ? 'Module' : 'Object'} '${type.qualifiedName.split('.').pop()}' has no attribute '${name}'`, at)
  }
  if (type.kind === 'Enum') {
    if (name === 'value') return valueMeaning(e.b.add('prim::EnumValue', [value]).output.setType(type.valueType))
    if (name === 'name') return valueMeaning(e.b.add('prim::EnumName', [value]).output.setType(StringType))
  }
  if (type.kind === 'Tuple' && type.named !== undefined) {
    const index = type.named.fields.indexOf(name)
    if (index >= 0) return valueMeaning(tupleIndex(e, value, index, type.elements[index]))
    return fail(`${type.named.qualifiedName} has no field '${name}'`, at)
  }
  if (type.kind === 'Tuple') {
    const index = resultNames(value).indexOf(name)
    if (index >= 0) return valueMeaning(value.node.inputs[index])
  }
  if (type.kind === 'Future' && name === 'wait') return { kind: 'operator', name: 'aten::wait', self: value }
  if (type.kind === 'Simple' && type.name === 'Device' && (name === 'type' || name === 'index'))
    return valueMeaning(callOperator(e, `prim::${name}`, [value], [], at.range))
  if (schemasOf(`aten::${name}`).length > 0) return { kind: 'operator', name: `aten::${name}`, self: value }
  return fail(`'${typeAnnotation(type)}' object has no attribute or method '${name}'`, at)
}

/** The names of an operator's results, `values` and `indices` say, for the tuple made of them. */
function resultNames(tuple: Value): readonly (string | undefined)[] {
  const { node } = tuple
  const source = node.kind === 'prim::TupleConstruct' ? node.inputs[0]?.node : undefined
  if (source?.schema === undefined || source.outputs.length !== node.inputs.length) return []
  return node.inputs.every((input, i) => input === source.outputs[i]) ? source.schema.returns.map((r) => r.name) : []
}

/** `tuple[index]` for a constant index that is in range. */
export function tupleIndex(e: Emitter, tuple: Value, index: number, type: Type): Value {
  return e.b.add('prim::TupleIndex', [tuple, e.int(index)]).output.setType(type)
}
