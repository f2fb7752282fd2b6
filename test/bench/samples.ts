import { join } from 'node:path'
import type { KernelRow, ModelRow, Results } from '../../bench/harness/results.js'
import * as torch from '../../lib/index.js'

/** Writes NAME.pt, a trace, and NAME.io.pt into a folder, as the benchmark reads them. */
export function savePair(folder: string, name: string, model: torch.nn.Module & { forward(x: torch.Tensor): torch.Tensor }, input: torch.Tensor): void {
  torch.jit.save(torch.jit.trace(model, [input]), join(folder, `${name}.pt`))
  torch.save(
    new Map<string, unknown>([
      ['inputs', [input]],
      ['expected', model.forward(input)],
    ]),
    join(folder, `${name}.io.pt`),
  )
}

const times = (min: number, median: number): { min: number; median: number; calls: number } => ({ min, median, calls: 10 })

export const modelRow = (
  model: string,
  threads: number,
  ours: number,
  peers: Record<string, number>,
  fields: Partial<ModelRow> = {},
): ModelRow => ({
  model,
  threads,
  flops: 4e9,
  weightBytes: 40e6,
  parameterBytes: 47.4e6,
  engines: {
    ours: times(ours, ours * 1.25),
    ...Object.fromEntries(Object.entries(peers).map(([name, ms]) => [name, times(ms, ms * 1.5)])),
  },
  differences: {},
  skipped: {},
  memory: {},
  ...fields,
})

export const kernelRow = (kernel: string, min: number, fields: Partial<KernelRow> = {}): KernelRow => ({
  kernel,
  threads: 1,
  flops: 2e8,
  bytes: 1e7,
  time: times(min, min * 2),
  floor: 2,
  code: 'gemm',
  ...fields,
})

export const results = (fields: Partial<Results> = {}): Results => ({
  format: 1,
  date: '2026-11-21T12:00:00.000Z',
  machine: {
    cpu: 'CPU <1>',
    cores: 2,
    memoryBytes: 8e9,
    platform: 'linux x64',
    isa: 'avx2',
    versions: { 'torchscript-node': '0.1.0', node: '20.0.0' },
  },
  limits: [
    {
      threads: 1,
      gflops: 100,
      read: [
        { bytes: 16e3, gbs: 200 },
        { bytes: 256e3, gbs: 100 },
        { bytes: 4e6, gbs: 50 },
        { bytes: 256e6, gbs: 10 },
      ],
      copy: { bytes: 16e6, gbs: 20, ms: 1.6 },
    },
  ],
  models: [
    modelRow('resnet18', 1, 50, { onnxruntime: 75, 'torch jit': 100 }),
    modelRow('resnet18', 2, 40, { onnxruntime: 30 }),
    modelRow('mlp', 1, 0.005, { onnxruntime: 0.02 }, { flops: 2e5, weightBytes: 4e5 }),
  ],
  kernels: [kernelRow('gemm 1', 4)],
  ...fields,
})
