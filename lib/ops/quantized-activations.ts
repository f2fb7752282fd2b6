import { composed } from './op.js'

export default [
  composed(
    'quantized::hardswish',
    `
def hardswish(input: Tensor, output_scale: float, output_zero_point: int) -> Tensor:
  x = torch.dequantize(input)
  return torch.quantize_per_tensor(torch.hardswish(x), output_scale, output_zero_point, input.dtype)
`,
  ),
  composed(
    'quantized::leaky_relu',
    `
def leaky_relu(qx: Tensor, negative_slope: number, inplace: bool, output_scale: float, output_zero_point: int) -> Tensor:
  x = torch.dequantize(qx)
  return torch.quantize_per_tensor(torch.leaky_relu(x, negative_slope), output_scale, output_zero_point, qx.dtype)
`,
  ),
  composed(
    'quantized::sigmoid',
    `
def sigmoid(qx: Tensor, output_scale: float, output_zero_point: int) -> Tensor:
  x = torch.dequantize(qx)
  return torch.quantize_per_tensor(torch.sigmoid(x), output_scale, output_zero_point, qx.dtype)
`,
  ),
  composed(
    'quantized::celu',
    `
def celu(self: Tensor, output_scale: float, output_zero_point: int, alpha: number=1) -> Tensor:
  x = torch.dequantize(self)
  return torch.quantize_per_tensor(torch.celu(x, alpha), output_scale, output_zero_point, self.dtype)
`,
  ),
  composed(
    'quantized::elu',
    `
def elu(self: Tensor, output_scale: float, output_zero_point: int, alpha: number=1, scale: number=1, input_scale: number=1) -> Tensor:
  x = torch.dequantize(self)
  return torch.quantize_per_tensor(torch.elu(x, alpha, scale, input_scale), output_scale, output_zero_point, self.dtype)
`,
  ),
  composed(
    'quantized::prelu',
    `
def prelu(qx: Tensor, weight: Tensor, output_scale: float, output_zero_point: int) -> Tensor:
  x = torch.dequantize(qx)
  return torch.quantize_per_tensor(torch.prelu(x, torch.dequantize(weight)), output_scale, output_zero_point, qx.dtype)
`,
  ),
  composed(
    'quantized::softmax',
    `
def softmax(qx: Tensor, dim: int, output_scale: float, output_zero_point: int) -> Tensor:
  x = torch.dequantize(qx)
  return torch.quantize_per_tensor(torch.softmax(x, dim), output_scale, output_zero_point, qx.dtype)
`,
  ),
  composed(
    'quantized::dropout',
    `
def dropout(self: Tensor, output_scale: float, output_zero_point: int, p: number=0.5, training: bool=False) -> Tensor:
  return self
`,
  ),
  composed(
    'quantized::relu6',
    `
def relu6(qx: Tensor, inplace: bool=False) -> Tensor:
  result = torch.quantize_per_tensor(torch.hardtanh(torch.dequantize(qx), 0., 6.), torch.q_scale(qx), torch.q_zero_point(qx), qx.dtype)
  if inplace:
    qx.copy_(result)
    return qx
  return result
`,
  ),
  composed(
    'quantized::clamp',
    `
def clamp(qx: Tensor, min: Optional[number]=None, max: Optional[number]=None) -> Tensor:
  return torch.quantize_per_tensor(torch.clamp(torch.dequantize(qx), min, max), torch.q_scale(qx), torch.q_zero_point(qx), qx.dtype)
`,
  ),
  composed(
    'quantized::threshold',
    `
def threshold(qx: Tensor, threshold: number, value: number) -> Tensor:
  return torch.quantize_per_tensor(torch.threshold(torch.dequantize(qx), threshold, value), torch.q_scale(qx), torch.q_zero_point(qx), qx.dtype)
`,
  ),
]
