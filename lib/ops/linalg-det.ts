import { composed, kernel } from './op.js'

export default [
  kernel(['aten::linalg_det', 'aten::det'], 'linalg_det'),
  kernel(['aten::linalg_slogdet', 'aten::slogdet'], 'linalg_slogdet'),
  composed(
    'aten::logdet',
    `
def logdet(self: Tensor) -> Tensor:
  sign, logabsdet = torch.linalg_slogdet(self)
  if self.is_complex():
    return torch.add(torch.log(sign), logabsdet)
  return torch.where(torch.eq(sign, -1), torch.full_like(logabsdet, float("nan")), logabsdet)
`,
  ),
]
