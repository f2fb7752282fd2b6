import { composed } from './op.js'

export default composed(
  'aten::rrelu',
  `
def rrelu(self: Tensor, lower: number=0.125, upper: number=0.3333333333333333, training: bool=False, generator: Optional[Generator]=None) -> Tensor:
  if not training:
    return torch.leaky_relu(self, (float(lower) + float(upper)) / 2.0)
  slope = torch.empty_like(self).uniform_(float(lower), float(upper))
  return torch.where(self <= 0, self * slope, self)
`,
)
