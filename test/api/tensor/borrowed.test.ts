import t from 'tap'
import * as torch from '../../../lib/index.js'

// Tensors over memory of JavaScript have no handle at first; nobody may notice.
const unit = new torch.jit.CompilationUnit(`
def double(x):
    return torch.mul(x, 2)
def both(x, y):
    return torch.add(x, y)
def grow(x):
    x.add_(1)
    return torch.mul(x, 1)
def turn(x):
    x.t_()
    return torch.mul(x, 1)
def fails(x):
    x.unsqueeze_(0)
    if x.dim() > 0:
        raise RuntimeError('no')
    return torch.mul(x, 1)
def view(x):
    return x.view(-1)
def same(x):
    return x
def maybe(x: Optional[Tensor]):
    if x is None:
        return torch.zeros([1])
    return torch.mul(x, 3)
def count(n: int):
    return torch.zeros([n])
`)
const fresh = (...values: number[]): torch.Tensor => torch.tensor(Float32Array.from(values), { shape: [1, values.length] })

t.test('they share the memory with the typed array', (t) => {
  const data = Float32Array.from([1, 2, 3, 4])
  const x = torch.tensor(data, { shape: [2, 2] })
  t.equal(x.data.buffer, data.buffer)
  data[0] = 10
  t.same((unit.double(x) as torch.Tensor).toArray(), [
    [20, 4],
    [6, 8],
  ])
  x.add_(1)
  t.same([...data], [11, 3, 4, 5])
  t.same(x.stride(), [2, 1])
  t.end()
})

t.test('one tensor as two arguments, twice', (t) => {
  for (let i = 0; i < 3; i++) {
    const x = fresh(1, i)
    t.same((unit.both(x, x) as torch.Tensor).toArray(), [[2, 2 * i]])
    t.same((unit.both(x, fresh(1, 1)) as torch.Tensor).toArray(), [[2, i + 1]])
    t.same((x.add(x) as torch.Tensor).toArray(), [[2, 2 * i]])
  }
  t.end()
})

t.test('what a function does to its argument is seen: contents, shape, also when it fails', (t) => {
  for (let i = 0; i < 3; i++) {
    const x = fresh(1, 2)
    t.same((unit.grow(x) as torch.Tensor).toArray(), [[2, 3]])
    t.same(x.toArray(), [[2, 3]])
    unit.turn(x)
    t.same(x.shape, [2, 1])
    t.same(x.toArray(), [[2], [3]])
    const y = fresh(5)
    t.throws(() => unit.fails(y), /no/)
    t.same(y.shape, [1, 1, 1])
    const z = fresh(1, 2)
    z.t_()
    t.same(z.shape, [2, 1])
    z.requiresGrad_(true)
    t.equal(z.requiresGrad, true)
  }
  t.end()
})

t.test('views and the argument itself stay on its memory after the call', (t) => {
  for (let i = 0; i < 3; i++) {
    let x: torch.Tensor | undefined = fresh(1, 2, i)
    const view = unit.view(x) as torch.Tensor
    const again = unit.same(x) as torch.Tensor
    const row = x.select(0, 0)
    x.data[0] = 7
    t.same(view.toArray(), [7, 2, i])
    t.same(again.toArray(), [[7, 2, i]])
    t.same(row.toArray(), [7, 2, i])
    t.equal(torch.Tensor.handleOf(view).storageId, torch.Tensor.handleOf(x).storageId, 'one storage')
    t.equal(torch.Tensor.handleOf(row).storageId, torch.Tensor.handleOf(x).storageId)
    x = undefined
    global.gc?.()
    t.same(view.toArray(), [7, 2, i])
  }
  t.end()
})

t.test('optional tensors, lists and wrong types', (t) => {
  t.same((unit.maybe(fresh(2)) as torch.Tensor).toArray(), [[6]])
  t.same((unit.maybe(null) as torch.Tensor).toArray(), [0])
  t.same((torch.cat([fresh(1), fresh(2)], 1) as torch.Tensor).toArray(), [[1, 2]])
  t.throws(() => unit.count(fresh(1, 2)), { code: 'ERR_ARGUMENT', message: /'int' for `n` \(argument 1 of count\) but received a Tensor/ })
  t.end()
})

t.test('memory that was transferred is refused, memory that may shrink too', (t) => {
  const data = Float32Array.from([1, 2])
  const x = torch.tensor(data, { shape: [2] })
  structuredClone(data.buffer, { transfer: [data.buffer] })
  t.throws(() => unit.double(x), { code: 'ERR_ARGUMENT', message: /transferred/ })
  t.throws(() => x.add(1), { code: 'ERR_ARGUMENT', message: /transferred/ })
  t.throws(() => x.data, { code: 'ERR_ARGUMENT', message: /transferred/ })
  t.end()
})

t.test('tensors kept by a module', (t) => {
  class Keeper extends torch.nn.Module {
    declare kept: torch.Tensor
    constructor() {
      super()
      this.registerBuffer('kept', torch.zeros([1, 2]))
    }
    override forward(x: torch.Tensor): torch.Tensor {
      return x.add(this.kept)
    }
  }
  const traced = torch.jit.trace(new Keeper().eval(), [fresh(1, 1)])
  let kept: torch.Tensor | undefined = fresh(3, 4)
  traced.setAttribute('kept', kept)
  for (let i = 0; i < 3; i++) t.same((traced.forward(fresh(1, i)) as torch.Tensor).toArray(), [[4, 4 + i]])
  kept = undefined
  global.gc?.()
  t.same((traced.forward(fresh(0, 0)) as torch.Tensor).toArray(), [[3, 4]])
  t.end()
})

t.test('methods of several objects in turn, and of a module that was disposed of', (t) => {
  class Scale extends torch.nn.Module {
    declare factor: torch.Tensor
    constructor(factor: number) {
      super()
      this.registerBuffer('factor', torch.tensor([factor]))
    }
    override forward(x: torch.Tensor): torch.Tensor {
      return x.mul(this.factor)
    }
  }
  const modules = [2, 3, 5].map((factor) => torch.jit.trace(new Scale(factor).eval(), [fresh(1)]))
  for (let i = 0; i < 40; i++)
    for (const [k, factor] of [2, 3, 5].entries()) t.same((modules[k].forward(fresh(i)) as torch.Tensor).toArray(), [[factor * i]])
  const { forward } = modules[0]
  modules[0].dispose()
  t.throws(() => modules[0].forward(fresh(1)), /disposed of/)
  t.throws(() => forward(fresh(1)) as unknown, /disposed of/)
  t.same((modules[1].forward(fresh(1)) as torch.Tensor).toArray(), [[3]])
  t.end()
})
