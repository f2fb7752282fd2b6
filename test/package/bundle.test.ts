import t from 'tap'
import { build } from 'esbuild'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

t.test('a bundle that contains the library says to mark it as external', async (t) => {
  const work = mkdtempSync(join(tmpdir(), 'torchscript-bundle-'))
  t.teardown(() => rmSync(work, { recursive: true, force: true }))
  const entry = join(work, 'app.mjs')
  writeFileSync(entry, `import * as torch from ${JSON.stringify(resolve('dist/index.mjs'))}\nconsole.log('imported')\ntorch.isa()`)
  for (const format of ['esm', 'cjs'] as const) {
    const outfile = join(work, format === 'esm' ? 'out.mjs' : 'out.cjs')
    await build({ entryPoints: [entry], bundle: true, platform: 'node', format, outfile, logLevel: 'silent', external: ['bindings'] })
    const { stdout, stderr } = spawnSync(process.execPath, [outfile], { encoding: 'utf8' })
    t.equal(stdout, 'imported\n', `${format}: importing needs no addon`)
    t.match(stderr, 'A bundler has probably copied its code: mark torchscript-node as external.', format)
  }
})
