import { composed } from './op.js'

export default [
  composed(
    'quantized::add',
    `
def add(qa: Tensor, qb: Tensor, scale: float, zero_point: int) -> Tensor:
  return torch.quantize_per_tensor(torch.add(torch.dequantize(qa), torch.dequantize(qb)), scale, zero_point, qa.dtype)
`,
  ),
  composed(
    'quantized::add_relu',
    `
def add_relu(qa: Tensor, qb: Tensor, scale: float, zero_point: int) -> Tensor:
  return torch.quantize_per_tensor(torch.relu(torch.add(torch.dequantize(qa), torch.dequantize(qb))), scale, zero_point, qa.dtype)
`,
  ),
  composed(
    'quantized::mul',
    `
def mul(qa: Tensor, qb: Tensor, scale: float, zero_point: int) -> Tensor:
  return torch.quantize_per_tensor(torch.mul(torch.dequantize(qa), torch.dequantize(qb)), scale, zero_point, qa.dtype)
`,
  ),
  composed(
    'quantized::mul_relu',
    `
def mul_relu(qa: Tensor, qb: Tensor, scale: float, zero_point: int) -> Tensor:
  return torch.quantize_per_tensor(torch.relu(torch.mul(torch.dequantize(qa), torch.dequantize(qb))), scale, zero_point, qa.dtype)
`,
  ),
  composed(
    'quantized::matmul',
    `
def matmul(qa: Tensor, qb: Tensor, scale: float, zero_point: int) -> Tensor:
  return torch.quantize_per_tensor(torch.matmul(torch.dequantize(qa), torch.dequantize(qb)), scale, zero_point, qa.dtype)
`,
  ),
]
