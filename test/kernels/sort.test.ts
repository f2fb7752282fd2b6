import t from 'tap'
import { failuresOn } from './golden.js'

t.test('sorting, selection, quantiles and unique values agree with PyTorch, NaN and ties included', (t) => {
  t.same(failuresOn('scalar', 'sort'), [])
  t.end()
})
