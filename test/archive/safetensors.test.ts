import t from 'tap'
import { readSafetensors, type SafeTensor, writeSafetensors } from '../../lib/archive/safetensors.js'
import { memorySource } from '../../lib/archive/source.js'
import type { DType } from '../../lib/tensor/dtype.js'
import { TorchScriptError } from '../../lib/util/errors.js'

/** A file with any header. */
function file(header: string | object, data: Uint8Array = new Uint8Array(0), length?: bigint): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(length ?? BigInt(text.length))
  return Buffer.concat([size, text, data])
}
const read = (bytes: Uint8Array): ReturnType<typeof readSafetensors> => readSafetensors(memorySource(bytes, false))
const tensor = (dtype: DType, shape: number[], bytes: Uint8Array): SafeTensor => ({ dtype, shape, bytes })

t.test('writes what it reads', (t) => {
  const dtypes =
    'uint64 int64 float64 complex64 float32 uint32 int32 bfloat16 float16 uint16 int16 float8_e4m3fn float8_e5m2 int8 uint8 bool'
  const sizes = [8, 8, 8, 8, 4, 4, 4, 2, 2, 2, 2, 1, 1, 1, 1, 1]
  const tensors = new Map<string, SafeTensor>(
    dtypes.split(' ').map((dtype, i) => [`t.${dtype}`, tensor(dtype as DType, [2, 3], Buffer.alloc(6 * sizes[i], i + 1))] as const),
  )
  tensors.set('empty', tensor('float32', [0, 7], new Uint8Array(0)))
  tensors.set('scalar "é"', tensor('float32', [], Buffer.alloc(4, 9)))
  const metadata = new Map([
    ['format', 'pt'],
    ['é', '"'],
  ])
  const bytes = Buffer.concat(writeSafetensors(tensors, metadata))
  const back = read(bytes)
  t.same(back.metadata, new Map([...metadata].sort()))
  t.same([...back.tensors.keys()].sort(), [...tensors.keys()].sort())
  for (const [name, { dtype, shape, bytes: data }] of tensors) {
    const got = back.tensors.get(name)!
    t.equal(got.dtype, dtype)
    t.same(got.shape, shape)
    t.same(Buffer.from(got.bytes), Buffer.from(data))
  }
  t.equal(bytes.readUInt32LE(0) % 8, 0, 'data is aligned')
  const reversed = new Map([...tensors].reverse())
  t.same(Buffer.concat(writeSafetensors(reversed, metadata)), bytes, 'the order of the map does not matter')
  t.same(read(Buffer.concat(writeSafetensors(new Map()))).tensors, new Map())
  t.end()
})

t.test('malformed files', (t) => {
  const f32 = (data_offsets: unknown, shape: unknown = [1], dtype: unknown = 'F32'): object => ({ a: { dtype, shape, data_offsets } })
  const four = new Uint8Array(4)
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(3), /it has 3 bytes, and 8 are needed/],
    [file('{}', undefined, 100n), /reaches past its end/],
    [file('{}', undefined, 2n ** 63n), /longer than 100000000/],
    [file(' {}'), /does not start with {/],
    [file('{"a":'), /is no JSON/],
    [file('[]'), /does not start with {/],
    [file('{"a": 5}'), /the tensor 'a' is no object/],
    [file('{"a": []}'), /the tensor 'a' is no object/],
    [file({ __metadata__: { a: 5 } }), /its metadata 'a' is no text/],
    [file({ __metadata__: 'x' }), /its metadata is no object/],
    [file(f32([0, 4], [1], 5), four), /has no dtype/],
    [file(f32([0, 4], 'x'), four), /no valid shape/],
    [file(f32([0, 4], [-1]), four), /no valid shape/],
    [file(f32([0, 4], [1.5]), four), /no valid shape/],
    [
      file(
        f32(
          [0, 4],
          Array.from({ length: 65 }, () => 1),
        ),
        four,
      ),
      /no valid shape/,
    ],
    [file(f32([4, 0]), four), /no valid offsets/],
    [file(f32([0]), four), /no valid offsets/],
    [file(f32([0, 2 ** 60], [2 ** 50]), four), /no valid offsets/],
    [file(f32([0, 4], [2]), four), /of F32 and shape \[2\] has 4 bytes/],
    [file(f32([0, 4], [2 ** 40, 2 ** 40]), four), /has 4 bytes/],
    [file(f32([4, 8]), new Uint8Array(8)), /begins at byte 4, and the one before it ends at 0/],
    [file(f32([0, 4]), new Uint8Array(8)), /its tensors take 4 bytes, and 8 follow/],
    [file(f32([0, 4]), new Uint8Array(2)), /its tensors take 4 bytes, and 2 follow/],
    [
      file({ ...f32([0, 4]), b: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }, four),
      /begins at byte 0, and the one before it ends at 4/,
    ],
  ]
  for (const [bytes, message] of cases) t.throws(() => read(bytes), { code: 'ERR_ARCHIVE', message }, String(message))
  t.throws(() => read(file(f32([0, 4], [1], 'F4'), four)), { code: 'ERR_UNSUPPORTED', message: /dtype "F4" of the tensor 'a'/ })
  t.throws(() => writeSafetensors(new Map([['q', tensor('qint8', [1], new Uint8Array(1))]])), {
    message: "Safetensors files have no dtype for qint8, which 'q' has.",
  })
  t.throws(() => writeSafetensors(new Map([['__metadata__', tensor('int8', [1], new Uint8Array(1))]])), { code: 'ERR_ARGUMENT' })
  t.end()
})

t.test('files with random damage give typed errors or tensors inside of the file', (t) => {
  const whole = Buffer.concat(
    writeSafetensors(
      new Map([
        ['weight', tensor('float32', [2, 3], Buffer.alloc(24, 1))],
        ['bias', tensor('float16', [3], Buffer.alloc(6, 2))],
      ]),
      new Map([['format', 'pt']]),
    ),
  )
  let seed = 1
  const random = (n: number): number => (seed = (seed * 48271) % 0x7fffffff) % n
  let refused = 0
  for (let i = 0; i < 3000; i++) {
    const bytes = Buffer.from(random(10) === 0 ? whole.subarray(0, random(whole.length)) : whole)
    for (let k = random(3); k >= 0 && bytes.length > 0; k--) bytes[random(bytes.length)] = random(2) === 0 ? random(256) : 0x30 + random(10)
    try {
      for (const { bytes: data } of read(bytes).tensors.values()) data.slice()
    } catch (error) {
      if (!(error instanceof TorchScriptError)) throw error
      refused++
    }
  }
  t.ok(refused > 1000)
  t.end()
})
