import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { partsOf, type ScriptModule } from '../../lib/api/jit/script-module.js'

const { jit, nn } = torch
const folder = mkdtempSync(join(tmpdir(), 'pack-file-'))
t.teardown(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'packs')

class Net extends nn.Module {
  conv = new nn.Conv2d(8, 16, 3)
  fc = new nn.Linear(16, 32)
  forward(x: torch.Tensor): torch.Tensor {
    return this.fc.forward(torch.relu(this.conv.forward(x)).mean([2, 3]))
  }
}
const x = torch.randn([2, 8, 9, 9])
const net = new Net().eval()
const frozen = (): ScriptModule => jit.optimizeForInference(jit.trace(net, [x]))
const packsOf = (module: ScriptModule): ReturnType<typeof partsOf>['program']['packs'] => partsOf(module).program.packs
const want = net.forward(x)
const agrees = (got: unknown): boolean => torch.allclose(got as torch.Tensor, want, { rtol: 1e-4, atol: 1e-5 })

const source = frozen()
const digest = packsOf(source).weightsDigest()
void source.forward(x)
packsOf(source).writePacks(path)
const whole = readFileSync(path)

t.test('packed weights of a file are those that a kernel would make', (t) => {
  const module = frozen()
  t.equal(packsOf(module).weightsDigest(), digest)
  t.equal(packsOf(module).readPacks(path), 2)
  const { packedBytes } = module.memoryPlan()
  t.ok(packedBytes > 0)
  t.ok(agrees(module.forward(x)))
  t.equal(module.memoryPlan().packedBytes, packedBytes, 'nothing was packed again')
  t.end()
})

t.test('weights that are others are packed, from a file that fits in part too', (t) => {
  const other = new Net().eval()
  other.fc.loadStateDict(net.fc.stateDict())
  const module = jit.optimizeForInference(jit.trace(other, [x]))
  t.not(packsOf(module).weightsDigest(), digest)
  t.equal(packsOf(module).readPacks(path), 1)
  t.ok(torch.allclose(module.forward(x) as torch.Tensor, other.forward(x), { rtol: 1e-4, atol: 1e-5 }))
  t.end()
})

t.test('large packed weights are used where they are in the file, or copied to huge pages', (t) => {
  const large = jit.optimizeForInference(jit.trace(new nn.Linear(2048, 1280).eval(), [torch.ones([2, 2048])]))
  const input = torch.randn([2, 2048])
  const want = large.forward(input) as torch.Tensor
  // Memory as a file system has small pages, disks may have huge ones.
  for (const parent of [folder, '/dev/shm'].filter((name) => existsSync(name))) {
    const own = mkdtempSync(join(parent, 'packs-'))
    t.teardown(() => rmSync(own, { recursive: true }))
    packsOf(large).writePacks(join(own, 'large'))
    const again = jit.optimizeForInference(large)
    t.equal(packsOf(again).readPacks(join(own, 'large')), 1)
    t.same((again.forward(input) as torch.Tensor).data, want.data)
    t.equal(again.memoryPlan().packedBytes, large.memoryPlan().packedBytes, 'nothing was packed again')
  }
  t.end()
})

t.test('a damaged file is refused, wherever the damage is', (t) => {
  const damaged = join(folder, 'damaged')
  const tries: Buffer[] = []
  for (let i = 0; i < 64; i++) tries.push(flipped(i))
  for (let i = 0; i < 64; i++) tries.push(flipped(whole.length - 1 - 3 * i), flipped(64 + Math.floor(((whole.length - 64) * i) / 64)))
  for (const length of [0, 1, 63, 64, 65, whole.length - 1]) tries.push(whole.subarray(0, length))
  tries.push(Buffer.concat([whole, Buffer.from([0])]))
  const module = frozen()
  const answers = tries.map((bytes) => {
    // Another file each time: the last may be mapped.
    rmSync(damaged, { force: true })
    writeFileSync(damaged, bytes)
    return packsOf(module).readPacks(damaged)
  })
  // The last word of the header is not used.
  t.same(
    answers.flatMap((answer, i) => (typeof answer === 'string' ? [] : [i])),
    Array.from({ length: 8 }, (_, i) => 56 + i),
  )
  t.match(packsOf(module).readPacks(join(folder, 'none')), /Cannot open/)
  t.ok(agrees(module.forward(x)))
  t.end()
})

function flipped(at: number): Buffer {
  const bytes = Buffer.from(whole)
  bytes[at] ^= 1 << (at % 8)
  return bytes
}
