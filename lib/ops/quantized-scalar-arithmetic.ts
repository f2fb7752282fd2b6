import { composed } from './op.js'

/**
 * A quantized tensor with a number. Neither computes on the elements where it need not: a sum moves the zero point, a product scales the
 * scale. `relu` is what the fused variants do to the result. Source: ATen's qadd and qmul for scalars.
 */
const add = (name: string, params: string, relu: boolean) => {
  const rectified = (value: string) => (relu ? `torch.relu(${value})` : value)
  return composed(
    `quantized::${name}`,
    `
def ${name.split('.')[0]}(${params}) -> Tensor:
  scale = torch.q_scale(qa)
  zero_point = torch.q_zero_point(qa)
  low = 0
  high = 255
  if qa.dtype == torch.qint8:
    low = -128
    high = 127
  elif qa.dtype == torch.qint32:
    low = -2147483648
    high = 2147483647
  shifted = zero_point - int(round(float(b) / scale))
  if shifted >= low and shifted <= high:
    return ${rectified('torch._make_per_tensor_quantized_tensor(torch.int_repr(qa), scale, shifted)')}
  new_zero = low
  excess = float(high) - float(shifted)
  if shifted > high:
    new_zero = high
    excess = float(shifted) - float(low)
  new_scale = excess / (float(high) - float(low)) * scale
  total = torch.add(torch.dequantize(qa), b)
  return torch.quantize_per_tensor(${rectified('total')}, new_scale, new_zero, qa.dtype)
`,
  )
}

const mul = (name: string, params: string, relu: boolean) =>
  composed(
    `quantized::${name}`,
    `
def ${name.split('.')[0]}(${params}) -> Tensor:
  scale = torch.q_scale(qa)
  zero_point = torch.q_zero_point(qa)
  value = float(b)
  low = 0
  high = 255
  if qa.dtype == torch.qint8:
    low = -128
    high = 127
  new_zero = zero_point
  new_scale = value * scale
  ints = torch.int_repr(qa)
  if value < 0.:
    new_scale = -value * scale
    new_zero = high - (zero_point - low)
    ints = torch.rsub(torch.to(ints, torch.int32), low + high).to(ints.dtype)
  elif value == 0.:
    new_scale = 1.
    new_zero = 0
    ints = torch.zeros_like(ints)
  result = torch._make_per_tensor_quantized_tensor(ints, new_scale, new_zero)
  return ${relu ? 'torch.relu(result)' : 'result'}
`,
  )

const tensorFirst = 'qa: Tensor, b: number'
const numberFirst = 'b: number, qa: Tensor'

export default [
  add('add.Scalar', tensorFirst, false),
  add('add.Scalar2', numberFirst, false),
  add('add_scalar', tensorFirst, false),
  add('add_relu.Scalar', tensorFirst, true),
  add('add_relu.Scalar2', numberFirst, true),
  add('add_scalar_relu', tensorFirst, true),
  mul('mul.Scalar', tensorFirst, false),
  mul('mul.Scalar2', numberFirst, false),
  mul('mul_scalar', tensorFirst, false),
  mul('mul_relu.Scalar', tensorFirst, true),
  mul('mul_relu.Scalar2', numberFirst, true),
  mul('mul_scalar_relu', tensorFirst, true),
]
