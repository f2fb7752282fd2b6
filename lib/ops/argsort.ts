import { composed, kernel } from './op.js'

export default [
  kernel('aten::argsort', 'argsort'),
  kernel('aten::argsort.stable', 'argsort_stable'),
  composed(
    'aten::msort',
    `
def msort(self: Tensor) -> Tensor:
  values, indices = torch.sort(self, 0, False)
  return values
`,
  ),
]
