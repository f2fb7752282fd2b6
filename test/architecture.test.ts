import t from 'tap'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join, relative, resolve, dirname } from 'node:path'

const page = readFileSync('ARCHITECTURE.md', 'utf8')

/** Rows `| room | holds | may import |` of the table whose header names `lib/` or `native/`. */
function doors(folder: string): Map<string, Set<string>> {
  const table = page.split(`| room of ${folder} |`)[1].split('\n\n')[0]
  const rows = table
    .split('\n')
    .slice(2)
    .map((line) => line.split('|').map((cell) => cell.trim()))
  return new Map(rows.map(([, room, , allowed]) => [room, new Set(allowed.split(/\s+/).filter(Boolean))]))
}

const walk = (dir: string): string[] =>
  existsSync(dir)
    ? readdirSync(dir, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? walk(join(dir, e.name)) : [join(dir, e.name)]))
    : []

/** Imports of one file that its room's row does not allow. */
function forbiddenImports(file: string, text: string, rooms: Map<string, Set<string>>): string[] {
  const room = relative('lib', file).split('/')[0]
  const allowed = rooms.get(room)
  if (allowed === undefined) return [`${file}: no room "${room}" in ARCHITECTURE.md`]
  const out: string[] = []
  for (const [, target] of text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
    const other = relative(resolve('lib'), resolve(dirname(file), target)).split('/')[0]
    if (other !== room && !allowed.has(other)) out.push(`${file} imports ${other}`)
  }
  return out
}

t.test('rooms of lib import only through their doors', (t) => {
  const rooms = doors('lib/')
  t.ok(rooms.size >= 10)
  const files = walk('lib').filter((f) => f.endsWith('.ts') && f !== 'lib/index.ts')
  t.ok(files.length > 20)
  for (const file of files) t.same(forbiddenImports(file, readFileSync(file, 'utf8'), rooms), [], file)
  t.same(forbiddenImports('lib/ir/x.ts', "import { a } from '../plan/a.js'", rooms), ['lib/ir/x.ts imports plan'], 'the check can fail')
  t.end()
})

t.test('rooms of native include only through their doors', (t) => {
  const rooms = doors('native/')
  const files = walk('native').filter((f) => /\.(cc|h|inc)$/.test(f))
  t.ok(files.length > 20)
  const check = (file: string, text: string): string[] => {
    const room = relative('native', file).split('/')[0]
    const isPublic = room === 'include'
    const allowed = rooms.get(isPublic ? 'include/torchscript' : room)
    if (allowed === undefined) return [`${file}: no room "${room}" in ARCHITECTURE.md`]
    const out: string[] = []
    for (const [, target] of text.matchAll(/#include\s+"([^"]+)"/g)) {
      const beside = join(dirname(file), target)
      const path = existsSync(beside) ? relative('native', beside) : target
      const other = path.split('/')[0]
      if (other !== room && !allowed.has(other)) out.push(`${file} includes ${target}`)
    }
    if (/napi\.h|node_api\.h/.test(text) && room !== 'binding.cc' && room !== 'binding') out.push(`${file} includes the Node-API`)
    return out
  }
  for (const file of files) t.same(check(file, readFileSync(file, 'utf8')), [], file)
  t.same(check('native/cpu-avx/x.cc', '#include "core/value.h"'), ['native/cpu-avx/x.cc includes core/value.h'], 'the check can fail')
  t.end()
})

t.test('units of one instruction set include no standard library code', (t) => {
  const files = walk('native/cpu-avx/isa').filter((f) => f.endsWith('.cc'))
  for (const file of files) {
    const headers = [...readFileSync(file, 'utf8').matchAll(/#include\s+<([^>]+)>/g)].map((m) => m[1])
    t.same(
      headers.filter((h) => !['stddef.h', 'stdint.h', 'immintrin.h', 'string.h', 'float.h', 'math.h'].includes(h)),
      [],
      file,
    )
  }
  t.end()
})
