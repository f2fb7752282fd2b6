import { composed } from './op.js'

export default composed(
  'aten::linalg_multi_dot',
  `
def linalg_multi_dot(tensors: List[Tensor]) -> Tensor:
  if len(tensors) < 2:
    raise RuntimeError('multi_dot(): expected at least 2 tensors')
  result = tensors[0]
  for i in range(1, len(tensors)):
    result = torch.matmul(result, tensors[i])
  return result
`,
  { mayReturnArgument: true },
)
