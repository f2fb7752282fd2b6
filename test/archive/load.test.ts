import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { archiveType, loadObject } from '../../lib/archive/load.js'
import type { LoadOptions } from '../../lib/archive/records.js'
import { openScriptArchive } from '../../lib/archive/script-archive.js'
import { openSource, setFileMapper } from '../../lib/archive/source.js'
import { dictGet, type DictValue, type ObjectValue, type PickleValue, type TensorData } from '../../lib/archive/values.js'
import { openZip } from '../../lib/archive/zip.js'
import { ZipWriter } from '../../lib/archive/zip-writer.js'
import { checkpoint, op, pickle } from './assembler.js'

const fixture = (name: string): string => `test/fixtures/archive/${name}`
const items = (value: PickleValue | undefined): PickleValue[] => (value as { items: PickleValue[] }).items
const tensors = (value: PickleValue | undefined): TensorData[] => items(value).map((item) => (item as { tensor: TensorData }).tensor)
const floats = (tensor: TensorData): number[] => [...new Float32Array(tensor.storage.bytes().slice().buffer)]
const int = (value: number | bigint): PickleValue => ({ kind: 'int', value: BigInt(value) })

for (const file of ['objects.pth', 'objects.legacy.pth']) {
  t.test(`loads every kind of value of ${file}`, (t) => {
    const all = loadObject(fixture(file))
    t.same(items(dictGet(all, 'plain')), [
      int(1),
      { kind: 'float', value: 2.5 },
      { kind: 'string', value: 'x' },
      { kind: 'none' },
      { kind: 'bool', value: true },
      { kind: 'tuple', items: [int(1)] },
      { kind: 'complex', re: 1, im: 2 },
      int(2n ** 70n),
      int(-5),
      int(300),
      int(70000),
      { kind: 'string', value: 'b\u00ff', bytes: new Uint8Array([0x62, 0xff]) },
    ])
    t.same(items(dictGet(all, 'constants')), [
      { kind: 'dtype', value: 'float32' },
      { kind: 'device', value: 'cuda:1' },
      { kind: 'tuple', items: [int(2), int(3)] },
      { kind: 'constant', name: 'torch.strided' },
      {
        kind: 'dict',
        entries: [
          [{ kind: 'string', value: 'a' }, int(2)],
          [{ kind: 'string', value: 'b' }, int(1)],
        ],
      },
    ])
    t.same((all as DictValue).entries.at(-1), [int(3), { kind: 'string', value: 'int key' }])
    t.end()
  })

  t.test(`loads every kind of tensor of ${file}`, (t) => {
    const all = loadObject(fixture(file))
    const views = tensors(dictGet(all, 'views'))
    t.same(
      views.map(({ shape, strides, offset }) => ({ shape, strides, offset })),
      [
        { shape: [2, 3], strides: [3, 1], offset: 0 },
        { shape: [1, 3], strides: [3, 1], offset: 3 },
        { shape: [3, 2], strides: [1, 3], offset: 0 },
        { shape: [2, 2, 3], strides: [0, 3, 1], offset: 0 },
        { shape: [0, 3], strides: [3, 1], offset: 0 },
      ],
    )
    t.equal(new Set(views.map((view) => view.storage)).size, 1)
    t.same(floats(views[0]), [0, 1, 2, 3, 4, 5])
    t.equal(views[0].storage.bytes(), views[1].storage.bytes())
    t.same(
      tensors(dictGet(all, 'parameters')).map(({ requiresGrad, parameter }) => ({ requiresGrad, parameter })),
      [
        { requiresGrad: true, parameter: true },
        { requiresGrad: false, parameter: true },
      ],
    )
    const [coo, csr] = tensors(dictGet(all, 'sparse'))
    t.match(coo, { shape: [2, 3], sparse: { layout: 'coo', coalesced: true, indices: { shape: [2, 5] }, values: { shape: [5] } } })
    t.match(csr, { shape: [2, 3], sparse: { layout: 'csr', compressedIndices: { shape: [3] }, plainIndices: { shape: [5] } } })
    const [perTensor, perChannel] = tensors(dictGet(all, 'quantized'))
    t.match(perTensor, { dtype: 'quint8', quant: { scheme: 'per_tensor_affine', scale: 0.5, zeroPoint: 3 } })
    t.match(perChannel, { dtype: 'qint8', quant: { scheme: 'per_channel_affine', axis: 0, scales: { dtype: 'float64', shape: [2] } } })
    t.same([...perTensor.storage.bytes()], [3, 5, 7, 9, 11, 13])
    const [conjugated, negated] = tensors(dictGet(all, 'lazy'))
    t.match(conjugated, { dtype: 'complex64', conj: true, neg: undefined })
    t.match(negated, { dtype: 'float32', conj: undefined, neg: true, strides: [2], offset: 1 })
    t.same(
      tensors(dictGet(all, 'dtypes')).map(({ dtype }) => dtype),
      'uint16 uint32 uint64 float8_e4m3fn bfloat16 float16 complex32 bool'.split(' '),
    )
    const meta = (dictGet(all, 'meta') as { tensor: TensorData }).tensor
    t.match(meta, { shape: [3, 2], storage: { location: 'meta', byteLength: 24 } })
    t.throws(() => meta.storage.bytes(), { message: 'Storage meta is on the meta device and has no data' })
    t.end()
  })
}

