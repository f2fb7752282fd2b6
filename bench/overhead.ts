// What a call and a node cost beyond their work: `node .build/bench/overhead.js`, also printed by `npm run bench -- --kernels`.
import { fileURLToPath } from 'node:url'
import * as torch from '../lib/index.js'
import { now } from './harness/interleave.js'

/** Nodes of the chain. */
const nodes = 100

/** Smallest nanoseconds of a call. */
function least(call: () => unknown): number {
  let best = Infinity
  for (let round = 0; round < 60; round++) {
    const count = 500
    const start = now()
    for (let i = 0; i < count; i++) call()
    best = Math.min(best, ((now() - start) / count) * 1e6)
  }
  return best
}

export interface Overhead {
  /** Nanoseconds of `forward` of a module that gives its argument back, and of one that adds two arrays of four numbers. */
  readonly identity: number
  readonly small: number
  /** Nanoseconds that a node of a recorded chain takes, by the operator that it is made of; its arithmetic, on four numbers, is part of it. */
  readonly node: Readonly<Record<string, number>>
}

/** Operators that nothing fuses. */
const operators: Readonly<Record<string, string>> = {
  flip: 'torch.flip(x, [0])',
  cumsum: 'torch.cumsum(x, 0)',
  softmax: 'torch.softmax(x, 0)',
}

export function measureOverhead(): Overhead {
  torch.setNumThreads(1)
  const x = torch.tensor(new Float32Array([1, 2, 3, 4]))
  const y = torch.tensor(new Float32Array([5, 6, 7, 8]))
  const compile = (body: string, parameters = 'x: Tensor'): ((...args: unknown[]) => unknown) => {
    const unit = new torch.jit.CompilationUnit(`def f(${parameters}) -> Tensor:\n${body}  return x\n`)
    const { f } = unit as unknown as { f: (...args: unknown[]) => unknown }
    for (let i = 0; i < 3; i++) f(x, ...(parameters.includes('y') ? [y] : []))
    return f
  }
  const identity = compile('')
  const add = compile('  x = x + y\n', 'x: Tensor, y: Tensor')
  const node: Record<string, number> = {}
  for (const [name, text] of Object.entries(operators)) {
    const line = `  x = ${text}\n`
    const [short, long] = [compile(line), compile(line.repeat(nodes + 1))]
    node[name] = (least(() => long(x)) - least(() => short(x))) / nodes
  }
  return { identity: least(() => identity(x)), small: least(() => add(x, y)), node }
}

export function overheadLines({ identity, small, node }: Overhead): string[] {
  const ns = (value: number): string => `${value.toFixed(0)} ns`
  return [
    `a call that gives its argument back ${ns(identity)}; one that adds two arrays of 4 numbers ${ns(small)}`,
    `a node of a recorded chain of ${nodes}, on 4 numbers: ${Object.entries(node)
      .map(([name, value]) => `${name} ${ns(value)}`)
      .join(', ')}`,
  ]
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const line of overheadLines(measureOverhead())) process.stdout.write(`${line}\n`)
