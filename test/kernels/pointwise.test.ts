import t from 'tap'
import type { TensorHandle } from '../../lib/native/binding.js'
import { load, native, tensor, values } from '../native/programs.js'
import { failuresOn, isas } from './golden.js'

for (const isa of isas) {
  t.test(`pointwise operators give PyTorch's results with ${isa}`, (t) => {
    t.same(failuresOn(isa, 'pointwise'), [])
    t.end()
  })
}

t.test('the inner kernel is the one of the instruction set and the computed type', (t) => {
  const program = load(`graph(%a : Tensor, %b : Tensor):
    %one : int = prim::Constant[value=1]()
    %r : Tensor = aten::add(%a, %b, %one)
    %e : Tensor = aten::exp(%r)
    return (%e)`)
  program.setRecording(false)
  native.setTrace(true)
  const result = program.run(0, [tensor([2], [1, 2]), tensor([2], [-1, -2])]) as TensorHandle
  const trace = native.takeTrace()
  native.setTrace(false)
  t.same(values(result), [1, 1])
  t.same(trace, [`add: pointwise_add_f32_${native.isa()}`, `exp: pointwise_exp_f32_${native.isa()}`])
  t.end()
})
