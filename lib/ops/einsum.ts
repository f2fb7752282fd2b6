import { composed } from './op.js'

/**
 * Labels become numbers (A-Z 0 to 25, a-z 26 to 51, dimensions of the ellipsis from 52 on, counted from the right). Every operand is brought to
 * one layout (output labels, then summed labels, size 1 where it lacks one); pairs are then contracted from left to right with bmm.
 */
export default composed('aten::einsum', `
def einsum(equation: str, tensors: List[Tensor], *, path: Optional[List[int]]=None) -> Tensor:
  text = equation.replace(' ', '')
  arrow = text.find('->')
  left = text
  if arrow >= 0:
    left = text[:arrow]
  terms = left.split(',')
  if len(tensors) == 0:
    raise RuntimeError('einsum(): must provide at least one operand')
  if len(terms) != len(tensors):
    raise RuntimeError('einsum(): the number of operands in the equation ({}) does not match the number of operands given ({})'.format(len(terms), len(tensors)))
  ellipsis = 0
  for i in range(len(terms)):
    if terms[i].find('...') >= 0:
      ellipsis = max(ellipsis, tensors[i].dim() - (len(terms[i]) - 3))
  counts = [0 for _ in range(52 + ellipsis)]
  labels = torch.jit.annotate(List[List[int]], [])
  for i in range(len(terms)):
    own = einsum_labels(terms[i], tensors[i].dim() - (len(terms[i]) - 3), ellipsis)
    if len(own) != tensors[i].dim():
      raise RuntimeError('einsum(): the number of subscripts in the equation ({}) does not match the number of dimensions ({}) for operand {}'.format(len(own), tensors[i].dim(), i))
    for label in own:
      counts[label] = counts[label] + 1
    labels.append(own)
  out = torch.jit.annotate(List[int], [])
  if arrow >= 0:
    out = einsum_labels(text[arrow + 2:], ellipsis, ellipsis)
  else:
    for label in range(52, 52 + ellipsis):
      out.append(label)
    for label in range(52):
      if counts[label] == 1:
        out.append(label)
  order = torch.jit.annotate(List[int], [])
  for label in out:
    if label >= len(counts) or counts[label] == 0:
      raise RuntimeError('einsum(): output subscripts must appear in the equation for an operand')
    if label in order:
      raise RuntimeError('einsum(): output subscripts must not appear more than once')
    order.append(label)
  for label in range(len(counts)):
    if counts[label] > 0 and not (label in order):
      order.append(label)
  last = [0 for _ in range(len(order))]
  operands = torch.jit.annotate(List[Tensor], [])
  for i in range(len(terms)):
    operands.append(einsum_layout(tensors[i], labels[i], order))
    for position in range(len(order)):
      if order[position] in labels[i]:
        last[position] = i
  result = operands[0]
  for position in range(len(out), len(order)):
    if last[position] == 0:
      result = torch.sum(result, [position], True)
  for i in range(1, len(operands)):
    summed = torch.jit.annotate(List[int], [])
    for position in range(len(out), len(order)):
      if last[position] == i:
        summed.append(position)
    result = einsum_pair(result, operands[i], summed)
  for _ in range(len(order) - len(out)):
    result = torch.squeeze(result, -1)
  return result

def einsum_labels(term: str, covered: int, ellipsis: int) -> List[int]:
  labels = torch.jit.annotate(List[int], [])
  at = 0
  while at < len(term):
    c = term[at]
    if c == '.':
      if term[at:at + 3] != '...':
        raise RuntimeError('einsum(): found a dot that is not part of an ellipsis')
      for k in range(ellipsis - covered, ellipsis):
        labels.append(52 + k)
      at += 3
    else:
      code = ord(c)
      if code >= 65 and code <= 90:
        labels.append(code - 65)
      elif code >= 97 and code <= 122:
        labels.append(code - 97 + 26)
      else:
        raise RuntimeError('einsum(): invalid subscript given, subscripts must be in [a-zA-Z]')
      at += 1
  return labels

def einsum_layout(tensor: Tensor, labels: List[int], order: List[int]) -> Tensor:
  own = torch.jit.annotate(List[int], [])
  result = tensor
  for label in labels:
    if label in own:
      first = own.index(label)
      if result.size(first) != result.size(len(own)):
        raise RuntimeError('einsum(): subscript is repeated for an operand but the sizes do not match')
      result = torch.movedim(torch.diagonal(result, 0, first, len(own)), -1, first)
    else:
      own.append(label)
  permutation = torch.jit.annotate(List[int], [])
  for label in order:
    if label in own:
      permutation.append(own.index(label))
  result = torch.permute(result, permutation)
  for position in range(len(order)):
    if not (order[position] in own):
      result = torch.unsqueeze(result, position)
  return result

def einsum_pair(a: Tensor, b: Tensor, summed: List[int]) -> Tensor:
  left = a
  right = b
  batch = torch.jit.annotate(List[int], [])
  only_left = torch.jit.annotate(List[int], [])
  contracted = torch.jit.annotate(List[int], [])
  only_right = torch.jit.annotate(List[int], [])
  sizes = [1, 1, 1, 1]
  for d in range(a.dim()):
    in_left = a.size(d) != 1
    in_right = b.size(d) != 1
    if in_left and in_right and a.size(d) != b.size(d):
      raise RuntimeError('einsum(): operands do not broadcast with remapped shapes [original->remapped]: {} and {}'.format(a.size(d), b.size(d)))
    if d in summed:
      contracted.append(d)
      if in_left and in_right:
        sizes[2] = sizes[2] * a.size(d)
      elif in_left:
        left = torch.sum(left, [d], True)
      elif in_right:
        right = torch.sum(right, [d], True)
    elif in_left and in_right:
      batch.append(d)
      sizes[0] = sizes[0] * a.size(d)
    elif in_left:
      only_left.append(d)
      sizes[1] = sizes[1] * a.size(d)
    else:
      only_right.append(d)
      sizes[3] = sizes[3] * b.size(d)
  left = torch.reshape(torch.permute(left, batch + only_left + contracted + only_right), [sizes[0], sizes[1], sizes[2]])
  right = torch.reshape(torch.permute(right, batch + contracted + only_right + only_left), [sizes[0], sizes[2], sizes[3]])
  shape = torch.jit.annotate(List[int], [])
  for d in batch:
    shape.append(a.size(d))
  for d in only_left:
    shape.append(a.size(d))
  for d in contracted:
    shape.append(1)
  for d in only_right:
    shape.append(b.size(d))
  product = torch.reshape(torch.bmm(left, right), shape)
  places = batch + only_left + contracted + only_right
  inverse = [0 for _ in range(len(places))]
  for position in range(len(places)):
    inverse[places[position]] = position
  return torch.permute(product, inverse)
`)
