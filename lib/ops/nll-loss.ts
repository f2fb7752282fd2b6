import { composed } from './op.js'

export default composed(
  ['aten::nll_loss', 'aten::nll_loss2d', 'aten::nll_loss_nd'],
  `
def nll_loss(self: Tensor, target: Tensor, weight: Optional[Tensor]=None, reduction: int=1, ignore_index: int=-100) -> Tensor:
  if self.dim() == 0:
    raise RuntimeError('input tensor should be 1D or 2D')
  dim = 1
  if self.dim() == 1:
    dim = 0
  counted = torch.ne(target, ignore_index)
  index = torch.masked_fill(target, torch.logical_not(counted), 0).to(torch.int64)
  classes = self.size(dim)
  if torch.numel(index) > 0:
    if bool(torch.any(torch.logical_or(torch.lt(index, 0), torch.ge(index, classes)))):
      raise IndexError('Target is out of bounds.')
  picked = torch.neg(torch.squeeze(torch.gather(self, dim, torch.unsqueeze(index, dim)), dim))
  factor = counted.to(self.dtype)
  if weight is not None:
    factor = torch.mul(torch.reshape(torch.index_select(weight, 0, torch.reshape(index, [-1])), index.size()), factor)
  loss = torch.masked_fill(torch.mul(picked, factor), torch.logical_not(counted), 0)
  if reduction == 1:
    return torch.div(torch.sum(loss), torch.sum(factor))
  if reduction == 2:
    return torch.sum(loss)
  return loss
`,
)
