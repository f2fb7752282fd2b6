import t from 'tap'
import { failuresOn, isas } from './golden.js'

t.test('factorizations, systems and Fourier transforms agree with PyTorch', (t) => {
  t.same(failuresOn('scalar', 'linalg'), [])
  t.end()
})

t.test('decompositions give the vectors of LAPACK, signs included', (t) => {
  for (const isa of isas) t.same(failuresOn(isa, 'decompositions'), [])
  t.end()
})
