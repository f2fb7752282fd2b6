// Mutates real archives and asserts that the readers load or refuse them: no other exception, no hang, no memory beyond
// bounds, no tensor outside of its storage.
//
// Usage: node .build/scripts/fuzz-archive.js [--load] [seconds] [seed] [folder or file ...]
// With --load, files also go through torch.jit.load and torch.load, which need the addon.
import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadObject } from '../lib/archive/load.js'
import { openNpz, readNpy } from '../lib/archive/npy.js'
import { openScriptArchive } from '../lib/archive/script-archive.js'
import { memorySource } from '../lib/archive/source.js'
import { bytesOfElements, type PickleValue, type TensorData } from '../lib/archive/values.js'
import { openZip } from '../lib/archive/zip.js'
import { ZipWriter } from '../lib/archive/zip-writer.js'
import { TorchScriptError } from '../lib/util/errors.js'

/** One file may take this long, and the process may grow by this much, before the fuzzer calls it a defect. */
const maxMilliseconds = 5000
const maxGrowth = 2 ** 31

/** Pseudo-random numbers that one seed repeats (mulberry32). */
class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** An integer in 0..limit-1. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit)
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]
  }
}

type Mutation = (random: Random, bytes: Buffer) => Buffer

const interesting = [0, 1, 2, 7, 8, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff]

const flipBit: Mutation = (random, bytes) => {
  const copy = Buffer.from(bytes)
  if (copy.length > 0) copy[random.below(copy.length)] ^= 1 << random.below(8)
  return copy
}

const setByte: Mutation = (random, bytes) => {
  const copy = Buffer.from(bytes)
  if (copy.length > 0) copy[random.below(copy.length)] = random.pick(interesting) & 0xff
  return copy
}

const setWord: Mutation = (random, bytes) => {
  const copy = Buffer.from(bytes)
  if (copy.length >= 4) copy.writeUInt32LE(random.pick(interesting), random.below(copy.length - 3))
  return copy
}

const truncate: Mutation = (random, bytes) => bytes.subarray(0, random.below(bytes.length + 1))

const cut: Mutation = (random, bytes) => {
  const start = random.below(bytes.length + 1)
  return Buffer.concat([bytes.subarray(0, start), bytes.subarray(Math.min(bytes.length, start + 1 + random.below(64)))])
}

const repeat: Mutation = (random, bytes) => {
  const start = random.below(bytes.length + 1)
  const piece = bytes.subarray(start, start + 1 + random.below(64))
  const copies = random.below(20) === 0 ? 1000 : 1 + random.below(4)
  return Buffer.concat([bytes.subarray(0, start), ...Array<Buffer>(copies).fill(piece), bytes.subarray(start)])
}

/** Overwrites a number in one of the zip's own records. */
const setZipField: Mutation = (random, bytes) => {
  const places: number[] = []
  for (const signature of ['PK\x01\x02', 'PK\x03\x04', 'PK\x05\x06', 'PK\x06\x06', 'PK\x06\x07']) {
    for (let at = bytes.indexOf(signature, 0, 'latin1'); at >= 0; at = bytes.indexOf(signature, at + 4, 'latin1')) places.push(at)
  }
  const copy = Buffer.from(bytes)
  if (places.length === 0) return copy
  const at = random.pick(places) + 4 + random.below(52)
  const value = random.below(3) === 0 ? random.below(bytes.length) : random.pick(interesting)
  if (random.below(2) === 0 && at + 2 <= copy.length) copy.writeUInt16LE(value & 0xffff, at)
  else if (at + 4 <= copy.length) copy.writeUInt32LE(value, at)
  return copy
}

const byteMutations = [flipBit, setByte, setWord, truncate, cut, repeat]

