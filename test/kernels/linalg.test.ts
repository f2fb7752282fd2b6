import t from 'tap'
import { failuresOn } from './golden.js'

t.test('factorizations, systems and Fourier transforms agree with PyTorch', (t) => {
  t.same(failuresOn('scalar', 'linalg'), [])
  t.end()
})
