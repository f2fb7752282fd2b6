import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { pickle } from '../../lib/archive/pickle-writer.js'
import { openScriptArchive } from '../../lib/archive/script-archive.js'
import { openSource } from '../../lib/archive/source.js'
import type { PickleValue } from '../../lib/archive/values.js'
import { openZip } from '../../lib/archive/zip.js'
import { ZipWriter } from '../../lib/archive/zip-writer.js'
import * as torch from '../../lib/index.js'

const folders = ['test/fixtures/save', 'test/fixtures/api', 'test/fixtures/archive', 'test/fixtures/builtins']
/** Archives of torch.jit.save that load. */
const fixtures = folders.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => /\.ptl?$/.test(name) && !name.endsWith('_io.pt') && name !== 'script_objects.pt')
    .map((name) => join(folder, name)),
)
const kinds = 'test/fixtures/save/kinds.pt'
const folder = mkdtempSync(join(tmpdir(), 'torchscript-save-'))
t.teardown(() => rmSync(folder, { recursive: true }))

/** A tree as plain data: tensors by their elements, what is shared by where it was first seen. */
function plain(value: PickleValue, seen = new Map<object, string>(), path = 'root'): unknown {
  const inner = (v: PickleValue, name: string | number): unknown => plain(v, seen, `${path}.${name}`)
  const shared = (key: object): string | undefined => {
    const known = seen.get(key)
    if (known === undefined) seen.set(key, path)
    return known
  }
  switch (value.kind) {
    case 'tensor': {
      const { storage, ...tensor } = value.tensor
      const same = shared(value.tensor)
      if (same !== undefined) return { same }
      return { ...tensor, storage: shared(storage) ?? Buffer.from(storage.bytes()).toString('hex') }
    }
    case 'list':
    case 'tuple':
      return { ...value, items: value.items.map(inner) }
    case 'dict':
      return { ...value, entries: value.entries.map(([k, v], i) => [inner(k, `key${i}`), inner(v, i)]) }
    case 'enum':
      return { ...value, value: inner(value.value, 'value') }
    case 'object': {
      const same = shared(value)
      if (same !== undefined) return { same, className: value.className }
      const attributes = value.attributes && [...value.attributes].map(([name, v]) => [name, inner(v, name)])
      return { className: value.className, state: attributes ?? (value.state && inner(value.state, 'state')) }
    }
    default:
      return value
  }
}

t.test('what is loaded and saved is the same tree with the same code', (t) => {
  t.ok(fixtures.length >= 10)
  for (const path of fixtures) {
    const before = openScriptArchive(path)
    const bytes = torch.jit.load(path).save()
    const after = openScriptArchive(bytes)
    t.same(plain(after.root), plain(before.root), path)
    t.equal(after.version, before.version, `${path}: version`)
    t.same(torch.jit.load(bytes).save(), bytes, `${path}: saving again gives the same bytes`)
    const zip = openZip(openSource(bytes))
    for (const name of zip.names()) t.equal(zip.dataOffset(name) % 64, 0, `${path}: ${name} is aligned`)
  }
  t.end()
})

t.test('the code of a saved module', (t) => {
  const archive = openScriptArchive(torch.jit.load(kinds).save())
  const text = archive
    .sourceNames()
    .map((name) => `# ${name}\n${archive.sources(name)}`)
    .join('\n')
  const expected = 'test/fixtures/save/kinds.py.txt'
  if (process.env.BLESS === '1') writeFileSync(expected, text)
  t.equal(text, readFileSync(expected, 'utf8'))
  t.end()
})

t.test('attributes are saved as they are now', (t) => {
  const m = torch.jit.load(kinds)
  const x = torch.tensor([[1, 2, 3]])
  m.forward(x)
  m.maybe = 5
  m.names = ['new']
  const head = m.head as torch.Tensor
  ;(head.data as Float32Array)[0] = 100
  const again = torch.jit.load(m.save())
  t.equal(again.maybe, 5)
  t.same(again.names, ['new'])
  t.equal(((again.head as torch.Tensor).toArray() as number[])[0], 100)
  t.equal((again.counter as torch.jit.ScriptObject).n, 5, 'what the program changed')
  t.same([...(again.table as Map<string, number[]>).keys()], ['one', 'none', 'a', 'é'])
  t.same((again.forward(x) as torch.Tensor).toArray(), (m.forward(x) as torch.Tensor).toArray())
  t.end()
})

t.test('tensors that share memory share it in the copy', (t) => {
  const m = torch.jit.load(torch.jit.load(kinds).save())
  const [weight, tied] = [m.linear.weight, m.tied.weight] as torch.Tensor[]
  ;(weight.data as Float32Array)[0] = 42
  t.equal((tied.toArray() as number[][])[0][0], 42)
  t.same((m.tail as torch.Tensor).toArray(), [9, 10, 11])
  t.equal(m.linear.weight.requiresGrad, true)
  t.end()
})

t.test('to a path, a URL or nowhere; over the file that was loaded', (t) => {
  const path = join(folder, 'model.v1.pt')
  const m = torch.jit.load(kinds)
  t.equal(torch.jit.save(m, path), undefined)
  t.equal(openZip(openSource(path)).root, 'model.v1')
  const before = readFileSync(path)
  m.save(pathToFileURL(path))
  t.same(readFileSync(path), before)
  const mapped = torch.jit.load(path)
  mapped.save(path)
  t.same(readFileSync(path), before, 'weights may be mapped from the file that is written')
  t.same(readdirSync(folder), ['model.v1.pt'], 'nothing is left beside it')
  const bytes = torch.jit.save(m)
  t.equal(openZip(openSource(bytes)).root, 'archive')
  t.end()
})

