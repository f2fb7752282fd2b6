import { composed } from './op.js'

/** Rolls dimensions of `n` elements by `shift`, so that the zero frequency comes to the middle, or back to the front. */
const rolled = (name: string, shift: (n: string) => string) =>
  composed(
    `aten::${name}`,
    `
def ${name}(self: Tensor, dim: Optional[List[int]]=None) -> Tensor:
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
    shifts.append(${shift('self.size(d)')})
  return torch.roll(self, shifts, dims)
`,
  )

export default [rolled('fft_fftshift', (n) => `${n} // 2`), rolled('fft_ifftshift', (n) => `(${n} + 1) // 2`)]
