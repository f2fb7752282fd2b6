import t from 'tap'
import { overheadLines } from '../../bench/overhead.js'

t.test('what a call and a node cost is printed', (t) => {
  t.same(overheadLines({ identity: 1040.4, small: 790, node: { flip: 71.2, softmax: 37 } }), [
    'a call that gives its argument back 1040 ns; one that adds two arrays of 4 numbers 790 ns',
    'a node of a recorded chain of 100, on 4 numbers: flip 71 ns, softmax 37 ns',
  ])
  t.end()
})
