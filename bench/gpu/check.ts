// `npm run gpu:check`: builds, runs the CUDA tests and the conformance kits on this machine's GPU, some of them under compute-sanitizer, measures
// the device and the benchmark's models beside PyTorch, and writes bench/results/gpu-<date>.json with a table. Needs no package registry. docs/cuda.md.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { describeMachine } from '../harness/machine.js'
import type { TorchMode } from '../harness/pytorch.js'
import type { Part, PartOptions } from './parts.js'
import { gpuReport, writeGpuResults, type BandwidthRow, type GpuModelRow, type GpuResults, type ProductRow, type Step } from './results.js'

const usage = `Usage: npm run gpu:check -- [options]

    --kits <folder>      conformance kits, zoo and modules of which run; default ../shared/conformance where it is
    --models <folder>    NAME.pt and NAME.io.pt; default bench/models/out, which a Python with PyTorch fills when it is empty
    --filter <texts>     only models with one of these texts in their names, separated by commas
    --python <program>   a Python with PyTorch, for the peers; default python3 where it has PyTorch
    --steps <list>       of build, tests, kits, sanitizer, bandwidth, products, models; default all
    --emulated           on the emulated driver of the tests, with small sizes: checks this program
    --json <file>        where the results go; default bench/results/gpu-<date>.json
`
const stepNames = ['build', 'tests', 'kits', 'sanitizer', 'bandwidth', 'products', 'models'] as const
type StepName = (typeof stepNames)[number]

/** Seconds that each program of a step may take. Where all is built already, they come to some 8 minutes. */
const limits: Readonly<Record<StepName, number>> = { build: 150, tests: 60, kits: 75, sanitizer: 45, bandwidth: 20, products: 25, models: 100 }

interface Ran {
  readonly code: number | null
  readonly output: string
  readonly seconds: number
  readonly late: boolean
}

/** Runs a program for at most so many seconds; its process group ends with it. */
function run(command: readonly string[], seconds: number, env: NodeJS.ProcessEnv): Promise<Ran> {
  const started = Date.now()
  return new Promise((done) => {
    const child = spawn(command[0], command.slice(1), { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    let output = ''
    const keep = (chunk: Buffer): void => void (output = (output + chunk.toString()).slice(-4_000_000))
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    let late = false
    const timer = setTimeout(() => {
      late = true
      try {
        process.kill(-child.pid!, 'SIGKILL')
      } catch {
        // It has ended.
      }
    }, 1000 * seconds)
    const end = (code: number | null): void => {
      clearTimeout(timer)
      done({ code, output, seconds: (Date.now() - started) / 1000, late })
    }
    child.on('error', (error) => {
      output += error.message
      end(127)
    })
    child.on('close', end)
  })
}

const lastLines = (text: string, count: number): string => text.trim().split('\n').slice(-count).join('\n')

class Check {
  readonly steps: Step[] = []
  constructor(
    readonly env: NodeJS.ProcessEnv,
    readonly print: (text: string) => void,
  ) {}

  note(name: string, outcome: Step['outcome'], seconds: number, detail: string): void {
    this.steps.push({ name, outcome, seconds, detail })
    this.print(`${name}: ${outcome} after ${seconds.toFixed(0)} s${detail === '' ? '' : ` (${detail.replace(/\s*\n\s*/g, '; ')})`}`)
  }

  /** A step that is one program. `detail` reads what it counted from what it printed. */
  async program(name: string, command: readonly string[], seconds: number, detail: (output: string) => string): Promise<Ran> {
    const ran = await run(command, seconds, this.env)
    const ok = ran.code === 0
    this.note(name, ok ? 'passed' : 'failed', ran.seconds, ok ? detail(ran.output) : ran.late ? `stopped after ${seconds} s` : lastLines(ran.output, 5))
    return ran
  }

  /** Test files, some at once. */
  async tests(name: string, files: readonly string[], before: readonly string[], seconds: number, atOnce: number): Promise<void> {
    const started = Date.now()
    const failed: string[] = []
    let assertions = 0
    let skipped = 0
    const waiting = [...files]
    const left = (): number => seconds - (Date.now() - started) / 1000
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
          if (left() < 1) {
            failed.push(`${file}: not run, the time was over`)
            continue
          }
          const ran = await run([...before, process.execPath, file], left(), this.env)
          assertions += Number(/^# \{ total: (\d+)/m.exec(ran.output)?.[1] ?? 0)
          if (ran.output.includes('1..0 # SKIP')) skipped++
          if (ran.code !== 0) {
            const lines = ran.output.split('\n').filter((line) => /^\s*not ok |=========|Error:/.test(line))
            failed.push(`${file}: ${ran.late ? 'too slow' : (lines[0]?.trim() ?? lastLines(ran.output, 1))}`)
          }
        }
      }),
    )
    const detail = failed.length === 0 ? `${files.length} files, ${assertions} assertions${skipped === 0 ? '' : `, ${skipped} files need the emulated driver`}` : failed.join('\n')
    this.note(name, failed.length === 0 ? 'passed' : 'failed', (Date.now() - started) / 1000, detail)
  }

  /** A part of parts.ts; undefined when it failed. */
  async part<T>(name: Part, options: PartOptions, seconds: number, detail: (rows: T) => string): Promise<T | undefined> {
    const command = [process.execPath, fileURLToPath(new URL('./parts.js', import.meta.url)), name, JSON.stringify({ ...options, limit: seconds })]
    const ran = await run(command, seconds + 20, this.env)
    const text = lastLines(ran.output, 1)
    if (ran.code !== 0) {
      this.note(name, 'failed', ran.seconds, ran.late ? `stopped after ${seconds + 20} s` : text)
      return undefined
    }
    const rows = JSON.parse(text) as T
    this.print(ran.output.trim().split('\n').slice(0, -1).join('\n'))
    this.note(name, 'passed', ran.seconds, detail(rows))
    return rows
  }
}

