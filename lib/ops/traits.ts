import type { FunctionSchema } from '../ir/schema.js'
import type { OperatorTraits } from './op.js'
import { implementationOf } from './registry.js'

const returnsArgument: OperatorTraits = { mayReturnArgument: true }
const likeSelf: OperatorTraits = { dtypeFrom: ['self'], shapeOf: 'self' }
const ranked: OperatorTraits = { rankOf: 'self' }

/** Operators without a file of their own: the executor runs them under their names (native/core/builtins). By name, with or without overload. */
const executorOperators: Readonly<Record<string, OperatorTraits>> = {
  'aten::atleast_1d': returnsArgument,
  'aten::atleast_2d': returnsArgument,
  'aten::atleast_3d': returnsArgument,
  'aten::_sum_to_size': returnsArgument,
  'aten::broadcast_tensors': returnsArgument,
  'aten::meshgrid': returnsArgument,
  'aten::lift': returnsArgument,
  'aten::resolve_conj': returnsArgument,
  'aten::resolve_neg': returnsArgument,
  'aten::dequantize': returnsArgument,
  'aten::type_as': { mayReturnArgument: true, dtypeFrom: ['other'], rankOf: 'self' },
  // Views and copies whose dtype is not that of the argument they alias.
  'aten::to.other': { dtypeFrom: ['other'], shapeOf: 'self' },
  'aten::to': { shapeOf: 'self' },
  'aten::view_as_complex': { dtypeFrom: [] },
  'aten::index.Tensor': { dtypeFrom: ['self'] },
  'aten::clone': likeSelf,
  'aten::copy': { ...likeSelf, keepsShape: true },
  'aten::contiguous': { dtypeFrom: ['self'], shapeOf: 'self', layout: 'reads' },
  'aten::detach': { shapeOf: 'self' },
  'aten::split': ranked,
  'aten::split_with_sizes': ranked,
  'aten::tensor_split': ranked,
  'aten::chunk': ranked,
  // A view of some channels, rows or columns.
  'aten::slice.Tensor': { rankOf: 'self', layout: 'keeps' },
  'aten::narrow': { rankOf: 'self', layout: 'keeps' },
}

const none: OperatorTraits = {}

/** What an overload says of itself. For in-place and `out` variants too: what holds of their functional form. */
export function traitsOf(schema: FunctionSchema): OperatorTraits {
  const { definition, functional } = implementationOf(schema)
  return definition ?? executorOperators[functional.fullName] ?? executorOperators[functional.name] ?? none
}

/** The offset of an argument. */
export const argumentAt = (schema: FunctionSchema, name: string): number => schema.arguments.findIndex((a) => a.name === name)
