// The measuring parts of gpu:check, each in a process of its own: an error of the device ends one part, not the rest.
// node .build/bench/gpu/parts.js <part> <options as JSON>; each result is a line `row: JSON` as soon as it is there.
import { fileURLToPath } from 'node:url'
import * as torch from '../../lib/index.js'
import { now } from '../harness/interleave.js'
import { TorchPeer, type TorchMode } from '../harness/pytorch.js'
import { checkProducts, measureBandwidth, measureProducts } from './limits.js'
import { benchOnDevice } from './models.js'

export interface PartOptions {
  /** A Python with PyTorch; none: no peers. */
  readonly python?: string
  readonly torchModes: readonly TorchMode[]
  /** Side of the matrices of the bandwidth part. */
  readonly side: number
  /** Sizes of the products. */
  readonly sizes: readonly number[]
  readonly folder: string
  readonly filter: string
  readonly dtypes: readonly string[]
  readonly batches: readonly number[]
  readonly seconds: number
  /** Seconds for the part. */
  readonly limit: number
}
export const parts = ['device', 'bandwidth', 'products', 'halves', 'models'] as const
/** What stands before a result. */
export const rowMark = 'row: '
export type Part = (typeof parts)[number]

/** Peers that see a device; the others with the reason. */
async function openPeers(options: PartOptions, print: (text: string) => void): Promise<Map<TorchMode, TorchPeer>> {
  const peers = new Map<TorchMode, TorchPeer>()
  if (options.python === undefined) return peers
  for (const mode of options.torchModes) {
    const peer = new TorchPeer(options.python, options.limit)
    const { name, error, skipped } = await peer.ask('device')
    if (name === undefined) {
      print(`torch ${mode} is left out: ${error ?? skipped ?? 'no answer'}`)
      peer.stop()
    } else peers.set(mode, peer)
  }
  return peers
}

async function runPart(part: Part, options: PartOptions, row: (row: unknown) => void, print: (text: string) => void): Promise<void> {
  const reason = torch.cuda.unavailableReason()
  if (reason !== undefined) throw new Error(reason)
  if (part === 'device') return row({ ...torch.cuda.getDeviceProperties(), driver: torch.cuda.driverVersion(), kernels: torch.cuda.kernelFile().kernels.length })
  if (part === 'bandwidth') return measureBandwidth(options.side, row, print)
  if (part === 'halves') return checkProducts(Math.max(...options.sizes), row, print)
  const until = now() + 1000 * options.limit
  const peers = await openPeers(part === 'products' ? { ...options, torchModes: options.torchModes.slice(0, 1) } : options, print)
  try {
    if (part === 'products') await measureProducts(options.sizes, [...peers.values()][0], row, print)
    else await benchOnDevice({ ...options, peers, until, row, print })
  } finally {
    for (const peer of peers.values()) peer.stop()
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [part, text] = process.argv.slice(2)
  if (!parts.includes(part as Part)) throw new Error(`Expected one of ${parts.join(', ')} for \`part\` but received ${part}`)
  const options = JSON.parse(text) as PartOptions
  const print = (line: string): void => void process.stdout.write(`${line}\n`)
  try {
    await runPart(part as Part, options, (row) => print(rowMark + JSON.stringify(row)), print)
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`)
    process.exitCode = 1
  }
}
