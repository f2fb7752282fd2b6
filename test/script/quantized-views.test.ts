import { readFileSync } from 'node:fs'
import t from 'tap'
import * as torch from '../../lib/index.js'

/* Views, writes and averages of quantized tensors. Values and messages are PyTorch's (test/fixtures/make/quantized_views.py). */

interface Case {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: readonly number[]
  readonly raises?: string
}
const folder = 'test/fixtures/script'
const text = readFileSync(`${folder}/quantized-views.json`, 'utf8')
const { x, image, cases } = JSON.parse(text) as { x: number[]; image: number[]; cases: Case[] }
const unit = new torch.jit.CompilationUnit(
  readFileSync(`${folder}/quantized-views.py`, 'utf8').replaceAll('torch._C._nn.', 'torch.'),
) as unknown as Record<string, (x: torch.Tensor) => torch.Tensor>
const given = { x: torch.tensor(x, { shape: [2, 3, 4] }), image: torch.tensor(image, { shape: [1, 2, 6, 6] }) }

for (const { name, shape, values, raises } of cases) {
  t.test(name, (t) => {
    const argument = name.startsWith('pool') ? given.image : given.x
    // The second call replays what the first has recorded.
    for (let run = 0; run < 2; run++) {
      if (raises !== undefined) {
        t.throws(() => unit[name](argument), { message: new RegExp(raises.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')) })
        continue
      }
      const got = unit[name](argument)
      t.same(got.shape, shape)
      t.same(Array.from(got.contiguous().data as Float32Array | Uint8Array), values)
    }
    t.end()
  })
}
