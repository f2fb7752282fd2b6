import t from 'tap'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { native } from '../native/programs.js'
import { isas } from './golden.js'

const folders = ['/usr/lib/x86_64-linux-gnu', '/usr/lib64', '/usr/lib', '/usr/local/lib']
const reason = !native.nativeOperators().kernels.includes('onednn_linear')
  ? 'the addon was built without the headers of oneDNN 2'
  : !folders.some((folder) => existsSync(`${folder}/libdnnl.so.2`))
    ? 'libdnnl.so.2 is not installed'
    : ''

for (const isa of isas) {
  t.test(`oneDNN gives our results in recordings that take it with ${isa}`, { skip: reason === '' ? false : reason }, (t) => {
    const script = fileURLToPath(new URL('./onednn-child.js', import.meta.url))
    const env = { ...process.env, TORCHSCRIPT_ISA: isa, TORCHSCRIPT_PROVIDER: 'onednn' }
    const text = execFileSync(process.execPath, [script], { env, maxBuffer: 1 << 26 }).toString()
    const { failures, count, kernels } = JSON.parse(text) as { failures: string[]; count: number; kernels: string[] }
    t.same(failures, [])
    t.equal(count, 4 * 20)
    for (const row of ['linear', 'linear_epilogue', 'mm', 'matmul', 'addmm']) t.ok(kernels.includes(`onednn_${row}: onednn_matmul`), row)
    t.ok(kernels.includes('onednn_convolution: onednn_convolution'))
    t.end()
  })
  t.test(`timed alternatives keep results with ${isa}`, (t) => {
    const script = fileURLToPath(new URL('./onednn-child.js', import.meta.url))
    const text = execFileSync(process.execPath, [script], { env: { ...process.env, TORCHSCRIPT_ISA: isa }, maxBuffer: 1 << 26 }).toString()
    t.same((JSON.parse(text) as { failures: string[] }).failures, [])
    t.end()
  })
}
