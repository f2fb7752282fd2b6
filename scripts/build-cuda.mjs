// `npm run build:cuda`: compiles native/cuda/kernels with nvcc into build/Release/torchscript.cuda, beside the addon (docs/cuda.md). Without nvcc nothing is
// built, which is said. A file is compiled again when it, what it includes or its flags changed: results are kept by content in build/cuda.
//
//   --check   compiles for the oldest and the newest chip, and compares registers, spills, stack frames and shared memory of each kernel with
//             native/cuda/kernels/resources.txt (BLESS=1 rewrites it; registers and frames count with the same nvcc only); what ptxas says of lost speed
//             is an error; writes no file beside the addon
//   --arch sm_80,sm_90   only these architectures, for a quick look; writes no file beside the addon
//
// A kernel file may say `// archs: sm_90a` to be compiled for these alone. Others are compiled to one PTX (compute_75, or `// ptx: compute_80`), which
// ptxas assembles for each chip, and for the latest to PTX that later chips' drivers compile.
import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { builtKernels, kernelFile, kernelNames, kernelSources } from './cuda-sources.mjs'

const args = process.argv.slice(2)
const checks = args.includes('--check')
const only = args.includes('--arch') ? args[args.indexOf('--arch') + 1].split(',') : checks ? ['sm_75', 'sm_90', 'sm_90a'] : undefined
const table = 'native/cuda/kernels/resources.txt'
/** The chips that kernels are assembled for. */
const chips = ['sm_75', 'sm_80', 'sm_86', 'sm_89', 'sm_90']

const version = spawnSync('nvcc', ['--version'], { encoding: 'utf8' })
if (version.status !== 0) {
  console.log('nvcc is not installed: the CUDA kernels are left out, and CUDA devices cannot be used. Everything else works.')
  process.exit(0)
}

/** The text of a file and of everything in the project that it includes. */
function textOf(file, seen = new Set()) {
  if (seen.has(file)) return ''
  seen.add(file)
  const text = readFileSync(file, 'utf8')
  let all = text
  for (const [, target] of text.matchAll(/#include\s+"([^"]+)"/g)) {
    const path = [join('native/cuda/kernels/device', target), join('native', target), join(dirname(file), target)].find((p) => existsSync(p))
    if (path !== undefined) all += textOf(path, seen)
  }
  return all
}

function flagsOf(text) {
  const archs = /^\/\/ archs: (.+)$/m.exec(text)?.[1].split(/\s+/)
  const ptx = /^\/\/ ptx: (compute_\w+)$/m.exec(text)?.[1] ?? 'compute_75'
  const chipNumber = (name) => Number(/\d+/.exec(name)[0])
  const common = ['-std=c++20', '-O3', '-Inative/cuda/kernels/device', '-Inative', '-fmad=false', '-Xptxas', '-v', '-fatbin', '-compress-mode=size']
  // Expressions of the pointwise family round as the CPU's do; other kernels contract.
  if (!/pointwise\.cuh/.test(text)) common[common.indexOf('-fmad=false')] = '-fmad=true'
  if (archs !== undefined) {
    const wanted = archs.filter((a) => only === undefined || only.includes(a))
    return { flags: [...common, ...wanted.flatMap((a) => ['-gencode', `arch=${a.replace('sm_', 'compute_')},code=${a}`])], count: wanted.length }
  }
  const wanted = chips.filter((c) => (only === undefined || only.includes(c)) && chipNumber(c) >= chipNumber(ptx))
  const codes = only === undefined ? [...wanted, ptx] : wanted
  return { flags: [...common, '-gencode', `arch=${ptx},code=[${codes.join(',')}]`], count: wanted.length }
}

mkdirSync('build/cuda', { recursive: true })
const compile = (file) =>
  new Promise((resolve, reject) => {
    const text = textOf(file)
    const { flags, count } = flagsOf(readFileSync(file, 'utf8'))
    if (count === 0) return resolve(undefined)
    const key = createHash('sha256').update(version.stdout).update(flags.join(' ')).update(text).digest('hex').slice(0, 24)
    const out = join('build/cuda', `${basename(file, '.cu')}-${key}.fatbin`)
    const log = `${out}.txt`
    const done = (fresh) => resolve({ name: basename(file, '.cu'), out, log: readFileSync(log, 'utf8'), fresh })
    if (existsSync(out) && existsSync(log)) return done(false)
    const started = Date.now()
    execFile('nvcc', [...flags, '-o', `${out}.part`, file], { encoding: 'utf8', maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      if (error !== null) {
        const lines = stderr.split('\n').filter((l) => !l.startsWith('ptxas info'))
        return reject(new Error(`${file} does not compile:\n${lines.join('\n')}`))
      }
      writeFileSync(log, stdout + stderr)
      writeFileSync(out, readFileSync(`${out}.part`))
      console.log(`${file}: ${((Date.now() - started) / 1000).toFixed(1)} s`)
      done(true)
    })
  })

const waiting = kernelSources()
const built = []
await Promise.all(
  Array.from({ length: Math.min(availableParallelism(), 4) }, async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const result = await compile(file)
      if (result !== undefined) built.push(result)
    }
  }),
)
built.sort((a, b) => (a.name < b.name ? -1 : 1))

