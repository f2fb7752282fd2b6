import t from 'tap'
import { CompilationUnit } from '../../lib/script/compilation-unit.js'
import { TorchScriptError } from '../../lib/util/errors.js'

/** Compiles all of a program; the error it gives, or undefined. */
function compile(source: string): Error | undefined {
  try {
    for (const fn of new CompilationUnit().define(source, 'program.py')) void fn.graph
    return undefined
  } catch (error) {
    return error as Error
  }
}
const times = (n: number, text: string): string => text.repeat(n)

t.test('programs too deep for the stack give a typed error', (t) => {
  const programs: Record<string, string> = {
    parentheses: `def f(x):\n  return ${times(100000, '(')}\n`,
    signs: `def f(x):\n  return ${times(100000, '-')}x\n`,
    negations: `def f(x):\n  return ${times(50000, 'not ')}x\n`,
    sum: `def f(n: int):\n  return ${times(20000, 'n + ')}n\n`,
    conjunction: `def f(n: bool):\n  return ${times(20000, 'n and ')}n\n`,
    attributes: `def f(x):\n  return x${times(20000, '.T')}\n`,
    powers: `def f(n: int):\n  return ${times(20000, 'n ** ')}n\n`,
    elifs: `def f(n: int):\n  if n == 0:\n    pass\n${times(20000, '  elif n == 1:\n    pass\n')}`,
    types: `def f(x: ${times(100000, 'List[')}):\n  pass\n`,
    stringType: `def f(x: "${times(1000, 'List[')}"):\n  pass\n`,
    ownField: 'class P(NamedTuple):\n  x : P\ndef f(p: P):\n  return p\n',
    eachOther: 'class P(NamedTuple):\n  x : Q\nclass Q(NamedTuple):\n  x : List[P]\ndef f(p: P):\n  return p\n',
    string: `def f():\n  return "${times(100001, '\\')}`,
    format: `def f():\n  return f"${times(9999, '{')}"\n`,
  }
  for (const [name, source] of Object.entries(programs)) {
    const error = compile(source)
    t.ok(error instanceof TorchScriptError, `${name}: ${error?.name} ${error?.message.slice(0, 80)}`)
  }
  t.end()
})

t.test('names that JavaScript objects have are names like others', (t) => {
  t.equal(
    compile(
      'def f(constructor: int, toString: int) -> int:\n  hasOwnProperty = constructor + toString\n  valueOf = hasOwnProperty\n  return valueOf\n',
    ),
    undefined,
  )
  t.equal(compile('class __proto__:\n  constructor : int\ndef f(x: __proto__) -> int:\n  return x.constructor\n'), undefined)
  for (const expression of [
    'constructor',
    'toString',
    'x.constructor',
    'x.hasOwnProperty()',
    'torch.constructor(x)',
    'torch.toString',
    'math.valueOf',
    '__proto__',
  ]) {
    const error = compile(`import math\ndef f(x: Tensor):\n  return ${expression}\n`)
    t.ok(error instanceof TorchScriptError, `${expression}: ${error?.name} ${error?.message.split('\n')[0]}`)
    t.notMatch(error?.message, /native code/, expression)
  }
  t.match(compile('def f(x: constructor):\n  return x\n')?.message, /^Unknown type name 'constructor':/)
  t.match(compile('def f(x: Tensor):\n  return x.constructor\n')?.message, /^'Tensor' object has no attribute or method 'constructor'\.:/)
  t.end()
})
