import * as zlib from 'node:zlib'

const table = new Uint32Array(256)
for (let i = 0; i < 256; i++) {
  let c = i
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
  table[i] = c >>> 0
}

/** Node's own, from 20.15 on. */
const native = (zlib as { crc32?: (bytes: Uint8Array, seed?: number) => number }).crc32

/** CRC-32 as zip uses it; `seed` continues an earlier one. */
export const crc32 = (bytes: Uint8Array, seed = 0): number => (native === undefined ? crc32Table(bytes, seed) : native(bytes, seed))

/** The same, one byte at a time. */
export function crc32Table(bytes: Uint8Array, seed = 0): number {
  let c = ~seed
  for (let i = 0; i < bytes.length; i++) c = table[(c ^ bytes[i]) & 0xff] ^ (c >>> 8)
  return ~c >>> 0
}
