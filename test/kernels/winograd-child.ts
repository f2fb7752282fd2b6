// Convolutions of float32 against the same in float64, with one and two threads; prints what is further away than 1e-5 of the largest result, as JSON.
import type { TensorHandle } from '../../lib/native/binding.js'
import { load, native } from '../native/programs.js'

let state = 777
const random = (): number => (state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) / 0x40000000 - 1

const program = load(`graph(%x : Tensor, %w : Tensor, %b : Tensor, %s : int[], %p : int[], %g : int):
  %r : Tensor = aten::conv2d(%x, %w, %b, %s, %p, %s, %g)
  return (%r)`)
program.setRecording(false)
const failures: string[] = []
const kernels = new Set<string>()
let count = 0

for (const [n, ic, oc, h, w] of [
  [1, 64, 64, 28, 28],
  [1, 128, 128, 14, 14],
  [1, 256, 40, 7, 7],
  [2, 16, 100, 11, 70],
  [3, 500, 8, 6, 5],
  [1, 8, 8, 60, 90],
  [9, 33, 17, 7, 7],
]) {
  const x = Float32Array.from({ length: n * ic * h * w }, random)
  const weight = Float32Array.from({ length: oc * ic * 9 }, random)
  const bias = Float32Array.from({ length: oc }, random)
  const run = (list: typeof Float32Array | typeof Float64Array, dtype: number): number[] => {
    const handle = (data: Float32Array, sizes: number[]): TensorHandle => native.tensorFromBuffer(list.from(data).buffer, 0, dtype, sizes)
    const args = [handle(x, [n, ic, h, w]), handle(weight, [oc, ic, 3, 3]), handle(bias, [oc]), [1, 1], [1, 1], 1]
    if (dtype === 6) native.setTrace(true)
    const result = (program.run(0, args) as TensorHandle).contiguousCopy()
    if (dtype === 6) native.takeTrace().forEach((k) => kernels.add(k))
    native.setTrace(false)
    return [...new list(result.data(), result.dataOffset, n * oc * h * w)]
  }
  native.setNumThreads(1)
  const exact = run(Float64Array, 7)
  const largest = exact.reduce((a: number, b: number) => Math.max(a, Math.abs(b)), 0)
  for (const threads of [1, 2]) {
    native.setNumThreads(threads)
    const error = run(Float32Array, 6).reduce((worst, v, i) => Math.max(worst, Math.abs(v - exact[i])), 0) / largest
    count++
    if (!(error < 1e-5)) failures.push(`${[n, ic, oc, h, w].join()} with ${threads} threads: ${error}`)
  }
}
console.log(JSON.stringify({ failures, kernels: [...kernels].sort(), count }))
