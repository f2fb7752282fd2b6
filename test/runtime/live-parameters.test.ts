import t from 'tap'
import * as torch from '../../lib/index.js'

const { jit, nn } = torch
const near = (got: unknown, want: torch.Tensor): boolean => torch.allclose(got as torch.Tensor, want, { rtol: 1e-4, atol: 1e-4 })
const bytes = 4 * 256 * 320

class Net extends nn.Module {
  fc = new nn.Linear(256, 320)
  forward(x: torch.Tensor): torch.Tensor {
    return this.fc.forward(x)
  }
}
const x = torch.randn([3, 256])

t.test('parameters of modules written in TypeScript are packed', (t) => {
  for (const make of [(net: Net) => jit.trace(net, [x]), (net: Net) => jit.script(net)]) {
    const net = new Net().eval()
    const { packedBytes } = torch.memoryStats()
    const module = make(net)
    t.ok(near(module.forward(x), net.forward(x)))
    t.ok(torch.memoryStats().packedBytes >= packedBytes + bytes)
    net.fc.weight.mul_(2)
    t.ok(near(module.forward(x), net.forward(x)), 'after a write')
    net.fc.weight.fill_(0.25)
    t.ok(near(module.forward(x), net.forward(x)), 'and another')
  }
  t.end()
})

t.test('one whose memory JavaScript has is not: it may be written unseen', (t) => {
  const net = new Net().eval()
  const module = jit.trace(net, [x])
  for (let i = 0; i < 3; i++) t.ok(near(module.forward(x), net.forward(x)))
  const data = net.fc.weight.data as Float32Array
  for (let i = 0; i < 3; i++) {
    data.fill(i)
    t.ok(near(module.forward(x), net.forward(x)), `write ${i + 1}`)
  }
  t.end()
})

t.test('over a typed array it is not either', (t) => {
  const net = new Net().eval()
  const data = new Float32Array(256 * 320).fill(0.5)
  net.fc.weight = new nn.Parameter(torch.tensor(data, { shape: [320, 256] }))
  const module = jit.trace(net, [x])
  for (let i = 0; i < 3; i++) {
    t.ok(near(module.forward(x), net.forward(x)))
    data.fill(i)
  }
  t.end()
})