const has = async (program: string, ...args: string[]): Promise<boolean> => (await run([program, ...args], 60, process.env)).code === 0

async function pythonWithTorch(given: string | undefined): Promise<string | undefined> {
  for (const python of given === undefined ? ['python3'] : [given]) if (await has(python, '-c', 'import torch')) return python
  return undefined
}

const testFiles = (wanted?: RegExp): string[] =>
  readdirSync('.build/test/cuda')
    .filter((file) => file.endsWith('.test.js') && (wanted === undefined || wanted.test(file)))
    .map((file) => join('.build/test/cuda', file))

/** Gives the exit code: 0 when no step failed. */
export async function gpuCheck(argv: readonly string[], print: (text: string) => void): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      help: { type: 'boolean', default: false },
      kits: { type: 'string' },
      models: { type: 'string' },
      filter: { type: 'string', default: '' },
      python: { type: 'string' },
      steps: { type: 'string', default: stepNames.join(',') },
      emulated: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  })
  if (values.help) {
    print(usage.trimEnd())
    return 0
  }
  const steps = values.steps.split(',')
  const wrong = steps.find((step) => !stepNames.includes(step as StepName))
  if (wrong !== undefined) throw new Error(`Expected some of ${stepNames.join(', ')} for \`--steps\` but received ${wrong}`)
  const emulated = values.emulated
  const driver = resolve('build/emulated/libcuda_emulated.so')
  const env = { ...process.env, ...(emulated ? { TORCHSCRIPT_CUDA_DRIVER: driver } : { TORCHSCRIPT_TEST_GPU: '1' }) }
  const check = new Check(env, print)
  const cores = availableParallelism()
  const wanted = (step: StepName): boolean => steps.includes(step)

  if (wanted('build')) {
    // What is built already is only checked; a folder without its build tools keeps what it has.
    if (existsSync('node_modules/node-gyp')) await check.program('addon', [process.execPath, 'scripts/build-native.mjs'], limits.build, () => '')
    else check.note('addon', existsSync('build/Release/torchscript.node') ? 'skipped' : 'failed', 0, 'node-gyp is not installed')
    if (emulated) await check.program('kernels', [process.execPath, 'scripts/build-emulated.mjs'], limits.build, (out) => lastLines(out, 1))
    else await check.program('kernels', [process.execPath, 'scripts/build-cuda.mjs'], limits.build, (out) => lastLines(out, 1))
  }
  const folder = values.models ?? 'bench/models/out'
  const python = emulated && values.python === undefined ? undefined : await pythonWithTorch(values.python)
  const options: PartOptions = {
    python,
    torchModes: ['eager', 'jit', 'compile'] satisfies TorchMode[],
    side: emulated ? 32 : 8192,
    sizes: emulated ? [32] : [1024, 2048, 4096, 8192],
    folder: resolve(folder),
    filter: values.filter,
    dtypes: emulated ? ['float32'] : ['float32', 'float16'],
    batches: emulated ? [1] : [1, 8, 32],
    seconds: emulated ? 0.01 : 0.3,
    limit: 60,
  }
  const device = await check.part<Record<string, unknown>>('device', options, 30, (d) => `${String(d.name)}, ${String(d.kernels)} kernels`)
  let bandwidth: BandwidthRow[] = []
  let products: ProductRow[] = []
  let models: GpuModelRow[] = []
  if (device !== undefined) {
    if (wanted('tests')) await check.tests('tests', testFiles(emulated ? /^pool/ : undefined), [], limits.tests, Math.min(8, cores))
    if (wanted('kits')) {
      const kits = values.kits ?? '../shared/conformance'
      if (!existsSync(kits)) check.note('kits', 'skipped', 0, `${kits} is not there`)
      else
        for (const kit of ['modules', 'zoo']) {
          const found = readdirSync(kits).filter((name) => name === kit || name.startsWith(`${kit}.tar`))
          if (found.length === 0) check.note(`kit ${kit}`, 'skipped', 0, `${kits} has none`)
          else {
            const command = [process.execPath, '.build/scripts/conformance.js', join(kits, found[0]), '--device', 'cuda', '--jobs', String(Math.min(8, cores))]
            await check.program(`kit ${kit}`, command, limits.kits, (out) => lastLines(out.replace(/^\d.*slowest:.*$/m, ''), 2))
          }
        }
    }
    if (wanted('sanitizer')) {
      if (!(await has('compute-sanitizer', '--version'))) check.note('sanitizer', 'skipped', 0, 'compute-sanitizer is not installed')
      else {
        check.env.TORCHSCRIPT_CUDA_ALLOCATOR = 'exact'
        const before = ['compute-sanitizer', '--target-processes', 'all', '--error-exitcode', '9', '--log-file', '/dev/stdout']
        await check.tests('sanitizer', testFiles(/^(norm|pool|attention|reduce)/), before, limits.sanitizer, Math.min(4, cores))
        delete check.env.TORCHSCRIPT_CUDA_ALLOCATOR
      }
    }
    if (wanted('bandwidth')) bandwidth = (await check.part<BandwidthRow[]>('bandwidth', options, limits.bandwidth, (r) => `${r.length} kernels`)) ?? []
    if (wanted('products')) products = (await check.part<ProductRow[]>('products', options, limits.products, (r) => `${r.length} products`)) ?? []
    if (wanted('models')) {
      if (!existsSync(folder) && python !== undefined)
        await check.program('make models', [python, 'bench/models/make_models.py', '--no-onnx', '--out', folder], limits.build, () => folder)
      if (!existsSync(folder)) check.note('models', 'skipped', 0, `${folder} is not there, and no Python with PyTorch to make them`)
      else models = (await check.part<GpuModelRow[]>('models', options, limits.models, (r) => `${r.length} rows`)) ?? []
    }
  }
  const { versions } = describeMachine({})
  const results: GpuResults = { format: 1, date: new Date().toISOString(), device: device ?? {}, versions, steps: check.steps, bandwidth, products, models }
  const json = values.json ?? `bench/results/gpu-${results.date.slice(0, 19).replace(/:/g, '')}.json`
  writeGpuResults(json, results)
  print(`\n${gpuReport(results)}\n\nwritten: ${json}`)
  return check.steps.some((step) => step.outcome === 'failed') ? 1 : 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = await gpuCheck(process.argv.slice(2), (text) => void process.stdout.write(`${text}\n`))
  } catch (error) {
    process.stderr.write(`gpu:check: ${(error as Error).message}\n`)
    process.exitCode = 1
  }
}
