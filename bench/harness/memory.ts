// Start-up times and peak memory of each engine: a process of its own loads the model and calls it ten times.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Pair } from './pair.js'
import { variantOf } from './prepare.js'
import { TorchPeer, openTorch, type TorchMode } from './pytorch.js'
import type { Memory } from './results.js'

const child = fileURLToPath(new URL('./memory-process.js', import.meta.url))
export const memoryCalls = 10

function run(request: unknown): Promise<Memory> {
  return new Promise((resolve, reject) => {
    const process_ = spawn(process.execPath, [child], { stdio: ['pipe', 'pipe', 'inherit'] })
    let output = ''
    process_.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    process_.on('error', reject)
    process_.on('close', (code) => (code === 0 ? resolve(JSON.parse(output) as Memory) : reject(new Error(`exit code ${code}`))))
    process_.stdin.on('error', () => undefined).end(JSON.stringify(request))
  })
}

const inputsOf = (pair: Pair): unknown[] =>
  pair.inputs.map(({ dtype, shape, data }) => {
    const bytes = data as Uint8Array
    return {
      dtype,
      shape,
      array: bytes.constructor.name,
      base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
    }
  })

/** `name` is that of the engine; undefined when it could not be measured. */
export async function memoryOf(name: string, pair: Pair, threads: number, python: string | undefined): Promise<Memory | undefined> {
  try {
    if (name.startsWith('torch ')) {
      if (python === undefined) return undefined
      const peer = new TorchPeer(python, 600)
      try {
        const engine = await openTorch(peer, name.slice('torch '.length) as TorchMode, pair, { threads })
        if (typeof engine === 'string') return undefined
        await engine.run(memoryCalls - 1)
        const { peakBytes: peak, baseBytes: base, afterBytes: after } = await peer.ask('memory')
        return peak === undefined || base === undefined || after === undefined ? undefined : { base, peak, after }
      } finally {
        peer.stop()
      }
    }
    const { folder, name: model } = pair
    return await run({ variant: variantOf(name), folder, name: model, threads, calls: memoryCalls, inputs: inputsOf(pair) })
  } catch {
    return undefined
  }
}
