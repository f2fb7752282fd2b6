import t from 'tap'
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { failuresOn, isas } from './golden.js'

interface Report {
  failures: string[]
  kernels: string[]
  count: number
}
const child = (name: string, env: Record<string, string>): Report =>
  JSON.parse(
    execFileSync(process.execPath, [fileURLToPath(new URL(`./${name}.js`, import.meta.url))], {
      env: { ...process.env, ...env },
      maxBuffer: 1 << 26,
    }).toString(),
  ) as Report

t.setTimeout(600_000)

const tiles: Record<string, string> = { scalar: '4x8', avx2: '6x16', avx512: '14x32' }
for (const isa of isas) {
  // 0: never; 2 and 4: that size of tiles wherever it can be
  for (const size of ['0', '2', '4']) {
    t.test(`convolutions give PyTorch's results with ${isa}, Winograd ${size}`, (t) => {
      t.same(failuresOn(isa, 'conv', { TORCHSCRIPT_WINOGRAD: size }), [])
      t.end()
    })
  }
  for (const size of ['2', '4']) {
    t.test(`Winograd tiles of ${size} do residuals and activations with ${isa}`, (t) => {
      const { failures, kernels } = child('epilogue-child', { TORCHSCRIPT_ISA: isa, TORCHSCRIPT_WINOGRAD: size })
      t.same(failures, [])
      t.ok(kernels.includes(`convolution_epilogue: conv_winograd_${size}x${size}_${isa}`))
      t.end()
    })
  }
  t.test(`Winograd stays within 1e-5 of the exact result, relative to the largest, with ${isa}`, (t) => {
    for (const size of ['2', '4']) {
      const { failures, kernels, count } = child('winograd-child', { TORCHSCRIPT_ISA: isa, TORCHSCRIPT_WINOGRAD: size })
      t.same(failures, [])
      t.ok(count > 10)
      t.same(kernels, [`conv2d: conv_winograd_${size}x${size}_${isa}`])
    }
    t.end()
  })
}

for (const isa of isas) {
  t.test(`channels-last kernels with ${isa}`, (t) => {
    for (const size of ['0', '2', '4']) {
      const { failures, kernels, count } = child('last-child', { TORCHSCRIPT_ISA: isa, TORCHSCRIPT_WINOGRAD: size })
      t.same(failures, [])
      t.ok(count > 300)
      for (const kernel of [
        'convolution_epilogue: conv_depthwise_last',
        'convolution_epilogue: conv_grouped_last',
        `convolution_epilogue: conv_narrow_${isa}_${tiles[isa]}`,
        `convolution_epilogue: gemm_f32_${isa}_${tiles[isa]}`,
        'bottleneck: conv_bottleneck',
        'bottleneck: conv_bottleneck_stem',
        'convolution_epilogue: conv_stem',
        `convolution_epilogue: conv_transposed_last_${isa}`,
        'max_pool2d: max_pool_last',
        'avg_pool2d: avg_pool_last',
      ])
        t.ok(kernels.includes(kernel), kernel)
      t.equal(kernels.includes(`convolution_epilogue: conv_winograd_${size}x${size}_last_${isa}`), size !== '0')
      t.equal(kernels.includes(`convolution_epilogue: conv_winograd_3x3_stem_${isa}`), size !== '0')
      t.ok(kernels.some((kernel) => kernel.startsWith('convolution_epilogue: strassen_')))
    }
    t.end()
  })
}

t.test('the choice of the form', (t) => {
  const { failures } = child('winograd-child', { TORCHSCRIPT_WINOGRAD: '' })
  t.same(failures, [])
  t.same(
    child('winograd-child', { TORCHSCRIPT_WINOGRAD: '0' }).kernels.filter((k) => k.includes('winograd')),
    [],
  )
  t.end()
})
