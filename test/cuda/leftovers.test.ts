import './emulated.js'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { sameOnDevice } from './compare.js'

torch.manualSeed(23)
type T = torch.Tensor
const randn = (...shape: number[]): T => torch.randn(shape)
const whole = (values: number[] | number[][]): T => torch.tensor(values, { dtype: 'int64' })
const randint = (most: number, shape: number[], dtype: torch.DType = 'int64'): T => torch.randint(-most, most, shape, { dtype })

const unit = new torch.jit.CompilationUnit(`
def segments(x, lengths, reduce: str, axis: int):
  return torch.segment_reduce(x, reduce, lengths=lengths, axis=axis)
def offsets(x, offsets, reduce: str):
  return torch.segment_reduce(x, reduce, offsets=offsets, axis=0, initial=0.5)
def frexp(x):
  return torch.frexp(x)
def space(a, b):
  return (torch.linspace(a, b, 5, device=a.device), torch.linspace(a, 7, 4, dtype=torch.int64, device=a.device),
          torch.logspace(a, b, 3, 2.0, device=a.device), torch.linspace(a, b, 1, device=a.device))
def power(x, y):
  return (torch.float_power(x, y), torch.float_power(x, 2), torch.float_power(2, y))
def hash(x):
  return (torch.hash_tensor(x), torch.hash_tensor(x, [1], keepdim=True))
def renorm(w, i, p: float):
  return torch.embedding_renorm_(w.clone(), i, 1.0, p)
def histogram(x, w, e):
  return (torch.histogram(x, 4), torch.histogram(x, 3, range=[-1., 1.], weight=w, density=True), torch.histogram(x, e))
def repeats(x, n, m):
  return (torch.repeat_interleave(x, n, dim=1), torch.repeat_interleave(x, m), torch.repeat_interleave(x, n, dim=-1, output_size=6))
def sums(x):
  return (x.sum(), x.sum(1), x.sum([0, 2], True), x.mean(), x.mean(-1), x.prod(), x.prod(1, True), x.cumsum(1), x.cumprod(0))
def norms(x):
  return (x.norm(), x.norm(1), torch.linalg_vector_norm(x, 3, [1]), torch.linalg_vector_norm(x, float('inf'), [0, 1]), x.norm(0))
def spread(x):
  return (x.var(), x.std(1), torch.std_mean(x, [0, 2]), torch.var_mean(x, 1, False), torch.logsumexp(x, [1]))
def truths(x):
  return (x.any(), x.any(1), x.all(0), x.all(), torch.count_nonzero(x))
def added(x, i, y, p, v):
  at: List[Optional[Tensor]] = [p]
  return (torch.index_add(x, 1, i, y, alpha=2), torch.put(x, p, v, True), torch.index_put(x, at, x[p], True))
def pools(x):
  return (torch.max_pool2d(x, 2), torch.max_pool2d_with_indices(x, [3, 2], 1, 1), torch.avg_pool2d(x, 2, 1, 1), torch.max_pool1d(x[0], 2))
def largest(x):
  return (torch.max_pool2d(x, 2), torch.max_pool2d_with_indices(x, [3, 2], 1, 1))
def instances(x, m, v):
  y = torch.instance_norm(x, None, None, m, v, True, 0.1, 1e-5, False)
  return (y, m, v)
`)

t.test('segments', (t) => {
  for (const reduce of ['sum', 'mean', 'max', 'min', 'prod']) {
    sameOnDevice(t, `${reduce} of lengths`, (x: T, n: T) => unit.segments(x, n, reduce, 0), [randn(6, 3), whole([1, 0, 3, 2])], 1e-6)
    sameOnDevice(t, `${reduce} of offsets`, (x: T, n: T) => unit.offsets(x, n, reduce), [randn(6).to('float64'), whole([0, 4, 4, 6])], 1e-6)
  }
  sameOnDevice(
    t,
    'an inner axis',
    (x: T, n: T) => unit.segments(x, n, 'sum', 1),
    [
      randn(3, 5, 2).transpose(0, 2),
      whole([
        [2, 3],
        [1, 4],
      ]),
    ],
    1e-6,
  )
  sameOnDevice(t, 'NaN', (x: T, n: T) => unit.segments(x, n, 'max', 0), [torch.tensor([1, NaN, 3]), whole([2, 1])])
  t.throws(() => (unit.segments(randn(3).to('cuda'), whole([2, 2]).to('cuda'), 'sum', 0) as T).cpu(), /out of bounds/, 'too many')
  t.end()
})

