import './emulated.js'
import t from 'tap'
import * as torch from '../../lib/index.js'

const { nn, jit } = torch
type T = torch.Tensor
const cuda = (data: unknown): T => torch.tensor(data as number[], { device: 'cuda' })

t.test('an index out of range is an error of whoever waits, and the device goes on', (t) => {
  const x = cuda([1, 2, 3])
  const cases: [string, () => T, number, number][] = [
    ['embedding', () => nn.functional.embedding(cuda([[0, 3]]).to('int64'), cuda([[1], [2], [3]])), 3, 3],
    ['index_select', () => torch.indexSelect(x, 0, cuda([-1]).to('int64')), -1, 3],
    ['gather', () => torch.gather(x, 0, cuda([7]).to('int64')), 7, 3],
    ['take', () => torch.take(x, cuda([1, -4]).to('int64')), -4, 3],
    ['scatter', () => x.scatter(0, cuda([5]).to('int64'), cuda([9])), 5, 3],
    ['index_add', () => torch.indexAdd(x, 0, cuda([3]).to('int64'), cuda([9])), 3, 3],
  ]
  for (const [name, run, index, size] of cases) {
    const result = run()
    t.throws(() => result.toArray(), {
      message: new RegExp(`index ${index} is out of bounds for a dimension of size ${size} in ${name} on cuda:0`),
      pythonType: 'IndexError',
    })
    t.equal(result.cpu().dim(), result.dim(), 'told once')
  }
  t.same(x.toArray(), [1, 2, 3])
  const wrong = torch.gather(x, 0, cuda([3]).to('int64'))
  t.throws(() => torch.cuda.synchronize(), /index 3 is out of bounds/)
  t.same(wrong.toArray(), [0])
  torch.cuda.synchronize()
  t.end()
})

t.test('in a graph, and in an asynchronous call', async (t) => {
  class Table extends nn.Module {
    rows = new nn.Embedding(5, 4)
    out = new nn.Linear(4, 2)
    override forward(x: T): T {
      return this.out.forward(torch.relu(this.rows.forward(x)).mul(2)).add(1)
    }
  }
  const module = jit.freeze(jit.trace(new Table().eval(), [torch.tensor([1]).to('int64')])).to('cuda')
  const good = cuda([1, 4]).to('int64')
  const bad = cuda([1, 5]).to('int64')
  for (let i = 0; i < 2; i++) module.forward(good)
  t.ok(module.explain()[0].graphs === 1)
  t.throws(() => (module.forward(bad) as T).toArray(), /index 5 is out of bounds for a dimension of size 5 in embedding/)
  await t.rejects(module.forwardAsync(bad), /index 5 is out of bounds for a dimension of size 5 in embedding/)
  t.same((await module.forwardAsync(good) as T).shape, [2, 2])
  t.end()
})
