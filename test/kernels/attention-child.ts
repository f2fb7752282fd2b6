// Compares the attention kernels with the products and softmax they stand for, on one instruction set; prints what differs, as JSON.
import type { TensorHandle } from '../../lib/native/binding.js'
import '../../lib/ops/registry.js'
import { load, native } from '../native/programs.js'

let state = 4321
const random = (): number => (state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) / 0x40000000 - 1

const codes = { float32: 6, float64: 7, bool: 11 }
type Kind = keyof typeof codes
function tensor(sizes: readonly number[], kind: Kind = 'float32', make: (i: number) => number = random): TensorHandle {
  const list = Array.from({ length: sizes.reduce((a, b) => a * b, 1) }, (_, i) => make(i))
  const data = kind === 'float32' ? Float32Array.from(list) : kind === 'float64' ? Float64Array.from(list) : Uint8Array.from(list)
  return native.tensorFromBuffer(data.buffer, 0, codes[kind], sizes)
}
function elements(handle: TensorHandle): number[] {
  const whole = handle.contiguousCopy()
  const { dtype, sizes } = whole.info()
  const n = sizes.reduce((a, b) => a * b, 1)
  return dtype === codes.float32
    ? [...new Float32Array(whole.data(), whole.dataOffset, n)]
    : [...new Float64Array(whole.data(), whole.dataOffset, n)]
}

const failures: string[] = []
let count = 0
const header = `  %none : NoneType = prim::Constant()
  %zero : float = prim::Constant[value=0.]()
  %one : int = prim::Constant[value=1]()
  %two : int = prim::Constant[value=2]()
  %last : int = prim::Constant[value=-1]()
  %before : int = prim::Constant[value=-2]()
  %yes : bool = prim::Constant[value=1]()
  %no : bool = prim::Constant[value=0]()
`
function run(params: string, body: string, args: readonly unknown[]): number[] {
  const program = load(`graph(${params}):\n${header}${body}  return (%y)`)
  program.setRecording(false)
  return elements(program.run(0, args) as TensorHandle)
}

type MaskKind = 'none' | 'add' | 'fill' | 'keep'
interface Case {
  readonly batch: readonly number[]
  readonly length: number
  readonly keys: number
  readonly dim: number
  readonly mask?: TensorHandle
  readonly kind?: MaskKind
  readonly fill?: string
  readonly dtype?: Kind
  /** Heads lie behind the positions in memory. */
  readonly transposed?: boolean
  readonly causal?: boolean
  readonly make?: (i: number) => number
}
function check(name: string, c: Case): void {
  count++
  const { batch, length, keys, dim, dtype = 'float32', kind = 'none', fill = '-inf', transposed = false, causal = false } = c
  const sizes = (rows: number): number[] => (transposed ? [batch[0], rows, batch[1], dim] : [...batch, rows, dim])
  const args: unknown[] = [tensor(sizes(length), dtype, c.make), tensor(sizes(keys), dtype), tensor(sizes(keys), dtype)]
  const views = ['q', 'k', 'v'].map((v) => (transposed ? `  %${v} : Tensor = aten::transpose(%${v}0, %one, %two)\n` : '')).join('')
  const names = transposed ? ['q0', 'k0', 'v0'] : ['q', 'k', 'v']
  const mask = causal ? tensor([length, keys], 'bool', (i) => (i % keys <= Math.floor(i / keys) ? 1 : 0)) : c.mask
  const params = names.map((v) => `%${v} : Tensor`).join(', ') + (mask === undefined ? '' : ', %mask : Tensor')
  if (mask !== undefined) args.push(mask)
  const scale = `  %scale : float = prim::Constant[value=0.29999999999999999]()\n  %fill : float = prim::Constant[value=${fill}]()\n`
  const step = {
    none: '',
    add: '  %m : Tensor = aten::add(%t, %mask, %one)\n',
    fill: '  %m : Tensor = aten::masked_fill(%t, %mask, %fill)\n',
    keep: '  %m : Tensor = aten::where(%mask, %t, %fill)\n',
  }[causal ? 'keep' : kind]
  const apart =
    `${views}${scale}  %kt : Tensor = aten::transpose(%k, %last, %before)\n  %s : Tensor = aten::matmul(%q, %kt)\n` +
    `  %t : Tensor = aten::mul(%s, %scale)\n${step}  %p : Tensor = aten::softmax(%${step === '' ? 't' : 'm'}, %last, %none)\n  %y : Tensor = aten::matmul(%p, %v)\n`
  const given = mask === undefined ? '%none' : '%mask'
  const together = causal
    ? `${views}${scale}  %y : Tensor = aten::scaled_dot_product_attention(%q, %k, %v, %none, %zero, %yes, %scale, %no)\n`
    : `${views}${scale}  %kind : str = prim::Constant[value="${kind === 'none' ? 'add' : kind}"]()\n` +
      `  %y : Tensor = torchscript::attention(%q, %k, %v, ${given}, %kind, %fill, %scale, %yes)\n`
  try {
    const [want, got] = [run(params, apart, args), run(params, together, args)]
    // Softmax rounds a few times and sums `keys` weights below 1, whose own sum is 1.
    const tolerance = dtype === 'float32' ? 16 * 2 ** -23 : 16 * 2 ** -52
    const bad = want.findIndex((x, i) => !(Object.is(x, got[i]) || Math.abs(x - got[i]) <= tolerance))
    if (bad >= 0 || want.length !== got.length) failures.push(`${name}: ${got[bad]} at ${bad}, expected ${want[bad]}`)
  } catch (error) {
    failures.push(`${name}: ${(error as Error).message.split('\n')[0]}`)
  }
}

