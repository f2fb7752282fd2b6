import './emulated.js'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { sameOnDevice } from './compare.js'

torch.manualSeed(29)
type T = torch.Tensor
const kDtypes = ['float32', 'float64', 'complex64', 'complex128'] as const
type DType = (typeof kDtypes)[number]
const tolerance = (dtype: DType): number => (dtype === 'float32' || dtype === 'complex64' ? 2e-5 : 1e-11)
const random = (dtype: DType, ...shape: number[]): T =>
  (dtype.startsWith('complex') ? torch.complex(torch.randn(shape), torch.randn(shape)) : torch.randn(shape)).to(dtype)
const eye = (n: number): T => torch.eye(n)
const last = (x: T): T => x.transpose(x.dim() - 2, x.dim() - 1)
const adjoint = (x: T): T => last(x).conj().resolveConj()
// Far from singular, and Hermitian and positive.
const regular = (dtype: DType, n: number, ...batch: number[]): T => random(dtype, ...batch, n, n).add(eye(n).mul(n).to(dtype))
const positive = (dtype: DType, n: number, ...batch: number[]): T => {
  const x = random(dtype, ...batch, n, n)
  return x.matmul(adjoint(x)).add(eye(n).to(dtype))
}

const unit = new torch.jit.CompilationUnit(`
def lu(a):
  f, p, info = torch.linalg_lu_factor_ex(a)
  P, L, U = torch.linalg_lu(a)
  q, l, u = torch.lu_unpack(f, p)
  return (f, p, info, P, L, U, q, l, u)
def unpivoted(a):
  return torch.linalg_lu_factor(a, pivot=False)
def solve(a, b):
  f, p = torch.linalg_lu_factor(a)
  return (torch.linalg_solve(a, b), torch.linalg_lu_solve(f, p, b), torch.linalg_lu_solve(f, p, b, adjoint=True), torch.lu_solve(b, f, p))
def right(a, b):
  f, p = torch.linalg_lu_factor(a)
  return (torch.linalg_solve(a, b, left=False), torch.linalg_lu_solve(f, p, b, left=False), torch.linalg_lu_solve(f, p, b, left=False, adjoint=True))
def vector(a, b):
  return torch.linalg_solve(a, b)
def inverse(a):
  return (torch.linalg_inv(a), torch.inverse(a), torch.linalg_inv_ex(a))
def determinant(a):
  return (torch.det(a), torch.slogdet(a), torch.linalg_slogdet(a))
def cholesky(a, b):
  l = torch.linalg_cholesky(a)
  u = torch.linalg_cholesky(a, upper=True)
  return (l, u, torch.cholesky_solve(b, l), torch.cholesky_solve(b, u, True), torch.cholesky_inverse(l), torch.cholesky_inverse(u, True),
          torch.linalg_cholesky_ex(a))
def triangular(a, b, upper: bool):
  return (torch.linalg_solve_triangular(a, b, upper=upper), torch.linalg_solve_triangular(a, b, upper=upper, unitriangular=True),
          torch.linalg_solve_triangular(a, b.mT, upper=upper, left=False), torch.triangular_solve(b, a, upper, True))
def ldl(a, b):
  ld, p = torch.linalg_ldl_factor(a)
  return (ld, p, torch.linalg_ldl_solve(ld, p, b))
def exponential(a):
  return torch.linalg_matrix_exp(a)
def qr(a):
  return (torch.linalg_qr(a), torch.linalg_qr(a, 'complete'), torch.linalg_qr(a, 'r')[1])
def reflections(a, b, left: bool):
  f, tau = torch.geqrf(a)
  return (f, tau, torch.ormqr(f, tau, b, left), torch.ormqr(f, tau, b, left, True))
def product(a):
  f, tau = torch.geqrf(a)
  return torch.linalg_householder_product(f, tau)
def hermitian(a, side: str):
  return (torch.linalg_eigh(a, side), torch.linalg_eigvalsh(a, side))
def singular(a):
  return (torch.linalg_svd(a), torch.linalg_svd(a, False), torch.linalg_svdvals(a), torch.svd(a), torch.svd(a, False))
def composed(a):
  return (torch.linalg_pinv(a), torch.linalg_matrix_rank(a), torch.linalg_cond(a), torch.linalg_matrix_norm(a, 2))
def least(a, b, driver: str):
  return torch.linalg_lstsq(a, b, driver=driver)
`)