t.test('keeps tied weights tied', (t) => {
  for (const file of ['tied_state_dict.pth', 'tied_state_dict.legacy.pth']) {
    const all = loadObject(fixture(file))
    const storage = (key: string): unknown => (dictGet(all, key) as { tensor: TensorData }).tensor.storage
    t.equal(storage('emb.weight'), storage('out.weight'))
  }
  const root = openScriptArchive(fixture('script_objects.pt')).root as ObjectValue
  t.equal(root.attributes?.get('weight'), root.attributes?.get('tied'))
  t.end()
})

t.test('loads objects, enums, tuples and special tensors of script archives', (t) => {
  const { attributes } = openScriptArchive(fixture('script_objects.pt')).root as ObjectValue
  const get = (name: string): PickleValue | undefined => attributes?.get(name)
  t.same(get('color'), { kind: 'enum', className: '__torch__.Color', value: int(2) })
  t.same(get('point'), { kind: 'tuple', items: [int(1), { kind: 'float', value: 2 }] })
  t.match(get('counter'), { kind: 'object', className: '__torch__.Counter' })
  t.same((get('counter') as ObjectValue).attributes?.get('n'), int(3))
  t.same(get('device'), { kind: 'device', value: 'cpu' })
  t.same(get('z'), { kind: 'complex', re: 1, im: -1 })
  t.match(get('names'), { kind: 'dict', keyType: 'str', valueType: 'List[str]' })
  t.same(get('maybe'), { kind: 'none' })
  t.match(get('sparse'), { tensor: { shape: [2, 3], sparse: { layout: 'coo', values: { shape: [5] } } } })
  t.match(get('conj'), { tensor: { conj: true } })
  t.match(get('meta'), { tensor: { storage: { location: 'meta' } } })
  t.match(get('quantized'), { tensor: { dtype: 'quint8', quant: { scale: 0.5, zeroPoint: 3 } } })
  t.end()
})

t.test('tells the types of files apart', (t) => {
  t.equal(archiveType(fixture('empty_module.pt')), 'script')
  t.equal(archiveType(fixture('objects.pth')), 'checkpoint')
  t.equal(archiveType(fixture('objects.legacy.pth')), 'legacy')
  t.throws(() => loadObject(fixture('empty_module.pt')), {
    message: 'Expected a file that torch.save wrote but received a TorchScript archive. Load it with torch.jit.load',
  })
  t.throws(() => openScriptArchive(fixture('objects.pth')), {
    message: 'Expected a TorchScript archive but received a file that torch.save wrote: it has no code. Load it with torch.load',
  })
  t.throws(() => openScriptArchive(fixture('objects.legacy.pth')), {
    message: 'Expected a TorchScript archive but received a file that torch.save wrote in its legacy format. Load it with torch.load',
  })
  t.throws(() => loadObject(fixture('whole_module.pth')), {
    message:
      "Expected a type of PyTorch's tensor files but received the Python class or function torch.nn.modules.linear.Linear," +
      ' which is never run.' +
      ' The file pickles a whole Python model: save its state_dict() or export it with torch.jit.save (in data.pkl)',
  })
  t.end()
})

/** The archive `file` with members replaced or added. */
function rewrite(file: string, changes: Record<string, Uint8Array | string>, deflate = false): Buffer {
  const zip = openZip(openSource(file))
  const writer = new ZipWriter(zip.root)
  for (const name of new Set([...zip.names(), ...Object.keys(changes)])) {
    const change = changes[name]
    writer.add(name, change === undefined ? zip.bytes(name) : typeof change === 'string' ? Buffer.from(change) : change, { deflate })
  }
  return Buffer.concat(writer.finish())
}

