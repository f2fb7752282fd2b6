import type { Node } from '../ir/graph.js'
import { isMutating, type FunctionSchema } from '../ir/schema.js'
import { traitsOf } from '../ops/traits.js'

/** Kinds that must run although nobody reads their results, and calls, which may do anything. */
const effects = new Set([
  'prim::RaiseException',
  'prim::SetAttr',
  'prim::Print',
  'prim::CallMethod',
  'prim::CallFunction',
  'prim::fork',
  'prim::ModuleContainerIndex',
  'aten::wait',
  'prim::Enter',
  'prim::Exit',
  'aten::warn',
  'aten::save',
  'aten::manual_seed',
  'aten::set_grad_enabled',
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

/** Words in the names of operators that draw random numbers or read uninitialised memory. */
const random =
  /^(?:rand|randn|randint|randperm|normal|bernoulli|multinomial|poisson|binomial|uniform|cauchy|exponential|geometric|log_normal|random|rrelu|empty|new_empty|seed|initial_seed|_sample_dirichlet|_standard_gamma)(?:_|$)|dropout|_like_?$|fractional_max_pool|TimePoint|resize|set_|^id$/

/** `zeros_like` and the like are not random though their names end like those of operators that are. */
const determined = new Set(['zeros_like', 'ones_like', 'full_like'])

/** Whether an operator gives the same results for the same arguments each time. */
export function isDeterministic(schema: FunctionSchema): boolean {
  const [namespace, name] = schema.name.split('::')
  if (!pureNamespaces.has(namespace)) return false
  if (determined.has(name)) return true
  return !random.test(name) && !schema.arguments.some((a) => a.name === 'generator')
}

/** Whether the results of a node may be an argument itself, or share its memory, although the schema does not say so. */
export function mayReturnArgument({ schema, inputs }: Node): boolean {
  const may = schema !== undefined && traitsOf(schema).mayReturnArgument
  if (may !== 'ofOne') return may === true
  return !inputs.some(({ node }) => node.kind === 'prim::ListConstruct' && node.inputs.length > 1)
}

/** Whether a node does anything besides giving results, nested nodes included. */
export function hasEffects(node: Node): boolean {
  if (effects.has(node.kind)) return true
  if (node.schema !== undefined && isMutating(node.schema)) return true
  return node.blocks.some((block) => block.nodes.some(hasEffects))
}
