import { composed } from './op.js'

export default composed(
  'aten::combinations',
  `
def combinations(self: Tensor, r: int=2, with_replacement: bool=False) -> Tensor:
  if self.dim() != 1:
    raise RuntimeError("Expect a 1D vector")
  if r < 0:
    raise RuntimeError("Expect a non-negative number")
  if r == 0:
    return torch.empty([0], dtype=self.dtype, device=self.device)
  n = self.size(0)
  positions = torch.arange(n, device=self.device)
  mask = torch.ones([n] * r, dtype=torch.bool, device=self.device)
  grids = torch.meshgrid([positions] * r, indexing="ij")
  for i in range(r - 1):
    if with_replacement:
      mask = torch.logical_and(mask, torch.le(grids[i], grids[i + 1]))
    else:
      mask = torch.logical_and(mask, torch.lt(grids[i], grids[i + 1]))
  columns = torch.jit.annotate(List[Tensor], [])
  for g in grids:
    columns.append(torch.index_select(self, 0, torch.masked_select(g, mask)))
  return torch.stack(columns, 1)
`,
  { mayReturnArgument: true },
)
