import t from 'tap'
import type { ProgramHandle, TensorHandle } from '../../lib/native/binding.js'
import { load, native, tensor, values } from './programs.js'

const run = (program: ProgramHandle, ...args: unknown[]): unknown => program.run(0, args)
const state = (program: ProgramHandle): string =>
  program
    .signatures()
    .map((s) => s.state + (s.reason === '' ? '' : `: ${s.reason}`))
    .join('; ')

const matmul = `graph(%a : Tensor, %b : Tensor):
  %m : Tensor = aten::matmul(%a, %b)
  %n : Tensor = aten::matmul(%m, %b)
  return (%n)`

t.test('the first run records, later ones replay with other values', (t) => {
  const program = load(matmul)
  const b = tensor([2, 2], [0, 1, 1, 0])
  for (let i = 0; i < 4; i++) t.same(values(run(program, tensor([2, 2], [1, 2, 3, i]), b) as TensorHandle), [1, 2, 3, i])
  const [report] = program.signatures()
  t.match(report, { state: 'recorded', steps: 2, replays: 3, inputs: 'float32[2, 2], float32[2, 2]' })
  t.end()
})

t.test('each shape has a schedule of its own, and the same results as without recording', (t) => {
  const program = load(matmul)
  const plain = load(matmul)
  plain.setRecording(false)
  for (let round = 0; round < 2; round++) {
    for (let rows = 1; rows < 40; rows++) {
      const a = tensor(
        [rows, 3],
        Array.from({ length: rows * 3 }, (_, i) => i + round),
      )
      const b = tensor([3, 3], [1, 0, 2, 0, 1, 0, 3, 0, 1])
      t.same(values(run(program, a, b) as TensorHandle), values(run(plain, a, b) as TensorHandle))
    }
  }
  t.ok(program.signatures().length <= 16, 'the number of schedules kept is bounded')
  t.same(plain.signatures(), [])
  t.end()
})

t.test('writes into arguments reach them, in the recorded run and in replays', (t) => {
  const program = load(`graph(%a : Tensor, %b : Tensor):
    %zero : int = prim::Constant[value=0]()
    %none : NoneType = prim::Constant()
    %false : bool = prim::Constant[value=0]()
    %m : Tensor = aten::matmul(%a, %b)
    %row : Tensor = aten::select(%a, %zero, %zero)
    %source : Tensor = aten::select(%m, %zero, %zero)
    %w : Tensor = aten::copy_(%row, %source, %false)
    %r : Tensor = aten::matmul(%a, %b)
    return (%r)`)
  for (let i = 0; i < 3; i++) {
    const a = tensor([2, 2], [1, i, 5, 6])
    const result = run(program, a, tensor([2, 2], [2, 0, 0, 2])) as TensorHandle
    t.same(values(a), [2, 2 * i, 5, 6])
    t.same(values(result), [4, 4 * i, 10, 12])
  }
  t.match(program.signatures(), [{ state: 'recorded', replays: 2 }])
  t.end()
})

t.test('what is put into a copy of a tensor is still there when the copy is made', (t) => {
  const source = '%s : Tensor = aten::add(%x, %x, %one)'
  const calls = {
    index_add: 'aten::index_add(%z, %zero, %i, %s, %one)',
    index_copy: 'aten::index_copy(%z, %zero, %i, %s)',
    scatter: 'aten::scatter(%z, %zero, %i, %s)',
    scatter_add: 'aten::scatter_add(%z, %zero, %i, %s)',
    'itself, index_copy': 'aten::index_copy(%s, %zero, %i, %s)',
  }
  for (const [name, call] of Object.entries(calls)) {
    const program = load(`graph(%x : Tensor, %z : Tensor, %i : Tensor):
      %zero : int = prim::Constant[value=0]()
      %one : int = prim::Constant[value=1]()
      ${source}
      %y : Tensor = ${call}
      %r : Tensor = aten::neg(%y)
      return (%r)`)
    const index = tensor([3], [2n, 0n, 1n])
    for (let k = 0; k < 4; k++) {
      const result = run(program, tensor([3], [1 + k, 2, 3]), tensor([3], [0, 0, 0]), index)
      t.same(values(result as TensorHandle), [-4, -6, -2 - 2 * k], `${name}, call ${k}`)
    }
    t.match(program.signatures(), [{ state: 'recorded' }])
  }
  t.end()
})