/** Length of the opcode at `at` with its argument. */
function opcodeLength(bytes: Buffer, at: number): number {
  switch (bytes[at]) {
    case 0x4b:
    case 0x71:
    case 0x68:
    case 0x80:
      return 2
    case 0x4d:
      return 3
    case 0x4a:
    case 0x72:
    case 0x6a:
      return 5
    case 0x47:
      return 9
    case 0x8a:
      return at + 1 < bytes.length ? 2 + bytes[at + 1] : 1
    case 0x58:
      return at + 5 <= bytes.length ? 5 + bytes.readUInt32LE(at + 1) : 1
    case 0x63: {
      const first = bytes.indexOf(0x0a, at)
      const second = first < 0 ? -1 : bytes.indexOf(0x0a, first + 1)
      return second < 0 ? 1 : second + 1 - at
    }
    default:
      return 1
  }
}

function opcodesOf(bytes: Buffer): Buffer[] {
  const ops: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const length = opcodeLength(bytes, at)
    ops.push(bytes.subarray(at, at + length))
    at += length
  }
  return ops
}

const strayOps = Array.from('N)]}(taesuRbQ01.dl\x81\x85\x86\x87\x88', (op) => Buffer.from(op, 'latin1'))
const globals = [
  'torch._utils\n_rebuild_tensor_v2',
  'torch._utils\n_rebuild_tensor_v3',
  'torch._utils\n_rebuild_qtensor',
  'torch._utils\n_rebuild_sparse_tensor',
  'torch._utils\n_rebuild_parameter',
  'torch._utils\n_rebuild_meta_tensor_no_storage',
  'torch._tensor\n_rebuild_from_type_v2',
  'torch\nFloatStorage',
  'torch\nComplexDoubleStorage',
  'torch\nQUInt4x2Storage',
  'torch.storage\nUntypedStorage',
  'torch.jit._pickle\nbuild_intlist',
  'torch.jit._pickle\nrestore_type_tag',
  'collections\nOrderedDict',
  'torch\ndevice',
  'torch\nSize',
  'torch\nfloat64',
  '_codecs\nencode',
  'builtins\ncomplex',
  '__torch__\nM',
  'os\nsystem',
  'torch\nper_channel_affine',
].map((name) => Buffer.from(`c${name}\n`))

function strayInt(random: Random): Buffer {
  const op = Buffer.alloc(10)
  op[0] = 0x8a
  op[1] = 8
  const high = random.pick([0n, 0n, 1n, 0x7fffffffn, 0xffffffffn])
  op.writeBigUInt64LE((high << 32n) | BigInt(random.pick(interesting)), 2)
  return op
}

/** Works on opcodes, so that what follows still parses. */
const mutatePickle: Mutation = (random, bytes) => {
  const ops = opcodesOf(bytes)
  for (let i = random.below(3); i >= 0 && ops.length > 3; i--) {
    const at = 1 + random.below(ops.length - 2)
    const isInt = [0x4b, 0x4d, 0x4a, 0x8a].includes(ops[at][0])
    switch (random.below(9)) {
      case 0:
        ops.splice(at, 1)
        break
      case 1:
        ops.splice(at, 0, ops[at])
        break
      case 2:
        ops.splice(at, 0, random.pick(strayOps))
        break
      case 3:
        ops[at] = isInt ? strayInt(random) : ops[random.below(ops.length)]
        break
      case 4:
        ops.splice(at, 0, random.pick(ops))
        break
      case 5:
        ops[at] = ops[at][0] === 0x63 ? random.pick(globals) : random.pick(ops)
        break
      case 6:
        ops.splice(at, 0, ...Array<Buffer>(random.pick([2, 100, 5000])).fill(random.pick(strayOps)))
        break
      case 7: {
        const integers = ops.flatMap((op, k) => ([0x4b, 0x4d, 0x4a, 0x8a].includes(op[0]) ? [k] : []))
        if (integers.length > 0) ops[random.pick(integers)] = strayInt(random)
        break
      }
      default:
        ;[ops[at], ops[at - 1]] = [ops[at - 1], ops[at]]
    }
  }
  return Buffer.concat(ops)
}