t.test('numbers', (t) => {
  for (const dtype of ['float32', 'float64', 'float16'] as const)
    sameOnDevice(t, `frexp ${dtype}`, unit.frexp, [
      torch
        .tensor([
          [0, -0.75, 8],
          [Infinity, NaN, 1e-5],
        ])
        .to(dtype)
        .t(),
    ])
  sameOnDevice(t, 'spaces', unit.space, [torch.tensor(-2.5), torch.tensor(3)], 1e-6)
  sameOnDevice(t, 'spaces of whole numbers', unit.space, [torch.tensor(2, { dtype: 'int64' }), torch.tensor(10, { dtype: 'int32' })], 1e-6)
  sameOnDevice(
    t,
    'float_power',
    unit.power,
    [
      torch.tensor([
        [1, 2, -3],
        [0.5, 4, 0],
      ]),
      torch.tensor([2, -1, 3]),
    ],
    1e-12,
  )
  for (const dtype of ['float32', 'int64', 'uint8', 'bool', 'float16'] as const)
    sameOnDevice(t, `hash_tensor ${dtype}`, unit.hash, [randint(50, [3, 40]).to(dtype)])
  for (const p of [1, 2, Infinity])
    sameOnDevice(
      t,
      `renorm ${p}`,
      (w: T, i: T) => unit.renorm(w, i, p),
      [
        randn(5, 40),
        whole([
          [1, 3],
          [3, 0],
        ]),
      ],
      1e-6,
    )
  sameOnDevice(t, 'histogram', unit.histogram, [randn(3, 30), torch.rand([3, 30]), torch.tensor([-1, 0, 0.5, 3])], 1e-5)
  sameOnDevice(t, 'histogram of nothing', unit.histogram, [randn(0), randn(0), torch.tensor([0, 1])])
  sameOnDevice(t, 'repeat_interleave', unit.repeats, [randn(2, 3), whole([1, 0, 5]), whole([1, 2, 0, 3, 1, 1])])
  t.end()
})

t.test('complex numbers', (t) => {
  const complex = (...shape: number[]): T => torch.complex(randn(...shape), randn(...shape))
  for (const dtype of ['complex64', 'complex128'] as const) {
    const x = complex(3, 5, 4).to(dtype)
    for (const name of ['sums', 'norms', 'spread'] as const) {
      sameOnDevice(t, `${name} ${dtype}`, unit[name], [x], 2e-5)
      sameOnDevice(t, `${name} ${dtype} transposed`, unit[name], [x.transpose(0, 2)], 2e-5)
    }
  }
  sameOnDevice(t, 'truths', unit.truths, [complex(3, 4).mul(torch.tensor([[0, 1, 0, 1]]))])
  sameOnDevice(t, 'of no elements', (x: T) => [x.sum(), x.sum(1), x.prod(0)], [complex(0, 3)])
  const index = whole([2, 0, 2])
  sameOnDevice(t, 'added', unit.added, [complex(4, 3), index, complex(4, 3), whole([1, 3, 1]), complex(3)], 1e-5)
  t.end()
})

t.test('whole numbers are pooled', (t) => {
  sameOnDevice(t, 'means and maxima', unit.pools, [randint(90, [2, 3, 5, 4])])
  for (const dtype of ['int32', 'uint8'] as const) sameOnDevice(t, dtype, unit.largest, [randint(90, [2, 3, 5, 4]).to(dtype)])
  t.end()
})

t.test('instance_norm updates its statistics', (t) => {
  for (const dtype of ['float32', 'float64'] as const) {
    const run = (x: T, m: T, v: T) => unit.instances(x, m.clone(), v.clone())
    sameOnDevice(t, dtype, run, [randn(2, 3, 7).to(dtype), randn(3).to(dtype), torch.rand([3]).to(dtype)], 1e-5)
  }
  t.end()
})
