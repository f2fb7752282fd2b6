import { composed } from './op.js'

/** Norms of quantized tensors: dequantized, normalised in float32, and quantized to the given scale and zero point. */
const norm = (name: string, input: string, params: string, value: string) =>
  composed(
    `quantized::${name}`,
    `
def ${name}(${input}: Tensor, ${params}, eps: float, output_scale: float, output_zero_point: int) -> Tensor:
  x = torch.dequantize(${input})
  return torch.quantize_per_tensor(${value}, output_scale, output_zero_point, ${input}.dtype)
`,
  )

const batchNorms = ['batch_norm', 'batch_norm1d', 'batch_norm2d', 'batch_norm3d'].flatMap((name) => {
  const params = 'weight: Optional[Tensor], bias: Optional[Tensor], mean: Tensor, var: Tensor'
  const value = 'torch.batch_norm(x, weight, bias, mean, var, False, 0., eps, False)'
  return [norm(name, 'qx', params, value), norm(`${name}_relu`, 'qx', params, `torch.relu(${value})`)]
})

const affine = 'weight: Optional[Tensor], bias: Optional[Tensor]'

export default [
  ...batchNorms,
  norm('layer_norm', 'input', `normalized_shape: List[int], ${affine}`, 'torch.layer_norm(x, normalized_shape, weight, bias, eps, False)'),
  norm('group_norm', 'input', `num_groups: int, ${affine}`, 'torch.group_norm(x, num_groups, weight, bias, eps, False)'),
  norm('instance_norm', 'input', affine, 'torch.instance_norm(x, weight, bias, None, None, True, 0., eps, False)'),
]
