import { composed } from './op.js'

export default composed(
  'aten::chain_matmul',
  `
def chain_matmul(matrices: List[Tensor]) -> Tensor:
  result = matrices[0]
  for i in range(1, len(matrices)):
    result = torch.mm(result, matrices[i])
  return result
`,
  { mayReturnArgument: true },
)
