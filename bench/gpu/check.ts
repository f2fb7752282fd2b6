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
import { rowMark, type Part, type PartOptions } from './parts.js'
import { gpuReport, writeGpuResults, type BandwidthRow, type GpuModelRow, type GpuResults, type ProductRow, type Step, type WgmmaRow } from './results.js'

const usage = `Usage: npm run gpu:check -- [options]

    --kits <folder>      conformance kits, zoo and modules of which run; default ../shared/conformance where it is
    --models <folder>    NAME.pt and NAME.io.pt; default bench/models/out, which a Python with PyTorch fills when it is empty
    --filter <texts>     only models with one of these texts in their names, separated by commas
    --python <program>   a Python with PyTorch, for the peers; default python3 where it has PyTorch
    --steps <list>       of build, wgmma, tests, products, models, kits, bandwidth, sanitizer, batches; default all, in this order
    --seconds <number>   for everything; default 470
    --emulated           on the emulated driver of the tests, with small sizes: checks this program
    --json <file>        where the results go; default bench/results/gpu-<date>.json
`
const stepNames = ['build', 'wgmma', 'tests', 'products', 'models', 'kits', 'bandwidth', 'sanitizer', 'batches'] as const
type StepName = (typeof stepNames)[number]

/**
 * Seconds that each program of a step may take; `kits` are two programs. They come in the order of `stepNames`, what matters most first, and all have
 * `--seconds` together: what is left then is not run, and what was measured is in the file.
 */
const limits: Readonly<Record<StepName, number>> = {
  build: 150,
  wgmma: 20,
  tests: 60,
  products: 45,
  models: 90,
  kits: 50,
  bandwidth: 20,
  sanitizer: 40,
  batches: 90,
}
/** What a program that must not be started with less needs. */
const leastSeconds = 5

interface Ran {
  readonly code: number | null
  readonly output: string
  readonly seconds: number
  readonly late: boolean
}

