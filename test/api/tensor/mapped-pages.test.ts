import t from 'tap'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as torch from '../../../lib/index.js'

const work = mkdtempSync(join(tmpdir(), 'torchscript-mapped-'))
t.teardown(() => rmSync(work, { recursive: true }))
const path = join(work, 'model.pt')

class Model extends torch.nn.Module {
  fc = new torch.nn.Linear(1024, 1024)
  override forward(x: torch.Tensor): torch.Tensor {
    return this.fc.forward(x)
  }
}
const x = torch.randn([1, 1024])
torch.jit.save(torch.jit.trace(new Model().eval(), [x]), path)

/** Kilobytes of the file that the process has in memory. */
const resident = (): number => {
  const [, ...regions] = readFileSync('/proc/self/smaps', 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
  return regions.filter((region) => region.includes(path)).reduce((sum, region) => sum + Number(/^Rss: +(\d+)/m.exec(region)![1]), 0)
}
const skip = !existsSync('/proc/self/smaps')

t.test('pages of the file go when the weights on them are packed, and come back when somebody looks', { skip }, (t) => {
  const model = torch.jit.load(path)
  const weight = model.stateDict().get('fc.weight') as torch.Tensor
  const sum = weight.sum().item()
  t.ok(resident() > 4000, 'the weight was read')
  const first = (model.forward(x) as torch.Tensor).toArray()
  t.ok(resident() < 1000, `${resident()} kB are left`)
  t.same((model.forward(x) as torch.Tensor).toArray(), first)
  t.equal(weight.sum().item(), sum)
  const plan = model.memoryPlan()
  t.ok(plan.weightBytes >= 4 * 1024 * 1025)
  t.ok(plan.packedBytes >= 4 * 1024 * 1024)
  t.ok(plan.arenaBytes >= plan.liveBytes)
  t.equal(plan.outputBytes, 4096)
  t.end()
})

t.test('what was written stays, however it was written', { skip }, (t) => {
  for (const write of [
    (w: torch.Tensor) => void (w.data[5] = 77),
    (w: torch.Tensor) => void w.fill_(0.5),
    (w: torch.Tensor) => void w.select(0, 0).mul_(2),
  ]) {
    const model = torch.jit.load(path)
    const weight = model.stateDict().get('fc.weight') as torch.Tensor
    write(weight)
    const written = weight.clone()
    const frozen = torch.jit.freeze(model)
    const y = frozen.forward(x) as torch.Tensor
    t.ok(weight.equal(written), 'after packing')
    t.ok(torch.allclose(y, x.matmul(written.t()).add(model.stateDict().get('fc.bias') as torch.Tensor), { rtol: 1e-4, atol: 1e-5 }))
  }
  t.end()
})

t.test('a weight written after it was packed is packed again', { skip }, (t) => {
  const model = torch.jit.load(path)
  const weight = model.stateDict().get('fc.weight') as torch.Tensor
  model.forward(x)
  weight.zero_()
  const y = model.forward(x) as torch.Tensor
  t.ok(torch.allclose(y, model.stateDict().get('fc.bias') as torch.Tensor))
  t.ok(weight.equal(torch.zeros([1024, 1024])))
  t.end()
})

t.test('modules that share a weight share its packed form', (t) => {
  const model = torch.jit.load(path)
  model.forward(x)
  const frozen = torch.jit.freeze(model)
  const again = torch.jit.freeze(model)
  frozen.forward(x)
  const packed = frozen.memoryPlan().packedBytes
  again.forward(x)
  t.equal(again.memoryPlan().packedBytes, packed)
  t.equal(model.memoryPlan().packedBytes, packed)
  t.ok(packed >= 4 * 1024 * 1024)
  t.end()
})
