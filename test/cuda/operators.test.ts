import './emulated.js'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { sameOnDevice } from './compare.js'

torch.manualSeed(17)
type T = torch.Tensor
const randn = (...shape: number[]): T => torch.randn(shape)
const wide = (x: T): T => x.to('float64')

const unit = new torch.jit.CompilationUnit(`
def im2col(x):
  return (torch.im2col(x, [2, 3], [1, 2], [1, 0], [2, 1]), torch.im2col(x, [1, 1], [1, 1], [0, 0], [1, 1]))
def col2im(x):
  return torch.col2im(x, [5, 6], [2, 3], [1, 1], [1, 1], [2, 1])
def grid(x, g, mode: int, padding: int, align: bool):
  return torch.grid_sampler(x, g, mode, padding, align)
def affine(m, align: bool):
  return (torch.affine_grid_generator(m, [2, 1, 3, 4], align), torch.affine_grid_generator(m, [2, 1, 1, 1], align))
def roi(x, r, ratio: int, aligned: bool):
  return (ops.torchvision.roi_align(x, r, 0.5, 2, 3, ratio, aligned), ops.torchvision.roi_pool(x, r, 0.5, 2, 3))
def sensitive(x, r):
  return (ops.torchvision.ps_roi_align(x, r, 0.5, 2, 2, 2), ops.torchvision.ps_roi_pool(x, r, 0.5, 2, 2))
def nms(b, s):
  return (ops.torchvision.nms(b, s, 0.3), ops.torchvision.nms(b, s, 0.7))
def resize(x, align: bool):
  return (torch._upsample_bilinear2d_aa(x, [3, 9], align), torch._upsample_bicubic2d_aa(x, [4, 3], align))
def bag(w, i, o, mode: int, last: bool, padding: int):
  return torch.embedding_bag(w, i, o, False, mode, False, None, last, padding)
def weighted(w, i, o, s):
  return torch.embedding_bag(w, i, o, False, 0, False, s)
def fractional2(x, s):
  return torch.fractional_max_pool2d(x, [2, 3], [3, 2], s)
def fractional3(x, s):
  return torch.fractional_max_pool3d(x, [2, 2, 1], [2, 3, 2], s)
def multilabel(x, y, reduction: int):
  return torch.multilabel_margin_loss(x, y, reduction)
def ctc(x, y, reduction: int, zero: bool):
  return torch.ctc_loss(x, y, [7, 5, 0], [3, 4, 1], 0, reduction, zero)
def ctc_tensors(x, y, a, b):
  return torch.ctc_loss(x, y, a, b, 1, 0, True)
def search(s, v):
  return (torch.searchsorted(s, v), torch.searchsorted(s, v, right=True, out_int32=True))
def buckets(v, b):
  return (torch.bucketize(v, b), torch.bucketize(v, b, right=True), torch.bucketize(0.5, b))
def histc(x):
  return (torch.histc(x, 7), torch.histc(x, 5, -1, 1))
def fft(x):
  return (torch.fft_fft(x, 12), torch.fft_ifft(x, None, 0, "ortho"), torch.fft_fftn(x))
def rfft(x):
  return (torch.fft_rfft(x), torch.fft_irfft(torch.fft_rfft(x), 7), torch.fft_ihfft(x, 5), torch.fft_rfftn(x), torch.fft_hfft(x, 9))
`) as unknown as Record<string, (...args: unknown[]) => unknown>
const call =
  (name: string, ...rest: unknown[]) =>
  (...args: unknown[]): unknown =>
    unit[name](...args, ...rest)

t.test('patches', (t) => {
  for (const x of [randn(2, 3, 5, 6), wide(randn(1, 2, 4, 5)), randn(2, 3, 5, 6).to('float16'), torch.randint(0, 9, [1, 2, 5, 5])])
    sameOnDevice(t, `im2col ${x.dtype}`, call('im2col'), [x])
  sameOnDevice(t, 'im2col of a view', call('im2col'), [randn(6, 5, 3).permute([2, 1, 0])])
  for (const x of [randn(2, 12, 18), wide(randn(12, 18)), randn(2, 12, 18).to('bfloat16')])
    sameOnDevice(t, `col2im ${x.dtype}`, call('col2im'), [x], x.dtype === 'bfloat16' ? 1e-2 : 1e-6)
  t.end()
})

