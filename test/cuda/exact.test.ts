import './emulated.js'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { sameOnDevice } from './compare.js'

torch.manualSeed(11)
const whole = (dtype: torch.DTypeName, ...shape: number[]): torch.Tensor => torch.randint(-90, 90, shape).to(dtype)
const complex = (dtype: 'complex64' | 'complex128', ...shape: number[]): torch.Tensor =>
  torch.complex(torch.randn(shape, { dtype: 'float64' }), torch.randn(shape, { dtype: 'float64' })).to(dtype)
const product = (x: torch.Tensor, y: torch.Tensor): torch.Tensor => torch.matmul(x, y)
const shapes: [number[], number[]][] = [
  [[3], [3]],
  [[5, 3], [3]],
  [
    [33, 17],
    [17, 35],
  ],
  [
    [2, 1, 5, 3],
    [3, 3, 4],
  ],
  [
    [4, 0],
    [0, 3],
  ],
]

t.test('products of integers wrap', (t) => {
  for (const dtype of ['uint8', 'int8', 'int16', 'int32', 'int64'] as const) {
    for (const [a, b] of shapes) sameOnDevice(t, `${dtype} [${a}] x [${b}]`, product, [whole(dtype, ...a), whole(dtype, ...b)])
    sameOnDevice(t, `${dtype} transposed`, (x: torch.Tensor, y: torch.Tensor) => torch.matmul(x.t(), y.t()), [
      whole(dtype, 6, 5),
      whole(dtype, 7, 6),
    ])
    const added = (c: torch.Tensor, x: torch.Tensor, y: torch.Tensor): torch.Tensor => torch.addmm(c, x, y, { beta: 3, alpha: -2 })
    sameOnDevice(t, `${dtype} with something added`, added, [whole(dtype, 5), whole(dtype, 34, 3), whole(dtype, 3, 5)])
  }
  const large = torch.tensor([[2n ** 53n + 1n, 3n]], { dtype: 'int64' })
  sameOnDevice(t, 'beyond 2^53', product, [large, torch.tensor([[1n], [-1n]], { dtype: 'int64' })])
  sameOnDevice(t, 'einsum', (x: torch.Tensor, y: torch.Tensor) => torch.einsum('bij,kj->bik', [x, y]), [
    whole('int32', 2, 3, 5),
    whole('int32', 4, 5),
  ])
  sameOnDevice(t, 'a sum widens', (x: torch.Tensor) => torch.einsum('ij->j', [x]), [whole('int8', 9, 5)])
  t.end()
})

t.test('products of complex numbers', (t) => {
  for (const [dtype, tolerance] of [
    ['complex64', 1e-5],
    ['complex128', 1e-13],
  ] as const) {
    for (const [a, b] of shapes)
      sameOnDevice(t, `${dtype} [${a}] x [${b}]`, product, [complex(dtype, ...a), complex(dtype, ...b)], tolerance)
    sameOnDevice(
      t,
      `${dtype} vdot`,
      (x: torch.Tensor, y: torch.Tensor) => torch.vdot(x, y),
      [complex(dtype, 19), complex(dtype, 19)],
      tolerance,
    )
    const added = (c: torch.Tensor, x: torch.Tensor, y: torch.Tensor): torch.Tensor => torch.baddbmm(c, x, y, { beta: 0.5, alpha: 2 })
    sameOnDevice(
      t,
      `${dtype} with something added`,
      added,
      [complex(dtype, 2, 1, 5), complex(dtype, 2, 3, 4), complex(dtype, 2, 4, 5)],
      tolerance,
    )
    sameOnDevice(
      t,
      `${dtype} einsum`,
      (x: torch.Tensor, y: torch.Tensor) => torch.einsum('ij,ik->jk', [x, y]),
      [complex(dtype, 7, 3), complex(dtype, 7, 2)],
      tolerance,
    )
  }
  t.end()
})

t.test('sums over the batch', (t) => {
  const run = (c: torch.Tensor, x: torch.Tensor, y: torch.Tensor): torch.Tensor => torch.addbmm(c, x, y, { beta: 2, alpha: -1 })
  sameOnDevice(t, 'float32', run, [torch.randn([5]), torch.randn([3, 4, 7]), torch.randn([3, 7, 5])], 1e-5)
  sameOnDevice(t, 'int64', run, [whole('int64', 4, 5), whole('int64', 3, 4, 7), whole('int64', 3, 7, 5)])
  sameOnDevice(t, 'none', run, [torch.randn([4, 5]), torch.randn([0, 4, 7]), torch.randn([0, 7, 5])], 1e-6)
  t.end()
})
