import { composed } from './op.js'

export default composed(
  'aten::rrelu',
  `
def rrelu(self: Tensor, lower: number=0.125, upper: number=0.3333333333333333, training: bool=False, generator: Optional[Generator]=None) -> Tensor:
  if not training:
    return torch.leaky_relu(self, (float(lower) + float(upper)) / 2.0)
  mask = self <= 0
  drawn = torch.empty([int(mask.sum())], dtype=torch.float64).uniform_(float(lower), float(upper))
  return self * torch.ones_like(self).masked_scatter(mask, drawn.to(self.dtype))
`,
)
