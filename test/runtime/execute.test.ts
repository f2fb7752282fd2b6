import t from 'tap'
import { parseGraph } from '../../lib/ir/parser.js'
import type { ScriptFunction } from '../../lib/ir/types.js'
import { nativeBinding } from '../../lib/native/loader.js'
import { encodePlan } from '../../lib/plan/encode.js'
import { PlanTables } from '../../lib/plan/tables.js'
import { noneValue } from '../../lib/plan/value.js'
import { tensor } from '../../lib/tensor/creation.js'
import { Tensor } from '../../lib/tensor/tensor.js'

/** Runs a graph in the executor. */
function run(text: string, ...args: unknown[]): unknown {
  const graph = parseGraph(text)
  const fn: ScriptFunction = {
    qualifiedName: 'f',
    name: 'f',
    graph,
    parameters: graph.inputs.map((input, i) => ({ name: input.debugName ?? `p${i}`, type: input.type })),
    returnType: graph.outputs[0].type,
  }
  const names = nativeBinding().nativeOperators()
  const tables = new PlanTables({
    native: { builtins: new Set(names.builtins), kernels: new Set(names.kernels) },
    prepare: (g) => g,
    compile: () => {
      throw new Error('no composed operators here')
    },
  })
  const index = tables.function(fn)
  const plan = encodePlan(tables, noneValue)
  const program = nativeBinding().loadProgram(plan.bytes, [])
  const result = program.run(
    index,
    args.map((arg) => (arg instanceof Tensor ? Tensor.handleOf(arg) : arg)),
  )
  return typeof result === 'object' && result !== null && 'info' in result ? Tensor.fromHandle(result as never) : result
}

t.test('scalars, branches and loops in the executor', (t) => {
  const fibonacci = `graph(%n : int):
    %true : bool = prim::Constant[value=1]()
    %zero : int = prim::Constant[value=0]()
    %one : int = prim::Constant[value=1]()
    %a : int, %b : int = prim::Loop(%n, %true, %zero, %one)
      block0(%i : int, %x : int, %y : int):
        %s : int = aten::add(%x, %y)
        -> (%true, %y, %s)
    return (%a)`
  t.equal(run(fibonacci, 10), 55)
  t.equal(run(fibonacci, 90), 2880067194370816120n)
  t.end()
})

t.test('tensors in and out', (t) => {
  const text = `graph(%a : Tensor, %b : Tensor):
    %one : int = prim::Constant[value=1]()
    %c : Tensor = aten::add(%a, %b, %one)
    %d : Tensor = aten::mul(%c, %c)
    return (%d)`
  const result = run(text, tensor([1, 2]), tensor([[3], [4]])) as Tensor
  t.same(result.toArray(), [
    [16, 25],
    [25, 36],
  ])
  t.equal(result.dtype, 'float32')
  t.end()
})

t.test('lists and views', (t) => {
  const text = `graph(%a : Tensor):
    %zero : int = prim::Constant[value=0]()
    %one : int = prim::Constant[value=1]()
    %l : Tensor[] = aten::unbind(%a, %zero)
    %x : Tensor, %y : Tensor = prim::ListUnpack(%l)
    %r : (Tensor, Tensor) = prim::TupleConstruct(%y, %x)
    return (%r)`
  const result = run(
    text,
    tensor([
      [1, 2],
      [3, 4],
    ]),
  ) as never[]
  t.same(
    result.map((handle) => Tensor.fromHandle(handle).toArray()),
    [
      [3, 4],
      [1, 2],
    ],
  )
  t.end()
})
