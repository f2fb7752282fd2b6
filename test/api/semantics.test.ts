import t from 'tap'
import { readFileSync } from 'node:fs'
import * as torch from '../../lib/index.js'

const folder = 'test/fixtures/api'
/** What PyTorch did with the archives (test/fixtures/make/api_semantics.py). */
const expected = JSON.parse(readFileSync(`${folder}/semantics.json`, 'utf8')) as {
  contexts: { k: number; result: number | null; error: string | null; log: string[] }[]
  code: string
  interfaces: number[]
  tied: { namedParameters: string[]; namedBuffers: string[]; stateDict: string[] }
}

t.test('an error leaves with blocks through __exit__, innermost first, and stays the error that is reported', (t) => {
  const m = torch.jit.load(`${folder}/contexts.pt`)
  for (let round = 0; round < 2; round++) {
    for (const { k, result, error, log } of expected.contexts) {
      const call = (): unknown => m.forward(k, torch.ones([2, 3]))
      if (error === null) t.equal(call(), result, `forward(${k})`)
      else t.throws(call, { code: 'ERR_SCRIPT', message: new RegExp(error.replace(/[()]/g, '\\$&')) }, `forward(${k})`)
      t.same(m.takes(), log, `what forward(${k}) entered and left`)
    }
  }
  t.equal(m.code.replace('self: __torch__.Contexts,', 'self,').trim(), expected.code.trim())
  t.end()
})

t.test('isinstance of an interface looks at the methods of the object: names, parameters and types', (t) => {
  const m = torch.jit.load(`${folder}/interfaces.pt`)
  t.same(
    expected.interfaces.map((_, i) => m.forward(i)),
    expected.interfaces,
  )
  t.end()
})

t.test('tied parameters and buffers are listed once, and saved under each name', (t) => {
  const m = torch.jit.load(`${folder}/tied.pt`)
  const names = (entries: Iterable<[string, unknown]>): string[] => [...entries].map(([name]) => name)
  t.same(names(m.namedParameters()), expected.tied.namedParameters)
  t.same(names(m.namedBuffers()), expected.tied.namedBuffers)
  t.same(names(m.stateDict()), expected.tied.stateDict)
  t.equal(m.parameters().length, expected.tied.namedParameters.length)
  t.equal(m.buffers().length, 1)
  t.end()
})
