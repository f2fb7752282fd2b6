import { composed } from './op.js'

/** Two quantized tensors: computed in float32 and quantized to the given scale and zero point. */
const binary = (name: string, value: string) =>
  composed(
    `quantized::${name}`,
    `
def ${name}(qa: Tensor, qb: Tensor, scale: float, zero_point: int) -> Tensor:
  a = torch.dequantize(qa)
  b = torch.dequantize(qb)
  return torch.quantize_per_tensor(${value}, scale, zero_point, qa.dtype)
`,
  )

export default [
  binary('add', 'torch.add(a, b)'),
  binary('add_relu', 'torch.relu(torch.add(a, b))'),
  binary('mul', 'torch.mul(a, b)'),
  binary('mul_relu', 'torch.relu(torch.mul(a, b))'),
  binary('matmul', 'torch.matmul(a, b)'),
]
