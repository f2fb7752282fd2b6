import { composed } from './op.js'

export default [
  composed(
    'quantized::batch_norm',
    `
def batch_norm(qx: Tensor, weight: Optional[Tensor], bias: Optional[Tensor], mean: Tensor, var: Tensor, eps: float, output_scale: float, output_zero_point: int) -> Tensor:
  x = torch.dequantize(qx)
  return torch.quantize_per_tensor(torch.batch_norm(x, weight, bias, mean, var, False, 0., eps, False), output_scale, output_zero_point, qx.dtype)
`,
  ),
  composed(
    'quantized::batch_norm_relu',
    `
def batch_norm_relu(qx: Tensor, weight: Optional[Tensor], bias: Optional[Tensor], mean: Tensor, var: Tensor, eps: float, output_scale: float, output_zero_point: int) -> Tensor:
  x = torch.dequantize(qx)
  return torch.quantize_per_tensor(torch.relu(torch.batch_norm(x, weight, bias, mean, var, False, 0., eps, False)), output_scale, output_zero_point, qx.dtype)
`,
  ),
  composed(
    'quantized::batch_norm1d',
    `
def batch_norm1d(qx: Tensor, weight: Optional[Tensor], bias: Optional[Tensor], mean: Tensor, var: Tensor, eps: float, output_scale: float, output_zero_point: int) -> Tensor:
  x = torch.dequantize(qx)
  return torch.quantize_per_tensor(torch.batch_norm(x, weight, bias, mean, var, False, 0., eps, False), output_scale, output_zero_point, qx.dtype)
`,
  ),
  composed(
    'quantized::batch_norm1d_relu',
    `
def batch_norm1d_relu(qx: Tensor, weight: Optional[Tensor], bias: Optional[Tensor], mean: Tensor, var: Tensor, eps: float, output_scale: float, output_zero_point: int) -> Tensor:
  x = torch.dequantize(qx)
  return torch.quantize_per_tensor(torch.relu(torch.batch_norm(x, weight, bias, mean, var, False, 0., eps, False)), output_scale, output_zero_point, qx.dtype)
`,
  ),
  composed(
    'quantized::batch_norm2d',
    `
def batch_norm2d(qx: Tensor, weight: Optional[Tensor], bias: Optional[Tensor], mean: Tensor, var: Tensor, eps: float, output_scale: float, output_zero_point: int) -> Tensor:
  x = torch.dequantize(qx)
  return torch.quantize_per_tensor(torch.batch_norm(x, weight, bias, mean, var, False, 0., eps, False), output_scale, output_zero_point, qx.dtype)
`,
  ),
  composed(
    'quantized::batch_norm2d_relu',
    `
def batch_norm2d_relu(qx: Tensor, weight: Optional[Tensor], bias: Optional[Tensor], mean: Tensor, var: Tensor, eps: float, output_scale: float, output_zero_point: int) -> Tensor:
  x = torch.dequantize(qx)
  return torch.quantize_per_tensor(torch.relu(torch.batch_norm(x, weight, bias, mean, var, False, 0., eps, False)), output_scale, output_zero_point, qx.dtype)
`,
  ),
  composed(
    'quantized::batch_norm3d',
    `
def batch_norm3d(qx: Tensor, weight: Optional[Tensor], bias: Optional[Tensor], mean: Tensor, var: Tensor, eps: float, output_scale: float, output_zero_point: int) -> Tensor:
  x = torch.dequantize(qx)
  return torch.quantize_per_tensor(torch.batch_norm(x, weight, bias, mean, var, False, 0., eps, False), output_scale, output_zero_point, qx.dtype)
`,
  ),
  composed(
    'quantized::batch_norm3d_relu',
    `
def batch_norm3d_relu(qx: Tensor, weight: Optional[Tensor], bias: Optional[Tensor], mean: Tensor, var: Tensor, eps: float, output_scale: float, output_zero_point: int) -> Tensor:
  x = torch.dequantize(qx)
  return torch.quantize_per_tensor(torch.relu(torch.batch_norm(x, weight, bias, mean, var, False, 0., eps, False)), output_scale, output_zero_point, qx.dtype)
`,
  ),
  composed(
    'quantized::layer_norm',
    `
def layer_norm(input: Tensor, normalized_shape: List[int], weight: Optional[Tensor], bias: Optional[Tensor], eps: float, output_scale: float, output_zero_point: int) -> Tensor:
  x = torch.dequantize(input)
  return torch.quantize_per_tensor(torch.layer_norm(x, normalized_shape, weight, bias, eps, False), output_scale, output_zero_point, input.dtype)
`,
  ),
  composed(
    'quantized::group_norm',
    `
def group_norm(input: Tensor, num_groups: int, weight: Optional[Tensor], bias: Optional[Tensor], eps: float, output_scale: float, output_zero_point: int) -> Tensor:
  x = torch.dequantize(input)
  return torch.quantize_per_tensor(torch.group_norm(x, num_groups, weight, bias, eps, False), output_scale, output_zero_point, input.dtype)
`,
  ),
  composed(
    'quantized::instance_norm',
    `
def instance_norm(input: Tensor, weight: Optional[Tensor], bias: Optional[Tensor], eps: float, output_scale: float, output_zero_point: int) -> Tensor:
  x = torch.dequantize(input)
  return torch.quantize_per_tensor(torch.instance_norm(x, weight, bias, None, None, True, 0., eps, False), output_scale, output_zero_point, input.dtype)
`,
  ),
]
