// Kernels of fused groups on disk: this process runs others that share a folder.
import './emulated-only.js'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const folder = mkdtempSync(join(tmpdir(), 'kernels-'))
t.teardown(() => {
  rmSync(folder, { recursive: true })
})

/** What the emulated driver was asked for by one process, and its result. */
function run(environment: Record<string, string>): { compiled: number; values: string; output: string } {
  const child = fileURLToPath(new URL('./fused-cache-child.js', import.meta.url))
  const output = execFileSync('sh', ['-c', '"$0" "$1" 2>&1', process.execPath, child], {
    encoding: 'utf8',
    env: { ...process.env, TORCHSCRIPT_EMULATED_LOG: '1', ...environment },
  })
  return { compiled: output.split('PTX is compiled').length - 1, values: /values (.*)/.exec(output)?.[1] ?? output, output }
}

const plain = run({})

t.setTimeout(120_000)
t.test('a folder of kernels', (t) => {
  t.match(plain.values, /^[-0-9.,]+$/)
  t.equal(plain.compiled, 0, 'without a folder nothing is compiled apart')
  const first = run({ TORCHSCRIPT_CUDA_CACHE: join(folder, 'inner') })
  t.equal(first.compiled, 1)
  t.equal(first.values, plain.values)
  const entries = readdirSync(join(folder, 'inner'))
  t.equal(entries.length, 1)
  t.match(entries[0], /^fused_[0-9a-f]{16}-sm_80\.cuda$/)
  const second = run({ FUSED_CACHE: join(folder, 'inner') })
  t.equal(second.compiled, 0, 'the second process finds it')
  t.equal(second.values, plain.values)
  t.end()
})

t.test('damage', (t) => {
  const path = join(folder, 'inner', readdirSync(join(folder, 'inner'))[0])
  const whole = readFileSync(path)
  for (const [name, bytes] of [
    ['short', whole.subarray(0, whole.length - 9)],
    ['changed', Buffer.from(whole).fill(0x20, whole.length - 40, whole.length - 20)],
  ] as const) {
    writeFileSync(path, bytes)
    const ran = run({ TORCHSCRIPT_CUDA_CACHE: join(folder, 'inner') })
    t.equal(ran.compiled, 1, `${name}: it is compiled again`)
    t.equal(ran.values, plain.values)
    t.same(readFileSync(path), whole, 'and stored')
  }
  // A folder that cannot be written.
  const ran = run({ TORCHSCRIPT_CUDA_CACHE: join(path, 'below a file') })
  t.equal(ran.values, plain.values)
  t.end()
})

t.test('an entry that the driver refuses', (t) => {
  const path = join(folder, 'inner', readdirSync(join(folder, 'inner'))[0])
  const entry = readFileSync(path)
  // After the head, the text and what it was compiled to, which the emulated driver lets be the text.
  const text = entry.subarray(40, 40 + Number(entry.readBigUInt64LE(16)))
  const compiled = Buffer.from(`${text.toString().replace('mul.rn.f32', 'mul.rz.f32')}\0`)
  let digest = 0xcbf29ce484222325n
  for (const byte of Buffer.concat([text, compiled])) digest = ((digest ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn
  const head = Buffer.from(entry.subarray(0, 40))
  head.writeBigUInt64LE(BigInt(compiled.length), 24)
  head.writeBigUInt64LE(digest, 32)
  writeFileSync(path, Buffer.concat([head, text, compiled]))
  const ran = run({ TORCHSCRIPT_CUDA_CACHE: join(folder, 'inner') })
  t.match(ran.output, /PTX line \d+: the instruction mul\.rz\.f32 is unknown to the interpreter of tests/)
  t.equal(ran.values, plain.values, 'its text is compiled instead')
  t.end()
})
