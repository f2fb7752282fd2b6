// Kernels of fused groups as chips before sm_80 get them.
import './emulated-only.js'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { distance } from './compare.js'
import { assemble, runGroup } from './fused-groups.js'

process.env.TORCHSCRIPT_EMULATED_CAPABILITY = '75'
const folder = mkdtempSync(join(tmpdir(), 'ptx-'))
process.env.TORCHSCRIPT_CUDA_PTX = folder
t.teardown(() => {
  rmSync(folder, { recursive: true })
})

t.test('bfloat16', (t) => {
  t.equal(torch.cuda.getDeviceProperties().major, 7)
  const text = `graph(%x : Tensor, %y : Tensor):
  %one : int = prim::Constant[value=1]()
  %a : Tensor = aten::mul(%x, %y)
  %b : Tensor = aten::sub(%a, %y, %one)
  %out : Tensor[] = prim::ListConstruct(%a, %b)
  return (%out)`
  for (const shape of [[65], [4, 16]]) {
    const [x, y] = [torch.randn(shape).mul(50), torch.randn(shape)]
    for (const [i, value] of [NaN, Infinity, -Infinity, 3.3961775292304e38, 1e-40, -0].entries()) x.data[i] = value
    const { received, expected, fused } = runGroup(text, [x.to('bfloat16'), y.to('bfloat16')])
    t.equal(fused, 2)
    received.forEach((result, i) => t.equal(distance(result, expected[i]), 0))
  }
  t.end()
})

t.test('ptxas', (t) => {
  assemble(t, folder)
  t.end()
})
