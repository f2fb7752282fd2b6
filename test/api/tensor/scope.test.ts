import t from 'tap'
import * as torch from '../../../lib/index.js'

t.test('a scope frees what was made in it, except the result', (t) => {
  const a = torch.ones([4])
  let inner: torch.Tensor | undefined
  const y = torch.scope(() => {
    inner = a.add(1)
    return inner.mul(2)
  })
  t.same(y.toArray(), [4, 4, 4, 4])
  t.equal(inner?.isDisposed, true)
  t.equal(a.isDisposed, false, 'what was there before stays')
  t.end()
})

t.test('results are searched for tensors: arrays, Maps, Sets, objects, several results, cycles', (t) => {
  class Holder {
    x = torch.ones([1])
    self = this
  }
  const all = torch.scope(() => ({
    array: [torch.zeros([1]), [torch.ones([2])]],
    map: new Map([['k', torch.ones([3])]]),
    set: new Set([torch.ones([4])]),
    max: torch.eye(2).max(1),
    holder: new Holder(),
    typed: new Float32Array(3),
  }))
  const found = [
    all.array[0],
    ...(all.array[1] as torch.Tensor[]),
    all.map.get('k'),
    ...all.set,
    all.max.values,
    all.max.indices,
    all.holder.x,
  ]
  t.same(
    found.map((x) => (x as torch.Tensor).isDisposed),
    found.map(() => false),
  )
  t.end()
})

t.test('modules made in a scope live on, parameters with them', (t) => {
  const layer = torch.scope(() => {
    torch.ones([3])
    return new torch.nn.Linear(2, 3)
  })
  t.same((layer.forward(torch.ones([1, 2])) as torch.Tensor).shape, [1, 3])
  t.match(String(layer.weight), /^Parameter containing:\ntensor\(\[\[[^]*requires_grad=True\)$/)
  t.end()
})

t.test('scopes nest: the outer one owns what the inner one returns', (t) => {
  const seen: torch.Tensor[] = []
  const total = torch.scope(() => {
    const part = torch.scope(() => {
      const temporary = torch.ones([2])
      seen.push(temporary)
      return temporary.add(1)
    })
    t.equal(seen[0].isDisposed, true)
    t.equal(part.isDisposed, false)
    seen.push(part)
    return part.sum()
  })
  t.equal(seen[1].isDisposed, true)
  t.equal(total.item(), 4)
  t.end()
})

t.test('an error frees everything and passes; the scope around it goes on', (t) => {
  const seen: torch.Tensor[] = []
  t.throws(
    () =>
      torch.scope(() => {
        seen.push(torch.ones([2]))
        throw new Error('stop')
      }),
    { message: 'stop' },
  )
  t.equal(seen[0].isDisposed, true)
  const after = torch.ones([2])
  torch.scope(() => after.add(1))
  t.equal(after.isDisposed, false)
  t.end()
})

t.test('async functions are refused, before they run where that shows', (t) => {
  const message =
    'Expected a function that is not async for `fn` of scope but received an async one: a scope ends when the function returns, before an async function is done'
  let ran = false
  t.throws(
    () =>
      torch.scope(async () => {
        ran = true
        return Promise.resolve()
      }),
    { message },
  )
  t.equal(ran, false)
  let inner: torch.Tensor | undefined
  t.throws(
    () =>
      torch.scope(() => {
        inner = torch.ones([1])
        return Promise.resolve(inner)
      }),
    { message },
  )
  t.equal(inner?.isDisposed, true)
  t.throws(() => torch.scope(3 as never), { message: 'Expected a function for `fn` of scope but received 3' })
  t.end()
})

t.test('a scope in a traced function leaves the trace whole', (t) => {
  const traced = torch.jit.trace((x: torch.Tensor) => torch.scope(() => x.add(torch.tensor([1, 2])).relu()), [torch.ones([2])])
  t.same((traced(torch.tensor([-5, 1])) as torch.Tensor).toArray(), [0, 3])
  t.end()
})

t.test('inferenceMode and noGrad give what the function gives', (t) => {
  t.equal(
    torch.inferenceMode(() => 3),
    3,
  )
  t.equal(
    torch.noGrad(() => 'x'),
    'x',
  )
  t.end()
})
