import { readdirSync } from 'node:fs'
import t from 'tap'
import { pickle } from '../../lib/archive/pickle-writer.js'
import { unpickle } from '../../lib/archive/pickle.js'
import { openScriptArchive } from '../../lib/archive/script-archive.js'
import { openSource } from '../../lib/archive/source.js'
import { LazyStorage } from '../../lib/archive/storage.js'
import { StorageTable } from '../../lib/archive/tensors.js'
import type { ListValue, PickleValue, StorageData, TensorData } from '../../lib/archive/values.js'
import { openZip } from '../../lib/archive/zip.js'

const folders = ['test/fixtures/archive', 'test/fixtures/api', 'test/fixtures/builtins']
const archives = folders.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => /\.ptl?$/.test(name) && !name.endsWith('_io.pt'))
    .map((name) => `${folder}/${name}`),
)

t.test("writes PyTorch's pickles again byte by byte", (t) => {
  t.ok(archives.length >= 10)
  for (const path of archives) {
    const archive = openScriptArchive(path)
    const zip = openZip(openSource(path))
    const members: [string, PickleValue][] = [
      ['data.pkl', archive.root],
      ['constants.pkl', { kind: 'tuple', items: archive.constants }],
    ]
    for (const [name, value] of members) {
      const { bytes, storages } = pickle(value, { style: 'script' })
      // PyTorch memoizes objects by their number of references, which for an instance of a class may have been one.
      const isExact = !path.includes('script_objects')
      if (isExact) t.equal(Buffer.from(bytes).toString('latin1'), Buffer.from(zip.bytes(name)).toString('latin1'), `${path} ${name}`)
      const folder = name.replace('.pkl', '/')
      t.equal(storages.length, zip.names().filter((member) => member.startsWith(folder)).length)
    }
  }
  t.end()
})

const storage = (dtype: StorageData['dtype'], byteLength: number): StorageData =>
  new LazyStorage('x', dtype, byteLength, 'cpu', () => new Uint8Array(byteLength))
const tensor = (data: StorageData, shape: number[], offset = 0): PickleValue & { kind: 'tensor' } => {
  const value: TensorData = { dtype: data.dtype, shape, strides: shape.map(() => 1), offset, storage: data, requiresGrad: false }
  return { kind: 'tensor', tensor: value }
}

/** What our own reader makes of a pickle. */
function readBack(value: PickleValue, style: 'script' | 'python'): PickleValue {
  const { bytes, storages } = pickle(value, { style })
  const table = new StorageTable({ create: (key, dtype, byteLength) => ({ ...storages[Number(key)], key, dtype, byteLength }) })
  return unpickle(bytes, { member: 'data.pkl', scriptClasses: true, loadStorage: table.load.bind(table) }).value
}

t.test('values of every kind come back', (t) => {
  const int = (value: bigint): PickleValue => ({ kind: 'int', value })
  const values: PickleValue[] = [
    ...[0n, 255n, 256n, 65535n, 65536n, -1n, -(2n ** 31n), 2n ** 31n, -(2n ** 63n), 2n ** 63n - 1n].map(int),
    ...[0, -0, 1.5, 1e300, Infinity, -Infinity, NaN, 5e-324].map((value): PickleValue => ({ kind: 'float', value })),
    { kind: 'complex', re: 1.5, im: -0 },
    { kind: 'string', value: 'text \u{1f600} é' },
    { kind: 'string', value: Buffer.from([0xff, 0x61]).toString('utf8'), bytes: Uint8Array.of(0xff, 0x61) },
    { kind: 'device', value: 'cuda:1' },
    { kind: 'none' },
    { kind: 'bool', value: true },
    ...[0, 1, 2, 3, 4, 300].map((n): PickleValue => ({ kind: 'tuple', items: Array.from({ length: n }, (_, i) => int(BigInt(i))) })),
    { kind: 'list', items: [], elementType: 'int' },
    { kind: 'list', items: [{ kind: 'string', value: 'a' }, { kind: 'none' }], elementType: 'Optional[str]' },
    { kind: 'dict', entries: [[int(1n), { kind: 'list', items: [int(2n)], elementType: 'int' }]], keyType: 'int', valueType: 'List[int]' },
    { kind: 'enum', className: '__torch__.Color', value: int(2n) },
    { kind: 'object', className: '__torch__.a.B', state: { kind: 'tuple', items: [int(1n)] } },
  ]
  for (const value of values) t.same(readBack(value, 'script'), value)
  const all: PickleValue = { kind: 'tuple', items: [...values, ...values] }
  t.same(readBack(all, 'script'), all, 'a memo of more than 256 entries')
  t.end()
})

t.test('what is shared stays shared', (t) => {
  const data = storage('float32', 64)
  const list: ListValue = { kind: 'list', items: [], elementType: 'Tensor' }
  const one = tensor(data, [4])
  const back = readBack({ kind: 'tuple', items: [one, { kind: 'tensor', tensor: one.tensor }, tensor(data, [4], 8), list, list] }, 'script')
  const items = (back as { items: PickleValue[] }).items as (PickleValue & { kind: 'tensor' })[]
  t.equal(items[0], items[1], 'two wrappers of one tensor are one tensor')
  t.not(items[0].tensor, items[2].tensor)
  t.equal(items[0].tensor.storage, items[2].tensor.storage)
  t.equal(items[3], items[4])
  t.end()
})

t.test('one memory under two dtypes is written for each', (t) => {
  const data = storage('float32', 64)
  const other = { ...tensor(data, [8]).tensor, dtype: 'int64' as const }
  const { storages } = pickle({ kind: 'tuple', items: [tensor(data, [4]), { kind: 'tensor', tensor: other }] }, { style: 'script' })
  t.same(storages, [data, data])
  t.end()
})

t.test('values that hold themselves are refused', (t) => {
  const list: ListValue = { kind: 'list', items: [], elementType: 'Any' }
  list.items.push(list)
  t.throws(() => pickle(list, { style: 'script' }), {
    code: 'ERR_UNSUPPORTED',
    message: 'Expected a tree of values to save but received a list that contains itself.',
  })
  let deep: PickleValue = { kind: 'none' }
  for (let i = 0; i < 100_000; i++) deep = { kind: 'tuple', items: [deep] }
  t.throws(() => pickle(deep, { style: 'script' }), { code: 'ERR_ARGUMENT' })
  t.throws(() => pickle({ kind: 'int', value: 2n ** 63n }, { style: 'script' }), { code: 'ERR_ARGUMENT' })
  t.end()
})

t.test('plain containers for torch.save', (t) => {
  const value: PickleValue = {
    kind: 'dict',
    entries: [
      [
        { kind: 'string', value: 'w' },
        { kind: 'list', items: [{ kind: 'dtype', value: 'float16' }] },
      ],
    ],
    ordered: true,
  }
  const { bytes } = pickle(value, { style: 'python' })
  t.notMatch(Buffer.from(bytes).toString('latin1'), /torch\.jit/)
  t.match(Buffer.from(bytes).toString('latin1'), /collections\nOrderedDict/)
  const { ordered: _, ...plain } = value
  t.same(readBack(value, 'python'), plain)
  t.end()
})
