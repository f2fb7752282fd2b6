import t from 'tap'
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { isas } from './golden.js'

const tiles: Record<string, string> = { scalar: '4x8', avx2: '6x16', avx512: '14x32' }

t.setTimeout(600_000)
for (const isa of isas) {
  t.test(`products with a residual and an activation equal the separate operators with ${isa}`, (t) => {
    const script = fileURLToPath(new URL('./epilogue-child.js', import.meta.url))
    const text = execFileSync(process.execPath, [script], { env: { ...process.env, TORCHSCRIPT_ISA: isa }, maxBuffer: 1 << 26 }).toString()
    const { failures, kernels, count, refused } = JSON.parse(text) as {
      failures: string[]
      kernels: string[]
      count: number
      refused: string
    }
    t.same(failures, [])
    t.ok(count > 150)
    for (const kernel of [`linear_epilogue: gemm_f32_${isa}_${tiles[isa]}`, `convolution_epilogue: gemm_f32_${isa}_${tiles[isa]}`]) {
      t.ok(kernels.includes(kernel), kernel)
    }
    t.ok(kernels.includes('convolution_epilogue: conv_depthwise'))
    for (const name of ['strassen', 'strassen_twice', 'strassen_kept']) t.ok(kernels.includes(`linear_epilogue: ${name}_f32_${isa}`), name)
    t.match(refused, /Expected .* for `activation` but received 'softsign'/)
    t.end()
  })
}
