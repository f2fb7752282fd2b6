import t from 'tap'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as torch from '../../lib/index.js'

const fixtures = 'test/fixtures/api'
const objects = 'build/Release/obj.target'
const compiler = process.env.CXX ?? 'g++'

const work = mkdtempSync(join(tmpdir(), 'torchscript-api-'))
t.teardown(() => rmSync(work, { recursive: true }))

/** The object files below a folder that the addon was built from. */
const objectsIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? objectsIn(path) : path.endsWith('.o') ? [path] : []
  })

/** Why the program cannot be built here; undefined when it can. */
function obstacle(): string | undefined {
  if (!existsSync(join(objects, 'torchscript/native/core'))) return 'the addon was not built here'
  return spawnSync(compiler, ['--version']).status === 0 ? undefined : `${compiler} is not installed`
}
const skip = obstacle() ?? false

const program = join(work, 'api')
const api = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(program, args, { encoding: 'utf8', timeout: 60_000 })

t.test('a program in C++ is built with the public header alone', { skip }, (t) => {
  const kernels = readdirSync(objects).filter((name) => /^kernels_\w+\.a$/.test(name))
  t.ok(kernels.includes('kernels_scalar.a'))
  execFileSync(compiler, [
    ...['-std=c++20', '-Wall', '-Wextra', '-Werror', '-Inative/include', 'test/native/api.cc', '-o', program],
    ...objectsIn(join(objects, 'torchscript/native/core')),
    ...objectsIn(join(objects, 'torchscript/native/cpu-avx')),
    ...kernels.map((name) => join(objects, name)),
    ...['-lpthread', '-ldl'],
  ])
  t.end()
})

/** Tensors as test/native/api.cc prints them. */
function plain(value: unknown): unknown {
  if (value instanceof torch.Tensor) return { shape: value.shape, data: [value.toArray()].flat(9).map(Number) }
  if (Array.isArray(value)) return value.map(plain)
  return value
}
function planned(model: string): string {
  const path = join(work, `${model}.tsplan`)
  t.same(torch.jit.savePlan(`${fixtures}/${model}.pt`, path).missingOperators, [])
  return path
}

t.test('it gives what the module gives: shapes, views, defaults, lists, strings, tuples', { skip }, (t) => {
  const calls: [model: string, method: string, args: string[], same: unknown[]][] = [
    ['traced', 'forward', ['f32:2,3:1,2,3,-1,0.5,4'], [torch.tensor([1, 2, 3, -1, 0.5, 4], { shape: [2, 3] })]],
    ['traced', 'forward', ['f32:1,3:1,2,3'], [torch.tensor([1, 2, 3], { shape: [1, 3] })]],
    ['frozen', 'forward', ['f32:2,3:1,2,3,-1,0.5,4'], [torch.tensor([1, 2, 3, -1, 0.5, 4], { shape: [2, 3] })]],
    ['everything', 'forward', ['f32:3:1,1,1'], [torch.tensor([1, 1, 1])]],
    ['everything', 'forward', ['f32:3:1,1,1', 'int:2'], [torch.tensor([1, 1, 1]), 2]],
    ['everything', 'parallel', ['f32:3:1,2,-0.25'], [torch.tensor([1, 2, -0.25])]],
    ['everything', 'big', ['int:41'], [41]],
    ['everything', 'mode', [], []],
    ['interfaces', 'forward', ['int:5'], [5]],
    ['interfaces', 'forward', ['int:1'], [1]],
    ['tied', 'forward', ['i64:2:2,0'], [torch.tensor([2n, 0n])]],
    ['quantized', 'forward', ['f32:1,3:1,-2,0.5'], [torch.tensor([1, -2, 0.5], { shape: [1, 3] })]],
  ]
  for (const [model, method, args, same] of calls) {
    const expected = plain(torch.jit.load(`${fixtures}/${model}.pt`).run(method, ...same))
    const { status, stdout, stderr } = api('run', planned(model), method, ...args)
    t.equal(status, 0, stderr)
    t.same(JSON.parse(stdout || 'null'), expected, `${model}.${method}(${args.join(', ')})`)
  }
  t.end()
})

t.test('it gives what PyTorch gives', { skip }, (t) => {
  const { tied, quantized } = JSON.parse(readFileSync(`${fixtures}/semantics.json`, 'utf8')) as {
    tied: { forward: number[][] }
    quantized: [number[][], number[][], number[][], boolean, boolean]
  }
  const close = (found: { data: number[] }, wanted: number[][]): boolean =>
    found.data.length === wanted.flat().length && found.data.every((x, i) => Math.abs(x - wanted.flat()[i]) <= 1e-6 * Math.abs(x))
  t.ok(close(JSON.parse(api('run', planned('tied'), 'forward', 'i64:2:2,0').stdout) as { data: number[] }, tied.forward))
  const found = JSON.parse(api('run', planned('quantized'), 'forward', 'f32:1,3:1,-2,0.5').stdout) as [
    ...{ data: number[] }[],
    boolean,
    boolean,
  ]
  for (let i = 0; i < 3; i++) t.ok(close(found[i] as { data: number[] }, quantized[i] as number[][]), `result ${i}`)
  t.same(found.slice(3), quantized.slice(3))
  t.end()
})

t.test('it reports wrong calls as exceptions', { skip }, (t) => {
  const plan = planned('everything')
  const wrong: [args: string[], message: RegExp][] = [
    [['forward'], /forward\(\) takes 4 arguments but 1 were given/],
    [['forward', 'int:1'], /Expected a value of type 'Tensor' for `x` but received/],
    [['backward'], /The program has no function backward/],
    [['fail', 'str:why'], /failed: why/],
  ]
  for (const [args, message] of wrong) {
    const { status, stderr } = api('run', plan, ...args)
    t.equal(status, 1, args.join(' '))
    t.match(stderr, message)
  }
  t.end()
})

t.test('damaged files are refused', { skip }, (t) => {
  const whole = readFileSync(planned('quantized'))
  const files: string[] = []
  const add = (bytes: Uint8Array): void => {
    files.push(join(work, `damaged-${files.length}`))
    writeFileSync(files[files.length - 1], bytes)
  }
  for (const length of [0, 3, 4, 8, 12, 24, 28, 40, 100, 300, 640, whole.length >> 1]) add(whole.subarray(0, length))
  const cut = files.length
  // Every byte of the header, and some of the plan: what still makes sense may load.
  for (let at = 0; at < Math.min(whole.length, 1024); at++) {
    const bytes = Buffer.from(whole)
    bytes[at] ^= at % 3 === 0 ? 0xff : 1 << (at % 8)
    add(bytes)
  }
  const { status, stdout } = api('load', join(work, 'missing'), ...files)
  t.equal(status, 0, 'none ends the process')
  const lines = stdout.trim().split('\n')
  t.equal(lines.length, files.length + 1)
  t.match(lines[0], /^error: Cannot open .*missing/)
  for (const line of lines.slice(1, cut + 1)) t.match(line, /^error: /)
  t.ok(lines.filter((line) => /^error: The plan file is malformed/.test(line)).length > 50)
  t.end()
})
