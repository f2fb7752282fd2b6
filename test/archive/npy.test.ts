import { readFileSync } from 'node:fs'
import t from 'tap'
import { openNpz, readNpy, writeNpy, writeNpz } from '../../lib/archive/npy.js'
import { openZip } from '../../lib/archive/zip.js'
import { openSource } from '../../lib/archive/source.js'

const folder = 'test/fixtures/archive'
type Plain = Record<string, { dtype: string; shape: number[]; hex: string }>
const expected = JSON.parse(readFileSync(`${folder}/npy_expected.json`, 'utf8')) as Plain
const hex = (data: ArrayBufferView): string => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex')

for (const file of ['npy_stored.npz', 'npy_deflated.npz']) {
  t.test(`reads every dtype, byte order and layout of ${file}`, (t) => {
    const npz = openNpz(`${folder}/${file}`)
    t.same(npz.names().sort(), Object.keys(expected).sort())
    for (const [name, want] of Object.entries(expected)) {
      const { dtype, shape, data } = npz.get(name)
      t.same({ dtype, shape, hex: hex(data) }, want, name)
    }
    t.end()
  })
}

t.test('writes the bytes that NumPy writes', (t) => {
  const zip = openZip(openSource(`${folder}/npy_stored.npz`), { root: false })
  const npz = openNpz(`${folder}/npy_stored.npz`)
  for (const name of npz.names().filter((name) => !/fortran|big/.test(name))) {
    t.ok(Buffer.from(writeNpy(npz.get(name))).equals(zip.bytes(`${name}.npy`)), name)
  }
  t.end()
})

t.test('writes .npz files that it reads again', (t) => {
  const arrays = [
    ['x', { dtype: 'float32', shape: [2, 2], data: new Float32Array([1, 2, 3, 4]) }],
    ['labels', { dtype: 'int64', shape: [3], data: new BigInt64Array([1n, -1n, 1n << 62n]) }],
  ] as const
  for (const deflate of [false, true]) {
    const npz = openNpz(Buffer.concat(writeNpz(arrays, { deflate })))
    t.same(npz.names(), ['x', 'labels'])
    for (const [name, array] of arrays) t.same(npz.get(name), array)
  }
  t.end()
})

t.test('reads versions 1, 2 and 3', (t) => {
  const npz = openNpz(`${folder}/npy_versions.npz`)
  for (const name of ['v1', 'v2', 'v3']) t.same(npz.get(name), { dtype: 'int32', shape: [2, 3], data: new Int32Array([0, 1, 2, 3, 4, 5]) })
  t.end()
})

t.test('gives typed arrays', (t) => {
  const npz = openNpz(`${folder}/npy_stored.npz`)
  const codes = ['b1', 'i1', 'i8', 'u8', 'f2', 'f8', 'c8', 'c16']
  const types = Object.fromEntries(codes.map((code) => [code, npz.get(`${code}_c`).data.constructor.name]))
  t.same(types, {
    b1: 'Uint8Array',
    i1: 'Int8Array',
    i8: 'BigInt64Array',
    u8: 'BigUint64Array',
    f2: 'Uint16Array',
    f8: 'Float64Array',
    c8: 'Float32Array',
    c16: 'Float64Array',
  })
  t.end()
})

t.test('does not alias the memory of the caller', (t) => {
  const file = Buffer.from(writeNpy({ dtype: 'uint8', shape: [2], data: new Uint8Array([1, 2]) }))
  readNpy(file).data.fill(9 as never)
  t.same([...readNpy(file).data], [1, 2])
  t.end()
})

t.test('refuses what it cannot read', (t) => {
  const npz = openNpz(`${folder}/npy_versions.npz`)
  t.throws(() => npz.get('object'), { message: 'NumPy arrays of type "|O" are not supported: it holds pickled Python objects' })
  t.throws(() => npz.get('text'), { message: 'NumPy arrays of type "<U2" are not supported' })
  t.throws(() => npz.get('record'), { message: 'NumPy arrays of records are not supported' })
  t.throws(() => npz.get('missing'), {
    message: "Expected one of v1, v2, v3, object, text, record for the array's name but received missing",
  })
  t.throws(() => writeNpy({ dtype: 'bfloat16', shape: [1], data: new Uint16Array(1) }), {
    message: 'NumPy files have no dtype bfloat16; convert the tensor first, for instance to float32',
  })
  t.throws(() => writeNpy({ dtype: 'int8', shape: [3], data: new Int8Array(2) }), {
    message: 'Expected 3 bytes for `data` of shape [3] but received 2',
  })
  const file = Buffer.from(writeNpy({ dtype: 'float32', shape: [4], data: new Float32Array(4) }))
  t.throws(() => readNpy(file.subarray(0, -1)), {
    message: 'The .npy file is truncated: an array of float32 of shape [4] needs 16 bytes and 15 are there',
  })
  t.throws(() => readNpy(file.subarray(0, 60)), { message: 'The .npy file is truncated: its header is incomplete' })
  t.throws(() => readNpy(Buffer.from('PK')), {
    message: 'Expected a .npy file but received a file of unknown format that starts with the bytes 50 4b',
  })
  const evil = Buffer.from(file)
  evil.write('(9999999999999,)', evil.indexOf('(4,)'), 'latin1')
  t.throws(() => readNpy(evil), { message: /^The \.npy file is truncated/ })
  t.throws(() => readNpy(Buffer.from(file.toString('latin1').replace('descr', 'desc!'), 'latin1')), {
    message: /^The \.npy header is malformed/,
  })
  t.end()
})
