// Peak memory of each engine: a process of its own loads the model and calls it ten times.
// As a program: memory.js ours|onnxruntime FOLDER NAME THREADS [VARIANT], which prints one JSON object.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { setNumThreads, memoryStats } from '../../lib/index.js'
import { findOnnxRuntime, openOnnxRuntime } from './onnxruntime.js'
import { prepareOurs, variantOf, type Variant } from './ours.js'
import { readPair, type Pair } from './pair.js'
import { TorchPeer, openTorch, type TorchMode } from './pytorch.js'
import type { Memory } from './results.js'

const self = fileURLToPath(import.meta.url)
const calls = 10

/** getrusage's figure is inherited from the process that started this one; the kernel's high-water mark of the address space is not. */
function peakRss(): number {
  try {
    return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))![1])
  } catch {
    return 1024 * process.resourceUsage().maxRSS
  }
}

async function measure([engine, folder, name, threads, variant]: readonly string[]): Promise<Memory> {
  const pair = readPair(folder, name)
  if (engine === 'ours') {
    setNumThreads(Number(threads))
    const base = peakRss()
    const { model, report: reportOf } = prepareOurs(pair, variant as Variant)
    for (let i = 0; i < calls; i++) model.forward(...pair.inputs)
    const report = reportOf()
    const planned = report === undefined ? {} : { arena: report.arenaBytes, live: report.liveBytes }
    return { base, peak: peakRss(), after: process.memoryUsage.rss(), ...planned, packed: memoryStats().packedBytes }
  }
  const ort = findOnnxRuntime()
  if (typeof ort === 'string') throw new Error(ort)
  const base = peakRss()
  const session = await openOnnxRuntime(ort, pair, Number(threads))
  if (typeof session === 'string') throw new Error(session)
  await session.run(calls - 1)
  return { base, peak: peakRss(), after: process.memoryUsage.rss() }
}

/** `name` is that of the engine; undefined when it could not be measured. */
export async function memoryOf(name: string, pair: Pair, threads: number, python: string | undefined): Promise<Memory | undefined> {
  try {
    if (name.startsWith('torch ')) {
      if (python === undefined) return undefined
      const peer = new TorchPeer(python, 600)
      try {
        const engine = await openTorch(peer, name.slice('torch '.length) as TorchMode, pair, threads)
        if (typeof engine === 'string') return undefined
        await engine.run(calls - 1)
        const { peakBytes: peak, baseBytes: base, afterBytes: after } = await peer.ask('memory')
        return peak === undefined || base === undefined || after === undefined ? undefined : { base, peak, after }
      } finally {
        peer.stop()
      }
    }
    const variant = variantOf(name)
    const kind = variant === undefined ? name : 'ours'
    const { stdout } = await promisify(execFile)(process.execPath, [self, kind, pair.folder, pair.name, String(threads), variant ?? ''])
    return JSON.parse(stdout) as Memory
  } catch {
    return undefined
  }
}

if (process.argv[1] === self) process.stdout.write(JSON.stringify(await measure(process.argv.slice(2))))
