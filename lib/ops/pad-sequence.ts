import { composed } from './op.js'

export default composed(
  'aten::pad_sequence',
  `
def pad_sequence(sequences: List[Tensor], batch_first: bool=False, padding_value: float=0.0, padding_side: str="right") -> Tensor:
  assert len(sequences) > 0, "received an empty list of sequences"
  assert padding_side == "left" or padding_side == "right", "Expected padding_side to be one of left or right, but got " + padding_side + "."
  longest = 0
  for sequence in sequences:
    longest = max(longest, sequence.size(0))
  rows = annotate(List[Tensor], [])
  for sequence in sequences:
    missing = longest - sequence.size(0)
    pads = [0] * (2 * (sequence.dim() - 1))
    if padding_side == "right":
      pads = pads + [0, missing]
    else:
      pads = pads + [missing, 0]
    rows.append(torch.constant_pad_nd(sequence, pads, padding_value))
  if batch_first:
    return torch.stack(rows, 0)
  return torch.stack(rows, 1)
`,
)
