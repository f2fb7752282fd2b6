import type { Value } from '../ir/graph.js'
import type { ConstantFacts } from './evaluator.js'

/** Operators whose result has the dtype of the argument at this place: the weight that the input has to agree with, or the input itself. */
const sameAs: ReadonlyMap<string, number> = new Map([
  ...'conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d _convolution linear layer_norm'
    .split(' ')
    .map((name) => [`aten::${name}`, name === 'layer_norm' ? 0 : 1] as const),
  ['aten::embedding', 0],
  ['aten::addmm', 2],
  ['torchscript::attention', 0],
  ['torchscript::linear_epilogue', 1],
  ['torchscript::addmm_epilogue', 2],
  ['torchscript::convolution_epilogue', 1],
  ['torchscript::bottleneck', 4],
  ...(
    'relu relu_ relu6 relu6_ gelu silu silu_ hardswish hardswish_ hardsigmoid hardtanh hardtanh_ leaky_relu elu sigmoid tanh batch_norm group_norm instance_norm ' +
    'matmul bmm scaled_dot_product_attention masked_fill rsqrt sqrt exp neg abs dropout dropout_ view reshape flatten contiguous transpose t ' +
    'permute expand unsqueeze squeeze slice select narrow clone detach max_pool2d split chunk unbind split_with_sizes ' +
    'rms_norm reshape_as index index_select gather roll pad flip cos sin repeat repeat_interleave relu6 mish elu selu softplus ' +
    'avg_pool2d adaptive_avg_pool2d adaptive_avg_pool1d max_pool1d avg_pool1d pixel_shuffle upsample_nearest2d upsample_bilinear2d'
  )
    .split(' ')
    .map((name) => [`aten::${name}`, 0] as const),
])

/** Overloads with a number that have the dtype of a float tensor they are given. */
const withNumber = new Set(
  ['add.Scalar', 'sub.Scalar', 'mul.Scalar', 'div.Scalar', 'rsub.Scalar', 'pow.Tensor_Scalar', 'mul_.Scalar', 'div_.Scalar'].map(
    (name) => `aten::${name}`,
  ),
)
/** Overloads whose dtype argument, at this place, has to be absent or known. */
const withDType: ReadonlyMap<string, number> = new Map([
  ['aten::softmax.int', 2],
  ['aten::mean.dim', 3],
  ['aten::sum.dim_IntList', 3],
  ['aten::to.dtype', 1],
])
const dtypeCodes: ReadonlyMap<number, string> = new Map([
  [5, 'float16'],
  [6, 'float32'],
  [7, 'float64'],
])

/** Operators on two tensors that promote. */
const promoting = new Set(['aten::add.Tensor', 'aten::sub.Tensor', 'aten::mul.Tensor', 'aten::div.Tensor'])
/** Operators that write their first argument, which keeps its dtype. */
const inPlace = new Set(['aten::add_.Tensor', 'aten::sub_.Tensor', 'aten::mul_.Tensor', 'aten::div_.Tensor'])

/** The float dtype that a tensor surely has when the program gets there; undefined when it is not known or no float. */
export function floatDType(value: Value, evaluator: ConstantFacts, depth = 0): string | undefined {
  const { node } = value
  if (node.constant?.kind === 'tensor') {
    const dtype = evaluator.facts(node.constant.tensor)?.dtype
    return dtype?.startsWith('float') ? dtype : undefined
  }
  const name = node.schema?.fullName ?? ''
  if (promoting.has(name) && depth < 20) {
    const [a, b] = [floatDType(node.inputs[0], evaluator, depth + 1), floatDType(node.inputs[1], evaluator, depth + 1)]
    return a === b ? a : undefined
  }
  const inner = (input: number): string | undefined => (depth > 200 ? undefined : floatDType(node.inputs[input], evaluator, depth + 1))
  if (withNumber.has(name)) {
    const { constant } = node.inputs[1].node
    return constant?.kind === 'int' || constant?.kind === 'float' ? inner(0) : undefined
  }
  const asked = withDType.get(name)
  if (asked !== undefined) {
    const { constant } = node.inputs[asked].node
    return constant?.kind === 'int' ? dtypeCodes.get(Number(constant.value)) : constant?.kind === 'none' ? inner(0) : undefined
  }
  switch (node.kind) {
    case 'prim::ListUnpack':
      return inner(0)
    case 'aten::where': {
      const number = (input: number): boolean => ['int', 'float'].includes(node.inputs[input]?.node.constant?.kind ?? '')
      if (name === 'aten::where.ScalarOther') return number(2) ? inner(1) : undefined
      if (name === 'aten::where.ScalarSelf') return number(1) ? inner(2) : undefined
      return name === 'aten::where.self' && inner(1) === inner(2) ? inner(1) : undefined
    }
    case 'aten::cat': {
      const parts = node.inputs[0].node.kind === 'prim::ListConstruct' ? node.inputs[0].node.inputs : []
      const dtypes = new Set(parts.length > 0 && depth < 20 ? parts.map((part) => floatDType(part, evaluator, depth + 1)) : [])
      return dtypes.size === 1 ? [...dtypes][0] : undefined
    }
  }
  const place = inPlace.has(name) ? 0 : name === 'aten::view.dtype' ? undefined : sameAs.get(node.kind)
  return place === undefined || depth > 200 || node.outputs.length !== 1 ? undefined : floatDType(node.inputs[place], evaluator, depth + 1)
}
