import { composed } from './op.js'

export default [
  composed(
    'aten::fft_fftshift',
    `
def fft_fftshift(self: Tensor, dim: Optional[List[int]]=None) -> Tensor:
  dims = torch.jit.annotate(List[int], [])
  if dim is not None:
    dims = dim
  else:
    for d in range(self.dim()):
      dims.append(d)
  if self.dim() == 0 or len(dims) == 0:
    return self.clone()
  shifts = torch.jit.annotate(List[int], [])
  for d in dims:
    shifts.append(self.size(d) // 2)
  return torch.roll(self, shifts, dims)
`,
  ),
  composed(
    'aten::fft_ifftshift',
    `
def fft_ifftshift(self: Tensor, dim: Optional[List[int]]=None) -> Tensor:
  dims = torch.jit.annotate(List[int], [])
  if dim is not None:
    dims = dim
  else:
    for d in range(self.dim()):
      dims.append(d)
  if self.dim() == 0 or len(dims) == 0:
    return self.clone()
  shifts = torch.jit.annotate(List[int], [])
  for d in dims:
    shifts.append((self.size(d) + 1) // 2)
  return torch.roll(self, shifts, dims)
`,
  ),
]