t.test('LU and what it solves', (t) => {
  for (const dtype of kDtypes) {
    const tol = tolerance(dtype)
    for (const shape of [
      [1, 1],
      [5, 5],
      [4, 6],
      [2, 7, 3],
    ])
      sameOnDevice(t, `LU ${dtype} ${shape}`, unit.lu, [random(dtype, ...shape)], tol)
    sameOnDevice(t, `without pivots ${dtype}`, unit.unpivoted, [regular(dtype, 4)], tol)
    sameOnDevice(t, `systems ${dtype}`, unit.solve, [regular(dtype, 5, 2), random(dtype, 2, 5, 3)], tol)
    sameOnDevice(t, `broadcast systems ${dtype}`, unit.solve, [regular(dtype, 4), random(dtype, 3, 4, 2)], tol)
    sameOnDevice(t, `systems from the right ${dtype}`, unit.right, [last(regular(dtype, 4, 2)), random(dtype, 2, 3, 4)], tol)
    sameOnDevice(t, `vectors ${dtype}`, unit.vector, [regular(dtype, 4, 2), random(dtype, 2, 4)], tol)
    sameOnDevice(t, `inverses ${dtype}`, unit.inverse, [regular(dtype, 6, 2)], tol)
    sameOnDevice(t, `determinants ${dtype}`, unit.determinant, [random(dtype, 3, 4, 4)], tol)
  }
  sameOnDevice(t, 'more rows than threads of a warp', unit.inverse, [regular('float64', 70)], 1e-11)
  sameOnDevice(t, 'nothing', unit.inverse, [torch.zeros([0, 3, 3])])
  sameOnDevice(t, 'of no rows', unit.determinant, [torch.zeros([2, 0, 0])])
  sameOnDevice(t, 'singular', unit.determinant, [torch.zeros([3, 3])])
  for (const name of ['inverse', 'lu'] as const) {
    const singular = torch
      .tensor([
        [1, 2],
        [2, 4],
      ])
      .to('cuda')
    if (name === 'inverse') t.throws(() => unit.inverse(singular), /diagonal element 2 is zero/, 'a singular matrix has no inverse')
    else t.throws(() => unit.vector(singular, torch.ones([2]).to('cuda')), /singular/, 'a singular system')
  }
  t.end()
})

t.test('Cholesky, LDL, triangles, exponentials', (t) => {
  for (const dtype of kDtypes) {
    const tol = tolerance(dtype) * 10
    sameOnDevice(t, `cholesky ${dtype}`, unit.cholesky, [positive(dtype, 5, 2), random(dtype, 2, 5, 3)], tol)
    for (const upper of [false, true])
      sameOnDevice(
        t,
        `triangle ${dtype} ${upper}`,
        (a: T, b: T) => unit.triangular(a, b, upper),
        [regular(dtype, 4, 2), random(dtype, 4, 3)],
        tol,
      )
    const x = random(dtype, 2, 6, 6)
    sameOnDevice(t, `LDL ${dtype}`, unit.ldl, [x.add(last(x)), random(dtype, 6, 2)], tol * 10)
    sameOnDevice(t, `exponential ${dtype}`, unit.exponential, [random(dtype, 2, 4, 4)], tol)
  }
  t.throws(() => unit.cholesky(eye(3).neg().to('cuda'), eye(3).to('cuda')), /not positive-definite/, 'a negative matrix')
  t.end()
})

