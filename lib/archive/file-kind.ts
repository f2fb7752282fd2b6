import type { ByteSource } from './source.js'

/** What the first bytes of a file say it is. */
export type FileKind = 'zip' | 'pickle' | 'tar' | 'other'

const starts = (head: Uint8Array, bytes: readonly number[], at = 0): boolean =>
  head.length >= at + bytes.length && bytes.every((byte, i) => head[at + i] === byte)
const ascii = (text: string): number[] => Array.from(text, (c) => c.charCodeAt(0))

const saveAgain = 'save the model again with a current PyTorch'

/** Formats that people hand to a loader by mistake, by signature, with what to do about it. */
const known: readonly { at?: number; bytes: readonly number[]; what: string }[] = [
  { bytes: ascii('PYTORCH1'), what: `an archive of a PyTorch 1.0 preview, a format that no PyTorch reads any more; ${saveAgain}` },
  { bytes: ascii('version https://git-lfs'), what: 'a Git LFS pointer, not the file itself; run `git lfs pull` to fetch it' },
  { bytes: [0x1f, 0x8b], what: 'a gzip file; unpack it first' },
  { bytes: [0x42, 0x5a, 0x68], what: 'a bzip2 file; unpack it first' },
  { bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a], what: 'an xz file; unpack it first' },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], what: 'a zstd file; unpack it first' },
  { bytes: [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], what: 'a 7z file; unpack it first' },
  { bytes: ascii('GGUF'), what: 'a GGUF file (llama.cpp), which holds no TorchScript' },
  { bytes: [0x89, 0x48, 0x44, 0x46], what: 'an HDF5 file (Keras or similar), which holds no TorchScript' },
  { bytes: [0x93, ...ascii('NUMPY')], what: 'a NumPy .npy file, which holds one array' },
  { at: 4, bytes: ascii('PTMF'), what: 'a flatbuffer of the lite interpreter, which carries no code; save it with _use_flatbuffer=False' },
  { at: 4, bytes: ascii('TFL3'), what: 'a TensorFlow Lite model, which holds no TorchScript' },
  { at: 4, bytes: ascii('ET1'), what: 'an ExecuTorch program, which holds no TorchScript' },
  { bytes: [0x7f, 0x45, 0x4c, 0x46], what: 'an ELF binary' },
  { bytes: ascii('%PDF'), what: 'a PDF document' },
]

/** A sentence part naming the format of `head`, the first bytes of a file that is neither zip nor pickle. */
export function describeFormat(head: Uint8Array, size: number): string {
  if (size === 0) return 'an empty file'
  const hit = known.find(({ at, bytes }) => starts(head, bytes, at))
  if (hit !== undefined) return hit.what
  const text = Buffer.from(head)
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart()
  if (/^(<!doctype|<html|<head|<\?xml)/i.test(text)) {
    return 'an HTML or XML page; the download probably gave an error or login page instead of the file'
  }
  if (isSafetensors(head, size)) return 'a safetensors file, which holds tensors but no TorchScript'
  if (isOnnx(head)) return 'an ONNX model, which holds no TorchScript'
  if (/^[{[]\s*(["{[\]}]|$)/.test(text)) return 'JSON text'
  const first = Array.from(head.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join(' ')
  return `a file of unknown format that starts with the bytes ${first}`
}

/** safetensors: u64 length of a JSON header, then the header. */
function isSafetensors(head: Uint8Array, size: number): boolean {
  if (head.length < 10) return false
  const length = Buffer.from(head.subarray(0, 8)).readBigUInt64LE()
  return length >= 2n && length <= BigInt(size) && head[8] === 0x7b && (head[9] === 0x22 || head[9] === 0x7d || head[9] === 0x20)
}

/** ONNX: protobuf field 1 (ir_version, a small varint), then field 2 (producer name) or 7 (graph). */
const isOnnx = (head: Uint8Array): boolean =>
  head.length > 3 && head[0] === 0x08 && head[1] > 0 && head[1] < 0x20 && [0x12, 0x1a, 0x3a].includes(head[2])

/** The format family of a file, from its first bytes. */
export function fileKind(source: ByteSource): FileKind {
  const head = source.read(0, Math.min(source.size, 512))
  if (starts(head, [0x50, 0x4b, 0x03, 0x04]) || starts(head, [0x50, 0x4b, 0x05, 0x06])) return 'zip'
  if (starts(head, ascii('ustar'), 257)) return 'tar'
  if (head.length > 2 && head[0] === 0x80 && head[1] >= 1 && head[1] <= 5) return 'pickle'
  return 'other'
}

/** Describes a file that turned out to be of no format that a loader takes. */
export const describeSource = (source: ByteSource): string => describeFormat(source.read(0, Math.min(source.size, 512)), source.size)
