// Builds build/emulated/libcuda_emulated.so: an emulated CUDA driver with all kernels of native/cuda/kernels compiled as C++, for tests on machines
// without a GPU (docs/cuda.md). Incremental; uses ccache when it is installed. Writes torchscript.cuda beside it, the list of its kernels.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, join } from 'node:path'
import { kernelFile, kernelNames, kernelSources } from './cuda-sources.mjs'

const out = 'build/emulated'
const library = join(out, 'libcuda_emulated.so')
mkdirSync(out, { recursive: true })
const compiler = process.env.CXX?.split(' ') ?? (spawnSync('ccache', ['--version'], { stdio: 'ignore' }).status === 0 ? ['ccache', 'g++'] : ['g++'])
const flags = ['-std=c++20', '-O1', '-fPIC', '-fvisibility=hidden', '-ffp-contract=off', '-fno-math-errno', '-fno-strict-aliasing', '-w', '-Wno-psabi']
const includes = ['-Inative', '-Itest/cuda/emulation']

/** The chip whose instructions a file has. Templates of files for older chips are others than those of the same names: they get a namespace of their own. */
const chipOf = (file) => {
  const chip = Number(/^\/\/ archs: sm_(\d+)/m.exec(readFileSync(file, 'utf8'))?.[1] ?? 80)
  return [`-DTS_CUDA_CHIP=${chip}`, ...(chip < 80 ? [`-Dcuda=cuda_${chip}`] : [])]
}
const units = [
  ...readdirSync('test/cuda/emulation').filter((f) => f.endsWith('.cc')).map((f) => ({ file: join('test/cuda/emulation', f), extra: [] })),
  ...kernelSources().map((file) => ({ file, extra: ['-x', 'c++', '-DTS_CUDA_EMULATED', ...chipOf(file)] })),
]
/** Is the object newer than everything it was made from? */
const isFresh = (object, depends) => {
  if (!existsSync(object) || !existsSync(depends)) return false
  const made = statSync(object).mtimeMs
  const files = readFileSync(depends, 'utf8').replace(/\\\n/g, ' ').split(':').slice(1).join(':').split(/\s+/).filter(Boolean)
  return files.every((f) => existsSync(f) && statSync(f).mtimeMs <= made)
}
const objects = units.map(({ file, extra }) => {
  const object = join(out, `${basename(file)}.o`)
  return { file, extra, object, depends: `${object}.d` }
})
const waiting = objects.filter(({ object, depends }) => !isFresh(object, depends))
const compile = ({ file, extra, object, depends }) =>
  new Promise((resolve, reject) => {
    const [command, ...first] = compiler
    spawn(command, [...first, ...flags, ...includes, ...extra, '-MMD', '-MF', depends, '-c', file, '-o', object], { stdio: 'inherit' }).on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${file} does not compile for the emulator.`)),
    )
  })
const workers = Array.from({ length: availableParallelism() }, async () => {
  for (let unit = waiting.shift(); unit !== undefined; unit = waiting.shift()) await compile(unit)
})
const changed = waiting.length > 0 || !existsSync(library)
await Promise.all(workers)
if (changed || objects.some(({ object }) => statSync(object).mtimeMs > statSync(library).mtimeMs)) {
  const command = compiler.filter((word) => word !== 'ccache')
  // Kernel names may be those of the C library: calls inside stay inside.
  execFileSync(command[0], [...command.slice(1), '-shared', '-Wl,-Bsymbolic', '-o', library, ...objects.map((o) => o.object), '-lpthread'], { stdio: 'inherit' })
}
const names = kernelSources().flatMap((file) => kernelNames(file))
writeFileSync(join(out, 'torchscript.cuda'), kernelFile([{ name: 'emulated', kernels: names, bytes: Buffer.from('emulated\0') }]))
console.log(`${library}: ${names.length} kernels`)
