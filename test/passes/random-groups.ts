// Random graphs of pointwise operators and their arguments, the same in each run, for tests of fused groups.
import type { Graph, Value } from '../../lib/ir/graph.js'
import { callOverload } from '../../lib/runtime/dispatch.js'
import { tensor } from '../../lib/tensor/creation.js'
import type { Tensor } from '../../lib/tensor/tensor.js'

let state = 20240607
/** Below n. */
function random(n: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 2 ** 32) * n)
}
const pick = <T>(list: readonly T[]): T => list[random(list.length)]

type Kind = 'float32' | 'float64' | 'int64' | 'int32' | 'bool' | 'float16' | 'bfloat16' | 'uint8'
const codes: Record<Kind, number> = { float32: 6, float64: 7, int64: 4, int32: 3, bool: 11, float16: 5, bfloat16: 15, uint8: 0 }
const specials = [NaN, Infinity, -Infinity, -0, 0, 1, -1, 1e-40, 3e38]
function values(n: number, kind: Kind): unknown[] {
  return Array.from({ length: n }, () => {
    if (kind === 'bool') return random(2) === 1
    if (kind === 'int64')
      return random(8) === 0 ? 9007199254740993n * BigInt(1 + random(100)) * (random(2) ? 1n : -1n) : BigInt(random(41) - 20)
    if (kind === 'int32' || kind === 'uint8') return random(41) - (kind === 'uint8' ? 0 : 20)
    return random(12) === 0 ? pick(specials) : (random(200001) - 100000) / 20000
  })
}
/** A tensor of a shape: contiguous, or a window on other memory. */
function make(shape: readonly number[], kind: Kind): Tensor {
  const count = (sizes: readonly number[]): number => sizes.reduce((p, n) => p * n, 1)
  const fresh = (sizes: readonly number[]): Tensor => {
    const list = values(count(sizes), kind)
    const typed =
      kind === 'bool'
        ? list
        : kind === 'int64'
          ? BigInt64Array.from(list as bigint[])
          : kind === 'float64'
            ? Float64Array.from(list as number[])
            : list
    return tensor(typed as number[], { shape: [...sizes], dtype: kind })
  }
  const rank = shape.length
  switch (rank < 2 ? 0 : random(6)) {
    case 1: {
      // Transposed.
      const [a, b] = [random(rank), random(rank)]
      const sizes = [...shape]
      ;[sizes[a], sizes[b]] = [sizes[b], sizes[a]]
      return fresh(sizes).transpose(a, b)
    }
    case 2:
      // A part of larger rows.
      return fresh([...shape.slice(0, -1), shape[rank - 1] + 3]).narrow(rank - 1, 1, shape[rank - 1])
    case 3: {
      // Every other element.
      const wide = fresh([...shape.slice(0, -1), 2 * shape[rank - 1]])
      return wide.view([...shape, 2]).select(rank, 1)
    }
    case 4:
      return fresh([1, ...shape.slice(1)]).expand([...shape])
    default:
      return fresh(shape)
  }
}

const shapes: readonly (readonly number[])[] = [
  [],
  [1],
  [7],
  [64],
  [1025],
  [3, 5],
  [4, 300],
  [33, 64],
  [2, 3, 5, 7],
  [5, 1, 17],
  [300, 4],
  [2, 8, 6, 6],
]
/** A shape that broadcasts to another one. */
function smaller(shape: readonly number[]): readonly number[] {
  switch (random(6)) {
    case 0:
      return []
    case 1:
      return shape.slice(random(shape.length + 1))
    case 2:
      return shape.map((n) => (random(2) ? n : 1))
    default:
      return shape
  }
}

const unary =
  'relu neg abs exp tanh sigmoid sqrt floor ceil rsqrt reciprocal sin log1p erf silu hardswish hardsigmoid relu6 square sign trunc frac expm1 logical_not isnan'.split(
    ' ',
  )
const binary = 'mul div maximum minimum atan2 eq ne lt le gt ge logical_and logical_or'.split(' ')

export interface Case {
  readonly text: string
  readonly inputs: readonly (Tensor | number)[]
}

