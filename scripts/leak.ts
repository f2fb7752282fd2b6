// node .build/scripts/leak.js [--operations n] [--limit MiB]
//
// Runs eager operators, a million by default, in a loop that never lets the event loop turn, and watches the memory of the process: first
// with results left to the collector, then freed by scopes, then disposed of one by one. Fails when memory grows after the first fifth of a part.
// scripts/test-leaks.sh runs it under a leak checker.
import { parseArgs } from 'node:util'
import * as torch from '../lib/index.js'

const { values } = parseArgs({ options: { operations: { type: 'string', default: '1000000' }, limit: { type: 'string', default: '16' } } })
const total = Number(values.operations)
const limit = Number(values.limit)

const a = torch.randn([16, 16])
const b = torch.randn([16, 16])
const weight = torch.randn([8, 16])
const mask = torch.gt(a, 0)
const big = torch.randn([64, 64, 4])

/** Operators of every kind: kernels, views, several results, lists, indices, in place, composed, errors, values that become JavaScript's. */
const operators: readonly (() => unknown)[] = [
  () => a.add(b),
  () => a.mul(2).add_(1),
  () => torch.matmul(a, b),
  () => torch.linear(a, weight),
  () => a.softmax(1),
  () => a.view(4, 64).permute(1, 0).contiguous(),
  () => a.max(1).values,
  () => torch.cat([a, b], 1),
  () => a.split(4),
  () => a.index(torch.slice(2, 10), null, torch.tensor([1n, 3n])),
  () => a.clone().indexPut_([mask], 0),
  () => a.sum().item(),
  () => a.to('float16').float(),
  () => big.relu(),
  () => torch.tensor(new Float32Array(32)).data[3],
  () => torch.zeros([4, 4]).data.length,
  () => torch.gelu(a, { approximate: 'tanh' }),
  () => torch.where(mask, a, b),
  () => torch.layerNorm(a, [16]),
  () => {
    try {
      return a.view(7, 7)
    } catch {
      return a.size(0)
    }
  },
]

const mib = (bytes: number): number => Math.round((bytes / 2 ** 20) * 10) / 10
const rss = (): number => mib(process.memoryUsage().rss)
const release = (value: unknown): void => {
  if (value instanceof torch.Tensor) value.dispose()
  else if (Array.isArray(value)) value.forEach(release)
}

const parts: Record<string, (operator: () => unknown) => void> = {
  'left to the collector': (operator) => void operator(),
  'in scopes': (operator) => {
    torch.scope(() => {
      operator()
    })
  },
  'disposed of': (operator) => release(operator()),
}

// Programs of all operators, compiled code and the heap's own growth come first.
for (let i = 0; i < Math.min(total / 10, 40_000); i++) for (const run of Object.values(parts)) run(operators[i % operators.length])

let failed = false
for (const [name, run] of Object.entries(parts)) {
  const count = Math.ceil(total / 3)
  const samples: number[] = []
  const every = Math.ceil(count / 20)
  const started = performance.now()
  for (let i = 0; i < count; i++) {
    run(operators[i % operators.length])
    if ((i + 1) % every === 0) samples.push(rss())
  }
  const micros = ((performance.now() - started) * 1000) / count
  const { liveBytes, cachedBytes } = torch.memoryStats()
  console.log(
    `${count} operations ${name}: ${micros.toFixed(1)} us each, ${mib(liveBytes)} MiB in use and ${mib(cachedBytes)} MiB kept by the executor`,
  )
  console.log(`  RSS in MiB: ${samples.join(' ')}`)
  const settled = samples.slice(Math.floor(samples.length / 5))
  const half = Math.floor(settled.length / 2)
  const growth = Math.max(...settled.slice(half)) - Math.max(...settled.slice(0, half))
  if (growth > limit) {
    console.log(`  Expected at most ${limit} MiB of growth but received ${growth.toFixed(1)}`)
    failed = true
  }
}
console.log(failed ? 'Memory grows.' : 'Memory is flat.')
process.exitCode = failed ? 1 : 0
