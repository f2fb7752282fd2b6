import t from 'tap'
import type { TensorHandle } from '../../lib/native/binding.js'
import { load, native, tensor, values } from '../native/programs.js'
import { failuresOn, isas } from './golden.js'

for (const isa of isas) {
  t.test(`products, convolutions, norms, pools, attention and recurrent nets give PyTorch's results with ${isa}`, (t) => {
    t.same(failuresOn(isa, 'dense'), [])
    t.end()
  })
}

const tiles: Record<string, string> = { scalar: '4x8', avx2: '6x16', avx512: '14x32' }

t.test('a product of matrices runs on the tiles of the instruction set', (t) => {
  const program = load(`graph(%a : Tensor, %b : Tensor):
    %r : Tensor = aten::mm(%a, %b)
    return (%r)`)
  program.setRecording(false)
  native.setTrace(true)
  const result = program.run(0, [tensor([2, 2], [1, 2, 3, 4]), tensor([2, 2], [5, 6, 7, 8])]) as TensorHandle
  const trace = native.takeTrace()
  native.setTrace(false)
  t.same(values(result), [19, 22, 43, 50])
  t.same(trace, [`mm: gemm_f32_${native.isa()}_${tiles[native.isa()]}`])
  t.end()
})