/** Changes one member and writes the zip anew, so that its structure is right again. */
const mutateMember: Mutation = (random, bytes) => {
  let zip
  try {
    zip = openZip(memorySource(bytes, false), { root: 'optional' })
  } catch {
    return flipBit(random, bytes)
  }
  const names = zip.names()
  if (names.length === 0) return bytes
  const pickles = names.filter((name) => name.endsWith('.pkl'))
  const chosen = random.pick(pickles.length > 0 && random.below(4) > 0 ? pickles : names)
  const other = random.pick(names)
  const what = random.below(8)
  const writer = new ZipWriter(zip.root)
  for (const name of names) {
    let data: Buffer = Buffer.from(zip.bytes(name))
    let newName = name
    if (name === chosen) {
      if (what === 0) continue
      if (what === 1) data = Buffer.from(zip.bytes(other))
      else if (what === 2) newName = random.pick([`${name}x`, '../x', 'version', 'constants.pkl', 'byteorder'])
      else data = name.endsWith('.pkl') && what < 7 ? mutatePickle(random, data) : random.pick(byteMutations)(random, data)
    }
    if (newName !== name && names.includes(newName)) continue
    writer.add(newName, data, { deflate: random.below(4) === 0 })
  }
  return Buffer.concat(writer.finish())
}

function mutate(random: Random, corpus: readonly Buffer[]): Buffer {
  let bytes = random.pick(corpus)
  const isZip = bytes[0] === 0x50
  switch (random.below(isZip ? 10 : 4)) {
    case 0: {
      const other = random.pick(corpus)
      bytes = Buffer.concat([bytes.subarray(0, random.below(bytes.length)), other.subarray(random.below(other.length))])
      break
    }
    case 1:
    case 2:
      for (let i = random.below(4); i >= 0; i--) bytes = random.pick(byteMutations)(random, bytes)
      break
    case 3:
      bytes = isZip ? setZipField(random, bytes) : mutatePickle(random, bytes)
      break
    case 4:
      for (let i = random.below(3); i >= 0; i--) bytes = setZipField(random, bytes)
      break
    default:
      for (let i = random.below(2); i >= 0; i--) bytes = mutateMember(random, bytes)
  }
  return bytes
}

/** Looks at everything that a loader gave, as those who use it will. */
function inspect(root: PickleValue, seen: Set<unknown> = new Set()): void {
  const visit = (value: PickleValue): void => {
    switch (value.kind) {
      case 'tensor':
        return inspectTensor(value.tensor)
      case 'list':
      case 'tuple':
      case 'dict':
      case 'object':
      case 'enum':
        if (seen.has(value)) return
        seen.add(value)
    }
    if (value.kind === 'list' || value.kind === 'tuple') value.items.forEach(visit)
    else if (value.kind === 'dict') for (const [key, item] of value.entries) [key, item].forEach(visit)
    else if (value.kind === 'object' && value.state !== undefined) visit(value.state)
    else if (value.kind === 'enum') visit(value.value)
    else if (value.kind === 'storage' && value.storage.location !== 'meta') value.storage.bytes()
  }
  visit(root)
}

function inspectTensor(tensor: TensorData): void {
  if (tensor.sparse !== undefined) {
    for (const part of Object.values(tensor.sparse)) if (typeof part === 'object') inspectTensor(part)
    return
  }
  const { dtype, shape, strides, offset, storage, quant } = tensor
  const reach = shape.includes(0) ? 0 : shape.reduce((sum, size, i) => sum + (size - 1) * strides[i], offset) + 1
  if (!(shape.length === strides.length && reach >= 0 && bytesOfElements(dtype, reach) <= storage.byteLength)) {
    throw new Error('A tensor lies outside of its storage')
  }
  if (quant !== undefined && 'scales' in quant) for (const part of [quant.scales, quant.zeroPoints]) inspectTensor(part)
  if (storage.location !== 'meta' && storage.bytes().length !== storage.byteLength) {
    throw new Error('A storage has another size than it says')
  }
}

const archiveReaders: Record<string, (file: Buffer) => void> = {
  script(file) {
    const archive = openScriptArchive(file, { extraFiles: 'all', mapLocation: 'cpu' })
    inspect(archive.root)
    for (const constant of archive.constants) inspect(constant)
    for (const name of archive.sourceNames()) {
      archive.sources(name)
      archive.debugInfo(name)?.find(100)
    }
    void archive.tracedInputs
  },
  object(file) {
    inspect(loadObject(file))
  },
  npy(file) {
    readNpy(file)
  },
  npz(file) {
    const npz = openNpz(file)
    for (const name of npz.names()) npz.get(name)
  },
}