t.test('tensors made of numbers are constants, unless something that is not constant is written to them', (t) => {
  const program = load(`graph(%a : Tensor, %b : Tensor):
    %zero : int = prim::Constant[value=0]()
    %one : float = prim::Constant[value=1.]()
    %nine : float = prim::Constant[value=9.]()
    %none : NoneType = prim::Constant()
    %false : bool = prim::Constant[value=0]()
    %list : float[] = prim::ListConstruct(%one, %nine)
    %lists : float[][] = prim::ListConstruct(%list, %list)
    %t : Tensor = aten::tensor(%lists, %none, %none, %false)
    %before : Tensor = aten::matmul(%t, %b)
    %row : Tensor = aten::select(%t, %zero, %zero)
    %m : Tensor = aten::matmul(%a, %b)
    %source : Tensor = aten::select(%m, %zero, %zero)
    %w : Tensor = aten::copy_(%row, %source, %false)
    %after : Tensor = aten::matmul(%t, %b)
    %r : (Tensor, Tensor, Tensor) = prim::TupleConstruct(%t, %before, %after)
    return (%r)`)
  for (let i = 0; i < 3; i++) {
    const [made, before, after] = run(program, tensor([1, 2], [i, 3]), tensor([2, 2], [1, 0, 0, 2])) as TensorHandle[]
    t.same(values(made), [i, 6, 1, 9])
    t.same(values(before), [1, 18, 1, 18])
    t.same(values(after), [i, 12, 1, 18])
  }
  t.match(program.signatures(), [{ state: 'recorded', replays: 2 }])
  t.end()
})

t.test('a constant result is a fresh tensor each time', (t) => {
  const program = load(`graph(%n : int):
    %none : NoneType = prim::Constant()
    %false : bool = prim::Constant[value=0]()
    %list : int[] = prim::ListConstruct(%n, %n)
    %t : Tensor = aten::tensor(%list, %none, %none, %false)
    %r : Tensor[] = prim::ListConstruct(%t, %t)
    return (%r)`)
  for (let i = 0; i < 3; i++) {
    const [first, second] = run(program, 7) as TensorHandle[]
    t.same(values(first), [7n, 7n])
    new BigInt64Array(first.data(), first.dataOffset)[0] = 1n
    t.same(values(second), [1n, 7n], 'both show one storage')
  }
  t.match(program.signatures(), [{ state: 'recorded', steps: 0 }])
  t.end()
})

t.test('results that are arguments, or views of them', (t) => {
  const program = load(`graph(%a : Tensor):
    %zero : int = prim::Constant[value=0]()
    %one : int = prim::Constant[value=1]()
    %v : Tensor = aten::select(%a, %zero, %one)
    %r : (Tensor, Tensor) = prim::TupleConstruct(%a, %v)
    return (%r)`)
  for (let i = 0; i < 2; i++) {
    const a = tensor([2, 2], [1, 2, 3, 4])
    const [same, view] = run(program, a) as TensorHandle[]
    t.equal(same.data(), a.data())
    t.equal(view.data(), a.data())
    t.same(values(view), [3, 4])
  }
  t.end()
})

