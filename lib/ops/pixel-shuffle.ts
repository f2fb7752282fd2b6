import { composed } from './op.js'

export default composed(
  'aten::pixel_shuffle',
  `
def pixel_shuffle(self: Tensor, upscale_factor: int) -> Tensor:
  if self.dim() < 3:
    raise RuntimeError("pixel_shuffle expects input to have at least 3 dimensions")
  if upscale_factor <= 0:
    raise RuntimeError("pixel_shuffle expects a positive upscale_factor")
  r = upscale_factor
  sizes = self.size()
  lead = sizes[:-3]
  c = sizes[-3]
  h = sizes[-2]
  w = sizes[-1]
  if c % (r * r) != 0:
    raise RuntimeError("pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor")
  n = 1
  for s in lead:
    n *= s
  oc = c // (r * r)
  x = self.reshape([n, oc, r, r, h, w]).permute([0, 1, 4, 2, 5, 3])
  return x.reshape(lead + [oc, h * r, w * r])
`,
  { dtypeFrom: ['self'], rankOf: 'self' },
)
