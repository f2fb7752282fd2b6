import t from 'tap'
import { readFileSync } from 'node:fs'
import * as torch from '../../../lib/index.js'
import { ellipsis, slice } from '../../../lib/index.js'

type Encoded =
  | '...'
  | number
  | boolean
  | null
  | Encoded[]
  | { slice: [number | null, number | null, number | null] }
  | { tensor: never; dtype: torch.DType }
/** What Python's indexing gives (test/fixtures/make/indexing.py). */
const expected = JSON.parse(readFileSync('test/fixtures/tensor/indexing.json', 'utf8')) as {
  values: { indices: Encoded[]; shape: number[]; values: number[] }[]
  assigned: { indices: Encoded[]; scalar: number[]; rowShape: number[]; row: number[] }[]
  accumulated: { indices: Encoded[]; values: number[] }[]
  traces: { indices: Encoded[]; read: string[]; write: string[] }[]
}

function decode(index: Encoded): torch.Index {
  if (index === '...') return ellipsis
  if (Array.isArray(index)) return index as torch.Index
  if (typeof index === 'object' && index !== null && 'slice' in index) return slice(...index.slice)
  if (typeof index === 'object' && index !== null && 'tensor' in index) return torch.tensor(index.tensor, { dtype: index.dtype })
  return index as torch.Index
}
const base = (): torch.Tensor => torch.arange(120).float().view(4, 5, 6)
const flat = (x: torch.Tensor): unknown => x.reshape([-1]).toArray()

t.test('indices read what they read in Python', (t) => {
  for (const { indices, shape, values } of expected.values) {
    const got = base().index(...indices.map(decode))
    t.same(got.shape, shape, JSON.stringify(indices))
    t.same(flat(got), values, JSON.stringify(indices))
  }
  t.end()
})

t.test('indices write what they write in Python: numbers, and tensors that broadcast', (t) => {
  for (const { indices, scalar, rowShape, row } of expected.assigned) {
    const x = base()
    t.equal(x.set(indices.map(decode), 7), x)
    t.same(flat(x), scalar, JSON.stringify(indices))
    const source = rowShape.length === 0 ? torch.tensor(5) : torch.arange(rowShape[3]).float().view(rowShape)
    t.same(flat(base().indexPut_(indices.map(decode), source)), row, JSON.stringify(indices))
    const untouched = base()
    t.same(flat(untouched.indexPut(indices.map(decode), source)), row, JSON.stringify(indices))
    t.same(flat(untouched), flat(base()))
  }
  t.end()
})

t.test('accumulate adds once for each index', (t) => {
  for (const { indices, values } of expected.accumulated)
    t.same(flat(base().indexPut_(indices.map(decode), torch.tensor(1), { accumulate: true })), values, JSON.stringify(indices))
  t.same(
    torch
      .zeros([3])
      .indexPut_([slice(1, null)], 2, { accumulate: true })
      .toArray(),
    [0, 2, 2],
  )
  t.end()
})

t.test('views share memory, and traces hold the operators of PyTorch', (t) => {
  const x = base()
  x.index(0, slice(1, 2)).fill_(-1)
  t.same(x.index(0, 1).toArray(), [-1, -1, -1, -1, -1, -1])
  for (const { indices, read, write } of expected.traces) {
    const operatorsOf = (fn: (x: torch.Tensor) => torch.Tensor): string[] =>
      [...torch.jit.trace(fn, [base()]).graph.matchAll(/= (aten::\w+)/g)].map(([, name]) => name)
    const index = indices.map(decode)
    t.same(
      operatorsOf((x) => x.index(...index).add(1)),
      read,
      JSON.stringify(indices),
    )
    t.same(
      operatorsOf((x) => x.clone().set(index, x.sum())),
      write,
      JSON.stringify(indices),
    )
  }
  t.end()
})

t.test('what is no index is refused by name', (t) => {
  const x = base()
  t.throws(() => x.index(0, 0, 0, 0), { message: 'Expected at most 3 indices for a tensor of dimension 3 but received 4' })
  t.throws(() => x.index(ellipsis, ellipsis), { message: 'Expected at most one ellipsis in the indices but received several' })
  t.throws(() => x.index('0' as never), {
    message: 'Expected integers, slices, null, ellipsis, booleans, tensors or arrays as indices but received 0',
  })
  t.throws(() => slice(0, 2, -1), { message: 'Expected a positive integer for `step` of a slice but received -1' })
  t.throws(() => slice(0.5), { message: 'Expected an integer or null for `stop` of a slice but received 0.5' })
  t.throws(() => x.index(4), { message: /index 4 out of range for tensor of size \[4, 5, 6\] at dimension 0/ })
  t.throws(() => x.index([0.5]), { message: 'Expected integers or booleans in an array of indices' })
  t.end()
})