t.test('QR', (t) => {
  for (const dtype of kDtypes) {
    const tol = tolerance(dtype) * 5
    for (const shape of [
      [1, 1],
      [5, 3],
      [2, 3, 5],
      [40, 4],
    ])
      sameOnDevice(t, `QR ${dtype} ${shape}`, unit.qr, [random(dtype, ...shape)], tol)
    sameOnDevice(t, `products ${dtype}`, unit.product, [last(random(dtype, 2, 3, 6))], tol)
    sameOnDevice(t, `from the left ${dtype}`, (a: T, b: T) => unit.reflections(a, b, true), [random(dtype, 5, 3), random(dtype, 5, 2)], tol)
    sameOnDevice(
      t,
      `from the right ${dtype}`,
      (a: T, b: T) => unit.reflections(a, b, false),
      [random(dtype, 5, 3), random(dtype, 2, 5)],
      tol,
    )
  }
  sameOnDevice(t, 'zeros', unit.qr, [torch.zeros([4, 3])])
  sameOnDevice(t, 'of no columns', unit.qr, [torch.zeros([3, 0])])
  sameOnDevice(
    t,
    'tiny and huge',
    unit.qr,
    [
      torch.tensor(
        [
          [1e-200, 2e-200],
          [3e-200, -1e-200],
        ],
        { dtype: 'float64' },
      ),
    ],
    1e-12,
  )
  t.end()
})

t.test('eigenvalues and singular values', (t) => {
  for (const dtype of kDtypes) {
    const tol = tolerance(dtype) * 5
    for (const shape of [
      [1, 1],
      [2, 2],
      [2, 6, 6],
    ]) {
      const x = random(dtype, ...shape)
      for (const side of ['L', 'U'])
        sameOnDevice(t, `eigh ${dtype} ${shape} ${side}`, (a: T) => unit.hermitian(a, side), [x.add(adjoint(x))], tol)
    }
    for (const shape of [
      [1, 1],
      [4, 4],
      [2, 5, 4],
      [7, 3],
      [3, 4],
      [2, 2, 7],
    ])
      sameOnDevice(t, `SVD ${dtype} ${shape}`, unit.singular, [random(dtype, ...shape)], tol)
    sameOnDevice(t, `of transposed matrices ${dtype}`, unit.singular, [last(random(dtype, 3, 5))], tol)
    sameOnDevice(t, `composites ${dtype}`, unit.composed, [random(dtype, 2, 5, 3)], tol * 100)
    for (const driver of ['gels', 'gelsd'])
      sameOnDevice(
        t,
        `least squares ${dtype} ${driver}`,
        (a: T, b: T) => unit.least(a, b, driver),
        [random(dtype, 2, 6, 3), random(dtype, 2, 6, 2)],
        tol * 20,
      )
  }
  const large = random('float64', 36, 36)
  sameOnDevice(t, 'large enough to be divided', (a: T) => unit.hermitian(a, 'L'), [large.add(adjoint(large))], 1e-9)
  sameOnDevice(t, 'a large SVD', unit.singular, [large], 1e-9)
  sameOnDevice(t, 'zeros', unit.singular, [torch.zeros([3, 2])])
  sameOnDevice(t, 'of no rows', unit.singular, [torch.zeros([0, 3])])
  sameOnDevice(t, 'a diagonal', (a: T) => unit.hermitian(a, 'L'), [torch.diag(torch.tensor([3, 1, 2, 1]))])
  sameOnDevice(t, 'of less than full rank', (a: T, b: T) => unit.least(a, b, 'gelsd'), [torch.ones([4, 2]), random('float32', 4, 1)], 1e-5)
  const bad = torch
    .tensor([
      [1, NaN],
      [NaN, 1],
    ])
    .to('cuda')
  t.throws(() => unit.hermitian(bad, 'L'), /non-finite/, 'eigenvalues of NaN')
  t.throws(() => unit.singular(bad), /non-finite/, 'singular values of NaN')
  t.end()
})