/** Registers, spills, stack frames and shared memory by kernel and chip, from what ptxas says. */
function resourcesOf(log) {
  const rows = []
  let current
  for (const line of log.split('\n')) {
    const entry = /Compiling entry function '(\w+)' for '(\w+)'/.exec(line)
    if (entry !== null) current = { kernel: entry[1], chip: entry[2], spill: 0, stack: 0 }
    const spill = /(\d+) bytes spill stores, (\d+) bytes spill loads/.exec(line)
    if (spill !== null && current !== undefined) current.spill = Number(spill[1]) + Number(spill[2])
    const stack = /(\d+) bytes stack frame/.exec(line)
    if (stack !== null && current !== undefined) current.stack = Number(stack[1])
    const used = /Used (\d+) registers/.exec(line)
    if (used !== null && current !== undefined) {
      rows.push({ ...current, registers: Number(used[1]), shared: Number(/(\d+) bytes smem/.exec(line)?.[1] ?? 0) })
      current = undefined
    }
  }
  return rows
}
const resources = built.flatMap(({ log }) => resourcesOf(log))

/** The table's lines: one a kernel; pointwise kernels are many and alike, so that only the most of each file counts. */
function tableLines() {
  const lines = []
  for (const { name, log } of built) {
    const rows = resourcesOf(log)
    const summary = (kernel, list) => {
      const of = (key) => Math.max(...list.map((r) => r[key]))
      return `${kernel} registers ${of('registers')} spill ${of('spill')} stack ${of('stack')} shared ${of('shared')}`
    }
    if (name.startsWith('pointwise_')) lines.push(summary(`${name}*`, rows))
    else for (const kernel of new Set(rows.map((r) => r.kernel))) lines.push(summary(kernel, rows.filter((r) => r.kernel === kernel)))
  }
  return lines.sort()
}

if (checks) {
  const compiler = /V(\d+\.\d+)/.exec(version.stdout)?.[1] ?? 'unknown'
  const head = '# Most registers, spilled bytes and bytes of local arrays a thread, and static shared memory a block, on sm_75 and sm_90. npm run build:cuda -- --check; BLESS=1 rewrites.'
  const lines = tableLines()
  if (process.env.BLESS) writeFileSync(table, `${head}\n# nvcc ${compiler}\n${lines.join('\n')}\n`)
  const known = existsSync(table) ? readFileSync(table, 'utf8').trim().split('\n') : []
  // Another compiler gives other registers. What it spills, and the shared memory that the source declares, should be the same.
  const sameCompiler = known.includes(`# nvcc ${compiler}`)
  const comparable = (line) => (sameCompiler ? line : line.replace(/ registers \d+/, '').replace(/ stack \d+/, ''))
  const before = new Set(known.filter((line) => !line.startsWith('#')).map(comparable))
  const after = new Set(lines.map(comparable))
  const wrong = [...[...before].filter((line) => !after.has(line)).map((line) => `- ${line}`), ...[...after].filter((line) => !before.has(line)).map((line) => `+ ${line}`)]
  // The emulated driver takes the names from the sources.
  const compiled = new Set(resources.map((r) => r.kernel))
  const declared = new Set(kernelSources().flatMap((file) => kernelNames(file)))
  for (const name of compiled) if (!declared.has(name)) wrong.push(`${name} is compiled, but kernelNames of scripts/cuda-sources.mjs does not find it`)
  // Products of a warpgroup that wait for one another.
  for (const { name, log } of built) for (const line of log.split('\n')) if (line.includes('Potential Performance Loss')) wrong.push(`${name}: ${line.trim()}`)
  for (const line of wrong) console.log(line)
  if (wrong.length > 0) {
    console.log(`Expected the resources of ${table}. BLESS=1 rewrites it.`)
    process.exitCode = 1
  } else console.log(`${compiled.size} kernels compile for sm_75 and sm_90 with the registers, spills, stack frames and shared memory of ${table}.`)
}

if (only === undefined) {
  const images = built.map(({ name, out, log }) => ({
    name,
    kernels: [...new Set(resourcesOf(log).map((r) => r.kernel))].sort(),
    bytes: readFileSync(out),
  }))
  mkdirSync(dirname(builtKernels), { recursive: true })
  const bytes = kernelFile(images)
  writeFileSync(builtKernels, bytes)
  console.log(`${builtKernels}: ${new Set(resources.map((r) => r.kernel)).size} kernels, ${(bytes.length / 1e6).toFixed(1)} MB`)
}
