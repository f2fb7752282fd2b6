import t from 'tap'
import type { TensorHandle } from '../../lib/native/binding.js'
import { load, native, tensor, values } from '../native/programs.js'
import { failuresOn, isas } from './golden.js'

for (const isa of isas) {
  t.test(`reductions give PyTorch's results with ${isa}`, (t) => {
    t.same(failuresOn(isa, 'reduce'), [])
    t.end()
  })
}

t.test('the inner kernel is the one of the instruction set', (t) => {
  const program = load(`graph(%a : Tensor):
    %none : NoneType = prim::Constant()
    %r : Tensor = aten::sum(%a, %none)
    return (%r)`)
  program.setRecording(false)
  native.setTrace(true)
  const result = program.run(0, [tensor([3], [1, 2, 4])]) as TensorHandle
  const trace = native.takeTrace()
  native.setTrace(false)
  t.same(values(result), [7])
  t.same(trace, [`sum_all: reduce_sum_f32_${native.isa()}`])
  t.end()
})
