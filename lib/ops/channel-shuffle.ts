import { composed } from './op.js'

export default [
  composed(
    'aten::channel_shuffle',
    `
def channel_shuffle(self: Tensor, groups: int) -> Tensor:
  if self.dim() <= 2:
    raise RuntimeError("channel_shuffle expects input with > 2 dims")
  sizes = self.size()
  n = sizes[0]
  c = sizes[1]
  if groups <= 0 or c % groups != 0:
    raise RuntimeError("Number of channels must be divisible by groups.")
  if self.numel() == 0:
    return self.clone()
  x = self.reshape([n, groups, c // groups, -1]).permute([0, 2, 1, 3])
  return x.reshape(sizes)
`,
  ),
  composed(
    'aten::native_channel_shuffle',
    `
def native_channel_shuffle(self: Tensor, groups: int) -> Tensor:
  return torch.channel_shuffle(self, groups)
`,
  ),
]
