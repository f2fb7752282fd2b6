import { composed } from './op.js'

export default composed(
  'aten::pixel_unshuffle',
  `
def pixel_unshuffle(self: Tensor, downscale_factor: int) -> Tensor:
  if self.dim() < 3:
    raise RuntimeError("pixel_unshuffle expects input to have at least 3 dimensions")
  if downscale_factor <= 0:
    raise RuntimeError("pixel_unshuffle expects a positive downscale_factor")
  r = downscale_factor
  sizes = self.size()
  lead = sizes[:-3]
  c = sizes[-3]
  h = sizes[-2]
  w = sizes[-1]
  if h % r != 0 or w % r != 0:
    raise RuntimeError("pixel_unshuffle expects height and width to be divisible by downscale_factor")
  n = 1
  for s in lead:
    n *= s
  x = self.reshape([n, c, h // r, r, w // r, r]).permute([0, 1, 3, 5, 2, 4])
  return x.reshape(lead + [c * r * r, h // r, w // r])
`,
)
