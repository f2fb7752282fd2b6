import { composed } from './op.js'

export default [
  composed('aten::gradient.scalarint', `
def gradient(self: Tensor, *, spacing: Optional[number]=None, dim: Optional[int]=None, edge_order: int=1) -> List[Tensor]:
  results = torch.jit.annotate(List[Tensor], [])
  dims = torch.jit.annotate(List[int], [])
  if dim is None:
    for d in range(self.dim()):
      dims.append(d)
  else:
    dims.append(dim)
  step = 1.
  if spacing is not None:
    step = float(spacing)
  for i in range(len(dims)):
    d = dims[i]
    h = step
    n = self.size(d)
    if n < edge_order + 1:
      raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    inner = torch.div(torch.sub(torch.narrow(self, d, 2, n - 2), torch.narrow(self, d, 0, n - 2)), 2. * h)
    if edge_order == 1:
      first = torch.div(torch.sub(torch.narrow(self, d, 1, 1), torch.narrow(self, d, 0, 1)), h)
      last = torch.div(torch.sub(torch.narrow(self, d, n - 1, 1), torch.narrow(self, d, n - 2, 1)), h)
    else:
      first = torch.div(torch.add(torch.add(torch.mul(torch.narrow(self, d, 0, 1), -1.5), torch.mul(torch.narrow(self, d, 1, 1), 2.)), torch.mul(torch.narrow(self, d, 2, 1), -0.5)), h)
      last = torch.div(torch.add(torch.add(torch.mul(torch.narrow(self, d, n - 1, 1), 1.5), torch.mul(torch.narrow(self, d, n - 2, 1), -2.)), torch.mul(torch.narrow(self, d, n - 3, 1), 0.5)), h)
    results.append(torch.cat([first, inner, last], d))
  return results
`),
  composed('aten::gradient.scalararray', `
def gradient(self: Tensor, *, spacing: number, dim: List[int], edge_order: int=1) -> List[Tensor]:
  results = torch.jit.annotate(List[Tensor], [])
  dims = dim
  step = float(spacing)
  for i in range(len(dims)):
    d = dims[i]
    h = step
    n = self.size(d)
    if n < edge_order + 1:
      raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    inner = torch.div(torch.sub(torch.narrow(self, d, 2, n - 2), torch.narrow(self, d, 0, n - 2)), 2. * h)
    if edge_order == 1:
      first = torch.div(torch.sub(torch.narrow(self, d, 1, 1), torch.narrow(self, d, 0, 1)), h)
      last = torch.div(torch.sub(torch.narrow(self, d, n - 1, 1), torch.narrow(self, d, n - 2, 1)), h)
    else:
      first = torch.div(torch.add(torch.add(torch.mul(torch.narrow(self, d, 0, 1), -1.5), torch.mul(torch.narrow(self, d, 1, 1), 2.)), torch.mul(torch.narrow(self, d, 2, 1), -0.5)), h)
      last = torch.div(torch.add(torch.add(torch.mul(torch.narrow(self, d, n - 1, 1), 1.5), torch.mul(torch.narrow(self, d, n - 2, 1), -2.)), torch.mul(torch.narrow(self, d, n - 3, 1), 0.5)), h)
    results.append(torch.cat([first, inner, last], d))
  return results
`),
  composed('aten::gradient.array', `
def gradient(self: Tensor, *, dim: List[int], edge_order: int=1) -> List[Tensor]:
  results = torch.jit.annotate(List[Tensor], [])
  dims = dim
  for i in range(len(dims)):
    d = dims[i]
    h = 1.
    n = self.size(d)
    if n < edge_order + 1:
      raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    inner = torch.div(torch.sub(torch.narrow(self, d, 2, n - 2), torch.narrow(self, d, 0, n - 2)), 2. * h)
    if edge_order == 1:
      first = torch.div(torch.sub(torch.narrow(self, d, 1, 1), torch.narrow(self, d, 0, 1)), h)
      last = torch.div(torch.sub(torch.narrow(self, d, n - 1, 1), torch.narrow(self, d, n - 2, 1)), h)
    else:
      first = torch.div(torch.add(torch.add(torch.mul(torch.narrow(self, d, 0, 1), -1.5), torch.mul(torch.narrow(self, d, 1, 1), 2.)), torch.mul(torch.narrow(self, d, 2, 1), -0.5)), h)
      last = torch.div(torch.add(torch.add(torch.mul(torch.narrow(self, d, n - 1, 1), 1.5), torch.mul(torch.narrow(self, d, n - 2, 1), -2.)), torch.mul(torch.narrow(self, d, n - 3, 1), 0.5)), h)
    results.append(torch.cat([first, inner, last], d))
  return results
`),
  composed('aten::gradient.scalarrayint', `
def gradient(self: Tensor, *, spacing: List[number], dim: Optional[int]=None, edge_order: int=1) -> List[Tensor]:
  results = torch.jit.annotate(List[Tensor], [])
  dims = torch.jit.annotate(List[int], [])
  if dim is None:
    for d in range(self.dim()):
      dims.append(d)
  else:
    dims.append(dim)
  for i in range(len(dims)):
    d = dims[i]
    h = float(spacing[i])
    n = self.size(d)
    if n < edge_order + 1:
      raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    inner = torch.div(torch.sub(torch.narrow(self, d, 2, n - 2), torch.narrow(self, d, 0, n - 2)), 2. * h)
    if edge_order == 1:
      first = torch.div(torch.sub(torch.narrow(self, d, 1, 1), torch.narrow(self, d, 0, 1)), h)
      last = torch.div(torch.sub(torch.narrow(self, d, n - 1, 1), torch.narrow(self, d, n - 2, 1)), h)
    else:
      first = torch.div(torch.add(torch.add(torch.mul(torch.narrow(self, d, 0, 1), -1.5), torch.mul(torch.narrow(self, d, 1, 1), 2.)), torch.mul(torch.narrow(self, d, 2, 1), -0.5)), h)
      last = torch.div(torch.add(torch.add(torch.mul(torch.narrow(self, d, n - 1, 1), 1.5), torch.mul(torch.narrow(self, d, n - 2, 1), -2.)), torch.mul(torch.narrow(self, d, n - 3, 1), 0.5)), h)
    results.append(torch.cat([first, inner, last], d))
  return results
`),
  composed('aten::gradient.scalarrayarray', `
def gradient(self: Tensor, *, spacing: List[number], dim: List[int], edge_order: int=1) -> List[Tensor]:
  results = torch.jit.annotate(List[Tensor], [])
  dims = dim
  for i in range(len(dims)):
    d = dims[i]
    h = float(spacing[i])
    n = self.size(d)
    if n < edge_order + 1:
      raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    inner = torch.div(torch.sub(torch.narrow(self, d, 2, n - 2), torch.narrow(self, d, 0, n - 2)), 2. * h)
    if edge_order == 1:
      first = torch.div(torch.sub(torch.narrow(self, d, 1, 1), torch.narrow(self, d, 0, 1)), h)
      last = torch.div(torch.sub(torch.narrow(self, d, n - 1, 1), torch.narrow(self, d, n - 2, 1)), h)
    else:
      first = torch.div(torch.add(torch.add(torch.mul(torch.narrow(self, d, 0, 1), -1.5), torch.mul(torch.narrow(self, d, 1, 1), 2.)), torch.mul(torch.narrow(self, d, 2, 1), -0.5)), h)
      last = torch.div(torch.add(torch.add(torch.mul(torch.narrow(self, d, n - 1, 1), 1.5), torch.mul(torch.narrow(self, d, n - 2, 1), -2.)), torch.mul(torch.narrow(self, d, n - 3, 1), 0.5)), h)
    results.append(torch.cat([first, inner, last], d))
  return results
`),
  composed('aten::gradient.tensorarrayint', `
def gradient(self: Tensor, *, spacing: List[Tensor], dim: Optional[int]=None, edge_order: int=1) -> List[Tensor]:
  results = torch.jit.annotate(List[Tensor], [])
  dims = torch.jit.annotate(List[int], [])
  if dim is None:
    for d in range(self.dim()):
      dims.append(d)
  else:
    dims.append(dim)
  for i in range(len(dims)):
    d = dims[i]
    n = self.size(d)
    if n < edge_order + 1:
      raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    x = spacing[i]
    shape = [1] * self.dim()
    shape[d] = -1
    steps = torch.sub(torch.narrow(x, 0, 1, n - 1), torch.narrow(x, 0, 0, n - 1))
    h1 = torch.narrow(steps, 0, 0, n - 2).reshape(shape)
    h2 = torch.narrow(steps, 0, 1, n - 2).reshape(shape)
    a = torch.neg(torch.div(h2, torch.mul(h1, torch.add(h1, h2))))
    b = torch.div(torch.sub(h2, h1), torch.mul(h1, h2))
    c = torch.div(h1, torch.mul(h2, torch.add(h1, h2)))
    y0 = torch.narrow(self, d, 0, n - 2)
    y1 = torch.narrow(self, d, 1, n - 2)
    y2 = torch.narrow(self, d, 2, n - 2)
    inner = torch.add(torch.add(torch.mul(y0, a), torch.mul(y1, b)), torch.mul(y2, c))
    if edge_order == 1:
      first = torch.div(torch.sub(torch.narrow(self, d, 1, 1), torch.narrow(self, d, 0, 1)), steps[0])
      last = torch.div(torch.sub(torch.narrow(self, d, n - 1, 1), torch.narrow(self, d, n - 2, 1)), steps[n - 2])
    else:
      p = steps[0]
      q = steps[1]
      first = torch.add(torch.add(torch.mul(torch.narrow(self, d, 0, 1), torch.neg(torch.div(torch.add(torch.mul(p, 2.), q), torch.mul(p, torch.add(p, q))))), torch.mul(torch.narrow(self, d, 1, 1), torch.div(torch.add(p, q), torch.mul(p, q)))), torch.mul(torch.narrow(self, d, 2, 1), torch.neg(torch.div(p, torch.mul(q, torch.add(p, q))))))
      r = steps[n - 3]
      s = steps[n - 2]
      last = torch.add(torch.add(torch.mul(torch.narrow(self, d, n - 3, 1), torch.div(s, torch.mul(r, torch.add(r, s)))), torch.mul(torch.narrow(self, d, n - 2, 1), torch.neg(torch.div(torch.add(r, s), torch.mul(r, s))))), torch.mul(torch.narrow(self, d, n - 1, 1), torch.div(torch.add(torch.mul(s, 2.), r), torch.mul(s, torch.add(r, s)))))
    results.append(torch.cat([first, inner, last], d))
  return results
`),
  composed('aten::gradient.tensorarray', `
def gradient(self: Tensor, *, spacing: List[Tensor], dim: List[int], edge_order: int=1) -> List[Tensor]:
  results = torch.jit.annotate(List[Tensor], [])
  dims = dim
  for i in range(len(dims)):
    d = dims[i]
    n = self.size(d)
    if n < edge_order + 1:
      raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    x = spacing[i]
    shape = [1] * self.dim()
    shape[d] = -1
    steps = torch.sub(torch.narrow(x, 0, 1, n - 1), torch.narrow(x, 0, 0, n - 1))
    h1 = torch.narrow(steps, 0, 0, n - 2).reshape(shape)
    h2 = torch.narrow(steps, 0, 1, n - 2).reshape(shape)
    a = torch.neg(torch.div(h2, torch.mul(h1, torch.add(h1, h2))))
    b = torch.div(torch.sub(h2, h1), torch.mul(h1, h2))
    c = torch.div(h1, torch.mul(h2, torch.add(h1, h2)))
    y0 = torch.narrow(self, d, 0, n - 2)
    y1 = torch.narrow(self, d, 1, n - 2)
    y2 = torch.narrow(self, d, 2, n - 2)
    inner = torch.add(torch.add(torch.mul(y0, a), torch.mul(y1, b)), torch.mul(y2, c))
    if edge_order == 1:
      first = torch.div(torch.sub(torch.narrow(self, d, 1, 1), torch.narrow(self, d, 0, 1)), steps[0])
      last = torch.div(torch.sub(torch.narrow(self, d, n - 1, 1), torch.narrow(self, d, n - 2, 1)), steps[n - 2])
    else:
      p = steps[0]
      q = steps[1]
      first = torch.add(torch.add(torch.mul(torch.narrow(self, d, 0, 1), torch.neg(torch.div(torch.add(torch.mul(p, 2.), q), torch.mul(p, torch.add(p, q))))), torch.mul(torch.narrow(self, d, 1, 1), torch.div(torch.add(p, q), torch.mul(p, q)))), torch.mul(torch.narrow(self, d, 2, 1), torch.neg(torch.div(p, torch.mul(q, torch.add(p, q))))))
      r = steps[n - 3]
      s = steps[n - 2]
      last = torch.add(torch.add(torch.mul(torch.narrow(self, d, n - 3, 1), torch.div(s, torch.mul(r, torch.add(r, s)))), torch.mul(torch.narrow(self, d, n - 2, 1), torch.neg(torch.div(torch.add(r, s), torch.mul(r, s))))), torch.mul(torch.narrow(self, d, n - 1, 1), torch.div(torch.add(torch.mul(s, 2.), r), torch.mul(s, torch.add(r, s)))))
    results.append(torch.cat([first, inner, last], d))
  return results
`),
]
