import t from 'tap'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { planOf } from './programs.js'
import { random, randomProgram } from './random-programs.js'

const objects = 'build/Release/obj.target'
const compiler = process.env.CXX ?? 'g++'
const work = mkdtempSync(join(tmpdir(), 'torchscript-replay-'))
t.teardown(() => rmSync(work, { recursive: true }))

/** The object files below a folder that the addon was built from. */
const objectsIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? objectsIn(path) : path.endsWith('.o') ? [path] : []
  })

function obstacle(): string | undefined {
  if (process.platform !== 'linux') return 'it counts allocations as glibc lets it'
  if (!existsSync(join(objects, 'torchscript/native/core'))) return 'the addon was not built here'
  return spawnSync(compiler, ['--version']).status === 0 ? undefined : `${compiler} is not installed`
}
const skip = obstacle() ?? false

const program = join(work, 'replay')
const replay = (...args: string[]): string[] => execFileSync(program, args, { encoding: 'utf8' }).trim().split('\n')
const written = (name: string, text: string): string => {
  const path = join(work, name)
  writeFileSync(path, planOf(text))
  return path
}
const chain = `graph(%a : Tensor, %b : Tensor, %c : Tensor):
  %one : int = prim::Constant[value=1]()
  %x : Tensor = aten::add(%a, %b, %one)
  %y : Tensor = aten::mm(%x, %c)
  %z : Tensor = aten::tanh(%y)
  %p : Tensor = aten::mul(%z, %x)
  %v : Tensor = aten::t(%p)
  %s : Tensor = aten::softmax(%v, %one, %none)
  return (%s)`.replace('  %one', '  %none : NoneType = prim::Constant()\n  %one')

t.test('the program is built from the objects of the addon', { skip }, (t) => {
  const kernels = readdirSync(objects).filter((name) => /^kernels_\w+\.a$/.test(name))
  execFileSync(compiler, [
    ...['-std=c++20', '-Inative', '-Inative/include', '-DTS_HAVE_X86_KERNELS=1', 'test/native/replay.cc', '-o', program],
    ...objectsIn(join(objects, 'torchscript/native/core')),
    ...objectsIn(join(objects, 'torchscript/native/cpu-avx')),
    ...kernels.map((name) => join(objects, name)),
    ...['-lpthread', '-ldl'],
  ])
  t.ok(existsSync(program))
  t.end()
})

t.test('a replay allocates nothing', { skip }, (t) => {
  t.same(replay('allocations', written('chain', chain)), ['recorded 0'])
  t.end()
})

t.test('random programs: a replay allocates no more than what its list of results needs', { skip }, (t) => {
  const plans = Array.from({ length: 20 }, (_, i) => written(String(i), randomProgram(random(i + 1))))
  const lines = replay('allocations', ...plans)
  t.equal(lines.length, 20)
  // The list and its items, ten times.
  for (const line of lines) t.match(line, /^(dynamic \d+|recorded (0|10|20))$/)
  t.ok(lines.some((line) => line.startsWith('recorded')))
  t.end()
})

t.test('many callers share the threads of the pool', { skip }, (t) => {
  // The main thread, eight callers and two workers for a pool of three.
  t.same(replay('threads', written('chain', chain)), ['11'])
  t.end()
})

t.test('runs at a time leave the pool no more helpers than threads are left', { skip }, (t) => {
  t.same(replay('busy'), ['help', 'no more'])
  t.end()
})
