// Groups of test/fixtures/ptx and the text of their kernels; BLESS=1 writes it anew. The first line says what the arguments are.
import './emulated.js'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { distance } from './compare.js'
import { runGroup } from './fused-groups.js'

torch.manualSeed(11)
const fixtures = 'test/fixtures/ptx'
const tolerance = 2e-6

for (const file of readdirSync(fixtures).sort()) {
  t.test(file, (t) => {
    const path = join(fixtures, file)
    const [source, wanted = ''] = readFileSync(path, 'utf8').split('=>\n')
    const [head, ...lines] = source.split('\n')
    const inputs = [...head.matchAll(/(\w+)\[([\d, ]*)\]/g)].map(([, dtype, sizes]) =>
      torch.randn(sizes.split(',').filter((n) => n.trim() !== '').map(Number)).mul(3).to(dtype as 'float32'),
    )
    // The kernels that this group needs.
    const folder = mkdtempSync(join(tmpdir(), 'ptx-'))
    process.env.TORCHSCRIPT_CUDA_PTX = folder
    const { received, expected, fused } = runGroup(lines.join('\n'), inputs)
    t.equal(fused, 2)
    received.forEach((result, i) => t.ok(distance(result, expected[i]) <= tolerance, `result ${i}`))
    const text = readdirSync(folder)
      .sort()
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join('\n')
    rmSync(folder, { recursive: true })
    if (process.env.BLESS === '1') writeFileSync(path, `${source}=>\n${text}`)
    else t.equal(text, wanted)
    t.end()
  })
}