t.test('extra files', (t) => {
  const m = torch.jit.load(kinds)
  const bytes = m.save(undefined, { extraFiles: { 'labels.json': '["é"]', 'deep/er.bin': Uint8Array.of(0, 255) } })
  const extraFiles: Record<string, unknown> = { 'labels.json': '', 'deep/er.bin': undefined }
  torch.jit.load(bytes, { extraFiles })
  t.same(extraFiles, { 'labels.json': '["é"]', 'deep/er.bin': Buffer.from([0, 255]) })
  t.same(m.save(undefined, { extraFiles: new Map([['a', 'b']]) }), m.save(undefined, { extraFiles: { a: 'b' } }))
  t.end()
})

t.test('a function becomes the forward of a module', (t) => {
  const fn = torch.jit.trace(
    (x: torch.Tensor, y: torch.Tensor) => torch.add(torch.relu(x), y, { alpha: 2 }),
    [torch.ones([2]), torch.ones([2])],
  )
  const bytes = torch.jit.save(fn)
  t.same(fn.save(), bytes)
  const m = torch.jit.load(bytes)
  t.equal(m.originalName, 'PlaceholderModule')
  t.same((m.forward(torch.tensor([-1, 3]), torch.tensor([1, 1])) as torch.Tensor).toArray(), [2, 5])
  fn.save(join(folder, 'function.pt'))
  t.equal(openZip(openSource(join(folder, 'function.pt'))).root, 'function')
  rmSync(join(folder, 'function.pt'))
  t.end()
})

/** A file as if its tensors had been saved on the first GPU. */
function savedOnGpu(file: Uint8Array): Buffer {
  const zip = openZip(openSource(file))
  const writer = new ZipWriter(zip.root)
  const location = '\x03\0\0\0cpu'
  for (const name of zip.names()) {
    const text = Buffer.from(zip.bytes(name)).toString('latin1')
    writer.add(name, Buffer.from(name === 'data.pkl' ? text.replace(location, '\x06\0\0\0cuda:0') : text, 'latin1'))
  }
  return Buffer.concat(writer.finish())
}

t.test('files saved on a GPU load on the CPU when told, and say so when not', (t) => {
  const m = torch.jit.load('test/fixtures/api/everything.pt')
  const archives: [Buffer, (file: Buffer, options?: { mapLocation?: string }) => unknown][] = [
    [m.save(), torch.jit.load],
    [torch.save(m.stateDict()), torch.load],
  ]
  for (const [bytes, load] of archives) {
    const gpu = savedOnGpu(bytes)
    t.throws(() => load(gpu), {
      code: 'ERR_ARCHIVE',
      message: "The file holds tensors saved on cuda:0, which this machine does not have. Load it with mapLocation: 'cpu'",
    })
    t.throws(() => load(gpu, { mapLocation: 'cuda:0' }), {
      code: 'ERR_ARCHIVE',
      message: "Expected a device of this machine for `mapLocation` but received 'cuda:0'",
    })
    t.throws(() => load(bytes, { mapLocation: 'cuda' }), { code: 'ERR_ARCHIVE' }, 'a file of the CPU goes to no GPU either')
    t.ok(load(bytes, { mapLocation: 'cpu' }))
  }
  const mapped = torch.jit.load(savedOnGpu(m.save()), { mapLocation: 'cpu' })
  t.same(mapped.save(), m.save(), 'and is saved as a file of the CPU')
  t.end()
})

t.test('a chain of objects deeper than the stack is a typed error', (t) => {
  const source = `
class Link:
  next : Optional[__torch__.Link]
  value : int
  def __init__(self: __torch__.Link, value: int) -> NoneType:
    self.next = annotate(Optional[__torch__.Link], None)
    self.value = value
    return None
class Chain(Module):
  __parameters__ = []
  __buffers__ = []
  first : Optional[__torch__.Link]
  def forward(self: __torch__.Chain, n: int) -> NoneType:
    last = annotate(Optional[__torch__.Link], None)
    for i in range(n):
      link = __torch__.Link(i)
      link.next = last
      last = annotate(Optional[__torch__.Link], link)
    self.first = last
    return None
`
  const writer = new ZipWriter('chain')
  const root: PickleValue = { kind: 'object', className: '__torch__.Chain', attributes: new Map([['first', { kind: 'none' }]]) }
  writer.add('data.pkl', pickle(root, { style: 'script' }).bytes)
  writer.add('code/__torch__.py', Buffer.from(source))
  writer.add('constants.pkl', pickle({ kind: 'tuple', items: [] }, { style: 'script' }).bytes)
  writer.add('version', Buffer.from('3'))
  const m = torch.jit.load(Buffer.concat(writer.finish()))
  m.forward(400)
  const again = torch.jit.load(m.save())
  t.equal((again.first as torch.jit.ScriptObject).value, 399)
  m.forward(100_000)
  t.throws(() => m.save(), { code: 'ERR_ARGUMENT', message: 'Expected values nested at most 990 deep to save but received deeper ones' })
  t.end()
})

t.test('wrong arguments', (t) => {
  const m = torch.jit.load(kinds)
  t.throws(() => torch.jit.save({} as torch.jit.ScriptModule), {
    code: 'ERR_ARGUMENT',
    message: 'Expected a module or function of jit.load, jit.trace or jit.script for `module` but received Object',
  })
  t.throws(() => m.save(5 as unknown as string), { message: 'Expected a path or a file: URL for `file` but received number' })
  t.throws(() => m.save(''), { message: "Expected a path or a file: URL for `file` but received ''" })
  t.throws(() => m.save(undefined, { extraFiles: { a: 5 as unknown as string } }), {
    message: 'Expected text or bytes for `extraFiles`["a"] but received number',
  })
  t.throws(() => m.save(join(folder, 'no/such/folder.pt')), { code: 'ENOENT' })
  t.end()
})
