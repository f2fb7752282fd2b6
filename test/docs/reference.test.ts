import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'

t.test('the API reference is what `npm run docs` writes', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'reference-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  execFileSync(process.execPath, ['.build/scripts/gen-docs.js', folder])
  const pages = readdirSync(folder).sort()
  t.same(readdirSync('docs/api').sort(), pages)
  for (const page of pages)
    t.ok(readFileSync(join('docs/api', page), 'utf8') === readFileSync(join(folder, page), 'utf8'), `${page} is current: npm run docs`)
})
