import { Readable } from 'node:stream'
import t from 'tap'
import { readTar } from '../../scripts/conformance/tar.js'

t.test('a tar stream is read to its end, padding and all', async (t) => {
  const header = Buffer.alloc(512)
  header.write('kit/group/case.pt', 0)
  header.write('00000000005\0', 124)
  header.write('0', 156)
  const content = Buffer.alloc(512)
  content.write('bytes')
  const zeros = Buffer.alloc(1 << 16)
  const stream = Readable.from([header, content, zeros, zeros, zeros])
  const files: string[] = []
  for await (const { name, bytes } of readTar(stream, () => true)) files.push(`${name} ${bytes.toString()}`)
  t.same(files, ['kit/group/case.pt bytes'])
  t.ok(stream.readableEnded, 'a program that writes into the stream can end')
})
