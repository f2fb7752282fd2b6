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
`)

t.test('LU and what it solves', (t) => {
  for (const dtype of kDtypes) {
    const tol = tolerance(dtype)
    for (const shape of [[1, 1], [5, 5], [4, 6], [2, 7, 3]]) sameOnDevice(t, `LU ${dtype} ${shape}`, unit.lu, [random(dtype, ...shape)], tol)
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
    const singular = torch.tensor([[1, 2], [2, 4]]).to('cuda')
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
      sameOnDevice(t, `triangle ${dtype} ${upper}`, (a: T, b: T) => unit.triangular(a, b, upper), [regular(dtype, 4, 2), random(dtype, 4, 3)], tol)
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
    for (const shape of [[1, 1], [5, 3], [2, 3, 5], [40, 4]]) sameOnDevice(t, `QR ${dtype} ${shape}`, unit.qr, [random(dtype, ...shape)], tol)
    sameOnDevice(t, `products ${dtype}`, unit.product, [last(random(dtype, 2, 3, 6))], tol)
    sameOnDevice(t, `from the left ${dtype}`, (a: T, b: T) => unit.reflections(a, b, true), [random(dtype, 5, 3), random(dtype, 5, 2)], tol)
    sameOnDevice(t, `from the right ${dtype}`, (a: T, b: T) => unit.reflections(a, b, false), [random(dtype, 5, 3), random(dtype, 2, 5)], tol)
  }
  sameOnDevice(t, 'zeros', unit.qr, [torch.zeros([4, 3])])
  sameOnDevice(t, 'of no columns', unit.qr, [torch.zeros([3, 0])])
  sameOnDevice(t, 'tiny and huge', unit.qr, [torch.tensor([[1e-200, 2e-200], [3e-200, -1e-200]], { dtype: 'float64' })], 1e-12)
  t.end()
})