t.test('grids', (t) => {
  for (const mode of [0, 1, 2])
    for (const padding of [0, 1, 2])
      for (const align of [true, false])
        sameOnDevice(t, `2d ${mode} ${padding} ${align}`, call('grid', mode, padding, align), [randn(2, 3, 4, 5), randn(2, 3, 7, 2)], 1e-5)
  for (const padding of [0, 1, 2]) {
    sameOnDevice(t, `3d ${padding}`, call('grid', 0, padding, true), [randn(2, 2, 3, 4, 5), randn(2, 3, 2, 3, 3)], 1e-5)
    sameOnDevice(
      t,
      `3d nearest ${padding}`,
      call('grid', 1, padding, false),
      [wide(randn(2, 2, 3, 4, 5)), wide(randn(2, 3, 2, 3, 3))],
      1e-5,
    )
  }
  sameOnDevice(
    t,
    'NaN and infinity',
    call('grid', 0, 1, false),
    [
      randn(1, 1, 3, 3),
      torch.tensor([
        [
          [
            [NaN, 0],
            [Infinity, -1],
            [-Infinity, 1],
          ],
        ],
      ]),
    ],
    1e-5,
  )
  for (const align of [true, false]) sameOnDevice(t, 'affine', call('affine', align), [randn(2, 2, 3)], 1e-6)
  t.end()
})

t.test('regions', (t) => {
  const rois = torch.tensor([
    [0, 1, 1, 9, 7],
    [1, -3, 2, 20, 5],
    [1, 4, 4, 4, 4],
  ])
  for (const ratio of [-1, 2])
    for (const aligned of [true, false])
      sameOnDevice(t, `${ratio} ${aligned}`, call('roi', ratio, aligned), [randn(2, 3, 6, 7), rois], 1e-5)
  sameOnDevice(t, 'double', call('roi', 2, false), [wide(randn(2, 3, 6, 7)), wide(rois)], 1e-12)
  sameOnDevice(t, 'none', call('roi', 2, false), [randn(2, 3, 6, 7), torch.zeros([0, 5])])
  sameOnDevice(t, 'sensitive', call('sensitive'), [randn(2, 8, 6, 7), rois], 1e-5)
  const corners = torch.rand([90, 2]).mul(10)
  const boxes = torch.cat([corners, corners.add(torch.rand([90, 2]).mul(5))], 1)
  sameOnDevice(t, 'nms', call('nms'), [boxes, torch.rand([90])])
  sameOnDevice(t, 'nms of nothing', call('nms'), [torch.zeros([0, 4]), torch.zeros([0])])
  t.end()
})

t.test('resizing with a filter', (t) => {
  for (const align of [true, false])
    for (const x of [randn(2, 3, 7, 5), wide(randn(1, 1, 4, 4)), randn(2, 2, 5, 6).contiguous({ memoryFormat: 'channels_last' } as never)])
      sameOnDevice(t, `${x.dtype} ${align}`, call('resize', align), [x], 2e-6)
  t.end()
})

t.test('bags of embeddings', (t) => {
  const i = torch.randint(0, 6, [11])
  const o = torch.tensor([0n, 0n, 4n, 9n], { dtype: 'int64' })
  for (const mode of [0, 1, 2])
    for (const last of [true, false]) sameOnDevice(t, `${mode} ${last}`, call('bag', mode, last, 2), [randn(6, 5), i, o], 1e-6)
  sameOnDevice(t, 'weighted', call('weighted'), [wide(randn(6, 5)), i, o, wide(randn(11))], 1e-12)
  t.end()
})

t.test('pooling with samples', (t) => {
  sameOnDevice(t, '2d', call('fractional2'), [randn(2, 3, 7, 6), torch.rand([2, 3, 2])])
  sameOnDevice(t, '3d', call('fractional3'), [wide(randn(2, 3, 5, 6, 4)), torch.rand([2, 3, 3], { dtype: 'float64' })])
  t.end()
})

t.test('losses of labels', (t) => {
  const labels = torch.tensor(
    [
      [3n, 0n, -1n, 1n],
      [-1n, 2n, 2n, 2n],
      [1n, 1n, 2n, 0n],
    ],
    { dtype: 'int64' },
  )
  for (const reduction of [0, 1, 2]) sameOnDevice(t, `multilabel ${reduction}`, call('multilabel', reduction), [randn(3, 4), labels], 1e-6)
  sameOnDevice(t, 'multilabel of a row', call('multilabel', 0), [wide(randn(4)), labels.select(0, 0)], 1e-12)
  const logs = torch.logSoftmax(randn(7, 3, 5), 2)
  const targets = torch.randint(1, 5, [3, 4])
  for (const reduction of [0, 1, 2]) sameOnDevice(t, `ctc ${reduction}`, call('ctc', reduction, reduction === 1), [logs, targets], 1e-6)
  sameOnDevice(t, 'ctc joined', call('ctc', 0, true), [logs, torch.randint(1, 5, [8])], 1e-6)
  sameOnDevice(
    t,
    'ctc, lengths in tensors',
    call('ctc_tensors'),
    [logs, torch.randint(2, 5, [3, 4]), torch.tensor([7, 6, 5]).to('int64'), torch.tensor([1, 2, 4]).to('int64')],
    1e-6,
  )
  t.end()
})

