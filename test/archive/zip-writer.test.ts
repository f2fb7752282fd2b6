import { readFileSync } from 'node:fs'
import t from 'tap'
import { crc32, crc32Table } from '../../lib/archive/crc32.js'
import { openSource } from '../../lib/archive/source.js'
import { openZip } from '../../lib/archive/zip.js'
import { ZipWriter } from '../../lib/archive/zip-writer.js'

const memberData = (text: string): Uint8Array => new TextEncoder().encode(text)

t.test("writes PyTorch's file again byte by byte", (t) => {
  const file = readFileSync('test/fixtures/archive/tied_state_dict.pth')
  const zip = openZip(openSource(file))
  const writer = new ZipWriter(zip.root)
  for (const name of zip.names()) writer.add(name, zip.bytes(name))
  t.equal(Buffer.concat(writer.finish()).toString('hex'), file.toString('hex'))
  t.end()
})

t.test('aligns stored and deflated members and reads them back', (t) => {
  const writer = new ZipWriter('model')
  const members: [string, Uint8Array, boolean][] = [
    ['data/0', new Uint8Array(3).fill(7), false],
    ['code/__torch__.py', memberData('def f():\n'.repeat(100)), true],
    ['extra/ü/empty', new Uint8Array(0), false],
    ['empty deflated', new Uint8Array(0), true],
    ['data/1', new Uint8Array(1000).fill(1), false],
  ]
  for (const [name, data, deflate] of members) writer.add(name, data, { deflate })
  const zip = openZip(openSource(Buffer.concat(writer.finish())))
  t.equal(zip.root, 'model')
  t.same(
    zip.names(),
    members.map(([name]) => name),
  )
  for (const [name, data, deflate] of members) {
    t.equal(zip.isStored(name), !deflate)
    t.equal(zip.dataOffset(name) % 64, 0, name)
    t.same(Buffer.from(zip.bytes(name)), Buffer.from(data))
  }
  t.end()
})

t.test('refuses a name twice', (t) => {
  const writer = new ZipWriter()
  writer.add('a', new Uint8Array(1))
  t.throws(() => writer.add('a', new Uint8Array(1)), { message: 'Expected a new name for `name` but received a again' })
  t.throws(() => writer.add('', new Uint8Array(1)), { message: 'Expected a name of 1 to 65535 bytes for `name` but received 0' })
  t.end()
})

t.test('computes CRC-32', (t) => {
  const bytes = memberData('123456789')
  for (const crc of [crc32, crc32Table]) {
    t.equal(crc(bytes), 0xcbf43926)
    t.equal(crc(bytes.subarray(4), crc(bytes.subarray(0, 4))), 0xcbf43926)
    t.equal(crc(new Uint8Array(0)), 0)
  }
  t.end()
})
