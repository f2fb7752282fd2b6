import { composed } from './op.js'

/** Floats with integer exponents keep their dtype, and do not overflow on the way: two factors, within the range of float64. */
export default composed(
  'aten::ldexp.Tensor',
  `
def ldexp(self: Tensor, other: Tensor) -> Tensor:
  if torch.is_floating_point(self) and not torch.is_floating_point(other) and not torch.is_complex(other):
    if other.dtype == 11:
      raise RuntimeError("\\"ldexp_cpu_exp\\" not implemented for 'Bool'")
    exponent = torch.clamp(other.to(torch.int64), -2000, 2000)
    half = torch.floor_divide(exponent, 2)
    first = torch.pow(2.0, half.to(torch.float64))
    second = torch.pow(2.0, torch.sub(exponent, half).to(torch.float64))
    return torch.mul(torch.mul(self.to(torch.float64), first), second).to(self.dtype)
  return self * torch.pow(2.0, other)
`,
)
