import t from 'tap'
import * as torch from '../../../lib/index.js'

const { nn } = torch

class Net extends nn.Module {
  fc = new nn.Linear(64, 2048)
  forward(x: torch.Tensor): torch.Tensor {
    return torch.relu(this.fc.forward(x))
  }
}
const net = new Net().eval()
const options = { mode: 'reduce-overhead' } as const
const near = (got: torch.Tensor, want: torch.Tensor): boolean => torch.allclose(got, want, { rtol: 1e-4, atol: 1e-5 })

/** A compiled module after its first calls, which check and record. */
function prepared(): torch.CompiledModule<Net> {
  const compiled = torch.compile(net, options)
  for (let i = 0; i < 3; i++) void compiled(torch.randn([2, 64]))
  t.match(compiled.compilations(), [{ origin: 'script', frozen: true }])
  return compiled
}

t.test('the next call writes its result where the last one is', (t) => {
  const compiled = prepared()
  const [a, b] = [torch.randn([2, 64]), torch.randn([2, 64])]
  const first = compiled(a)
  t.ok(near(first, net.forward(a)))
  const second = compiled(b)
  t.equal(second, first, 'the same tensor')
  t.ok(near(second, net.forward(b)), 'with the new numbers')
  const { liveBytes } = torch.memoryStats()
  for (let i = 0; i < 100; i++) void compiled(a)
  t.equal(torch.memoryStats().liveBytes, liveBytes, 'no result is allocated')
  const fresh = torch.compile(net)
  for (let i = 0; i < 3; i++) void fresh(a)
  t.not(fresh(a), fresh(a), 'by default each call gives its own')
  t.end()
})

t.test('results of other sizes have a tensor of their own', (t) => {
  const compiled = prepared()
  const inputs = [2, 3, 4].map((rows) => torch.randn([rows, 64]))
  for (let round = 0; round < 3; round++) for (const input of inputs) t.ok(near(compiled(input), net.forward(input)))
  t.end()
})

t.test('a result may be given to the next call, or be disposed of', (t) => {
  class Square extends nn.Module {
    fc = new nn.Linear(48, 48)
    forward(x: torch.Tensor): torch.Tensor {
      return torch.tanh(this.fc.forward(x))
    }
  }
  const square = new Square().eval()
  const compiled = torch.compile(square, options)
  const x = torch.randn([32, 48])
  let [got, want] = [x, x]
  for (let i = 0; i < 6; i++) {
    got = compiled(got)
    want = square.forward(want)
    t.ok(near(got, want), `call ${i + 1}`)
  }
  const shared = torch.tensor(compiled(x).data as Float32Array, { shape: [32, 48] })
  const expected = square.forward(shared)
  t.ok(near(compiled(shared), expected), 'its memory under another tensor')
  compiled(x).dispose()
  t.ok(near(compiled(x), square.forward(x)))
  t.end()
})

t.test('asynchronous calls give tensors of their own', async (t) => {
  const compiled = prepared()
  const inputs = Array.from({ length: 8 }, () => torch.randn([2, 64]))
  const results = await Promise.all(inputs.map((input) => compiled.forwardAsync(input)))
  results.forEach((result, i) => t.ok(near(result, net.forward(inputs[i]))))
  t.equal(new Set(results).size, results.length)
})

t.test('written parameters count', (t) => {
  const compiled = prepared()
  const x = torch.ones([2, 64])
  const before = compiled(x).clone()
  net.fc.bias!.add_(1)
  t.notOk(near(compiled(x), before))
  t.ok(near(compiled(x), net.forward(x)))
  t.end()
})
