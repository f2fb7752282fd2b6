import t from 'tap'
import { failuresOn } from './golden.js'

t.test('resizing and grid sampling agree with PyTorch', (t) => {
  t.same(failuresOn('scalar', 'resize'), [])
  t.end()
})
