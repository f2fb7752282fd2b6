// Filters that folding a batch norm makes are computed in the memory that they are packed into.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { isas } from '../kernels/golden.js'

const { jit, nn } = torch
const folder = mkdtempSync(join(tmpdir(), 'packs-over-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

torch.manualSeed(1)
const models = {
  even: new nn.Sequential(new nn.Conv2d(64, 256, 3, { padding: 1, bias: false }), new nn.BatchNorm2d(256), new nn.ReLU()),
  odd: new nn.Sequential(new nn.Conv2d(40, 208, 3, { padding: 1 }), new nn.BatchNorm2d(208)),
  strided: new nn.Sequential(new nn.Conv2d(64, 160, 3, { stride: 2, padding: 1, bias: false }), new nn.BatchNorm2d(160)),
}
const shapes: Record<string, number[]> = { even: [1, 64, 14, 14], odd: [1, 40, 13, 11], strided: [1, 64, 14, 14] }
for (const [name, model] of Object.entries(models)) {
  const [, norm] = [...model.children()] as [unknown, torch.nn.BatchNorm2d]
  norm.runningMean!.copy_(torch.randn(norm.runningMean!.shape))
  norm.runningVar!.copy_(torch.rand(norm.runningVar!.shape).add(0.5))
  model.eval()
  const x = torch.randn(shapes[name])
  jit.save(jit.trace(model, [x]), join(folder, `${name}.pt`))
}

for (const isa of isas) {
  t.test(`filters that are folded and packed with ${isa}`, (t) => {
    const script = fileURLToPath(new URL('./packs-over-child.js', import.meta.url))
    const files = Object.entries(shapes).map(([name, shape]) => ({ file: join(folder, `${name}.pt`), shape }))
    for (const size of ['2', '4']) {
      const env = { ...process.env, TORCHSCRIPT_ISA: isa, TORCHSCRIPT_WINOGRAD: size }
      const text = execFileSync(process.execPath, [script, JSON.stringify(files)], { env }).toString()
      for (const { file, difference, kernels } of JSON.parse(text) as { file: string; difference: number; kernels: string[] }[]) {
        if (!file.includes('strided')) t.match(kernels.join(' '), /conv_winograd/)
        t.ok(difference < 1e-5, `${file}, tiles of ${size}: ${difference}`)
      }
    }
    t.end()
  })
}
