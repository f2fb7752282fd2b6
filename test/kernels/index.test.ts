import t from 'tap'
import { failuresOn } from './golden.js'

t.test('indexing, gathering, scattering, joining and padding agree with PyTorch, errors too', (t) => {
  t.same(failuresOn('scalar', 'index'), [])
  t.end()
})
