import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
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
const entry = /^[0-9a-f]{32}-[0-9a-f]{32}\.pt$/

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

torch.manualSeed(1)
const model = new CNN().eval()
const x = torch.randn([2, 1, 28, 28])
const want = model.forward(x)
const isRight = (t: Test, got: unknown): void => void t.ok(torch.allclose(got as torch.Tensor, want, { rtol: 1e-4, atol: 1e-5 }))

t.test('an entry is a plain archive, made once', (t) => {
  const cacheDir = folder(t)
  isRight(t, torch.compile(model, { cacheDir })(x))
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
  isRight(t, torch.jit.load(path).forward(x))
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
  t.equal(readdirSync(cacheDir).length, 5)
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
    t.ok(readFileSync(path).equals(whole), 'the same bytes again')
  }
})

t.test('what cannot be stored is said and not fatal', async (t) => {
  const cacheDir = folder(t)
  writeFileSync(cacheDir, 'a file')
  const said = await warnings(() => isRight(t, torch.compile(model, { cacheDir })(x)))
  t.equal(said.length, 1)
  t.match(said[0], `The optimised module could not be stored in ${cacheDir}: `)
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
