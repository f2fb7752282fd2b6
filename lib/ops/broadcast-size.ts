import { registerSchema } from '../ir/schema.js'
import { composed } from './op.js'

/** The size of a dimension where tensors with dimensions of these sizes are broadcast; passes make it, files do not hold it. */
registerSchema('torchscript::broadcast_size(int a, int b) -> int')

export default composed(
  'torchscript::broadcast_size',
  `
def broadcast_size(a: int, b: int) -> int:
  return b if a == 1 else a
`,
)
