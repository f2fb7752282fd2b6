import t from 'tap'
import * as torch from '../../lib/index.js'
import { evaluate, outcome, programFiles, readCases, writeCases } from './program-files.js'

const bless = process.env.BLESS === '1'
const scripted =
  (source: string) =>
  (target: unknown): unknown =>
    torch.jit.script(target as () => unknown, { source: `\n${source}` })

let count = 0
t.test('TypeScript programs compile and give what they give without compiling', (t) => {
  for (const file of programFiles('.run.ts.txt')) {
    const cases = readCases(file)
    t.test(file, (t) => {
      for (const { title, source, calls } of cases) {
        count++
        for (const call of calls) {
          const what = `${title}: ${call.expression}`
          const got = outcome(() => evaluate(source, call.expression, scripted(source)))
          if (bless) call.expected = got
          t.equal(got, call.expected, what)
          t.equal(got.startsWith('!!! '), title.endsWith('raises'), `${what} runs`)
          // Programs of a file `scripted-...` do what only compiled code does.
          if (!file.includes('/scripted-') && !got.startsWith('!!! ')) {
            const eager = outcome(() => evaluate(source, call.expression, (target) => target))
            t.equal(eager, call.expected, `without compiling, ${what}`)
          }
        }
      }
      t.end()
    })
    if (bless) writeCases(file, cases)
  }
  t.end()
})

t.test('TypeScript programs that must not compile say why, where, and what to write instead', (t) => {
  let failing = 0
  for (const file of programFiles('.fail.ts.txt')) {
    const cases = readCases(file)
    for (const { title, source, calls } of cases) {
      failing++
      for (const call of calls) {
        const got = outcome(() => evaluate(source, call.expression, scripted(source)))
        if (bless) call.expected = got
        t.match(got, /^!!! /, `${title} fails`)
        t.equal(got, call.expected, title)
      }
    }
    if (bless) writeCases(file, cases)
  }
  t.ok(count >= 100, `${count} programs run`)
  t.ok(failing >= 60, `${failing} programs fail`)
  t.end()
})
