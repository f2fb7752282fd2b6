import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'

const page = readFileSync('docs/optimizing.md', 'utf8')

t.test('the lists of passes are what `npm run docs` writes', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'optimizing-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const copy = join(folder, 'optimizing.md')
  copyFileSync('docs/optimizing.md', copy)
  execFileSync(process.execPath, ['.build/scripts/gen-optimizer-docs.js', copy])
  t.ok(readFileSync(copy, 'utf8') === page, 'docs/optimizing.md is current: npm run docs')
  t.end()
})

t.test('every switch that the code reads is on the page', (t) => {
  const read = (folder: string): string[] =>
    readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => {
      if (!entry.isFile() || !/\.(cc|h|ts)$/.test(entry.name)) return []
      const text = readFileSync(join(entry.parentPath, entry.name), 'utf8')
      return [...text.matchAll(/(?:getenv\("|process\.env\.)(TORCHSCRIPT_\w+)/g)].map((match) => match[1])
    })
  const switches = [...new Set([...read('native/core'), ...read('native/cpu-avx'), ...read('lib')])]
  t.ok(switches.includes('TORCHSCRIPT_ISA'))
  for (const name of switches) t.match(page, name)
  t.end()
})
