import t from 'tap'
import { readFileSync } from 'node:fs'
import { parseGraph } from '../../lib/ir/parser.js'
import type { ScriptFunction } from '../../lib/ir/types.js'
import { TensorType } from '../../lib/ir/types.js'
import { Op } from '../../lib/plan/format.js'
import { encodePlan } from '../../lib/plan/encode.js'
import { PlanTables } from '../../lib/plan/tables.js'
import { noneValue } from '../../lib/plan/value.js'
import { CompileError } from '../../lib/util/errors.js'
import { type Operators, type Run, simulate } from './simulator.js'

function functionOf(text: string): ScriptFunction {
  const graph = parseGraph(text)
  return {
    qualifiedName: 'f',
    name: 'f',
    graph,
    parameters: graph.inputs.map((input, i) => ({ name: input.debugName ?? `p${i}`, type: input.type })),
    returnType: graph.outputs[0].type,
  }
}

const newTables = (): PlanTables =>
  new PlanTables({
    native: { builtins: new Set(), kernels: new Set() },
    prepare: (graph) => graph,
    compile: () => {
      throw new Error('no composed operators here')
    },
  })

/** Tensors are one-element arrays here, so that drops of them are seen. */
const operators: Operators = {
  'aten::add.Tensor': (a: number[], b: number[]) => [a[0] + b[0]],
  'aten::mul.Tensor': (a: number[], b: number[]) => [a[0] * b[0]],
  'aten::neg': (a: number[]) => [-a[0]],
  'aten::add.int': (a: number, b: number) => a + b,
  'aten::lt.int': (a: number, b: number) => a < b,
  'aten::gt.int': (a: number, b: number) => a > b,
}

function run(text: string, ...args: unknown[]): Run {
  const tables = newTables()
  const index = tables.function(functionOf(text))
  tables.lowerPending()
  t.equal(tables.functions[index].error, '')
  return simulate(tables, index, args, operators)
}

t.test('takes operands where they die and keeps those that live on', (t) => {
  const text = `graph(%a : Tensor, %b : Tensor):
    %one : int = prim::Constant[value=1]()
    %c : Tensor = aten::add(%a, %b, %one)
    %d : Tensor = aten::mul(%c, %c)
    %unused : Tensor = aten::neg(%d)
    %e : Tensor = aten::add(%d, %a, %one)
    return (%e)`
  t.same(run(text, [2], [3]), { result: [27], leftovers: [] })
  t.end()
})

t.test('branches: values that only one of them reads die in the other', (t) => {
  const text = `graph(%a : Tensor, %b : Tensor, %n : int):
    %zero : int = prim::Constant[value=0]()
    %one : int = prim::Constant[value=1]()
    %t : Tensor = aten::add(%a, %b, %one)
    %cond : bool = aten::gt(%n, %zero)
    %r : Tensor, %s : Tensor = prim::If(%cond)
      block0():
        %u : Tensor = aten::neg(%t)
        -> (%u, %u)
      block1():
        %inner : bool = aten::lt(%n, %zero)
        %v : Tensor = prim::If(%inner)
          block0():
            -> (%b)
          block1():
            %w : Tensor = aten::mul(%a, %a)
            -> (%w)
        -> (%v, %a)
    %q : Tensor = aten::add(%r, %s, %one)
    return (%q)`
  t.same(run(text, [2], [3], 1), { result: [-10], leftovers: [] })
  t.same(run(text, [2], [3], -1), { result: [5], leftovers: [] })
  t.same(run(text, [2], [3], 0), { result: [6], leftovers: [] })
  t.end()
})

t.test('loops: carried values that swap, invariant values, zero iterations', (t) => {
  const text = `graph(%a : Tensor, %b : Tensor, %n : int):
    %true : bool = prim::Constant[value=1]()
    %one : int = prim::Constant[value=1]()
    %k : Tensor = aten::neg(%a)
    %x : Tensor, %y : Tensor, %z : int = prim::Loop(%n, %true, %a, %b, %n)
      block0(%i : int, %p : Tensor, %q : Tensor, %m : int):
        %s : Tensor = aten::add(%p, %k, %one)
        %m2 : int = aten::add(%m, %i)
        -> (%true, %q, %s, %m2)
    %r : Tensor = aten::mul(%x, %y)
    return (%r)`
  t.same(run(text, [2], [3], 0), { result: [6], leftovers: [] })
  t.same(run(text, [2], [3], 1), { result: [0], leftovers: [] }, 'x = 3, y = 0')
  t.same(run(text, [2], [3], 2), { result: [0], leftovers: [] }, 'x = 0, y = 1')
  t.same(run(text, [2], [3], 3), { result: [-2], leftovers: [] }, 'x = 1, y = -2')
  t.end()
})

