import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'

t.test('the typed operators are what `npm run gen` writes, each with a doc line', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'operators-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  execFileSync(process.execPath, ['.build/scripts/gen-api.js', folder])
  const files = readdirSync(folder)
  t.ok(files.includes('functions.ts'))
  for (const file of files)
    t.ok(
      readFileSync(join('lib/api/operators', file), 'utf8') === readFileSync(join(folder, file), 'utf8'),
      `${file} is current: npm run gen`,
    )
})
