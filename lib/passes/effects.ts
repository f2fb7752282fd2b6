import type { Node } from '../ir/graph.js'
import { isMutating, type FunctionSchema } from '../ir/schema.js'
import { traitsOf } from '../ops/traits.js'

/** Kinds of the language that must run although nobody reads their results, and calls, which may do anything. */
const effects = new Set([
  'prim::RaiseException',
  'prim::SetAttr',
  'prim::Print',
  'prim::CallMethod',
  'prim::CallFunction',
  'prim::fork',
  'prim::ModuleContainerIndex',
  'prim::Enter',
  'prim::Exit',
  'prim::PythonOp',
])

/** Kinds without a schema whose results are new and which change nothing. */
export const knownFunctional: ReadonlySet<string> = new Set([
  'prim::Uninitialized',
  'prim::isinstance',
  'prim::CreateObject',
  'prim::EnumName',
  'prim::EnumValue',
  'prim::RaiseException',
  'prim::Print',
  'prim::NumToTensor',
  'prim::dtype',
  'prim::device',
  'prim::rangelist',
  'prim::StringIndex',
  'prim::tolist',
  'prim::FusionGroup',
])

/** Namespaces of operators other than PyTorch's own whose results depend on their arguments only. */
const pureNamespaces = new Set(['aten', 'prim', 'quantized', 'torchvision', 'torchscript'])

/** Whether an operator gives the same results for the same arguments each time. */
export function isDeterministic(schema: FunctionSchema): boolean {
  const [namespace] = schema.name.split('::')
  return pureNamespaces.has(namespace) && !traitsOf(schema).varies && !schema.arguments.some((a) => a.name === 'generator')
}

/** Whether the results of a node may be an argument itself, or share its memory, although the schema does not say so. */
export function mayReturnArgument({ schema, inputs }: Node): boolean {
  const may = schema !== undefined && traitsOf(schema).mayReturnArgument
  if (may !== 'ofOne') return may === true
  return !inputs.some(({ node }) => node.kind === 'prim::ListConstruct' && node.inputs.length > 1)
}

/** Kinds without a schema that look at the form of a tensor. */
const looks = new Set(['prim::dtype', 'prim::device', 'prim::is_cuda'])

/** Whether a node looks at the sizes or the dtype of its arguments only. */
export const readsFormOnly = ({ schema, kind }: Node): boolean =>
  schema === undefined ? looks.has(kind) : traitsOf(schema).readsFormOnly === true

/** Whether a node does anything besides giving results, nested nodes included. */
export function hasEffects(node: Node): boolean {
  if (effects.has(node.kind)) return true
  if (node.schema !== undefined && (isMutating(node.schema) || traitsOf(node.schema).hasEffects)) return true
  return node.blocks.some((block) => block.nodes.some(hasEffects))
}
