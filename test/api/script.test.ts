import t from 'tap'
import * as torch from '../../lib/index.js'
import type { float, int, Tensor } from '../../lib/index.js'
import { addOffset, Offset } from './script-helper.js'

const { jit, nn } = torch
const values = (x: unknown): unknown => (x as Tensor).toArray()
const x = torch.tensor([1, 2])

function wrong(x: Tensor, n: int): Tensor {
  const y = x.add(n)
  return y.add(notThere)
}
declare const notThere: Tensor

t.test('the source is the TypeScript file of the caller, with its types', (t) => {
  function scaled(x: Tensor, n: int, s: float): Tensor {
    let y = x
    for (let i = 0; i < n; i++) y = y.mul(s)
    return y
  }
  const compiled = jit.script(scaled)
  t.same(values(compiled(x, 2, 3)), [9, 18])
  t.match(compiled.code, /def scaled\(x: Tensor,\n {4}n: int,\n {4}s: float\) -> Tensor:/)
  t.throws(() => jit.script(wrong), {
    code: 'ERR_COMPILE',
    message:
      /^undefined value notThere:\n {2}File ".*test\/api\/script\.test\.ts", line 12\n[\s\S]*return y\.add\(notThere\)\n {15}~~~~~~~~ <--- HERE/,
  })
  t.end()
})

t.test('of two functions of one name the one before the call is meant', (t) => {
  const first = ((): unknown => {
    const twin = (x: Tensor, n: int): Tensor => x.add(n)
    return jit.script(twin)(x, 1) as unknown
  })()
  const second = ((): unknown => {
    const twin = (x: Tensor, n: int): Tensor => x.mul(n)
    return jit.script(twin)(x, 5) as unknown
  })()
  t.same(
    [values(first), values(second)],
    [
      [2, 3],
      [5, 10],
    ],
  )
  t.end()
})

t.test('imports are followed', (t) => {
  const twice = (x: Tensor): Tensor => addOffset(addOffset(x), 2)
  t.same(values(jit.script(twice)(x)), [31, 32])
  const module = jit.script(new Offset(3))
  t.same(values(module.forward(x)), [31, 32])
  t.equal(module.count, 1)
  t.end()
})

t.test('without a file the engine has the source; types stand beside it', (t) => {
  const made = new Function('x', 'n', 'return x.mul(n)') as ((...args: never[]) => unknown) & { types?: Record<string, string> }
  made.types = { n: 'int' }
  t.same(values(jit.script(made, { source: 'function other() {}' })(x, 4)), [4, 8])
  t.same(values(jit.script((x: Tensor) => x.add(1))(x)), [2, 3])
  t.end()
})

t.test('`source` is text or a file, `scope` has what the text does not', (t) => {
  const f = (x: Tensor): Tensor => x
  t.same(values(jit.script(f, { source: 'function f(x: Tensor): Tensor { return x.sub(1) }' })(x)), [0, 1])
  const source = 'function f(x: Tensor): Tensor { return helper(x).add(SHIFT) }'
  const helper = (x: Tensor): Tensor => x.mul(2)
  t.same(values(jit.script(f, { source, scope: { helper, SHIFT: 0.5 } })(x)), [2.5, 4.5])
  t.same(values(jit.script(addOffset, { source: 'test/api/script-helper.ts' })(x, 2)), [21, 22])
  t.throws(() => jit.script(f, { source: 'not-there.ts' }), { code: 'ERR_ARGUMENT' })
  t.end()
})

t.test('a scripted module has the memory of the module', (t) => {
  class Net extends nn.Module {
    fc = new nn.Linear(2, 2)
    forward(x: Tensor): Tensor {
      return this.fc.forward(x)
    }
  }
  const net = new Net()
  const scripted = jit.script(net)
  t.equal(jit.script(scripted), scripted)
  torch.noGrad(() => {
    net.fc.weight.fill_(2)
    net.fc.bias!.fill_(1)
  })
  t.same(values(scripted.forward(x)), [7, 7])
  t.same(
    scripted.namedParameters().map(([name]) => name),
    ['fc.weight', 'fc.bias'],
  )
  t.end()
})

t.test('modules of equal fields share a class, others get a mangled name', (t) => {
  class Block extends nn.Module {
    constructor(readonly width: int) {
      super()
    }
    forward(x: Tensor): Tensor {
      return x.mul(this.width)
    }
  }
  class Net extends nn.Module {
    a = new Block(2)
    b = new Block(2)
    c = new Block(3)
    forward(x: Tensor): Tensor {
      return this.c.forward(this.b.forward(this.a.forward(x)))
    }
  }
  const { graph } = jit.script(new Net())
  t.match(graph, /__torch__\.Block = prim::GetAttr\[name="a"\]/)
  t.match(graph, /__torch__\.Block = prim::GetAttr\[name="b"\]/)
  t.match(graph, /__torch__\.___torch_mangle_\d+\.Block = prim::GetAttr\[name="c"\]/)
  t.end()
})

