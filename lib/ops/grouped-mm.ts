import { composed } from './op.js'

/** Matrix products of groups; `offs` holds where each group ends along the dimension that is not split into a batch. */
export default composed(
  'aten::_grouped_mm',
  `
def _grouped_mm(self: Tensor, mat2: Tensor, offs: Optional[Tensor]=None, bias: Optional[Tensor]=None, out_dtype: Optional[int]=None) -> Tensor:
  if bias is not None:
    raise RuntimeError('_grouped_mm: bias is not supported')
  if offs is None:
    if self.dim() != 3 or mat2.dim() != 3:
      raise RuntimeError('_grouped_mm: offs is needed when an operand is 2-D')
    result = torch.bmm(self, mat2)
  else:
    groups = offs.size(0)
    parts = torch.jit.annotate(List[Tensor], [])
    start = 0
    for g in range(groups):
      end = int(offs[g])
      if self.dim() == 2 and mat2.dim() == 3:
        parts.append(torch.mm(self[start:end], mat2[g]))
      elif self.dim() == 3 and mat2.dim() == 2:
        parts.append(torch.mm(self[g], mat2[:, start:end]))
      elif self.dim() == 2:
        parts.append(torch.mm(self[:, start:end], mat2[start:end]))
      else:
        raise RuntimeError('_grouped_mm: offs is not for two 3-D operands')
      start = end
    if self.dim() == 2 and mat2.dim() == 3:
      result = torch.cat(parts, 0)
    elif self.dim() == 3:
      result = torch.cat(parts, 1)
    else:
      result = torch.stack(parts, 0)
  if out_dtype is not None:
    return result.to(out_dtype)
  return result
`,
)