const bits = (): number => (random() > 0 ? 1 : 0)
for (const dtype of ['float32', 'float64'] as const) {
  check(`plain ${dtype}`, { batch: [2, 3], length: 7, keys: 9, dim: 8, dtype })
  check(`long ${dtype}`, { batch: [1, 2], length: 150, keys: 1100, dim: 20, dtype })
  check(`causal ${dtype}`, { batch: [2, 2], length: 40, keys: 40, dim: 16, dtype, causal: true })
  check(`long causal ${dtype}`, { batch: [1, 2], length: 1100, keys: 1100, dim: 24, dtype, causal: true })
  check(`causal, more queries ${dtype}`, { batch: [1, 1], length: 300, keys: 17, dim: 4, dtype, causal: true })
}
check('transposed', { batch: [2, 3], length: 130, keys: 130, dim: 64, transposed: true })
check('one row', { batch: [2, 3], length: 1, keys: 33, dim: 5, transposed: true })
check('three dimensions', { batch: [6], length: 12, keys: 17, dim: 8 })
check('two dimensions', { batch: [], length: 12, keys: 17, dim: 8 })
check('no keys', { batch: [2], length: 3, keys: 0, dim: 8 })
check('no queries', { batch: [2], length: 0, keys: 4, dim: 8 })
check('no elements of a query', { batch: [2], length: 3, keys: 4, dim: 0 })
check('added to each key', { batch: [2, 3], length: 20, keys: 30, dim: 8, mask: tensor([2, 1, 1, 30]), kind: 'add' })
check('added, long', { batch: [1, 2], length: 20, keys: 700, dim: 8, mask: tensor([20, 700]), kind: 'add' })
check('filled', { batch: [2, 3], length: 20, keys: 30, dim: 8, mask: tensor([2, 1, 20, 30], 'bool', bits), kind: 'fill', fill: '-10000.' })
check('kept', { batch: [2, 3], length: 20, keys: 600, dim: 8, mask: tensor([20, 600], 'bool', bits), kind: 'keep' })
check('mask of a larger batch', { batch: [1, 3], length: 6, keys: 5, dim: 8, mask: tensor([4, 1, 6, 5]), kind: 'add' })
const blind = (i: number): number => (Math.floor(i / 700) === 3 ? 0 : i % 700 > 550 ? 1 : bits())
check('row that sees nothing', { batch: [2, 2], length: 9, keys: 700, dim: 8, mask: tensor([9, 700], 'bool', blind), kind: 'keep' })
check('row that sees nothing, finite', {
  batch: [2],
  length: 9,
  keys: 700,
  dim: 8,
  mask: tensor([9, 700], 'bool', blind),
  kind: 'keep',
  fill: '-3.4028234663852886e38',
})
check('special values', { batch: [2], length: 9, keys: 30, dim: 8, make: (i) => (i === 20 ? NaN : i === 50 ? Infinity : random()) })
console.log(JSON.stringify({ failures, count }))
