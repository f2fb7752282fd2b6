import { composed } from './op.js'

/** What all of them are in evaluation mode. */
const off = { varies: true, mayReturnArgument: true, identityUnless: 'train' } as const

/** In training, zeroes elements with probability p and scales the others by 1 / (1 - p); else the input itself. */
export default [
  composed(
    'aten::dropout',
    `
def dropout(input: Tensor, p: float, train: bool) -> Tensor:
  if p < 0.0 or p > 1.0:
    raise RuntimeError("dropout probability has to be between 0 and 1, but got " + str(p))
  if p == 0.0 or not train or input.numel() == 0:
    return input
  if p == 1.0:
    return input * torch.zeros_like(input)
  noise = torch.empty_like(input).bernoulli_(1.0 - p)
  return input * noise.div_(1.0 - p)
`,
    { ...off, dtypeFrom: ['input'], shapeOf: 'input' },
  ),
  composed(
    'aten::feature_dropout',
    `
def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
  if p == 0.0 or not train or input.numel() == 0:
    return input
  if p == 1.0:
    return input * torch.zeros_like(input)
  sizes: List[int] = []
  for i in range(input.dim()):
    sizes.append(input.size(i) if i < 2 else 1)
  noise = torch.empty(sizes, dtype=input.dtype).bernoulli_(1.0 - p)
  return input * noise.div_(1.0 - p)
`,
    { ...off, dtypeFrom: ['input'], shapeOf: 'input' },
  ),
  composed(
    'aten::alpha_dropout',
    `
def alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
  if p == 0.0 or not train or input.numel() == 0:
    return input
  if p == 1.0:
    return input * torch.zeros_like(input)
  alpha = 1.7580993408473766
  noise = torch.empty_like(input).bernoulli_(1.0 - p)
  a = 1.0 / ((alpha * alpha * p + 1.0) * (1.0 - p)) ** 0.5
  b = (noise - 1.0) * (alpha * a) + alpha * a * p
  return input * (noise * a) + b
`,
    { ...off, dtypeFrom: ['input'], shapeOf: 'input' },
  ),
  composed(
    'aten::feature_alpha_dropout',
    `
def feature_alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
  if p == 0.0 or not train or input.numel() == 0:
    return input
  if p == 1.0:
    return input * torch.zeros_like(input)
  sizes: List[int] = []
  for i in range(input.dim()):
    sizes.append(input.size(i) if i < 2 else 1)
  alpha = 1.7580993408473766
  noise = torch.empty(sizes, dtype=input.dtype).bernoulli_(1.0 - p)
  a = 1.0 / ((alpha * alpha * p + 1.0) * (1.0 - p)) ** 0.5
  b = (noise - 1.0) * (alpha * a) + alpha * a * p
  return input * (noise * a) + b
`,
    { ...off, dtypeFrom: ['input'], shapeOf: 'input' },
  ),
]
