import t from 'tap'
import type { TensorHandle } from '../../lib/native/binding.js'
import { load, native, tensor, values } from './programs.js'

/** mulberry32 */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let x = Math.imul(state ^ (state >>> 15), 1 | state)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) % below
  }
}

/** A straight-line program on three 3x3 matrices: kernels, views, writes into views, constants. Some of its tensors are results. */
function randomProgram(pick: (below: number) => number): string {
  const lines = [
    '%zero : int = prim::Constant[value=0]()', '%one : int = prim::Constant[value=1]()', '%two : int = prim::Constant[value=2]()',
    '%three : int = prim::Constant[value=3]()', '%none : NoneType = prim::Constant()', '%false : bool = prim::Constant[value=0]()',
    '%half : float = prim::Constant[value=0.5]()', '%row : float[] = prim::ListConstruct(%half, %half, %half)',
    '%rows : float[][] = prim::ListConstruct(%row, %row, %row)',
  ]
  const matrices = ['%a', '%b', '%c']
  const vectors: string[] = []
  let count = 0
  const any = (list: string[]): string => list[pick(list.length)]
  const make = (list: string[], expression: string): string => {
    const name = `%v${count++}`
    lines.push(`${name} : Tensor = ${expression}`)
    list.push(name)
    return name
  }
  for (let i = 0; i < 14; i++) {
    const index = any(['%zero', '%one', '%two'])
    switch (pick(13)) {
      case 0: make(matrices, `aten::add(${any(matrices)}, ${any(matrices)}, %one)`); break
      case 1: make(matrices, `aten::mul(${any(matrices)}, ${any(matrices)})`); break
      case 2: make(matrices, `aten::matmul(${any(matrices)}, ${any(matrices)})`); break
      case 3: make(matrices, `aten::relu(${any(matrices)})`); break
      case 4: make(matrices, `aten::transpose(${any(matrices)}, %zero, %one)`); break
      case 5: make(matrices, `aten::tensor(%rows, %none, %none, %false)`); break
      case 6: make(vectors, `aten::select(${any(matrices)}, ${any(['%zero', '%one'])}, ${index})`); break
      case 7: make(matrices, `aten::add_(${any(matrices)}, ${any(matrices)}, %one)`); break
      case 8: make(matrices, `aten::mul_(${any(matrices)}, ${any(matrices)})`); break
      case 9: make(matrices, `aten::copy_(${any(matrices)}, ${any(matrices)}, %false)`); break
      case 10: if (vectors.length > 0) make(vectors, `aten::add_(${any(vectors)}, ${any(vectors)}, %one)`); break
      case 11: if (vectors.length > 0) make(matrices, `aten::add_(${any(matrices)}, ${any(vectors)}, %one)`); break
      case 12: make(matrices, `aten::clone(${any(matrices)}, %none)`); break
    }
  }
  const results = Array.from({ length: 1 + pick(3) }, () => any(matrices))
  lines.push(`%r : Tensor[] = prim::ListConstruct(${results.join(', ')})`)
  return `graph(%a : Tensor, %b : Tensor, %c : Tensor):\n  ${lines.join('\n  ')}\n  return (%r)`
}

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
