import './emulated.js'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { distance } from './compare.js'

const { nn, jit } = torch
const F = nn.functional
type T = torch.Tensor
torch.manualSeed(11)

class Image extends nn.Module {
  conv = new nn.Conv2d(3, 8, 3, { padding: 1 })
  norm = new nn.BatchNorm2d(8)
  second = new nn.Conv2d(8, 8, 3, { padding: 1, stride: 2 })
  head = new nn.Linear(8, 5)
  override forward(x: T): T {
    let y = F.relu(this.norm.forward(this.conv.forward(x)))
    y = F.relu(this.second.forward(y))
    return torch.softmax(this.head.forward(y.mean([2, 3])), 1)
  }
}
class Block extends nn.Module {
  table = new nn.Embedding(20, 16)
  first = new nn.LayerNorm([16])
  queries = new nn.Linear(16, 48)
  out = new nn.Linear(16, 16)
  second = new nn.LayerNorm([16])
  up = new nn.Linear(16, 32)
  down = new nn.Linear(32, 16)
  override forward(tokens: T): T {
    const heads = (y: T): T => y.reshape([2, 6, 2, 8]).transpose(1, 2)
    let x = this.table.forward(tokens)
    const all = this.queries.forward(this.first.forward(x))
    const [q, k, v] = [0, 16, 32].map((from) => heads(all.slice(2, from, from + 16)))
    const seen = torch.matmul(torch.softmax(torch.matmul(q, k.transpose(2, 3)).mul(8 ** -0.5), 3), v)
    x = x.add(this.out.forward(seen.transpose(1, 2).reshape([2, 6, 16])))
    return x.add(this.down.forward(F.gelu(this.up.forward(this.second.forward(x)))))
  }
}
const image = (): T => torch.randn([2, 3, 9, 9])
const tokens = (): T => torch.randint(0, 20, [2, 6])
for (const [name, module, example] of [
  ['convolutions', new Image().eval(), image],
  ['attention', new Block().eval(), tokens],
] as const) {
  // Not on the memory of the module itself.
  const bytes = jit.trace(module, [example()]).save()
  const traced = (): torch.jit.ScriptModule => jit.load(bytes)
  const isIndex = example === tokens

  t.test(`${name}: a module in half precision`, (t) => {
    const here = traced()
    const there = traced().to('cuda').half()
    for (const parameter of there.parameters()) t.same([parameter.dtype, parameter.device], ['float16', 'cuda:0'])
    for (let i = 0; i < 3; i++) {
      const x = example()
      const y = there.forward(isIndex ? x.to('cuda') : x.to('cuda').half()) as T
      t.same([y.dtype, y.device], ['float16', 'cuda:0'])
      const d = distance(y.float(), here.forward(x) as T)
      t.ok(d > 0 && d <= 1e-2, `call ${i}: distance ${d}`)
    }
    t.equal(there.explain()[0].graphs, 1)
    t.end()
  })

  for (const dtype of ['float16', 'bfloat16'] as const)
    t.test(`${name}: mixed precision, ${dtype}`, (t) => {
      const here = traced()
      const mixed = jit.optimizeForInference(traced(), { device: 'cuda', dtype })
      for (let i = 0; i < 3; i++) {
        const x = example()
        const y = mixed.forward(x.to('cuda')) as T
        t.equal(y.device, 'cuda:0')
        const d = distance(y.float(), here.forward(x) as T)
        t.ok(d > 0 && d <= (dtype === 'float16' ? 5e-3 : 4e-2), `call ${i}: distance ${d}`)
      }
      t.equal(mixed.explain()[0].graphs, 1)
      const { nodes } = torch.explain(mixed, [example().to('cuda')])
      const runs = nodes.flatMap(({ kernels }) => kernels)
      const dtypesOf = (row: RegExp): string[] => runs.filter((run) => row.test(run.row)).flatMap(({ inputs }) => inputs.map((text) => text.replace(/\[.*/, '')))
      const products = dtypesOf(/^(linear|conv|matmul|mm|bmm|addmm|attention)/)
      t.ok(products.length > 4)
      t.same([...new Set(products)], [dtype])
      const norms = dtypesOf(/^(softmax|layer_norm)/)
      t.ok(norms.length > 0)
      t.same([...new Set(norms)], ['float32'])
      // On the CPU too.
      const x = example()
      const d = distance((jit.optimizeForInference(traced(), { dtype }).forward(x) as T).float(), here.forward(x) as T)
      t.ok(d > 0 && d <= (dtype === 'float16' ? 5e-3 : 4e-2), `CPU: distance ${d}`)
      t.end()
    })
}

t.test('sums are float32: many small terms after a large one', (t) => {
  const x = torch.cat([torch.full([1, 1], 2048), torch.ones([1, 4000])], 1)
  const half = x.half().to('cuda')
  t.equal(half.sum().item(), 6048)
  t.ok(distance(F.layerNorm(half, [4001]).float(), F.layerNorm(x, [4001])) <= 2e-2)
  const rows = torch.zeros([1, 4096]).half().to('cuda')
  t.equal(torch.softmax(rows, 1).sum().item(), 1)
  t.end()
})

t.test('options are checked', (t) => {
  const module = jit.trace(new Image().eval(), [image()])
  t.throws(() => jit.optimizeForInference(module, { dtype: 'float32' as never }), /Expected 'float16' or 'bfloat16' for `dtype` but received "float32"/)
  t.throws(() => jit.optimizeForInference(module, { device: 'cuda:9' }), /Expected a CUDA device below 2 for `device` but received 'cuda:9'/)
  t.end()
})
