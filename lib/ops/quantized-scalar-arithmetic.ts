import { composed } from './op.js'

export default [
  composed(
    'quantized::add.Scalar',
    `
def add(qa: Tensor, b: number) -> Tensor:
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
  x = torch.dequantize(qa)
  y = torch.add(x, b)
  new_zero = shifted
  new_scale = scale
  if shifted < low:
    new_zero = low
    new_scale = (float(high) - float(shifted)) / (float(high) - float(low)) * scale
  elif shifted > high:
    new_zero = high
    new_scale = (float(shifted) - float(low)) / (float(high) - float(low)) * scale
  else:
    if False:
      return torch.relu(torch._make_per_tensor_quantized_tensor(torch.int_repr(qa), scale, shifted))
    return torch._make_per_tensor_quantized_tensor(torch.int_repr(qa), scale, shifted)
  return torch.quantize_per_tensor(y, new_scale, new_zero, qa.dtype)
`,
  ),
  composed(
    'quantized::add.Scalar2',
    `
def add(b: number, qa: Tensor) -> Tensor:
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
  x = torch.dequantize(qa)
  y = torch.add(x, b)
  new_zero = shifted
  new_scale = scale
  if shifted < low:
    new_zero = low
    new_scale = (float(high) - float(shifted)) / (float(high) - float(low)) * scale
  elif shifted > high:
    new_zero = high
    new_scale = (float(shifted) - float(low)) / (float(high) - float(low)) * scale
  else:
    if False:
      return torch.relu(torch._make_per_tensor_quantized_tensor(torch.int_repr(qa), scale, shifted))
    return torch._make_per_tensor_quantized_tensor(torch.int_repr(qa), scale, shifted)
  return torch.quantize_per_tensor(y, new_scale, new_zero, qa.dtype)
`,
  ),
  composed(
    'quantized::add_scalar',
    `
def add_scalar(qa: Tensor, b: number) -> Tensor:
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
  x = torch.dequantize(qa)
  y = torch.add(x, b)
  new_zero = shifted
  new_scale = scale
  if shifted < low:
    new_zero = low
    new_scale = (float(high) - float(shifted)) / (float(high) - float(low)) * scale
  elif shifted > high:
    new_zero = high
    new_scale = (float(shifted) - float(low)) / (float(high) - float(low)) * scale
  else:
    if False:
      return torch.relu(torch._make_per_tensor_quantized_tensor(torch.int_repr(qa), scale, shifted))
    return torch._make_per_tensor_quantized_tensor(torch.int_repr(qa), scale, shifted)
  return torch.quantize_per_tensor(y, new_scale, new_zero, qa.dtype)
`,
  ),
  composed(
    'quantized::add_relu.Scalar',
    `
def add_relu(qa: Tensor, b: number) -> Tensor:
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
  x = torch.dequantize(qa)
  y = torch.add(x, b)
  new_zero = shifted
  new_scale = scale
  if shifted < low:
    new_zero = low
    new_scale = (float(high) - float(shifted)) / (float(high) - float(low)) * scale
  elif shifted > high:
    new_zero = high
    new_scale = (float(shifted) - float(low)) / (float(high) - float(low)) * scale
  else:
    if True:
      return torch.relu(torch._make_per_tensor_quantized_tensor(torch.int_repr(qa), scale, shifted))
    return torch._make_per_tensor_quantized_tensor(torch.int_repr(qa), scale, shifted)
  return torch.quantize_per_tensor(torch.relu(y), new_scale, new_zero, qa.dtype)
`,
  ),
  composed(
    'quantized::add_relu.Scalar2',
    `
def add_relu(b: number, qa: Tensor) -> Tensor:
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
  x = torch.dequantize(qa)
  y = torch.add(x, b)
  new_zero = shifted
  new_scale = scale
  if shifted < low:
    new_zero = low
    new_scale = (float(high) - float(shifted)) / (float(high) - float(low)) * scale
  elif shifted > high:
    new_zero = high
    new_scale = (float(shifted) - float(low)) / (float(high) - float(low)) * scale
  else:
    if True:
      return torch.relu(torch._make_per_tensor_quantized_tensor(torch.int_repr(qa), scale, shifted))
    return torch._make_per_tensor_quantized_tensor(torch.int_repr(qa), scale, shifted)
  return torch.quantize_per_tensor(torch.relu(y), new_scale, new_zero, qa.dtype)
`,
  ),
  composed(
    'quantized::add_scalar_relu',
    `
def add_scalar_relu(qa: Tensor, b: number) -> Tensor:
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
  x = torch.dequantize(qa)
  y = torch.add(x, b)
  new_zero = shifted
  new_scale = scale
  if shifted < low:
    new_zero = low
    new_scale = (float(high) - float(shifted)) / (float(high) - float(low)) * scale
  elif shifted > high:
    new_zero = high
    new_scale = (float(shifted) - float(low)) / (float(high) - float(low)) * scale
  else:
    if True:
      return torch.relu(torch._make_per_tensor_quantized_tensor(torch.int_repr(qa), scale, shifted))
    return torch._make_per_tensor_quantized_tensor(torch.int_repr(qa), scale, shifted)
  return torch.quantize_per_tensor(torch.relu(y), new_scale, new_zero, qa.dtype)
`,
  ),
  composed(
    'quantized::mul.Scalar',
    `
def mul(qa: Tensor, b: number) -> Tensor:
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
  if False:
    return torch.relu(result)
  return result
`,
  ),
  composed(
    'quantized::mul.Scalar2',
    `
def mul(b: number, qa: Tensor) -> Tensor:
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
  if False:
    return torch.relu(result)
  return result
`,
  ),
  composed(
    'quantized::mul_scalar',
    `
def mul_scalar(qa: Tensor, b: number) -> Tensor:
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
  if False:
    return torch.relu(result)
  return result
`,
  ),
  composed(
    'quantized::mul_relu.Scalar',
    `
def mul_relu(qa: Tensor, b: number) -> Tensor:
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
  if True:
    return torch.relu(result)
  return result
`,
  ),
  composed(
    'quantized::mul_relu.Scalar2',
    `
def mul_relu(b: number, qa: Tensor) -> Tensor:
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
  if True:
    return torch.relu(result)
  return result
`,
  ),
  composed(
    'quantized::mul_scalar_relu',
    `
def mul_scalar_relu(qa: Tensor, b: number) -> Tensor:
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
  if True:
    return torch.relu(result)
  return result
`,
  ),
]
