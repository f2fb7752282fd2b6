// `npm run bench`: models and kernels, comparing files of results, and drawing one.
import { existsSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { benchKernels } from './kernels.js'
import { benchMemory, benchModels, defaultFolder } from './models.js'
import { measureOverhead, overheadLines } from './overhead.js'
import { variants, type Variant } from './harness/prepare.js'
import { torchModes, type TorchMode } from './harness/pytorch.js'
import { compareTable, resultTable } from './harness/report.js'
import { readResults, type Results } from './harness/results.js'
import { ratioChart } from './harness/svg.js'

const usage = `Usage: npm run bench -- [options]

  Models, interleaved with the peers, then kernels; results go to bench/results.
    --models <folder>    NAME.pt, NAME.onnx and NAME.io.pt; default bench/models/out, which bench/models/make_models.py fills
    --kernels            kernels alone
    --no-kernels         models alone; as when --models or --filter is given
    --filter <texts>     only what has one of these texts in its name, separated by commas
    --threads <list>     such as 1,2; default 1
    --seconds <n>        for each model and thread count; default 6
    --ours <list>        optimized (default), as-loaded, or modes of torch.compile: default, reduce-overhead, max-autotune,
                         float16, bfloat16; the ratios are of the first
    --as-loaded          the same as --ours as-loaded
    --python <program>   a Python with PyTorch, for the peers torch eager, jit, frozen and compile
    --torch <list>       which of these; default all four
    --limit <seconds>    for one step of a peer, such as compiling; default 300
    --no-ort             without onnxruntime-node
    --quick              without the limits of the machine and without memory
    --no-memory          without the processes that measure peak memory
    --memory             only these, and a table of what they say
    --json <file>        where the results go; default bench/results/run-<date>.json
  TORCHSCRIPT_ISA=scalar|avx2|avx512 chooses our kernels.

  --compare A B          two files of results side by side
  --table FILE           a file of results as Markdown
  --svg FILE             draws the ratios of a file of results
    --output <file>      default docs/bench-ratios.svg
`

function list(text: string, name: string, allowed?: readonly string[]): string[] {
  const items = text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
  const wrong = items.find((item) => allowed !== undefined && !allowed.includes(item))
  if (items.length === 0 || wrong !== undefined)
    throw new Error(
      `Expected ${allowed === undefined ? 'a list' : `some of ${allowed.join(', ')}`} for \`${name}\` but received ${wrong ?? text}`,
    )
  return items
}

function positive(text: string, name: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new Error(`Expected a positive number for \`${name}\` but received ${text}`)
  return value
}

const file = (positionals: readonly string[], count: number, option: string): readonly string[] => {
  if (positionals.length !== count) throw new Error(`Expected ${count} files for \`${option}\` but received ${positionals.length}`)
  return positionals
}

async function run(argv: readonly string[], print: (text: string) => void): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      help: { type: 'boolean', default: false },
      models: { type: 'string' },
      kernels: { type: 'boolean', default: false },
      'no-kernels': { type: 'boolean', default: false },
      filter: { type: 'string', default: '' },
      threads: { type: 'string', default: '1' },
      seconds: { type: 'string', default: '6' },
      ours: { type: 'string', default: 'optimized' },
      'as-loaded': { type: 'boolean', default: false },
      python: { type: 'string' },
      torch: { type: 'string', default: torchModes.join(',') },
      limit: { type: 'string', default: '300' },
      'no-ort': { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      'no-memory': { type: 'boolean', default: false },
      memory: { type: 'boolean', default: false },
      json: { type: 'string' },
      compare: { type: 'boolean', default: false },
      table: { type: 'boolean', default: false },
      svg: { type: 'boolean', default: false },
      output: { type: 'string', default: 'docs/bench-ratios.svg' },
    },
  })
  if (values.help) return print(usage.trimEnd())
  if (values.compare) {
    const [a, b] = file(positionals, 2, '--compare').map(readResults)
    return print(compareTable(a, b))
  }
  if (values.table) return print(resultTable(readResults(file(positionals, 1, '--table')[0])))
  if (values.svg) {
    writeFileSync(values.output, ratioChart(readResults(file(positionals, 1, '--svg')[0])))
    return print(`written: ${values.output}`)
  }
  file(positionals, 0, 'bench')
  const threads = list(values.threads, '--threads').map((text) => positive(text, '--threads'))
  const seconds = positive(values.seconds, '--seconds')
  const ours = (values['as-loaded'] ? ['as-loaded'] : list(values.ours, '--ours', variants)) as Variant[]
  const modes = list(values.torch, '--torch', torchModes) as TorchMode[]
  const limit = positive(values.limit, '--limit')
  const json = values.json ?? `bench/results/run-${new Date().toISOString().slice(0, 19).replace(/:/g, '')}.json`
  const limits = !values.quick
  let results: Results | undefined
  if (!values.kernels) {
    const folder = values.models ?? defaultFolder
    if (values.models === undefined && !existsSync(folder))
      throw new Error(
        'Expected models in bench/models/out, which bench/models/make_models.py makes, or a folder for `--models`; --kernels needs none',
      )
    if (values.memory)
      return void (await benchMemory({
        folder,
        filter: values.filter,
        threads,
        ours,
        onnxruntime: !values['no-ort'],
        torchModes: modes,
        python: values.python,
        print,
      }))
    results = await benchModels({
      folder,
      filter: values.filter,
      threads,
      seconds,
      ours,
      onnxruntime: !values['no-ort'],
      torchModes: modes,
      python: values.python,
      limit,
      memory: !values.quick && !values['no-memory'],
      limits,
      json,
      print,
    })
  }
  const alone = values.models !== undefined || values.filter !== '' || values['no-kernels']
  if (values.kernels && values.filter === '') for (const line of overheadLines(measureOverhead())) print(line)
  if (values.kernels || !alone) benchKernels({ filter: values.filter, threads, limits, json, before: results, print })
}

const lineTo =
  (stream: NodeJS.WriteStream) =>
  (text: string): void =>
    void stream.write(`${text}\n`)

/** Gives the exit code. */
export async function main(argv: readonly string[], print = lineTo(process.stdout), complain = lineTo(process.stderr)): Promise<number> {
  try {
    await run(argv, print)
    return 0
  } catch (error) {
    complain(`bench: ${(error as Error).message}`)
    return 1
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2))
