import { composed } from './op.js'

const points = `
  n = self.size(-1)
  if len(bins) != n:
    raise RuntimeError("torch.histogramdd: The size of bins must be equal to the innermost dimension of the input.")
  points = torch.reshape(self, [self.numel() // max(n, 1), n])`

/** Evenly spaced edges of every dimension, between the given limits or the extremes of the data, which are moved apart where they are equal. */
const evenly = `
  edges: List[Tensor] = []
  for d, count in enumerate(bins):
    low = 0.0
    high = 1.0
    if range is not None:
      low = range[2 * d]
      high = range[2 * d + 1]
    elif points.numel() > 0:
      low = float(points.select(1, d).min())
      high = float(points.select(1, d).max())
    if low == high:
      low = low - 0.5
      high = high + 0.5
    edges.append(torch.linspace(low, high, count + 1, dtype=self.dtype, device=self.device))`

/** The points between the edges, counted. The last edge belongs to the last bin. */
const counted = `
  sizes: List[int] = []
  total = 1
  index = torch.zeros([points.size(0)], dtype=torch.int64, device=self.device)
  inside = torch.ones([points.size(0)], dtype=torch.bool, device=self.device)
  for d, e in enumerate(edges):
    count = e.size(0) - 1
    v = points.select(1, d).contiguous()
    at = torch.searchsorted(e, v, right=True) - 1
    inside = inside & (v >= e[0]) & (v <= e[-1])
    index = index * count + torch.clamp(at, 0, max(count - 1, 0))
    total = total * count
    sizes.append(count)
  amounts = torch.ones([points.size(0)], dtype=self.dtype, device=self.device)
  if weight is not None:
    amounts = torch.reshape(weight, [points.size(0)])
  amounts = torch.where(inside, amounts, torch.zeros_like(amounts))
  hist = torch.reshape(torch.zeros([total], dtype=self.dtype, device=self.device).index_add(0, index, amounts), sizes)
  if density:
    hist = hist / hist.sum()
    for d, e in enumerate(edges):
      shape = [1] * n
      shape[d] = sizes[d]
      hist = hist / torch.reshape(torch.diff(e), shape)
  return hist, edges
`
const result = 'weight: Optional[Tensor]=None, density: bool=False) -> Tuple[Tensor, List[Tensor]]:'

export default [
  composed(
    'aten::histogramdd',
    `
def histogramdd(self: Tensor, bins: List[int], range: Optional[List[float]]=None, ${result}${points}${evenly}${counted}`,
  ),
  composed(
    'aten::histogramdd.int_bins',
    `
def histogramdd(self: Tensor, bins: int, range: Optional[List[float]]=None, ${result}
  return torch.histogramdd(self, [bins] * self.size(-1), range, weight, density)
`,
  ),
  composed(
    'aten::histogramdd.TensorList_bins',
    `
def histogramdd(self: Tensor, bins: List[Tensor], range: Optional[List[float]]=None, ${result}${points}
  edges = bins${counted}`,
  ),
]
