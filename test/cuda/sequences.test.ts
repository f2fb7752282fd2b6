import './emulated.js'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { sameOnDevice } from './compare.js'

torch.manualSeed(31)
type T = torch.Tensor
const unit = new torch.jit.CompilationUnit(`
def packed(x, lengths, batch_first: bool):
  data, sizes = torch._pack_padded_sequence(x, lengths, batch_first)
  padded, again = torch._pad_packed_sequence(data, sizes, batch_first, -1.5, 6)
  return (data, sizes, padded, again)
`)

t.test('packed sequences', (t) => {
  const lengths = torch.tensor([4, 4, 1], { dtype: 'int64' })
  for (const [shape, first] of [
    [[3, 5, 2], true],
    [[5, 3, 2, 2], false],
    [[5, 3], false],
  ] as const) {
    const run = (x: T, n: T) => unit.packed(x, n, first)
    sameOnDevice(t, `of ${shape}`, run, [torch.randn([...shape]), lengths])
    sameOnDevice(t, `halves of ${shape}`, run, [torch.randn([...shape]).half(), lengths])
  }
  t.throws(() => unit.packed(torch.randn([2, 3]).to('cuda'), torch.tensor([1, 2, 1], { dtype: 'int64' }).to('cuda'), false), /sorted/, 'lengths that rise')
  t.end()
})