/** Runs a program for at most so many seconds; its process group ends with it. `line` gets the lines that it prints as they come. */
function run(command: readonly string[], seconds: number, env: NodeJS.ProcessEnv, line?: (line: string) => void): Promise<Ran> {
  const started = Date.now()
  return new Promise((done) => {
    const child = spawn(command[0], command.slice(1), { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    let output = ''
    const keep = (chunk: Buffer): void => void (output = (output + chunk.toString()).slice(-4_000_000))
    let begun = ''
    child.stdout.on('data', (chunk: Buffer) => {
      keep(chunk)
      if (line === undefined) return
      const lines = (begun + chunk.toString()).split('\n')
      begun = lines.pop()!
      for (const text of lines) line(text)
    })
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
  readonly #end: number
  constructor(
    readonly env: NodeJS.ProcessEnv,
    readonly print: (text: string) => void,
    seconds: number,
    /** Something new is known. */
    readonly changed: () => void,
  ) {
    this.#end = Date.now() + 1000 * seconds
  }

  /** Seconds for a program that may take so many; undefined, and noted, when there are too few. */
  #within(name: string, seconds: number): number | undefined {
    const left = (this.#end - Date.now()) / 1000
    if (left >= leastSeconds) return Math.min(seconds, left)
    this.note(name, 'skipped', 0, 'the time was over')
    return undefined
  }

  note(name: string, outcome: Step['outcome'], seconds: number, detail: string): void {
    this.steps.push({ name, outcome, seconds, detail })
    this.changed()
    this.print(`${name}: ${outcome} after ${seconds.toFixed(0)} s${detail === '' ? '' : ` (${detail.replace(/\s*\n\s*/g, '; ')})`}`)
  }

  /** A step that is one program. `detail` reads what it counted from what it printed. */
  async program(name: string, command: readonly string[], most: number, detail: (output: string) => string): Promise<void> {
    const seconds = this.#within(name, most)
    if (seconds === undefined) return
    const ran = await run(command, seconds, this.env)
    const ok = ran.code === 0
    const why = ran.late ? `stopped after ${seconds.toFixed(0)} s; ${lastLines(ran.output, 1)}` : lastLines(ran.output, 5)
    this.note(name, ok ? 'passed' : 'failed', ran.seconds, ok ? detail(ran.output) : why)
  }

  /** Test files, some at once. */
  async tests(name: string, files: readonly string[], before: readonly string[], most: number, atOnce: number): Promise<void> {
    const seconds = this.#within(name, most)
    if (seconds === undefined) return
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

  /** A part of parts.ts, whose rows are given as they come. Whether it came to its end. */
  async part<T>(name: string, part: Part, options: PartOptions, most: number, add: (row: T) => void, env: NodeJS.ProcessEnv = {}): Promise<boolean> {
    const seconds = this.#within(name, most)
    if (seconds === undefined) return false
    const command = [process.execPath, fileURLToPath(new URL('./parts.js', import.meta.url)), part, JSON.stringify({ ...options, limit: seconds })]
    let rows = 0
    const ran = await run(command, seconds, { ...this.env, ...env }, (line) => {
      if (!line.startsWith(rowMark)) return this.print(line)
      add(JSON.parse(line.slice(rowMark.length)) as T)
      rows++
      this.changed()
    })
    const count = `${rows} row${rows === 1 ? '' : 's'}`
    // What was measured counts, also where there was no time for the rest.
    if (ran.code === 0 || (ran.late && rows > 0)) this.note(name, 'passed', ran.seconds, ran.late ? `${count}; stopped after ${seconds.toFixed(0)} s` : count)
    else this.note(name, 'failed', ran.seconds, `${count}; ${ran.late ? `stopped after ${seconds.toFixed(0)} s` : lastLines(ran.output, 1)}`)
    return ran.code === 0
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
      seconds: { type: 'string', default: '470' },
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
  const seconds = Number(values.seconds)
  if (!(seconds > 0)) throw new Error(`Expected a number of seconds for \`--seconds\` but received ${values.seconds}`)
  const date = new Date().toISOString()
  const json = values.json ?? `bench/results/gpu-${date.slice(0, 19).replace(/:/g, '')}.json`
  const { versions } = describeMachine({})
  const bandwidth: BandwidthRow[] = []
  const products: ProductRow[] = []
  const models: GpuModelRow[] = []
  const wgmma: WgmmaRow[] = []
  let device: Record<string, unknown> | undefined
  const results = (): GpuResults => ({ format: 1, date, device: device ?? {}, versions, steps: check.steps, bandwidth, products, models, wgmma })
  const check: Check = new Check(env, print, seconds, () => writeGpuResults(json, results()))
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
    torchModes: ['compile', 'eager', 'jit'] satisfies TorchMode[],
    side: emulated ? 32 : 8192,
    sizes: emulated ? [32] : [1024, 2048, 4096, 8192],
    folder: resolve(folder),
    filter: values.filter,
    dtypes: emulated ? ['float32'] : ['float16', 'float32'],
    batches: [1],
    seconds: emulated ? 0.01 : 0.3,
    limit: 60,
  }
  await check.part<Record<string, unknown>>('device', 'device', options, 30, (d) => (device = d))
  if (device !== undefined) {
    if (wanted('wgmma')) {
      // In processes of their own: what is wrong there may hang, or take the device's context with it. Then the other steps do without.
      const ended = await check.part<WgmmaRow>('wgmma', 'halves', options, limits.wgmma, (row) => wgmma.push(row), { TORCHSCRIPT_CUDA_WGMMA: '1' })
      const some = wgmma.some((row) => row.kernel.includes('wgmma'))
      const wrong = wgmma.filter((row) => !row.right).map((row) => `${row.dtype} ${row.shape}`)
      if (some) await check.part<WgmmaRow>('mma.sync', 'halves', options, limits.wgmma, (row) => wgmma.push(row), { TORCHSCRIPT_CUDA_WGMMA: '0' })
      if (!ended || wrong.length > 0) {
        check.note('wgmma is right', 'failed', 0, `${wrong.join(', ') || 'it did not end'}; the other steps run with TORCHSCRIPT_CUDA_WGMMA=0`)
        check.env.TORCHSCRIPT_CUDA_WGMMA = '0'
      } else check.note('wgmma is right', some ? 'passed' : 'skipped', 0, some ? '' : 'this device has none')
    }
    if (wanted('tests')) await check.tests('tests', testFiles(emulated ? /^pool/ : undefined), [], limits.tests, Math.min(8, cores))
    if (wanted('products')) await check.part<ProductRow>('products', 'products', options, limits.products, (row) => products.push(row))
    const hasModels = async (): Promise<boolean> => {
      if (!existsSync(folder) && python !== undefined)
        await check.program('make models', [python, 'bench/models/make_models.py', '--no-onnx', '--out', folder], limits.build, () => folder)
      if (!existsSync(folder)) check.note('models', 'skipped', 0, `${folder} is not there, and no Python with PyTorch to make them`)
      return existsSync(folder)
    }
    const measured = (wanted('models') || wanted('batches')) && (await hasModels())
    if (wanted('models') && measured) await check.part<GpuModelRow>('models', 'models', options, limits.models, (row) => models.push(row))
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
    if (wanted('bandwidth')) await check.part<BandwidthRow>('bandwidth', 'bandwidth', options, limits.bandwidth, (row) => bandwidth.push(row))
    if (wanted('sanitizer')) {
      if (!(await has('compute-sanitizer', '--version'))) check.note('sanitizer', 'skipped', 0, 'compute-sanitizer is not installed')
      else {
        check.env.TORCHSCRIPT_CUDA_ALLOCATOR = 'exact'
        const before = ['compute-sanitizer', '--target-processes', 'all', '--error-exitcode', '9', '--log-file', '/dev/stdout']
        await check.tests('sanitizer', testFiles(/^(norm|pool|attention|reduce)/), before, limits.sanitizer, Math.min(4, cores))
        delete check.env.TORCHSCRIPT_CUDA_ALLOCATOR
      }
    }
    if (wanted('batches') && measured)
      await check.part<GpuModelRow>('batches', 'models', { ...options, batches: emulated ? [2] : [8, 32] }, limits.batches, (row) => models.push(row))
  }
  writeGpuResults(json, results())
  print(`\n${gpuReport(results())}\n\nwritten: ${json}`)
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
