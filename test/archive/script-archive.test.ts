import { closeSync, openSync, readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { memorySource } from '../../lib/archive/source.js'
import { openScriptArchive } from '../../lib/archive/script-archive.js'
import type { ObjectValue, PickleValue } from '../../lib/archive/values.js'
import { op, pickle, scriptArchive } from './assembler.js'

const fixture = (name: string): string => `test/fixtures/archive/${name}`
const attributes = (value: PickleValue): Map<string, PickleValue> => (value as ObjectValue).attributes!

t.test('reads attributes of all kinds', (t) => {
  const archive = openScriptArchive(fixture('attributes_of_all_kinds.pt'))
  const all = attributes(archive.root)
  const int = (value: number | bigint): PickleValue => ({ kind: 'int', value: BigInt(value) })
  t.equal(archive.version, 3)
  t.same(all.get('training'), { kind: 'bool', value: false })
  t.same(all.get('_is_full_backward_hook'), { kind: 'none' })
  t.same(all.get('s'), { kind: 'string', value: 'text "quoted" \n é 漢字' })
  t.same(all.get('i'), int(1n << 40n))
  t.same(all.get('neg'), int(-(1n << 63n)))
  t.same(all.get('f'), { kind: 'float', value: 1e-310 })
  t.same(all.get('inf'), { kind: 'float', value: Number.NEGATIVE_INFINITY })
  t.same(all.get('l'), { kind: 'list', items: [int(1), int(2), int(3)], elementType: 'int' })
  t.same(all.get('lf'), {
    kind: 'list',
    items: [
      { kind: 'float', value: 0.5 },
      { kind: 'float', value: Number.NaN },
    ],
    elementType: 'float',
  })
  t.equal((all.get('ls') as { elementType?: string }).elementType, 'str')
  const d = all.get('d')
  t.ok(d?.kind === 'dict' && d.keyType === 'str' && d.valueType === 'List[int]')
  const o = all.get('o')
  t.same(o?.kind === 'dict' && o.entries, [
    [int(1), { kind: 'string', value: 'one' }],
    [int(-2), { kind: 'string', value: 'minus' }],
  ])
  t.end()
})

t.test('takes a path, a URL, bytes, an ArrayBuffer, a descriptor and a handle', async (t) => {
  const path = fixture('with_extra_files.pt')
  const bytes = readFileSync(path)
  const arrayBuffer = new Uint8Array(bytes).buffer
  const fd = openSync(path, 'r')
  const handle = await open(path)
  const inputs = [path, pathToFileURL(path), bytes, arrayBuffer, fd, handle]
  const archives = inputs.map((input) => openScriptArchive(input))
  closeSync(fd)
  await handle.close()
  const weights = archives.map(({ root }) => {
    const weight = attributes(root).get('weight') ?? attributes(attributes(root).get('fc') ?? root).get('weight')
    return weight?.kind === 'tensor' ? Buffer.from(weight.tensor.storage.bytes()).toString('hex') : undefined
  })
  t.equal(new Set(weights).size, 1)
  t.type(weights[0], 'string')
})

t.test('reads source text, source maps and traced inputs on demand', (t) => {
  const archive = openScriptArchive(fixture('traced_nested_tuple_list.pt'))
  t.same(archive.sourceNames(), ['__torch__'])
  t.match(archive.sources('__torch__'), /^class \w+\(Module\):/)
  t.equal(archive.sources('__torch__.missing'), undefined)
  const map = archive.debugInfo('__torch__')!
  t.match(map.find(360)?.file, /\.py$/)
  t.equal(map.find(338)?.line, 431)
  const inputs = archive.tracedInputs?.get('forward')
  t.ok(inputs?.kind === 'list' && inputs.items.length > 0)
  t.end()
})

t.test('opens mobile archives through their code', (t) => {
  const archive = openScriptArchive(fixture('mobile_linear_relu.ptl'))
  t.ok(archive.memberNames.includes('bytecode.pkl'))
  t.match((archive.root as ObjectValue).className, /^__torch__\..*Sequential$/)
  t.end()
})

t.test('gives the extra files that are asked for and present', (t) => {
  t.same(Object.keys(openScriptArchive(fixture('with_extra_files.pt')).extraFiles), [])
  const all = openScriptArchive(fixture('with_extra_files.pt'), { extraFiles: 'all' }).extraFiles
  const [name] = Object.keys(all)
  const some = openScriptArchive(fixture('with_extra_files.pt'), { extraFiles: [name, 'missing.txt'] }).extraFiles
  t.same(Object.keys(some), [name])
  t.ok(some[name].equals(all[name]))
  t.end()
})

t.test('gives views of one storage one memory', (t) => {
  const archive = openScriptArchive(fixture('views_of_one_storage.pt'))
  const tensors = [...attributes(archive.root).values()].flatMap((value) => (value.kind === 'tensor' ? [value.tensor] : []))
  t.ok(tensors.length > 1)
  t.equal(new Set(tensors.map((tensor) => tensor.storage)).size, 1)
  t.end()
})

t.test('keeps the bytes of the caller untouched', (t) => {
  const bytes = readFileSync(fixture('views_of_one_storage.pt'))
  const before = Buffer.from(bytes)
  const tensor = [...attributes(openScriptArchive(bytes).root).values()].find((value) => value.kind === 'tensor')
  t.ok(tensor?.kind === 'tensor')
  if (tensor?.kind === 'tensor') tensor.tensor.storage.bytes().fill(255)
  t.ok(bytes.equals(before))
  t.end()
})

t.test('reads of a large file only what it needs', (t) => {
  const size = 8 << 20
  const weights = Object.fromEntries(['0', '1', '2', '3'].map((key) => [`data/${key}`, new Uint8Array(size)]))
  const attribute = (key: string): Buffer => Buffer.concat([op.string(`w${key}`), op.tensor(op.storage(key, size / 4), 0, [size / 4], [1])])
  const data = pickle(
    op.global('__torch__', 'M'),
    op.emptyTuple,
    op.newObject,
    op.emptyDict,
    op.mark,
    attribute('0'),
    attribute('1'),
    attribute('2'),
    attribute('3'),
    op.setItems,
    op.build,
  )
  const memory = memorySource(scriptArchive({ 'data.pkl': data, ...weights }), true)
  let bytesRead = 0
  const counting = (offset: number, length: number): Uint8Array => {
    bytesRead += length
    return memory.read(offset, length)
  }
  const { root } = openScriptArchive({ size: memory.size, name: undefined, exclusive: true, read: counting, view: counting })
  const tensors = [...attributes(root).values()].flatMap((value) => (value.kind === 'tensor' ? [value.tensor] : []))
  t.equal(tensors.length, 4)
  t.ok(bytesRead < 100_000, `${bytesRead} bytes`)
  tensors[2].storage.bytes()
  tensors[2].storage.bytes()
  t.ok(bytesRead > size && bytesRead < size + 200_000, `${bytesRead} bytes with one storage`)
  t.end()
})
