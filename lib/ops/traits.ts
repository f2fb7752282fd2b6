import type { FunctionSchema } from '../ir/schema.js'
import type { OperatorTraits } from './op.js'
import { implementationOf } from './registry.js'

const returnsArgument: OperatorTraits = { mayReturnArgument: true }
const likeSelf: OperatorTraits = { dtypeFrom: ['self'], shapeOf: 'self' }
const varies: OperatorTraits = { varies: true }
const effective: OperatorTraits = { hasEffects: true }
const harmless: OperatorTraits = { neverRaises: true }
const form: OperatorTraits = { readsFormOnly: true }
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
  'aten::wait': effective,
  'aten::warn': effective,
  'aten::save': effective,
  'aten::manual_seed': effective,
  'aten::set_grad_enabled': effective,
  'aten::seed': varies,
  'aten::initial_seed': varies,
  'aten::resize': varies,
  'aten::resize_as': varies,
  'aten::set_': varies,
  'aten::set_data': varies,
  'aten::empty': varies,
  'aten::empty_like': varies,
  'aten::empty_permuted': varies,
  'aten::empty_quantized': varies,
  'aten::_resize_output': varies,
  'aten::new_empty': varies,
  'aten::rand': varies,
  'aten::rand_like': varies,
  'aten::randint': varies,
  'aten::randint_like': varies,
  'aten::randn': varies,
  'aten::randn_like': varies,
  'aten::randperm': varies,
  'prim::TimePoint': varies,
  'prim::id': varies,
  'aten::size': { readsFormOnly: true, neverRaises: true },
  'aten::dim': { readsFormOnly: true, neverRaises: true },
  'aten::numel': form,
  'prim::dtype': form,
  'prim::device': form,
  'prim::is_cuda': form,
  'aten::len': harmless,
  'aten::__is__': harmless,
  'aten::__isnot__': harmless,
  'aten::__not__': harmless,
  // Views and copies whose dtype is not that of the argument they alias.
  'aten::to.other': { dtypeFrom: ['other'], shapeOf: 'self' },
  'aten::to': { shapeOf: 'self' },
  'aten::view_as_complex': { dtypeFrom: [] },
  'aten::index.Tensor': { dtypeFrom: ['self'] },
  'aten::clone': likeSelf,
  'aten::copy': { ...likeSelf, keepsShape: true },
  'aten::contiguous': { dtypeFrom: ['self'], shapeOf: 'self', layout: 'reads' },
  'aten::detach': { shapeOf: 'self', neverRaises: true },
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
