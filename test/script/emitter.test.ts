import t from 'tap'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { printGraph } from '../../lib/ir/printer.js'
import { parseGraph } from '../../lib/ir/parser.js'
import { verifyGraph } from '../../lib/ir/verifier.js'
import type { ScriptFunction } from '../../lib/ir/types.js'
import { CompilationUnit } from '../../lib/script/compilation-unit.js'

/*
 * A fixture is TorchScript source; programs in it are separated by lines of dashes. Beside it lies what each function compiles to, or the
 * whole error. BLESS=1 writes these files anew: read the difference before committing it.
 */
const folder = 'test/script/fixtures'
const texts = ['control-flow', 'indexing', 'classes', 'containers', 'errors']
const programsOf = (name: string): string[] => readFileSync(`${folder}/${name}.py`, 'utf8').split(/^# -+\n/m)

function describeProgram(source: string): string {
  const show = (name: string, emit: () => string): string => {
    try {
      return `${name}:\n${emit()}`
    } catch (error) {
      return `${name}:\n${(error as Error).name}: ${(error as Error).message}\n`
    }
  }
  const unit = new CompilationUnit()
  let functions: ScriptFunction[]
  try {
    functions = unit.define(source, 'program.py')
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}\n`
  }
  const classes = [...source.matchAll(/^class (\w+)(?:\(Module\))?:/gm)].map((m) => unit.classType(m[1]))
  return [...functions, ...classes.flatMap((c) => [...c.methods.values()])]
    .map((fn) =>
      show(fn.qualifiedName, () => {
        verifyGraph(fn.graph, 'compiling')
        return printGraph(fn.graph).replace(/ # program\.py:.*$/gm, '')
      }),
    )
    .join('\n')
}

for (const name of texts) {
  t.test(`${name}.py compiles to ${name}.ir`, (t) => {
    const got = programsOf(name).map(describeProgram).join('\n----\n')
    const file = `${folder}/${name}.ir`
    if (process.env.BLESS === '1') writeFileSync(file, got)
    t.equal(got, readFileSync(file, 'utf8'))
    t.end()
  })
}

t.test('every fixture that should compile does, and every other one does not', (t) => {
  for (const name of texts) {
    for (const program of programsOf(name)) {
      const failed = /^(CompileError|UnsupportedError): /m.test(describeProgram(program))
      t.equal(failed, name === 'errors', program.split('\n')[0])
    }
  }
  t.end()
})

t.test('functions choose the overloads that PyTorch chooses', (t) => {
  const expected = JSON.parse(readFileSync(`${folder}/overloads.json`, 'utf8')) as Record<string, Record<string, number>>
  const unit = new CompilationUnit()
  const functions = unit.define(readFileSync(`${folder}/overloads.py`, 'utf8'), 'overloads.py')
  t.ok(functions.length > 100, `${functions.length} functions`)
  for (const fn of functions) t.same(operatorsOf(fn), expected[fn.name], fn.name)
  t.end()
})
function operatorsOf(fn: ScriptFunction): Record<string, number> {
  const out: Record<string, number> = {}
  verifyGraph(fn.graph, 'compiling')
  const walk = (nodes: typeof fn.graph.nodes): void => {
    for (const node of nodes) {
      if (node.schema !== undefined && node.kind.startsWith('aten::')) out[node.schema.fullName] = (out[node.schema.fullName] ?? 0) + 1
      for (const block of node.blocks) walk(block.nodes)
    }
  }
  walk(fn.graph.nodes)
  return out
}

t.test('graphs survive printing and parsing', (t) => {
  for (const name of ['control-flow', 'indexing', 'containers']) {
    for (const program of programsOf(name)) {
      for (const fn of new CompilationUnit().define(program)) {
        const text = printGraph(fn.graph).replace(/ # <string>:.*$/gm, '')
        t.equal(printGraph(parseGraph(text)), text, fn.name)
      }
    }
  }
  t.end()
})

t.test('an error in one function does not touch the others', (t) => {
  const [good, bad] = new CompilationUnit().define(
    'def good(x: Tensor) -> Tensor:\n  return torch.relu(x)\n\ndef bad(x: Tensor) -> Tensor:\n  return ops.mine.op(x)\n',
  )
  t.equal(good.graph.nodes[0].schema?.fullName, 'aten::relu')
  t.throws(() => bad.graph, { code: 'ERR_UNSUPPORTED', message: /mine::op is not known/ })
  t.throws(() => bad.graph, { code: 'ERR_UNSUPPORTED' }, 'the error stays')
  t.end()
})

t.test('a circle of calls is refused wherever it is entered', (t) => {
  const source = 'def a(n: int) -> int:\n  return b(n)\n\ndef b(n: int) -> int:\n  return c(n)\n\ndef c(n: int) -> int:\n  return a(n)\n'
  for (const start of [0, 1, 2]) {
    const functions = new CompilationUnit().define(source)
    const order = [0, 1, 2].map((i) => functions[(start + i) % 3])
    t.ok(order[0].graph)
    t.ok(order[1].graph)
    t.throws(() => order[2].graph, { message: /^function '\w' is called recursively. Recursive calls are not supported:/ })
  }
  t.end()
})

t.test('fixtures have expectations', (t) => {
  const files = new Set(readdirSync(folder))
  for (const name of texts) t.ok(files.has(`${name}.ir`), name)
  t.end()
})
