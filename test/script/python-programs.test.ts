import t from 'tap'
import * as torch from '../../lib/index.js'
import { evaluateWith, outcome, programFiles, readCases, writeCases } from './program-files.js'

const bless = process.env.BLESS === '1'

/** The functions of a unit by name, for expressions. */
function functionsOf(source: string): Record<string, unknown> {
  const unit = new torch.jit.CompilationUnit(source)
  return Object.fromEntries(unit.getFunctions().map((fn) => [fn.name, fn]))
}

for (const [ending, what] of [
  ['.run.py.txt', 'Python programs give what PyTorch gives'],
  ['.fail.py.txt', 'Python programs that must not compile say why'],
] as const) {
  t.test(what, (t) => {
    for (const file of programFiles(ending)) {
      const cases = readCases(file)
      for (const { title, source, calls } of cases) {
        for (const call of calls) {
          const got = outcome(() => evaluateWith(functionsOf(source), call.expression))
          if (bless) call.expected = got
          t.equal(got, call.expected, `${title}: ${call.expression}`)
          if (ending.startsWith('.fail')) t.match(got, /^!!! /, `${title} fails`)
        }
      }
      if (bless) writeCases(file, cases)
    }
    t.end()
  })
}