export function makeCase(): Case {
  const shape = pick(shapes)
  const main = pick<Kind>(['float32', 'float32', 'float32', 'float32', 'float64', 'int64', 'float16', 'bfloat16', 'int32'])
  const mixed = random(4) === 0
  const inputs: (Tensor | number)[] = []
  const heads: string[] = []
  const lines = [
    '%one : int = prim::Constant[value=1]()',
    '%none : NoneType = prim::Constant()',
    '%false : bool = prim::Constant[value=0]()',
    '%text : str = prim::Constant[value="none"]()',
  ]
  const input = (kind: Kind, full = false): string => {
    inputs.push(make(full ? shape : smaller(shape), kind))
    heads.push(`%x${inputs.length} : Tensor`)
    return `%x${inputs.length}`
  }
  const number = (): string => {
    if (random(3) === 0) {
      inputs.push(random(2) ? random(9) - 4 : (random(900) - 450) / 100)
      const value = inputs[inputs.length - 1] as number
      heads.push(`%x${inputs.length} : ${Number.isInteger(value) ? 'int' : 'float'}`)
      return `%x${inputs.length}`
    }
    const name = `%c${lines.length}`
    const value = random(2) ? String(random(9) - 4) : ((random(900) - 450) / 100 + 0.001).toFixed(3)
    lines.push(`${name} : ${value.includes('.') ? 'float' : 'int'} = prim::Constant[value=${value}]()`)
    return name
  }
  const kindOf = (): Kind => (mixed ? pick<Kind>(['float32', 'float64', 'int64', 'bool', 'float16', 'int32', 'uint8']) : main)
  const known = [input(main, true)]
  const steps = 2 + random(12)
  const made: string[] = []
  const operand = (): string => {
    if (random(3) === 0) return input(kindOf())
    return random(3) && made.length ? made[made.length - 1] : pick([...known, ...made])
  }
  for (let i = 0; i < steps; i++) {
    const name = `%v${i}`
    const a = operand()
    const write = (text: string): void => {
      lines.push(`${name} : Tensor = aten::${text}`)
      made.push(name)
    }
    switch (random(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
        write(`${pick(unary)}(${a})`)
        break
      case 4:
        write(`${pick(['add', 'sub'])}(${a}, ${operand()}, ${random(3) ? '%one' : number()})`)
        break
      case 5:
        write(`${pick(['add', 'sub', 'rsub'])}(${a}, ${number()}, %one)`)
        break
      case 6:
        write(`${pick(['mul', 'div', 'gt', 'eq', 'pow', 'remainder', 'leaky_relu'])}(${a}, ${number()})`)
        break
      case 7:
        write(`clamp(${a}, ${random(3) ? number() : '%none'}, ${number()})`)
        break
      case 8: {
        lines.push(`%m${i} : Tensor = aten::gt(${operand()}, ${number()})`)
        write(`where(%m${i}, ${a}, ${operand()})`)
        break
      }
      case 9: {
        const dtype = codes[pick<Kind>(['float32', 'float64', 'int64', 'bool', 'float16', 'int32', 'bfloat16'])]
        lines.push(`%d${i} : int = prim::Constant[value=${dtype}]()`)
        write(`to(${a}, %d${i}, %false, %false, %none)`)
        break
      }
      case 10:
        write(`gelu(${a}, %text)`)
        break
      default:
        write(`${pick(binary)}(${a}, ${operand()})`)
    }
  }
  const results = [made[made.length - 1], ...made.slice(0, -1).filter(() => random(5) === 0)]
  if (random(4) === 0) {
    const axis = shape.length === 0 || random(3) === 0 ? '' : `%axes, ${random(2) ? '%true' : '%false'}`
    lines.push(`%axes : int[] = prim::Constant[value=[-1]]()`, '%true : bool = prim::Constant[value=1]()')
    const of = results[0]
    const kinds =
      axis === ''
        ? [`sum(${of}, %none)`, `mean(${of}, %none)`, `max(${of})`, `any(${of})`, `all(${of})`]
        : [`sum(${of}, ${axis}, %none)`, `mean(${of}, ${axis}, %none)`, `amax(${of}, ${axis})`, `amin(${of}, ${axis})`]
    lines.push(`%r : Tensor = aten::${pick(kinds)}`)
    results.push('%r')
  }
  const text = `graph(${heads.join(', ')}):\n  ${lines.join('\n  ')}\n  %out : Tensor[] = prim::ListConstruct(${results.join(', ')})\n  return (%out)`
  return { text, inputs }
}

/** The same graph, node by node. */
export function oneByOne(graph: Graph, inputs: readonly unknown[]): readonly Tensor[] {
  const values = new Map<Value, unknown>(graph.inputs.map((value, i) => [value, inputs[i]]))
  for (const node of graph.nodes) {
    const args = node.inputs.map((value) => values.get(value))
    const { constant } = node
    if (constant !== undefined) {
      const plain =
        constant.kind === 'list'
          ? constant.items.map((item) => Number((item as { value: bigint }).value))
          : 'value' in constant
            ? constant.value
            : null
      values.set(node.output, typeof plain === 'bigint' ? Number(plain) : plain)
    } else if (node.kind === 'prim::ListConstruct') values.set(node.output, args)
    else {
      values.set(node.output, callOverload(node.schema!, args))
    }
  }
  return values.get(graph.outputs[0]) as Tensor[]
}
