import { composed } from './op.js'

export default composed(
  'aten::bilinear',
  `
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Optional[Tensor]=None) -> Tensor:
  if input1.dim() != input2.dim():
    raise RuntimeError('bilinear(): input dimensions do not match')
  if input1.size(-1) != weight.size(1) or input2.size(-1) != weight.size(2):
    raise RuntimeError('bilinear(): input sizes do not match weight size')
  sizes: List[int] = []
  for i in range(input1.dim() - 1):
    sizes.append(input1.size(i))
  features = weight.size(0)
  sizes.append(features)
  a = torch.reshape(input1, [-1, input1.size(-1)])
  b = torch.reshape(input2, [-1, input2.size(-1)])
  left = torch.reshape(torch.mm(a, torch.reshape(torch.permute(weight, [1, 0, 2]), [weight.size(1), -1])), [-1, features, weight.size(2)])
  result = torch.reshape(torch.squeeze(torch.bmm(left, torch.unsqueeze(b, 2)), 2), sizes)
  if bias is not None:
    result = torch.add(result, bias)
  return result
`,
)
