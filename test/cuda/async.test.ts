import './emulated.js'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { distance } from './compare.js'

// Memory that the collector frees must not wait for the device.
process.env.TORCHSCRIPT_CUDA_ALLOCATOR = ''
const { nn, jit } = torch
type T = torch.Tensor

class Deep extends nn.Module {
  layers = new nn.Sequential(...[0, 1, 2, 3, 4, 5].flatMap(() => [new nn.Linear(48, 48), new nn.Tanh()]))
  override forward(x: T): T {
    return this.layers.forward(x)
  }
}
const net = new Deep().eval()
const frozen = (): torch.jit.ScriptModule => jit.freeze(jit.trace(net, [torch.randn([2, 48])]))

t.test('the event loop turns while the device works, and calls overlap', async (t) => {
  const here = frozen()
  const there = frozen().to('cuda')
  for (let i = 0; i < 2; i++) there.forward(torch.randn([64, 48]).to('cuda'))
  const inputs = [0, 1, 2, 3, 4].map(() => torch.randn([64, 48]))
  const moved = inputs.map((x) => x.to('cuda'))
  let turns = 0
  let waiting = true
  const turn = (): void => {
    turns++
    if (waiting) setImmediate(turn)
  }
  setImmediate(turn)
  const launches = torch.cuda.graphStats().launches
  const results = (await Promise.all(moved.map((x) => there.forwardAsync(x)))) as T[]
  waiting = false
  // How many depends on the machine; none where calls are done before they return.
  t.ok(turns >= 1, `${turns} turns`)
  t.equal(torch.cuda.graphStats().launches - launches, 5)
  results.forEach((result, i) => {
    t.equal(result.device, 'cuda:0')
    t.ok(distance(result, here.forward(inputs[i]) as T) <= 1e-5, `call ${i}`)
  })
  t.end()
})

t.test('arguments of the CPU, several at a time, more than there are threads', async (t) => {
  const here = frozen()
  const there = frozen().to('cuda')
  const inputs = Array.from({ length: 9 }, (_, i) => torch.randn([i % 2 === 0 ? 3 : 5, 48]))
  for (let round = 0; round < 3; round++) {
    const results = (await Promise.all(inputs.map((x) => there.forwardAsync(x)))) as T[]
    results.forEach((result, i) => t.ok(distance(result, here.forward(inputs[i]) as T) <= 1e-5, `round ${round}, call ${i}`))
  }
  t.ok(there.explain().every(({ graphs }) => graphs === 1))
  t.end()
})

t.test('an error of the call rejects', async (t) => {
  const there = frozen().to('cuda')
  await t.rejects(there.forwardAsync(torch.randn([2, 47]).to('cuda')), /mat1 and mat2|shapes cannot be multiplied|size/)
  t.equal(((await there.forwardAsync(torch.randn([2, 48]).to('cuda'))) as T).dim(), 2)
  t.end()
})
