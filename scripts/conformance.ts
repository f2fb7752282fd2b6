// npm run conformance -- <kit...> [--filter text] [--jobs n] [--timeout seconds] [--list] [--json file] [--all]
//
// A kit is an unpacked kit, a packed one (.tar.xz, .tar.zst), or a folder of either. Cases run in child processes, so that a
// crash or a hang is the failure of one case. Exit code 1 when a kit or group is below its share in test/conformance-thresholds.json.
import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Case, casesOf, kitsOf } from './conformance/kits.js'
import type { Outcome } from './conformance/worker.js'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    filter: { type: 'string' },
    jobs: { type: 'string' },
    timeout: { type: 'string' },
    list: { type: 'boolean' },
    json: { type: 'string' },
    all: { type: 'boolean' },
    device: { type: 'string' },
    help: { type: 'boolean' },
  },
})
if (options.help || positionals.length === 0) {
  console.log(
    'Usage: npm run conformance -- <kit, packed kit or folder of kits>... [--filter text] [--jobs n] [--timeout seconds] [--list] [--json file] [--all] [--device cuda]',
  )
  process.exit(options.help ? 0 : 2)
}
if (options.device !== undefined) process.env.CONFORMANCE_DEVICE = options.device
const workerPath = fileURLToPath(new URL('./conformance/worker.js', import.meta.url))
const timeout = 1000 * Number(options.timeout ?? 120)
/** A fresh process now and then keeps one case's leftovers from failing another. */
const casesPerProcess = 400

/** A child process that runs one case at a time. */
class Runner {
  private child: ChildProcess | undefined
  private done = 0

  run(job: Case): Promise<Outcome> {
    if (this.done++ % casesPerProcess === casesPerProcess - 1) this.stop()
    const child = (this.child ??= fork(workerPath, { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] }))
    let stderr = ''
    const listen = (chunk: Buffer): void => {
      stderr = (stderr + chunk.toString()).slice(-2000)
    }
    child.stderr?.on('data', listen)
    const start = performance.now()
    return new Promise((resolve) => {
      const finish = (outcome: Outcome): void => {
        clearTimeout(timer)
        child.removeAllListeners()
        child.stderr?.off('data', listen)
        resolve(outcome)
      }
      const fail = (category: string, reason: string): void => {
        this.stop()
        finish({ name: job.name, ok: false, category, reason, milliseconds: performance.now() - start })
      }
      const timer = setTimeout(() => fail('timeout', `no result within ${timeout / 1000} s`), timeout)
      child.on('message', (outcome: Outcome) => finish(outcome))
      child.on('error', (error) => fail('crash', error.message))
      child.on('exit', (code, signal) => {
        const last = stderr.trim().split('\n').at(-1) ?? ''
        fail(`crash: ${signal ?? `exit code ${code}`}`, last === '' ? 'the process died' : last)
      })
      const { name, model, io } = job
      child.send({ name, model, io })
    })
  }

  stop(): void {
    this.child?.removeAllListeners()
    this.child?.kill('SIGKILL')
    this.child = undefined
  }
}

const wanted = (name: string): boolean => options.filter === undefined || name.includes(options.filter)
const outcomes: Outcome[] = []

async function runKit(kit: string, runners: Runner[]): Promise<void> {
  const idle = [...runners]
  const busy = new Set<Promise<void>>()
  for await (const job of casesOf(kit, wanted)) {
    if (options.list) {
      console.log(job.name)
      job.release()
      continue
    }
    while (idle.length === 0) await Promise.race(busy)
    const runner = idle.pop()!
    const work = runner.run(job).then((outcome) => {
      outcomes.push(outcome)
      job.release()
      idle.push(runner)
      busy.delete(work)
    })
    busy.add(work)
  }
  await Promise.all(busy)
}

interface Count {
  passed: number
  total: number
}

/** Counts by kit and by `kit/group`. */
function counts(): Map<string, Count> {
  const out = new Map<string, Count>()
  for (const { name, ok } of outcomes) {
    const [kit, group] = name.split('/')
    for (const key of [kit, `${kit}/${group}`]) {
      const count = out.get(key) ?? { passed: 0, total: 0 }
      count.total++
      if (ok) count.passed++
      out.set(key, count)
    }
  }
  return out
}

const share = ({ passed, total }: Count): string => `${passed} of ${total} (${((100 * passed) / total).toFixed(1)} %)`

function printFailures(): void {
  const groups = new Map<string, Outcome[]>()
  for (const outcome of outcomes) {
    if (outcome.ok) continue
    const category = outcome.category ?? 'unknown'
    groups.set(category, [...(groups.get(category) ?? []), outcome])
  }
  const sorted = [...groups].sort(([, a], [, b]) => b.length - a.length)
  for (const [category, failed] of sorted) {
    console.log(`\n${failed.length} x ${category}`)
    const shown = options.all ? failed : failed.slice(0, 8)
    for (const { name, reason } of shown) console.log(`  ${name}: ${reason}`)
    if (shown.length < failed.length)
      console.log(
        `  ... and ${failed.length - shown.length} more (--all shows them): ${failed
          .slice(8, 20)
          .map((f) => f.name)
          .join(' ')}`,
      )
  }
}

function belowThreshold(byKey: Map<string, Count>): string[] {
  const thresholds = JSON.parse(readFileSync('test/conformance-thresholds.json', 'utf8')) as Record<string, number>
  return Object.entries(thresholds).flatMap(([key, percent]) => {
    const count = byKey.get(key)
    return count !== undefined && (100 * count.passed) / count.total < percent
      ? [`${key}: ${share(count)}, expected at least ${percent} %`]
      : []
  })
}

const runners = Array.from({ length: Number(options.jobs ?? 1) }, () => new Runner())
const started = performance.now()
for (const kit of positionals.flatMap(kitsOf)) await runKit(kit, runners)
for (const runner of runners) runner.stop()
if (options.list) process.exit(0)
if (outcomes.length === 0) {
  console.error(`No case has "${options.filter}" in its name.`)
  process.exit(2)
}
printFailures()
const byKey = counts()
console.log('')
for (const [key, count] of [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)))
  console.log(`${key.includes('/') ? `  ${key}` : key}: ${share(count)}`)
const slow = [...outcomes].sort((a, b) => b.milliseconds - a.milliseconds).slice(0, 3)
console.log(
  `${((performance.now() - started) / 1000).toFixed(1)} s; slowest: ${slow.map((o) => `${o.name} ${(o.milliseconds / 1000).toFixed(1)} s`).join(', ')}`,
)
if (options.device !== undefined) {
  const lacking = outcomes.filter((o) => o.category?.startsWith('no CUDA kernel') === true)
  const rest = outcomes.length - lacking.length
  console.log(`${lacking.length} cases lack a CUDA kernel; of the other ${rest}, ${outcomes.filter((o) => o.ok).length} pass`)
}
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(outcomes, undefined, 1)}\n`)
const below = options.filter === undefined && options.device === undefined ? belowThreshold(byKey) : []
for (const line of below) console.log(`below the threshold: ${line}`)
process.exit(below.length > 0 ? 1 : 0)
