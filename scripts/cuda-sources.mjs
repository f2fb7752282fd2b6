// The CUDA kernel sources, the names of their kernels, and the file that the addon loads them from (native/cuda/kernels.cc reads it).
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const kernelFolder = 'native/cuda/kernels'
export const kernelSources = () =>
  readdirSync(kernelFolder)
    .filter((f) => f.endsWith('.cu'))
    .sort()
    .map((f) => join(kernelFolder, f))

/** Names that `TS_GLOBAL(name, ...)` and its kin declare, and those of the tables that a file includes (`TS_POINTWISE_KERNEL(op, method, V, label)`). */
export function kernelNames(file) {
  const text = readFileSync(file, 'utf8')
  const names = [...text.matchAll(/^\s*TS_GLOBAL\(\s*(\w+)/gm)].map((m) => m[1])
  names.push(...[...text.matchAll(/^\s*TS_GLOBAL_BOUNDS\([^,]+,[^,]+,\s*(\w+)/gm)].map((m) => m[1]))
  // Instances of a macro of the file: `// kernels: TS_X $1_$2` before its uses says how they are named.
  for (const [, macro, pattern] of text.matchAll(/^\/\/ kernels: (\w+) (\S+)$/gm)) {
    for (const [, args] of text.matchAll(new RegExp(`^\\s*${macro}\\(([^)]*)\\)`, 'gm'))) {
      const list = args.split(',').map((a) => a.trim())
      names.push(pattern.replace(/\$(\d)/g, (_, i) => list[Number(i) - 1]))
    }
  }
  return names
}

/** The bytes of torchscript.cuda. */
export function kernelFile(images) {
  const text = (value) => {
    const bytes = Buffer.from(value)
    const length = Buffer.alloc(4)
    length.writeUInt32LE(bytes.length)
    return Buffer.concat([length, bytes])
  }
  const u32 = (value) => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(value)
    return bytes
  }
  const u64 = (value) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(BigInt(value))
    return bytes
  }
  const head = (offsets) =>
    Buffer.concat([
      Buffer.from('TSCUDA01'),
      u32(images.length),
      ...images.flatMap(({ name, bytes, kernels }, i) => [text(name), u64(offsets[i]), u64(bytes.length), u32(kernels.length), ...kernels.map(text)]),
    ])
  const align = (n) => Math.ceil(n / 64) * 64
  let at = align(head(images.map(() => 0)).length)
  const offsets = images.map(({ bytes }) => {
    const offset = at
    at = align(at + bytes.length)
    return offset
  })
  const file = Buffer.alloc(at)
  head(offsets).copy(file)
  images.forEach(({ bytes }, i) => bytes.copy(file, offsets[i]))
  return file
}

export const hasNvcc = (spawnSync) => spawnSync('nvcc', ['--version'], { stdio: 'ignore' }).status === 0
export const builtKernels = 'build/Release/torchscript.cuda'
export const isBuilt = () => existsSync(builtKernels)
