import { composed } from './op.js'

export default composed(
  'aten::cartesian_prod',
  `
def cartesian_prod(tensors: List[Tensor]) -> Tensor:
  for t in tensors:
    if t.dim() != 1:
      raise RuntimeError("Expect a 1D vector")
  if len(tensors) == 1:
    return tensors[0]
  grids = torch.meshgrid(tensors, indexing="ij")
  columns = torch.jit.annotate(List[Tensor], [])
  for g in grids:
    columns.append(g.flatten())
  return torch.stack(columns, 1)
`,
  { mayReturnArgument: true },
)