/** The loaders that users call, with everything behind them. */
async function wholeReaders(): Promise<Record<string, (file: Buffer) => void>> {
  const torch = await import('../lib/index.js')
  return {
    'torch.jit.load': (file) => void torch.jit.load(file, { mapLocation: 'cpu' }),
    'torch.load': (file) => void torch.load(file),
  }
}

export interface FuzzReport {
  cases: number
  loaded: number
  refused: number
  /** Kinds of refusal met, by message with numbers and names taken out. */
  messages: Set<string>
  defects: string[]
}

export interface FuzzOptions {
  seconds: number
  seed: number
  corpus: readonly Buffer[]
  /** What reads the files. Default: the readers of lib/archive. */
  readers?: Record<string, (file: Buffer) => void>
  /** Keeps a file that showed a defect; gives its path. */
  keep?: (file: Buffer, number: number) => string
}

const kindOf = (message: string): string =>
  message
    .replace(/\(in .*\)$/s, '')
    .replace(/'[^']*'|"[^"]*"|\d+/g, '_')
    .slice(0, 60)

/** Runs until the time is over or ten defects are found. Case `n` of a seed is always the same file. */
export function fuzz({ seconds, seed, corpus, keep, readers = archiveReaders }: FuzzOptions): FuzzReport {
  const report: FuzzReport = { cases: 0, loaded: 0, refused: 0, messages: new Set(), defects: [] }
  const deadline = performance.now() + seconds * 1000
  const startMemory = process.memoryUsage.rss()
  while (performance.now() < deadline && report.defects.length < 10) {
    const number = report.cases++
    const file = mutate(new Random(seed + number * 0x9e3779b1), corpus)
    for (const [reader, read] of Object.entries(readers)) {
      const defect = (what: string): void => {
        report.defects.push(`seed ${seed}, case ${number}, ${reader}: ${what}${keep === undefined ? '' : ` (${keep(file, number)})`}`)
      }
      const start = performance.now()
      try {
        read(file)
        report.loaded++
      } catch (error) {
        report.refused++
        if (error instanceof TorchScriptError) report.messages.add(kindOf(error.message))
        else defect((error as Error).stack ?? String(error))
      }
      const time = performance.now() - start
      if (time > maxMilliseconds) defect(`took ${Math.round(time)} ms`)
      const growth = process.memoryUsage.rss() - startMemory
      if (growth > maxGrowth) defect(`the process grew by ${growth} bytes`)
    }
  }
  return report
}

/** Archives below the given files and folders. */
export function readCorpus(paths: readonly string[]): Buffer[] {
  const walk = (path: string): string[] =>
    statSync(path).isDirectory()
      ? readdirSync(path)
          .sort()
          .flatMap((name) => walk(join(path, name)))
      : [path]
  return paths
    .flatMap(walk)
    .filter((path) => /\.(pt|ptl|pth|npz|npy)$/.test(path))
    .map((path) => readFileSync(path))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2)
  const whole = args.includes('--load')
  const [seconds = '10', seedText = String(Date.now() % 1_000_000), ...paths] = args.filter((arg) => arg !== '--load')
  const seed = Number(seedText)
  const corpus = readCorpus(paths.length > 0 ? paths : ['test/fixtures/archive'])
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-archive-'))
  console.log(`seed ${seed}, ${corpus.length} files, ${seconds} seconds`)
  const report = fuzz({
    seconds: Number(seconds),
    seed,
    corpus,
    readers: whole ? { ...archiveReaders, ...(await wholeReaders()) } : archiveReaders,
    keep(file, number) {
      const path = join(folder, `${seed}-${number}`)
      writeFileSync(path, file)
      return path
    },
  })
  const { cases, loaded, refused, messages, defects } = report
  const refusals = `${refused} times refused with ${messages.size} kinds of message`
  console.log(`${cases} files: ${loaded} times loaded, ${refusals}, ${defects.length} defects`)
  for (const defect of report.defects) console.log(defect)
  process.exitCode = report.defects.length > 0 ? 1 : 0
}