t.test('searches', (t) => {
  const sorted = torch.sort(randn(3, 9), 1)[0]
  sameOnDevice(t, 'rows', call('search'), [sorted, randn(3, 4)])
  sameOnDevice(t, 'one row', call('search'), [
    torch.tensor([1, 2, 2, 5]),
    torch.tensor([
      [0, 2, NaN],
      [5, 9, 1],
    ]),
  ])
  sameOnDevice(t, 'integers', call('search'), [
    torch.tensor([1n, 2n ** 60n, 2n ** 60n + 1n], { dtype: 'int64' }),
    torch.tensor([2n ** 60n + 1n, 0n], { dtype: 'int64' }),
  ])
  sameOnDevice(t, 'buckets', call('buckets'), [randn(4, 5), torch.tensor([-1, 0, 0.5, 2])])
  sameOnDevice(t, 'histograms', call('histc'), [randn(300)])
  sameOnDevice(t, 'histograms of one value', call('histc'), [torch.ones([3], { dtype: 'float64' })])
  t.end()
})

t.test('Fourier transforms', (t) => {
  for (const shape of [
    [2, 8],
    [3, 7],
    [5, 30],
    [4, 1],
  ]) {
    sameOnDevice(t, `real [${shape}]`, call('fft'), [randn(...shape)], 2e-5)
    sameOnDevice(t, `double [${shape}]`, call('fft'), [wide(randn(...shape))], 1e-12)
    sameOnDevice(t, `complex [${shape}]`, call('fft'), [torch.complex(randn(...shape), randn(...shape)) as unknown as T], 2e-5)
    if (shape[1] > 1) sameOnDevice(t, `one-sided [${shape}]`, call('rfft'), [wide(randn(...shape))], 1e-12)
  }
  t.end()
})

t.test('einsum', (t) => {
  const run =
    (equation: string) =>
    (...operands: T[]): T =>
      torch.einsum(equation, operands)
  sameOnDevice(t, 'product', run('ij,jk->ik'), [randn(3, 5), randn(5, 4)], 1e-5)
  sameOnDevice(t, 'batches', run('bhid,bhjd->bhij'), [randn(2, 2, 3, 5), randn(2, 2, 4, 5)], 1e-5)
  sameOnDevice(t, 'orders', run('bind,jnd->bnij'), [randn(2, 3, 2, 5), randn(4, 2, 5)], 1e-5)
  sameOnDevice(t, 'sums', run('ijk->j'), [randn(3, 4, 5)], 1e-5)
  sameOnDevice(t, 'sums of both', run('ij,kj->'), [wide(randn(3, 4)), wide(randn(2, 4))], 1e-12)
  sameOnDevice(t, 'diagonals', run('ii->i'), [randn(4, 4)])
  sameOnDevice(t, 'outer', run('i,j->ij'), [randn(3), randn(4)])
  sameOnDevice(t, 'ellipsis', run('...ij,...jk->...ik'), [randn(2, 1, 3, 4), randn(3, 4, 2)], 1e-5)
  sameOnDevice(t, 'three', run('ab,bc,cd->ad'), [randn(3, 4), randn(4, 2), randn(2, 5)], 1e-5)
  sameOnDevice(t, 'half', run('ij,jk->ik'), [randn(3, 5).to('float16'), randn(5, 4).to('float16')], 5e-3)
  t.end()
})

t.test('random numbers are the CPU generator’s', (t) => {
  const same = (name: string, run: (x: T) => T): void =>
    sameOnDevice(t, name, (x: T) => (torch.manualSeed(3), run(x)), [torch.rand([5, 7])])
  same('rand_like', (x) => torch.randLike(x))
  same('bernoulli', (x) => torch.bernoulli(x))
  same('dropout', (x) => torch.nn.functional.dropout(x, { p: 0.4, training: true }))
  same('in place', (x) => x.clone().uniform_(-1, 2))
  t.end()
})