t.test('runs that depend on data are never replayed', (t) => {
  const nonzero = load(`graph(%a : Tensor):
    %r : Tensor = aten::nonzero(%a)
    return (%r)`)
  t.same(values(run(nonzero, tensor([3], [0, 1, 2])) as TensorHandle), [1n, 2n])
  t.same(values(run(nonzero, tensor([3], [0, 0, 2])) as TensorHandle), [2n])
  t.match(state(nonzero), /^dynamic: .*nonzero.*depends on data$/)
  const item = load(`graph(%a : Tensor):
    %r : Scalar = aten::item(%a)
    return (%r)`)
  t.equal(run(item, tensor([], [1.5])), 1.5)
  t.equal(run(item, tensor([], [2.5])), 2.5)
  t.match(state(item), /^dynamic: /)
  t.end()
})

t.test('a run that changes the shape of an argument in place is never replayed', (t) => {
  const changes: [string, number[], number[]][] = [
    ['aten::squeeze_(%a)', [1, 2, 1], [2]],
    ['aten::squeeze_(%a, %zero)', [1, 2, 1], [2, 1]],
    ['aten::squeeze_(%a, %dims)', [1, 2, 1], [1, 2]],
    ['aten::unsqueeze_(%a, %zero)', [2], [1, 2]],
    ['aten::t_(%a)', [1, 2], [2, 1]],
    ['aten::transpose_(%a, %zero, %one)', [1, 2], [2, 1]],
    ['aten::swapaxes_(%a, %zero, %one)', [1, 2], [2, 1]],
    ['aten::swapdims_(%a, %zero, %one)', [1, 2], [2, 1]],
    ['aten::as_strided_(%a, %dims, %ones, %none)', [2], [1, 2]],
    ['aten::resize_(%a, %dims, %none)', [2], [1, 2]],
    ['aten::resize_(%a, %dims, %none)', [2, 3], [1, 2]],
    ['aten::resize_as_(%a, %b, %none)', [4], [2, 2]],
    ['aten::set_(%a, %b)', [4], [2, 2]],
    ['aten::set_data(%a, %b)', [4], [2, 2]],
  ]
  for (const [call, before, after] of changes) {
    const program = load(`graph(%a : Tensor, %b : Tensor):
      %none : NoneType = prim::Constant()
      %zero : int = prim::Constant[value=0]()
      %one : int = prim::Constant[value=1]()
      %two : int = prim::Constant[value=2]()
      %dims : int[] = prim::ListConstruct(%one, %two)
      %ones : int[] = prim::ListConstruct(%one, %one)
      %r : Tensor = aten::relu(%b)
      ${call.startsWith('aten::set_data') ? '' : '%c : Tensor'} = ${call}
      return (%r)`)
    for (let i = 1; i < 4; i++) {
      const a = tensor(
        before,
        Array.from({ length: before.reduce((x, y) => x * y, 1) }, () => i),
      )
      const b = tensor([2, 2], [i, -i, i, i])
      t.same(values(run(program, a, b) as TensorHandle), [i, 0, i, i], call)
      t.same(a.info().sizes, after, `${call}, call ${i}`)
      t.equal(values(a)[0], i, `${call}, call ${i}`)
    }
    t.match(state(program), /^dynamic: (it changes the shape of an argument in place|aten::\w+)$/, call)
    t.match(program.signatures()[0].inputs, new RegExp(`^float32\\[${before.join(', ')}\\]`), 'as it was called')
  }
  t.end()
})

t.test('a run that changes requires_grad of an argument is never replayed', (t) => {
  const program = load(`graph(%a : Tensor):
    %true : bool = prim::Constant[value=1]()
    %c : Tensor = aten::requires_grad_(%a, %true)
    %r : Tensor = aten::relu(%a)
    return (%r)`)
  for (let i = 0; i < 3; i++) {
    const a = tensor([2], [i, -1])
    t.same(values(run(program, a) as TensorHandle), [i, 0])
    t.equal(a.info().requiresGrad, true)
  }
  t.equal(state(program), 'dynamic: it changes requires_grad of an argument')
  t.end()
})

