import { registerSchema } from '../ir/schema.js'
import { composed } from './op.js'

/**
 * Attention as programs write it out that see the scores through views between the products: softmax(scale * query key^T, masked) value with a mask added
 * before the first of `views`, after the first of them, and so on, as `places` says; the softmax stands after `softmax_at` of them. Views are sizes,
 * those of the product where they are empty. `repeats`: what the products sum over is repeated where it has size 1.
 *
 * Where the rows of scores stay what they are, as they do in models, the views move to query, key and value, and there are never all scores. They move to
 * where the last mask stands, so that it need not be repeated for each part.
 */
registerSchema(
  'torchscript::attention_in_views(Tensor query, Tensor key, Tensor value, Tensor[] masks, int[] places, int[][] views, int softmax_at, ' +
    'float scale, bool keeps_order=False, bool repeats=False) -> Tensor',
)

export default composed(
  'torchscript::attention_in_views',
  `
def attention_in_views(query: Tensor, key: Tensor, value: Tensor, masks: List[Tensor], places: List[int], views: List[List[int]], softmax_at: int, scale: float, keeps_order: bool=False, repeats: bool=False) -> Tensor:
  m = query.size(-2)
  k = key.size(-2)
  ql = query.size()[:-2]
  kl = key.size()[:-2]
  fits = query.size(-1) == key.size(-1) and k == value.size(-2)
  lead = torch.jit.annotate(List[int], [])
  rank = max(len(ql), len(kl))
  for i in range(rank):
    a = ql[len(ql) - rank + i] if len(ql) - rank + i >= 0 else 1
    b = kl[len(kl) - rank + i] if len(kl) - rank + i >= 0 else 1
    if a != b and a != 1 and b != 1:
      fits = False
    lead.append(b if a == 1 else a)
  shapes = [lead + [m, k]]
  for sizes in views:
    total = 1
    for size in shapes[-1]:
      total *= size
    if len(sizes) == 0:
      if shapes[-1] != shapes[0]:
        fits = False
      shapes.append(shapes[0])
    else:
      known = 1
      for size in sizes:
        if size != -1:
          known *= size
      shape = torch.jit.annotate(List[int], [])
      for size in sizes:
        if size == -1 and known > 0:
          shape.append(total // known)
          known *= total // known
        else:
          shape.append(size)
      if known != total:
        fits = False
      shapes.append(shape)
  rows = [m, k]
  home = 0
  for place in places:
    if shapes[place][-2:] == rows:
      home = place
  if shapes[softmax_at][-2:] != rows or shapes[-1][-2:] != rows:
    fits = False
  for i in range(len(masks)):
    shape = shapes[places[i]]
    sizes = masks[i].size()
    if len(sizes) > len(shape):
      fits = False
    else:
      for d in range(len(sizes)):
        if sizes[d] != 1 and sizes[d] != shape[len(shape) - len(sizes) + d]:
          fits = False
  last = shapes[-1]
  vl = value.size()[:-2]
  target = shapes[home]
  if last != target:
    if len(vl) > len(last) - 2:
      fits = False
    else:
      for d in range(len(vl)):
        if vl[d] != 1 and vl[d] != last[len(last) - 2 - len(vl) + d]:
          fits = False
  if fits:
    q = query
    h = key
    v = value
    lead = target[:-2]
    if shapes[0] != target:
      q = torch.reshape(torch.expand(query, shapes[0][:-2] + [m, query.size(-1)]), lead + [m, query.size(-1)])
      h = torch.reshape(torch.expand(key, shapes[0][:-2] + [k, key.size(-1)]), lead + [k, key.size(-1)])
    if last != target:
      v = torch.reshape(torch.expand(value, last[:-2] + [k, value.size(-1)]), lead + [k, value.size(-1)])
    mask = torch.jit.annotate(Optional[Tensor], None)
    for i in range(len(masks)):
      part = masks[i]
      shape = shapes[places[i]]
      if shape != target:
        sizes = part.size()
        common = 0
        while common < min(len(shape), len(target)) and shape[len(shape) - 1 - common] == target[len(target) - 1 - common]:
          common += 1
        narrow = True
        for d in range(len(sizes) - common):
          if sizes[d] != 1:
            narrow = False
        if narrow:
          part = torch.reshape(part, sizes[max(0, len(sizes) - common):])
        else:
          part = torch.reshape(torch.expand(part, shape), target)
      if mask is None:
        mask = part
      else:
        mask = torch.add(mask, part)
    result = torch.ops.torchscript.attention(q, h, v, mask, 'add', 0.0, scale, keeps_order and last == target)
    if last == target:
      return result
    return torch.reshape(result, last[:-2] + [m, value.size(-1)])
  q = query
  h = key
  v = value
  if repeats:
    if q.size(-1) == 1:
      q = torch.expand(q, q.size()[:-1] + [h.size(-1)])
    if h.size(-1) == 1:
      h = torch.expand(h, h.size()[:-1] + [q.size(-1)])
  scores = torch.mul(torch.matmul(q, torch.transpose(h, -2, -1)), scale)
  x = scores
  for i in range(len(views) + 1):
    for j in range(len(masks)):
      if places[j] == i:
        x = torch.add(x, masks[j])
    if i == softmax_at:
      x = torch.softmax(x, -1)
    if i < len(views):
      if len(views[i]) == 0:
        x = torch.expand_as(x, scores)
      else:
        x = torch.reshape(x, views[i])
  if repeats:
    if x.size(-1) == 1:
      x = torch.expand(x, x.size()[:-1] + [v.size(-2)])
    if v.size(-2) == 1:
      v = torch.expand(v, v.size()[:-2] + [x.size(-1), v.size(-1)])
  return torch.matmul(x, v)
`,
  { dtypeFrom: ['query'] },
)
