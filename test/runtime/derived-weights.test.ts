import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { partsOf, type ScriptModule } from '../../lib/api/jit/script-module.js'

const { jit, nn } = torch
const folder = mkdtempSync(join(tmpdir(), 'derived-weights-'))
t.teardown(() => rmSync(folder, { recursive: true }))

class Net extends nn.Module {
  conv = new nn.Conv2d(64, 96, 3, { padding: 1, bias: false })
  norm = new nn.BatchNorm2d(96)
  forward(x: torch.Tensor): torch.Tensor {
    return torch.relu(this.norm.forward(this.conv.forward(x)))
  }
}

const weightBytes = 4 * 96 * 64 * 9
const path = join(folder, 'net.pt')
torch.manualSeed(0)
{
  const net = new Net().eval()
  net.norm.runningMean!.copy_(torch.randn([96]))
  net.norm.runningVar!.copy_(torch.rand([96]).add(0.5))
  jit.save(jit.trace(net, [torch.randn([1, 64, 16, 16])]), path)
}
const x = torch.randn([1, 64, 16, 16])
const loaded = jit.load(path)
const want = loaded.forward(x) as torch.Tensor
const memoryOf = (module: ScriptModule): { weightBytes: number; packedBytes: number; awayBytes: number } => partsOf(module).program.memory()
const agrees = (got: unknown, expected = want): boolean => torch.allclose(got as torch.Tensor, expected, { rtol: 1e-3, atol: 1e-4 })

void t.test('folded weights of a file are in memory in their packed form only', (t) => {
  const fast = jit.optimizeForInference(jit.load(path))
  t.ok(memoryOf(fast).awayBytes >= weightBytes, 'nothing has been computed')
  t.ok(agrees(fast.forward(x)), 'the first call packs')
  t.ok(agrees(fast.forward(x)))
  const { awayBytes, packedBytes } = memoryOf(fast)
  t.ok(awayBytes >= weightBytes)
  t.ok(packedBytes >= weightBytes)
  t.end()
})

void t.test('values that are not finite come out as PyTorch gives them, though the packed form does not serve them', (t) => {
  const fast = jit.optimizeForInference(jit.load(path))
  fast.forward(x)
  const bad = x.clone()
  bad.data[5 * 16 + 5] = NaN
  const plain = loaded.forward(bad) as torch.Tensor
  const got = fast.forward(bad) as torch.Tensor
  t.strictSame(Array.from(got.data as Float32Array, Number.isNaN), Array.from(plain.data as Float32Array, Number.isNaN))
  t.ok(agrees(fast.forward(x)))
  t.end()
})

void t.test('a folded weight that somebody reads is computed, once', (t) => {
  const fast = jit.optimizeForInference(jit.load(path))
  const other = join(folder, 'fast.pt')
  jit.save(fast, other)
  t.equal(memoryOf(fast).awayBytes, 0)
  t.ok(agrees(fast.forward(x)))
  t.ok(agrees((jit.load(other) as ScriptModule).forward(x)))
  t.end()
})

void t.test('weights that are written after freezing do not change what was frozen', (t) => {
  const source = jit.load(path)
  const fast = jit.optimizeForInference(source)
  const [weight] = source.parameters()
  ;(weight.data as Float32Array).fill(0)
  t.equal(memoryOf(fast).awayBytes, 0, 'what depended on the file was computed before')
  t.ok(agrees(fast.forward(x)))
  t.ok(agrees(source.forward(x), torch.relu(source.forward(x.mul(0)) as torch.Tensor)), 'the source has')
  t.ok(agrees(jit.optimizeForInference(source).forward(x), source.forward(x) as torch.Tensor))
  t.end()
})

void t.test('a written weight is folded at once by later passes', (t) => {
  const source = jit.load(path)
  ;(source.parameters()[0].data as Float32Array).fill(0.25)
  const fast = jit.optimizeForInference(source)
  t.equal(memoryOf(fast).awayBytes, 0)
  const first = (source.forward(x) as torch.Tensor).clone()
  ;(source.parameters()[0].data as Float32Array).fill(0)
  t.ok(agrees(fast.forward(x), first))
  t.end()
})

void t.test('linear layers that become one are joined when they are packed', (t) => {
  class Heads extends nn.Module {
    q = new nn.Linear(192, 192)
    k = new nn.Linear(192, 192)
    forward(x: torch.Tensor): torch.Tensor {
      return this.q
        .forward(x)
        .view([4, 8, 24])
        .mul(this.k.forward(x).view([4, 8, 24]))
    }
  }
  const file = join(folder, 'heads.pt')
  const input = torch.randn([4, 192])
  jit.save(jit.trace(new Heads().eval(), [input]), file)
  const heads = jit.load(file)
  const expected = heads.forward(input) as torch.Tensor
  const fast = jit.optimizeForInference(heads)
  t.ok(agrees(fast.forward(input), expected))
  t.equal(memoryOf(fast).awayBytes, 2 * 4 * 192 * 192)
  t.ok(agrees(fast.forward(input), expected))
  t.end()
})

void t.test('runs at a time and readers meanwhile agree', async (t) => {
  const source = jit.load(path)
  const fast = jit.optimizeForInference(source)
  const sizes = [16, 17, 18, 19, 20, 21]
  const inputs = sizes.map((size) => torch.randn([1, 64, size, size]))
  const expected = inputs.map((input) => loaded.forward(input) as torch.Tensor)
  const runs = inputs.map((input) => fast.forwardAsync(input))
  ;(source.parameters()[0].data as Float32Array).fill(0)
  const got = await Promise.all(runs)
  for (const [i, result] of got.entries()) t.ok(agrees(result, expected[i]))
})