t.test('in-place changes of shape that leave an argument as it was, or of other tensors, are no obstacle', (t) => {
  const program = load(`graph(%a : Tensor, %b : Tensor):
    %zero : int = prim::Constant[value=0]()
    %s : Tensor = aten::unsqueeze_(%a, %zero)
    %r : Tensor = aten::matmul(%s, %b)
    %u : Tensor = aten::squeeze_(%a, %zero)
    %v : Tensor = aten::t_(%r)
    return (%v)`)
  for (let i = 0; i < 3; i++) {
    const a = tensor([2], [i, 3])
    const result = run(program, a, tensor([2, 2], [1, 0, 0, 2])) as TensorHandle
    t.same(result.info().sizes, [2, 1])
    t.same(values(result), [i, 6])
    t.same(a.info().sizes, [2])
  }
  t.match(program.signatures(), [{ state: 'recorded', replays: 2 }])
  t.end()
})

t.test('sizes that became tensors are known', (t) => {
  const program = load(`graph(%a : Tensor, %b : Tensor):
    %zero : int = prim::Constant[value=0]()
    %n : int = aten::size(%a, %zero)
    %s : Tensor = prim::NumToTensor(%n)
    %i : int = aten::Int(%s)
    %m : Tensor = aten::matmul(%a, %b)
    %r : (Tensor, int) = prim::TupleConstruct(%m, %i)
    return (%r)`)
  for (let i = 0; i < 2; i++) t.equal((run(program, tensor([1, 2], [i, 3]), tensor([2, 2], [1, 0, 0, 2])) as unknown[])[1], 1)
  t.match(program.signatures(), [{ state: 'recorded', steps: 1, replays: 1 }])
  t.end()
})

t.test('errors of a replay carry what the operator said; the next call works', (t) => {
  const program = load(`graph(%w : Tensor, %i : Tensor):
    %minus : int = prim::Constant[value=-1]()
    %false : bool = prim::Constant[value=0]()
    %e : Tensor = aten::embedding(%w, %i, %minus, %false, %false)
    return (%e)`)
  const weight = tensor([2, 2], [1, 2, 3, 4])
  for (let i = 0; i < 2; i++) {
    t.same(values(run(program, weight, tensor([1], [1n])) as TensorHandle), [3, 4])
    t.throws(() => run(program, weight, tensor([1], [5n])), { code: 'ERR_SCRIPT', message: /index out of range/ })
  }
  t.end()
})

t.test('arguments that share memory take the way without a schedule', (t) => {
  const program = load(matmul)
  const a = tensor([2, 2], [1, 1, 0, 1])
  for (let i = 0; i < 2; i++) t.same(values(run(program, a, a) as TensorHandle), [1, 3, 0, 1])
  t.same(program.signatures(), [])
  t.end()
})

t.test('many runs at a time', async (t) => {
  const program = load(matmul)
  const b = tensor([2, 2], [0, 1, 1, 0])
  const results = await Promise.all(Array.from({ length: 64 }, (_, i) => program.runAsync(0, [tensor([2, 2], [i, 2, 3, 4]), b])))
  t.same(
    results.map((r) => values(r as TensorHandle)[0]),
    Array.from({ length: 64 }, (_, i) => i),
  )
  await t.rejects(program.runAsync(0, [b, tensor([3, 1], [1, 2, 3])]), { code: 'ERR_SCRIPT' })
})

t.test('the trace names kernels in both ways of running', (t) => {
  const program = load(matmul)
  const b = tensor([2, 2], [0, 1, 1, 0])
  const traces = [0, 1].map(() => {
    native.setTrace(true)
    run(program, tensor([2, 2], [1, 2, 3, 4]), b)
    native.setTrace(false)
    return native.takeTrace()
  })
  t.equal(traces[0].length, 2)
  t.match(traces[0][0], /^matmul: /)
  t.same(traces[1], traces[0])
  t.end()
})