t.test('a cycle of three carried values and a loop that ends by its condition', (t) => {
  const text = `graph(%a : Tensor, %b : Tensor, %c : Tensor, %n : int):
    %max : int = prim::Constant[value=1000]()
    %true : bool = prim::Constant[value=1]()
    %one : int = prim::Constant[value=1]()
    %x : Tensor, %y : Tensor, %z : Tensor = prim::Loop(%max, %true, %a, %b, %c)
      block0(%i : int, %p : Tensor, %q : Tensor, %s : Tensor):
        %j : int = aten::add(%i, %one)
        %go : bool = aten::lt(%j, %n)
        -> (%go, %q, %s, %p)
    %r : (Tensor, Tensor, Tensor) = prim::TupleConstruct(%x, %y, %z)
    return (%r)`
  t.same(run(text, [1], [2], [3], 1).result, [[2], [3], [1]])
  t.same(run(text, [1], [2], [3], 2).result, [[3], [1], [2]])
  t.same(run(text, [1], [2], [3], 3), { result: [[1], [2], [3]], leftovers: [] })
  t.end()
})

t.test('nested loops with a branch inside', (t) => {
  const text = `graph(%a : Tensor, %n : int):
    %true : bool = prim::Constant[value=1]()
    %one : int = prim::Constant[value=1]()
    %x : Tensor = prim::Loop(%n, %true, %a)
      block0(%i : int, %p : Tensor):
        %y : Tensor = prim::Loop(%i, %true, %p)
          block0(%j : int, %q : Tensor):
            %c : bool = aten::lt(%j, %one)
            %r : Tensor = prim::If(%c)
              block0():
                %s : Tensor = aten::add(%q, %a, %one)
                -> (%s)
              block1():
                -> (%q)
            -> (%true, %r)
        -> (%true, %y)
    return (%x)`
  t.same(run(text, [5], 4), { result: [20], leftovers: [] })
  t.end()
})

t.test('a function that does not compile becomes an error function', (t) => {
  const tables = newTables()
  const good = functionOf('graph(%a : Tensor):\n  return (%a)')
  const bad: ScriptFunction = {
    ...good,
    get graph(): never {
      throw new CompileError('no such name')
    },
  }
  const index = tables.function(bad)
  tables.lowerPending()
  t.equal(tables.functions[index].error, 'no such name')
  t.same(tables.functions[index].code, [])
  t.end()
})

t.test('a function whose declaration does not compile does not keep the others from loading', (t) => {
  const tables = newTables()
  const good = functionOf('graph(%a : Tensor):\n  return (%a)')
  const bad: ScriptFunction = {
    ...good,
    get parameters(): never {
      throw new CompileError('no such type')
    },
  }
  const defect: ScriptFunction = {
    ...good,
    get graph(): never {
      throw new TypeError('x is undefined')
    },
  }
  const indices = [bad, defect, good].map((fn) => tables.function(fn))
  encodePlan(tables, noneValue)
  t.same(
    indices.map((index) => tables.functions[index].error),
    ['no such type', 'Compiling f failed: x is undefined. This is a defect of torchscript-node.', ''],
  )
  t.same(
    indices.map((index) => tables.functions[index].parameters.length),
    [0, 1, 1],
    'callers count the arguments by the declaration',
  )
  t.end()
})

t.test('the encoded plan starts with its magic number and knows its functions', (t) => {
  const tables = newTables()
  const fn = functionOf('graph(%a : Tensor):\n  return (%a)')
  tables.function(fn)
  const plan = encodePlan(tables, noneValue)
  t.equal(Buffer.from(plan.bytes.subarray(0, 4)).toString('latin1'), 'TSPL')
  t.equal(plan.indexOf(fn), 0)
  t.equal(tables.type(TensorType), 0)
  t.end()
})

t.test('opcodes are those of the format page', (t) => {
  const page = readFileSync('docs/plan-format.md', 'utf8')
  const rows = [...page.split('## Code')[1].matchAll(/^\| ([^|]*) \|/gm)].flatMap(([, cell]) => cell.split(' / '))
  const documented = rows.flatMap((cell) => {
    const match = /^(\d+) ([A-Z_]+)$/.exec(cell.trim())
    return match === null ? [] : [[match[2], Number(match[1])] as const]
  })
  t.same(Object.fromEntries(documented), Op)
  t.end()
})
