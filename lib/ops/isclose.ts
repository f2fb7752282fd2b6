import { composed } from './op.js'

export default composed(
  'aten::isclose',
  `
def isclose(self: Tensor, other: Tensor, rtol: float=1e-05, atol: float=1e-08, equal_nan: bool=False) -> Tensor:
  if self.dtype != other.dtype:
    raise RuntimeError(self.dtype, " did not match ", other.dtype)
  if rtol < 0.0 or atol < 0.0:
    raise RuntimeError("rtol and atol must be greater than or equal to zero")
  close = self == other
  inexact = self.is_floating_point() or self.is_complex()
  if equal_nan and inexact:
    close = close | (torch.isnan(self) & torch.isnan(other))
  if rtol == 0.0 and atol == 0.0:
    return close
  a = self
  b = other
  if not inexact:
    a = self.to(torch.float32)
    b = other.to(torch.float32)
  allowed = atol + torch.abs(rtol * b)
  actual = torch.abs(a - b)
  return close | (torch.isfinite(actual) & (actual <= allowed))
`,
)