t.test('reverses the bytes of big-endian files', (t) => {
  const zip = openZip(openSource(fixture('tied_state_dict.pth')))
  const swapped = rewrite(fixture('tied_state_dict.pth'), { byteorder: 'big', 'data/0': Buffer.from(zip.bytes('data/0')).swap32() })
  const storage = (value: PickleValue): Uint8Array => (dictGet(value, 'other') as { tensor: TensorData }).tensor.storage.bytes()
  t.same(storage(loadObject(swapped)), new Uint8Array(zip.bytes('data/0')))
  t.throws(() => loadObject(rewrite(fixture('objects.pth'), { byteorder: 'big' })), {
    message: /has no single element type, which a big-endian file needs \(in data\.pkl\)$/,
  })
  t.end()
})

t.test('loads archives whose members are all deflated', (t) => {
  const deflated = loadObject(rewrite(fixture('objects.pth'), {}, true))
  t.same(floats(tensors(dictGet(deflated, 'views'))[0]), [0, 1, 2, 3, 4, 5])
  t.end()
})

t.test('reads files in ranges or through a mapper', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'archive-'))
  t.teardown(() => {
    setFileMapper(undefined)
    rmSync(folder, { recursive: true })
  })
  const path = join(folder, 'a.pth')
  writeFileSync(path, readFileSync(fixture('tied_state_dict.pth')))
  const storage = (): Uint8Array => (dictGet(loadObject(path), 'other') as { tensor: TensorData }).tensor.storage.bytes()
  const inRanges = storage()
  const mapped: string[] = []
  let buffer = new ArrayBuffer(0)
  setFileMapper((name) => {
    mapped.push(name)
    buffer = new Uint8Array(readFileSync(name)).buffer
    return buffer
  })
  const throughMapper = storage()
  t.same(throughMapper, inRanges)
  t.same(mapped, [path])
  t.equal(throughMapper.buffer, buffer, 'used in place')
  setFileMapper(() => {
    throw new Error('no mmap here')
  })
  t.same(storage(), inRanges)
  t.end()
})

t.test('reads large files in ranges, from the file that was opened', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'archive-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const storage = new Uint8Array(1 << 20).map((_, i) => i % 251)
  const file = checkpoint(pickle(op.tensor(op.storage('0', 1 << 18), 0, [1 << 18], [1])), { 0: storage })
  const path = join(folder, 'a.pth')
  writeFileSync(path, file)
  const load = (input: string | number): (() => Uint8Array) => {
    const { tensor } = loadObject(input) as { tensor: TensorData }
    return () => tensor.storage.bytes()
  }
  t.ok(Buffer.from(load(path)()).equals(storage))
  const fd = openSync(path, 'r')
  const fromDescriptor = load(fd)
  closeSync(fd)
  const [before, ...others] = Array.from({ length: 2000 }, () => load(path))
  t.equal(others.length, 1999, 'sources hold no descriptors')
  rmSync(path)
  writeFileSync(path, Buffer.alloc(file.length))
  t.ok(Buffer.from(fromDescriptor()).equals(storage), 'a descriptor stays with its file')
  t.throws(before, { message: `The file was changed or replaced after it was opened: ${path}` })
  t.end()
})

t.test('remaps devices', (t) => {
  const data = Buffer.from(openZip(openSource(fixture('tied_state_dict.pth'))).bytes('data.pkl'))
  const file = rewrite(fixture('tied_state_dict.pth'), {
    'data.pkl': Buffer.from(data.toString('latin1').replace('\x03\0\0\0cpu', '\x06\0\0\0cuda:0'), 'latin1'),
  })
  const location = (options?: LoadOptions): string =>
    (dictGet(loadObject(file, options), 'other') as { tensor: TensorData }).tensor.storage.location
  t.throws(() => location(), {
    code: 'ERR_ARCHIVE',
    message: "The file holds tensors saved on cuda:0, which this machine does not have. Load it with mapLocation: 'cpu'",
  })
  t.equal(location({ mapLocation: 'cpu' }), 'cpu')
  t.equal(location({ hasDevice: () => true }), 'cuda:0')
  t.equal(location({ mapLocation: 'cuda:1', hasDevice: () => true }), 'cuda:1')
  t.throws(() => location({ mapLocation: 'cuda' }), { message: "Expected a device of this machine for `mapLocation` but received 'cuda'" })
  t.throws(() => location({ mapLocation: 'GPU 0' }), {
    message: "Expected a device such as 'cpu' or 'cuda:0' for `mapLocation` but received \"GPU 0\"",
  })
  t.end()
})
