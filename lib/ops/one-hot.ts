import { composed } from './op.js'

export default composed(
  'aten::one_hot',
  `
def one_hot(self: Tensor, num_classes: int=-1) -> Tensor:
  classes = num_classes
  if self.numel() == 0:
    if classes <= 0:
      raise RuntimeError("Can not infer total number of classes from empty tensor.")
    return torch.empty(self.size() + [classes], dtype=torch.int64, device=self.device)
  if int(self.min()) < 0:
    raise RuntimeError("Class values must be non-negative.")
  if classes == -1:
    classes = int(self.max()) + 1
  elif classes <= int(self.max()):
    raise RuntimeError("Class values must be smaller than num_classes.")
  result = torch.zeros(self.size() + [classes], dtype=torch.int64, device=self.device)
  return result.scatter(-1, self.unsqueeze(-1), 1)
`,
)