t.test('CompilationUnit has the functions of Python source', (t) => {
  const unit = new jit.CompilationUnit('def twice(x):\n  return x * 2\ndef quad(x):\n  return twice(twice(x))\n')
  t.same(values(unit.quad(x)), [4, 8])
  unit.define('def octo(x):\n  return quad(twice(x))\n')
  t.same(values(unit.octo(x)), [8, 16])
  t.same(
    unit.getFunctions().map((f) => f.qualifiedName),
    ['twice', 'quad', 'octo'],
  )
  t.equal(unit.findFunction('nothing'), undefined)
  t.throws(() => unit.define('def bad(x):\n  return missing\n'), { code: 'ERR_COMPILE' })
  t.end()
})

t.test('define adds methods to a scripted module; its state stays', (t) => {
  class Net extends nn.Module {
    weight = new nn.Parameter(torch.tensor([3, 4]))
    calls: int = 0
    forward(x: Tensor): Tensor {
      this.calls += 1
      return x.mul(this.weight)
    }
  }
  const net = new Net()
  const scripted = jit.script(net)
  scripted.forward(x)
  scripted.define('def twice(self, x: Tensor) -> Tensor:\n  return self.forward(self.forward(x))\n')
  t.same(values(scripted.twice(x)), [9, 32])
  t.equal(scripted.calls, 3)
  torch.noGrad(() => net.weight.fill_(1))
  t.same(values(scripted.twice(x)), [1, 2])
  t.throws(() => scripted.define('def bad(self):\n  return missing\n'), { code: 'ERR_COMPILE' })
  t.throws(() => scripted.bad(), 'what does not compile is not added')
  t.end()
})

t.test('a class that is an interface takes every module with its methods', (t) => {
  abstract class Act {
    abstract forward(input: Tensor): Tensor
  }
  jit.interface(Act)
  class Plus extends nn.Module {
    forward(input: Tensor): Tensor {
      return input.add(1)
    }
  }
  class Net extends nn.Module {
    act: Act
    constructor(act: torch.nn.Module & Act) {
      super()
      this.act = act
    }
    forward(x: Tensor): Tensor {
      return this.act.forward(x)
    }
  }
  t.same(values(jit.script(new Net(new Plus())).forward(x)), [2, 3])
  t.same(values(jit.script(new Net(new nn.ReLU())).forward(torch.tensor([-1]))), [0])
  t.end()
})

t.test('what marks methods', (t) => {
  class Net extends nn.Module {
    encode(x: Tensor): Tensor {
      return x.add(1)
    }
    debug(x: Tensor): Tensor {
      console.table(x)
      return x
    }
    forward(x: Tensor, flag: boolean): Tensor {
      if (flag) return this.debug(x)
      return x
    }
  }
  jit.export(Net.prototype, 'encode')
  jit.ignore(Net.prototype, 'debug')
  const scripted = jit.script(new Net())
  t.same(values(scripted.encode(x)), [2, 3])
  t.same(values(scripted.forward(x, false)), [1, 2])
  t.throws(() => scripted.forward(x, true), { message: /marked as ignored: compiled code cannot call JavaScript/ })
  t.throws(() => jit.export(Net.prototype, 'nothing'), { code: 'ERR_ARGUMENT' })
  t.end()
})

t.test('traced and scripted modules in one another', (t) => {
  const encoder = jit.trace(new nn.Linear(2, 2), [x])
  class Net extends nn.Module {
    encoder = encoder
    forward(x: Tensor, n: int): Tensor {
      for (let i = 0; i < n; i++) x = this.encoder.forward(x) as Tensor
      return x
    }
  }
  const scripted = jit.script(new Net())
  const twice = encoder.forward(encoder.forward(x))
  t.same(values(scripted.forward(x, 2)), values(twice))
  t.end()
})

t.test('the language without the compiler', (t) => {
  t.same([...torch.range(1, 6, 2)], [1, 3, 5])
  t.same([...torch.range(3, 0, -1)], [3, 2, 1])
  t.same(
    [...torch.zip([1, 2, 3], ['a', 'b'])],
    [
      [1, 'a'],
      [2, 'b'],
    ],
  )
  t.same([...torch.enumerate(['a'], 4)], [[4, 'a']])
  t.same([torch.int(-2.5), torch.float('1.5'), torch.int(torch.tensor([3]))], [-2, 1.5, 3])
  t.equal(jit.isScripting(), false)
  t.same(jit.wait(jit.fork((a: number, b: number) => a + b, 1, 2)), 3)
  t.same(
    ['List[int]', 'List[str]', 'Tuple[int, int]', 'Optional[List[float]]', 'Dict[str, int]'].map((type) => jit.isinstance([1, 2], type)),
    [true, false, true, true, false],
  )
  t.throws(() => jit.isinstance(1, 'Nothing'), { code: 'ERR_ARGUMENT' })
  t.throws(() => torch.int(NaN), { code: 'ERR_ARGUMENT' })
  t.end()
})

t.test('wrong arguments of script', (t) => {
  class Net extends nn.Module {}
  t.throws(() => jit.script(Net as never), { message: 'Expected a module but received the class Net. Write `jit.script(new Net(...))`' })
  t.throws(() => jit.script(null as never), { message: 'Expected a function, a class or an nn.Module for `target` but received null' })
  t.throws(() => jit.script((x: Tensor) => x, null as never), { code: 'ERR_ARGUMENT' })
  t.end()
})
