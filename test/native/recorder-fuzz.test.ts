import t from 'tap'
import type { TensorHandle } from '../../lib/native/binding.js'
import { load, native, tensor, values } from './programs.js'
import { random, randomProgram } from './random-programs.js'

t.test('random programs give the same results, and write the same into their arguments, recorded or not', (t) => {
  let recorded = 0
  for (let seed = 1; seed <= 400; seed++) {
    const pick = random(seed)
    const text = randomProgram(pick)
    const recording = load(text)
    const plain = load(text)
    plain.setRecording(false)
    for (let call = 0; call < 3; call++) {
      const numbers = Array.from({ length: 3 }, () => Array.from({ length: 9 }, () => (pick(9) - 4) / 4))
      const observe = (program: typeof plain): unknown => {
        const args = numbers.map((list) => tensor([3, 3], list))
        const results = program.run(0, args) as TensorHandle[]
        const seen = [...results, ...args].map((handle) => values(handle))
        // Fresh results: writing into one must not be felt by the next call.
        for (const result of results) new Float32Array(result.data(), result.dataOffset, result.info().storageBytes / 4).fill(77)
        return seen
      }
      const [got, expected] = [observe(recording), observe(plain)]
      if (JSON.stringify(got) !== JSON.stringify(expected)) {
        t.same(got, expected, `seed ${seed}, call ${call}\n${text}`)
        return t.end()
      }
    }
    recorded += recording.signatures().filter(({ state, replays }) => state === 'recorded' && replays === 2).length
  }
  t.ok(recorded > 390, `${recorded} of 400 programs were replayed`)
  t.same(native.takeTrace(), [])
  t.end()
})
