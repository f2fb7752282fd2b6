import t from 'tap'
import { fuzz, readCorpus } from '../../scripts/fuzz-archive.js'

t.test('mutated archives are loaded or refused, nothing else', (t) => {
  const seed = Date.now() % 1_000_000
  const report = fuzz({ seconds: 5, seed, corpus: readCorpus(['test/fixtures/archive']) })
  t.comment(`seed ${seed}: ${report.cases} files, ${report.loaded} times loaded, ${report.refused} times refused`)
  t.same(report.defects, [])
  t.ok(report.loaded > 0 && report.messages.size > 20, 'mutations reach deep into the readers')
  t.end()
})
