// onnxruntime-node as an engine; installed in bench/peers.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { now, type Engine } from './interleave.js'
import { largestDifference } from './statistics.js'

interface Session {
  readonly inputNames: string[]
  readonly outputNames: string[]
  run(feeds: Record<string, unknown>): Promise<Record<string, { data: Float32Array }>>
  release?(): Promise<void>
}
export interface OnnxRuntime {
  readonly version: string
  readonly InferenceSession: { create(path: string, options: object): Promise<Session> }
  readonly Tensor: new (type: string, data: unknown, shape: readonly number[]) => unknown
}

/** The package, or why it is not there. */
export function findOnnxRuntime(): OnnxRuntime | string {
  try {
    const required = createRequire(resolve('bench/peers/package.json'))('onnxruntime-node') as Omit<OnnxRuntime, 'version'>
    const { version } = JSON.parse(readFileSync('bench/peers/node_modules/onnxruntime-node/package.json', 'utf8')) as { version: string }
    return { version, InferenceSession: required.InferenceSession, Tensor: required.Tensor }
  } catch {
    return 'onnxruntime-node is not installed (npm install in bench/peers)'
  }
}

/** What it needs of a model: tensors are of any library that has these fields. */
export interface Given {
  readonly name: string
  readonly folder: string
  readonly inputs: readonly { readonly dtype: string; readonly data: unknown; readonly shape: readonly number[] }[]
  readonly expected?: { readonly data: unknown }
}

/** The engine, or why there is none. `created` is told when there is a session. */
export async function openOnnxRuntime(ort: OnnxRuntime, pair: Given, threads: number, created?: () => void): Promise<Engine | string> {
  const file = join(pair.folder, `${pair.name}.onnx`)
  if (!existsSync(file)) return `there is no ${pair.name}.onnx`
  const session = await ort.InferenceSession.create(file, { intraOpNumThreads: threads, interOpNumThreads: 1 })
  created?.()
  const feeds: Record<string, unknown> = {}
  session.inputNames.forEach((input, i) => {
    feeds[input] = new ort.Tensor(pair.inputs[i].dtype, pair.inputs[i].data, pair.inputs[i].shape)
  })
  const got = (await session.run(feeds))[session.outputNames[0]].data
  return {
    name: 'onnxruntime',
    difference: pair.expected === undefined ? 0 : largestDifference(got, pair.expected.data as Float32Array),
    async run(count) {
      const start = now()
      for (let i = 0; i < count; i++) await session.run(feeds)
      return now() - start
    },
    close: async () => session.release?.(),
  }
}
