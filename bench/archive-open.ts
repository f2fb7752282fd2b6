// Opens a large archive and lists its tensors: memory-mapped and in ranges. Opening must not depend on the size.
//
// Usage: node .build/bench/archive-open.js [megabytes] [tensors]
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openScriptArchive } from '../lib/archive/script-archive.js'
import { setFileMapper } from '../lib/archive/source.js'
import type { PickleValue } from '../lib/archive/values.js'
import { ZipWriter } from '../lib/archive/zip-writer.js'
import { nativeBinding } from '../lib/native/loader.js'
import { op, pickle } from '../test/archive/assembler.js'

const megabytes = Number(process.argv[2] ?? 500)
const count = Number(process.argv[3] ?? 200)
const elements = Math.floor((megabytes * 2 ** 20) / count / 4)

function writeArchive(path: string): void {
  const tensor = (i: number): Buffer => op.tensor(op.storage(String(i), elements), 0, [elements], [1])
  const attributes = Array.from({ length: count }, (_, i) => Buffer.concat([op.string(`weight_${i}`), tensor(i)]))
  const writer = new ZipWriter('large')
  const storage = new Uint8Array(elements * 4).fill(1)
  for (let i = 0; i < count; i++) writer.add(`data/${i}`, storage)
  const object = [op.global('__torch__', 'M'), op.emptyTuple, op.newObject]
  writer.add('data.pkl', pickle(...object, op.emptyDict, op.mark, ...attributes, op.setItems, op.build))
  writer.add('code/__torch__.py', Buffer.from('class M(Module):\n  __parameters__ = []\n  __buffers__ = []\n'))
  writer.add('constants.pkl', pickle(op.emptyTuple))
  writer.add('version', Buffer.from('3\n'))
  const file = openSync(path, 'w')
  for (const chunk of writer.finish()) writeSync(file, chunk)
  closeSync(file)
}

function listTensors(root: PickleValue): number {
  if (root.kind !== 'object') return 0
  return [...root.attributes!.values()].filter((value) => value.kind === 'tensor' && value.tensor.shape[0] === elements).length
}

function measure(name: string, path: string): void {
  const times: number[] = []
  let tensors = 0
  const memory = process.memoryUsage.rss()
  for (let i = 0; i < 20; i++) {
    const start = performance.now()
    tensors = listTensors(openScriptArchive(path).root)
    times.push(performance.now() - start)
  }
  const growth = (process.memoryUsage.rss() - memory) / 2 ** 20
  const sorted = [...times].sort((a, b) => a - b)
  const [first, median] = [times[0], sorted[10]].map((time) => `${time.toFixed(2)} ms`)
  console.log(`${name}: ${tensors} tensors, first ${first}, median ${median}, memory +${growth.toFixed(0)} MiB after 20 times`)
}

const folder = mkdtempSync(join(tmpdir(), 'archive-open-'))
try {
  const path = join(folder, 'large.pt')
  writeArchive(path)
  console.log(`${megabytes} MiB in ${count} tensors`)
  measure('in ranges', path)
  const mapFile = (file: string): ArrayBuffer => nativeBinding().mapFile(file)
  setFileMapper(mapFile)
  measure('memory-mapped', path)
} finally {
  rmSync(folder, { recursive: true })
}
