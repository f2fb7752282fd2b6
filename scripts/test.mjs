// `npm test`: sets up a fresh clone, then type check, lint and every test under test/. `npm test -- <text>` runs the
// test files whose path contains the text.
import { execFileSync, execSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

execSync('node scripts/setup.mjs', { stdio: 'inherit' })
const filter = process.argv[2]
const walk = (dir) =>
  readdirSync(dir, { withFileTypes: true }).flatMap((e) =>
    e.isDirectory() ? walk(join(dir, e.name)) : e.name.endsWith('.test.js') ? [join(dir, e.name)] : [],
  )
// The CUDA tests run on an emulated driver.
execSync('node scripts/build-emulated.mjs', { stdio: 'inherit' })
const files = walk('.build/test').filter((f) => filter === undefined || f.includes(filter))
if (files.length === 0) throw new Error(`Expected a part of a test file's path but received ${JSON.stringify(filter)}.`)
if (filter === undefined) {
  // With nvcc: that it and ptxas take every kernel, and what each uses.
  execSync('node scripts/build-cuda.mjs --check', { stdio: 'inherit' })
  execSync('npx tsc --noEmit -p .', { stdio: 'inherit' })
  execSync('npm run -s lint', { stdio: 'inherit' })
}
execFileSync('npx', ['tap', 'run', '--disable-coverage', '--allow-empty-coverage', '--reporter=terse', '--timeout=300', '-j2', ...files], {
  stdio: 'inherit',
})
