import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { CNN } from '../../../examples/models/cnn.js'
import * as torch from '../../../lib/index.js'

function folder(t: Test): string {
  const made = mkdtempSync(join(tmpdir(), 'torchscript-cache-'))
  t.teardown(() => rmSync(made, { recursive: true }))
  return join(made, 'deeper')
}
const entry = /^[0-9a-f]{32}\.packed$/

/** Warnings of the cache while `body` runs. */
async function warnings(body: () => void): Promise<string[]> {
  const seen: string[] = []
  const listener = (warning: Error): void => void (warning.name === 'CompileCacheWarning' && seen.push(warning.message))
  process.on('warning', listener)
  body()
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', listener)
  return seen
}

class Folded extends torch.nn.Module {
  conv = new torch.nn.Conv2d(64, 96, 3, { padding: 1, bias: false })
  norm = new torch.nn.BatchNorm2d(96)
  override forward(x: torch.Tensor): torch.Tensor {
    return this.norm.forward(this.conv.forward(x))
  }
}

torch.manualSeed(1)
const y = torch.ones([1, 64, 12, 12])
const model = new CNN().eval()
const x = torch.randn([2, 1, 28, 28])
const want = model.forward(x)
const isRight = (t: Test, got: unknown): void => void t.ok(torch.allclose(got as torch.Tensor, want, { rtol: 1e-4, atol: 1e-5 }))

t.test('an entry holds packed weights, made once', (t) => {
  const cacheDir = folder(t)
  const first = torch.compile(model, { cacheDir })
  isRight(t, first(x))
  const [name, ...others] = readdirSync(cacheDir)
  t.same(others, [])
  t.match(name, entry)
  const path = join(cacheDir, name)
  const { mtimeMs, ino } = statSync(path)
  const again = torch.compile(model, { cacheDir })
  isRight(t, again(x))
  t.match(again.compilations(), [{ frozen: true, reason: '' }])
  t.match(again.graphFor(x), 'torchscript::convolution_epilogue')
  t.same(readdirSync(cacheDir), [name])
  t.same([statSync(path).mtimeMs, statSync(path).ino], [mtimeMs, ino], 'not written again')
  isRight(t, first(x))
  t.end()
})

t.test('other parameters, code, options are other entries', (t) => {
  const cacheDir = folder(t)
  void torch.compile(model, { cacheDir })(x)
  void torch.compile(model, { cacheDir, mode: 'max-autotune' })(x)
  t.equal(readdirSync(cacheDir).length, 2)
  const other = new CNN().eval()
  const compiled = torch.compile(other, { cacheDir })
  t.ok(torch.allclose(compiled(x), other.forward(x), { rtol: 1e-4, atol: 1e-5 }))
  t.equal(readdirSync(cacheDir).length, 3)
  other.fc.bias!.fill_(2)
  t.ok(torch.allclose(compiled(x), other.forward(x), { rtol: 1e-4, atol: 1e-5 }), 'written parameters')
  t.equal(readdirSync(cacheDir).length, 4)
  const traced = torch.compile((v: torch.Tensor) => ({ y: v.mul(2) }), { cacheDir })
  t.ok(torch.equal(traced(x).y, x.mul(2)))
  t.equal(readdirSync(cacheDir).length, 4, 'nothing was packed')
  t.end()
})

t.test('a later process takes folded and packed weights from the entry', (t) => {
  const cacheDir = folder(t)
  mkdirSync(cacheDir, { recursive: true })
  const path = join(cacheDir, 'model.pt')
  torch.jit.save(torch.jit.trace(new Folded().eval(), [y]), path)
  const script = `import * as torch from ${JSON.stringify(new URL('../../../lib/index.js', import.meta.url).href)}
import { partsOf } from ${JSON.stringify(new URL('../../../lib/api/jit/script-module.js', import.meta.url).href)}
const cacheDir = ${JSON.stringify(cacheDir)}
const compiled = torch.compile(torch.jit.load(${JSON.stringify(path)}).eval(), { cacheDir })
const result = compiled(torch.ones([1, 64, 12, 12]))
const mapped = (await import('node:fs')).readFileSync('/proc/self/maps', 'utf8').includes('.packed')
console.log(JSON.stringify({ mapped, sum: result.sum().item(), ...torch.memoryStats() }))`
  const run = (): { mapped: boolean; sum: number; packedBytes: number; peakBytes: number } => {
    const ran = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    t.equal(ran.stderr, '')
    return JSON.parse(ran.stdout) as ReturnType<typeof run>
  }
  const [first, second] = [run(), run()]
  t.equal(readdirSync(cacheDir).length, 2)
  t.equal(second.sum, first.sum)
  t.same([first.mapped, second.mapped], [false, existsSync('/proc/self/maps')])
  t.equal(second.packedBytes, first.packedBytes)
  t.ok(second.peakBytes + first.packedBytes / 2 < first.peakBytes, 'nothing was packed again')
  t.end()
})

t.test('damaged entries are named, and made again', async (t) => {
  const cacheDir = folder(t)
  void torch.compile(model, { cacheDir })(x)
  const [name] = readdirSync(cacheDir)
  const path = join(cacheDir, name)
  const whole = readFileSync(path)
  const damages: [string, () => void][] = [
    ['cut off', () => truncateSync(path, whole.length >> 1)],
    ['empty', () => truncateSync(path, 0)],
    [
      'one bit',
      () =>
        writeFileSync(
          path,
          whole.map((byte, i) => (i === whole.length >> 1 ? byte ^ 1 : byte)),
        ),
    ],
    ['something else', () => writeFileSync(path, 'no archive')],
  ]
  for (const [what, damage] of damages) {
    rmSync(path)
    writeFileSync(path, whole)
    damage()
    const said = await warnings(() => isRight(t, torch.compile(model, { cacheDir })(x)))
    t.equal(said.length, 1, what)
    t.match(said[0], `The entry ${path} `)
    t.same(readdirSync(cacheDir), [name], 'nothing else is left')
    t.equal(readFileSync(path).length, whole.length, 'whole again')
  }
})

t.test('what cannot be stored is said and not fatal', async (t) => {
  const cacheDir = folder(t)
  writeFileSync(cacheDir, 'a file')
  const said = await warnings(() => isRight(t, torch.compile(model, { cacheDir })(x)))
  t.equal(said.length, 1)
  t.match(said[0], `Packed weights could not be stored in ${cacheDir}: `)
})

t.test('without the option nothing is written', (t) => {
  const made = mkdtempSync(join(tmpdir(), 'torchscript-cache-'))
  t.teardown(() => rmSync(made, { recursive: true }))
  const script = `import * as torch from ${JSON.stringify(new URL('../../../lib/index.js', import.meta.url).href)}
torch.compile(new torch.nn.Linear(2, 2).eval())(torch.ones([1, 2]))`
  const ran = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: made,
    env: { ...process.env, HOME: made, TMPDIR: made, XDG_CACHE_HOME: join(made, 'cache') },
    encoding: 'utf8',
  })
  t.equal(ran.status, 0, ran.stderr)
  t.same(readdirSync(made), [])
  t.notOk(existsSync(join(made, 'cache')))
  t.end()
})
