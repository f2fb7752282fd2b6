import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import t from 'tap'
import { loadObject } from '../../lib/archive/load.js'
import { openScriptArchive } from '../../lib/archive/script-archive.js'
import { openSource } from '../../lib/archive/source.js'
import { openZip } from '../../lib/archive/zip.js'
import type { TorchScriptError } from '../../lib/util/errors.js'
import { op, pickle, scriptArchive } from './assembler.js'

function failure(load: () => unknown): string {
  try {
    load()
  } catch (error) {
    const { name, message } = error as TorchScriptError
    return name === 'ArchiveError' ? message : `${name}: ${message}`
  }
  return 'no error'
}

interface Member {
  name: string
  data?: Buffer
  /** Overrides of what the headers say. */
  method?: number
  flags?: number
  size?: number
  compressedSize?: number
  offset?: number
  localName?: string
  localExtraLength?: number
  zip64?: bigint[]
}

interface End {
  count?: number
  directorySize?: number
  directoryOffset?: number
  disk?: number
}

/** A zip file whose headers say whatever they are told to. */
function forge(members: readonly Member[], end: End = {}): Buffer {
  const chunks: Buffer[] = []
  const directory: Buffer[] = []
  let cursor = 0
  for (const member of members) {
    const { name, data = Buffer.alloc(0), method = 0, flags = 0 } = member
    const localName = Buffer.from(member.localName ?? name)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(localName.length, 26)
    local.writeUInt16LE(member.localExtraLength ?? 0, 28)
    const fullName = Buffer.from(name)
    const extra = Buffer.alloc(member.zip64 === undefined ? 0 : 4 + 8 * member.zip64.length)
    if (member.zip64 !== undefined) {
      extra.writeUInt16LE(1, 0)
      extra.writeUInt16LE(extra.length - 4, 2)
      member.zip64.forEach((number, i) => extra.writeBigUInt64LE(number, 4 + 8 * i))
    }
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50, 0)
    entry.writeUInt16LE(flags, 8)
    entry.writeUInt16LE(method, 10)
    entry.writeUInt32LE(member.compressedSize ?? data.length, 20)
    entry.writeUInt32LE(member.size ?? data.length, 24)
    entry.writeUInt16LE(fullName.length, 28)
    entry.writeUInt16LE(extra.length, 30)
    entry.writeUInt32LE(member.offset ?? cursor, 42)
    directory.push(entry, fullName, extra)
    chunks.push(local, localName, data)
    cursor += 30 + localName.length + data.length
  }
  const directoryBytes = Buffer.concat(directory)
  const record = Buffer.alloc(22)
  record.writeUInt32LE(0x06054b50, 0)
  record.writeUInt16LE(end.disk ?? 0, 4)
  record.writeUInt16LE(end.count ?? members.length, 8)
  record.writeUInt16LE(end.count ?? members.length, 10)
  record.writeUInt32LE(end.directorySize ?? directoryBytes.length, 12)
  record.writeUInt32LE(end.directoryOffset ?? cursor, 16)
  return Buffer.concat([...chunks, directoryBytes, record])
}

const openForged = (members: readonly Member[], end?: End): string => failure(() => openZip(openSource(forge(members, end))))
const readForged = (member: Member, others: readonly Member[] = []): string =>
  failure(() => openZip(openSource(forge([member, ...others]))).bytes(member.name.slice(2)))

t.test('refuses names that lead out of the archive', (t) => {
  for (const name of ['../evil', 'a/../../evil', '/etc/passwd', 'a\\..\\evil', 'C:/evil', 'a/\0b', 'a/..']) {
    t.equal(openForged([{ name }]), `Expected a relative name without \`..\` for a zip member but received ${JSON.stringify(name)}`)
  }
  t.equal(openForged([{ name: 'a/..b' }, { name: 'a/c..' }]), 'no error')
  t.equal(openForged([{ name: 'data.pkl' }]), 'Expected all members to lie in one folder but the first one lies in none (in data.pkl)')
  t.equal(openForged([{ name: 'a/x' }, { name: 'a/x' }]), 'The zip file has two members of this name (in a/x)')
  t.end()
})

t.test('refuses bombs', (t) => {
  const zeros = deflateRawSync(Buffer.alloc(1 << 20))
  const bomb = { name: 'a/b', data: zeros, method: 8 }
  t.equal(
    readForged({ ...bomb, size: 1000 }),
    'The deflated member is malformed: it unpacks to more than the 1000 bytes it declares (in b)',
  )
  t.equal(readForged({ ...bomb, size: 0 }), 'The deflated member is malformed: it unpacks to more than the 0 bytes it declares (in b)')
  t.equal(
    readForged({ ...bomb, size: (1 << 20) + 1 }),
    'The deflated member is malformed: it unpacks to 1048576 bytes and declares 1048577 (in b)',
  )
  t.equal(
    readForged({ ...bomb, size: 0x7fffffff }),
    `The member declares 2147483647 bytes, more than ${zeros.length} deflated bytes can hold (in b)`,
  )
  t.equal(
    readForged({ ...bomb, size: 0xffffffff, zip64: [1n << 50n] }),
    `The member declares 1125899906842624 bytes, more than ${zeros.length} deflated bytes can hold (in b)`,
  )
  const members = ['a/1', 'a/2', 'a/3'].map((name) => ({ name, data: zeros, method: 8, size: 1 << 20 }))
  const zip = openZip(openSource(forge(members)), { inflateLimit: 2 << 20 })
  t.equal(zip.bytes('1').length, 1 << 20)
  t.equal(zip.bytes('1').length, 1 << 20, 'counts once')
  t.equal(zip.bytes('2').length, 1 << 20)
  t.equal(
    failure(() => zip.bytes('3')),
    "Unpacking the member's 1048576 bytes would pass the limit for one archive (in 3)",
  )
  const overlapping = [
    { name: 'a/1', data: zeros },
    { name: 'a/2', data: zeros, offset: 0 },
  ]
  t.equal(openForged(overlapping), 'The zip file is malformed: the member overlaps a/2 (in a/1)')
  t.end()
})

t.test('refuses sizes and places that do not fit', (t) => {
  const data = Buffer.from('0123456789')
  const far = [{ name: 'a/y', data: Buffer.alloc(100) }]
  t.equal(
    openForged([{ name: 'a/x', data, size: 200, compressedSize: 200 }]),
    "The zip file is truncated or malformed: the member ends at 230, past the last one's limit 43 (in a/x)",
  )
  t.equal(
    openForged([{ name: 'a/x', data, size: 40, compressedSize: 40 }, ...far]),
    'The zip file is malformed: the member overlaps a/y (in a/x)',
  )
  t.equal(
    openForged([{ name: 'a/x', data, offset: 0xfffffff0 }]),
    "The zip file is truncated or malformed: the member ends at 4294967320, past the last one's limit 43 (in a/x)",
  )
  t.equal(openForged([{ name: 'a/x', data, size: 0xffffffff }]), 'no error')
  t.equal(readForged({ name: 'a/x', data, size: 0xffffffff }), 'The stored member declares two sizes, 4294967295 and 10 (in x)')
  t.equal(
    openForged([{ name: 'a/x', data, size: 0xffffffff, zip64: [1n << 63n] }]),
    'The zip directory is malformed: the size of a/x is 9223372036854775808',
  )
  t.equal(
    openForged([{ name: 'a/x', data, size: 0xffffffff, zip64: [] }]),
    'The zip directory is malformed: a zip64 field is too short (in a/x)',
  )
  t.equal(
    readForged({ name: 'a/x', data, localExtraLength: 20 }, far),
    "The member's 10 bytes at 53 reach past 43, where the next one begins (in x)",
  )
  t.equal(readForged({ name: 'a/x', data, localName: 'a/z' }), 'The member has another name than the directory says (in x)')
  t.equal(readForged({ name: 'a/x', data, offset: 1 }), 'There is no zip member at 1, where the directory says (in x)')
  t.equal(readForged({ name: 'a/x', data, method: 12 }), 'The member is compressed with method 12; stored and deflate are supported (in x)')
  t.equal(readForged({ name: 'a/x', data, flags: 1 }), 'The member is encrypted, which is not supported (in x)')
  t.equal(readForged({ name: 'a/x', data, method: 8 }), 'The deflated member is malformed: invalid stored block lengths (in x)')
  t.end()
})

t.test('reads zip64 sizes and places', (t) => {
  const data = Buffer.from('0123456789')
  const sizes = { name: 'a/x', data, size: 0xffffffff, compressedSize: 0xffffffff, zip64: [10n, 10n] }
  t.same(openZip(openSource(forge([sizes]))).bytes('x'), new Uint8Array(data))
  const place = { name: 'a/y', data, offset: 0xffffffff, zip64: [43n] }
  t.same(openZip(openSource(forge([{ name: 'a/x', data }, place]))).bytes('y'), new Uint8Array(data))
  t.end()
})

t.test('refuses broken directories', (t) => {
  const members = [{ name: 'a/x', data: Buffer.from('x') }]
  t.equal(openForged(members, { count: 2 }), 'The zip directory is malformed: 2 members do not fit in 49 bytes')
  t.equal(
    openForged(members, { directorySize: 500 }),
    'The zip directory is malformed: 500 bytes at 34 do not fit before its end record at 83',
  )
  t.equal(openForged(members, { directoryOffset: 20 }), 'The zip directory is malformed: member 0 of 1 has no entry')
  t.equal(openForged(members, { disk: 1 }), 'The zip file is one part of a split archive, which is not supported')
  t.equal(
    openForged(members, { directoryOffset: 0xffffffff }),
    'The zip directory is malformed: 49 bytes at 4294967295 do not fit before its end record at 83',
  )
  const locator = Buffer.alloc(20)
  locator.writeUInt32LE(0x07064b50, 0)
  locator.writeBigUInt64LE(0n, 8)
  const file = forge(members)
  const withLocator = (offset: bigint): Buffer => {
    locator.writeBigUInt64LE(offset, 8)
    return Buffer.concat([file.subarray(0, -22), Buffer.alloc(60), locator, file.subarray(-22)])
  }
  t.equal(
    failure(() => openZip(openSource(withLocator(0n)))),
    'The zip directory is malformed: there is no zip64 end record where it should be',
  )
  t.equal(
    failure(() => openZip(openSource(withLocator(1n << 40n)))),
    'The zip directory is malformed: the zip64 end record lies outside of the file',
  )
  t.equal(
    failure(() => openZip(openSource(withLocator((1n << 64n) - 1n)))),
    'The zip directory is malformed: the place of the zip64 end record is 18446744073709551615',
  )
  t.end()
})

t.test('refuses every truncation of an archive', (t) => {
  const file = scriptArchive()
  const messages = new Set<string>()
  for (let length = 0; length < file.length; length++) messages.add(failure(() => openScriptArchive(file.subarray(0, length))))
  t.notOk(messages.has('no error'))
  t.ok(messages.has('The zip file is truncated: it has no central directory. The copy or download of it is probably incomplete'))
  t.ok(
    [...messages].every((message) => !/^\w*Error: /.test(message)),
    'all are archive errors',
  )
  t.end()
})

t.test('says what is missing in an archive', (t) => {
  const open = (changes: Parameters<typeof scriptArchive>[0]): string => failure(() => openScriptArchive(scriptArchive(changes)))
  t.equal(open({}), 'no error')
  t.equal(
    open({ 'constants.pkl': undefined }),
    'Expected a TorchScript archive but received a file that torch.save wrote: it has no code. Load it with torch.load',
  )
  t.equal(
    open({ 'data.pkl': undefined }),
    'Expected a TorchScript archive but received a zip file without data.pkl (its first member is code/__torch__.py)',
  )
  t.equal(open({ version: undefined }), 'The archive has no version: neither .data/version nor version is there')
  t.equal(open({ version: 'three' }), 'Expected a version number but received "three" (in version)')
  t.equal(open({ version: '0\n' }), 'Expected a version of at least 1 but received 0 (in version)')
  t.equal(open({ version: '11' }), 'Expected a version of at most 10 but received 11; a newer PyTorch wrote this file (in version)')
  t.equal(
    open({ version: '3', '.data/version': '11' }),
    'Expected a version of at most 10 but received 11; a newer PyTorch wrote this file (in .data/version)',
  )
  t.equal(open({ version: Buffer.alloc(1000, '1') }), 'Expected a version number but received 1000 bytes (in version)')
  t.equal(open({ 'constants.pkl': pickle(op.emptyList) }), 'Expected a tuple of constants (in constants.pkl)')
  t.end()
})

t.test('names the format of files that are something else', (t) => {
  const bytesOf = (start: string | number[]): Buffer => (typeof start === 'string' ? Buffer.from(start, 'latin1') : Buffer.from(start))
  const pad = (start: string | number[]): Buffer => Buffer.concat([bytesOf(start), Buffer.alloc(64)])
  const safetensors = Buffer.concat([Buffer.from([16, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{"__metadata__":{}}')])
  const formats: [Buffer, string][] = [
    [Buffer.alloc(0), 'an empty file'],
    [
      pad('version https://git-lfs.github.com/spec/v1\noid sha256:0'),
      'a Git LFS pointer, not the file itself; run `git lfs pull` to fetch it',
    ],
    [pad('\n<!DOCTYPE html><html>'), 'an HTML or XML page; the download probably gave an error or login page instead of the file'],
    [pad([0x1f, 0x8b, 8]), 'a gzip file; unpack it first'],
    [pad([0x28, 0xb5, 0x2f, 0xfd]), 'a zstd file; unpack it first'],
    [pad([0x08, 0x08, 0x12, 0x07, ...Buffer.from('pytorch')]), 'an ONNX model, which holds no TorchScript'],
    [safetensors, 'a safetensors file, which holds tensors but no TorchScript'],
    [pad('GGUF'), 'a GGUF file (llama.cpp), which holds no TorchScript'],
    [pad('\x89HDF\r\n\x1a\n'), 'an HDF5 file (Keras or similar), which holds no TorchScript'],
    [pad('\x93NUMPY'), 'a NumPy .npy file, which holds one array'],
    [pad('\x20\0\0\0PTMF'), 'a flatbuffer of the lite interpreter, which carries no code; save it with _use_flatbuffer=False'],
    [
      pad('PYTORCH1'),
      'an archive of a PyTorch 1.0 preview, a format that no PyTorch reads any more; save the model again with a current PyTorch',
    ],
    [Buffer.from('{"weights": []}'), 'JSON text'],
    [pad('hello world'), 'a file of unknown format that starts with the bytes 68 65 6c 6c 6f 20 77 6f'],
  ]
  for (const [file, what] of formats) {
    t.equal(
      failure(() => openScriptArchive(file)),
      `Expected a TorchScript archive but received ${what}`,
    )
    t.equal(
      failure(() => loadObject(file)),
      `Expected a file that torch.save wrote but received ${what}`,
    )
  }
  const npz = forge([{ name: 'x.npy' }, { name: 'y.npy' }])
  t.equal(
    failure(() => openScriptArchive(npz)),
    'Expected a PyTorch archive but received a NumPy .npz file',
  )
  t.equal(
    failure(() => loadObject(forge([]))),
    'Expected a PyTorch archive but received an empty zip file',
  )
  const tar = Buffer.alloc(1024)
  tar.write('ustar', 257)
  t.equal(
    failure(() => loadObject(tar)),
    'Expected a file that torch.save wrote but received a tar file. The tar format of PyTorch before 0.1.10 is not supported;' +
      ' save the file again with a current PyTorch',
  )
  t.equal(
    failure(() => loadObject(pickle(op.none))),
    'Expected a file that torch.save wrote but received another Python pickle',
  )
  t.end()
})

t.test('refuses inputs that are no files', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'archive-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  t.equal(
    failure(() => openScriptArchive(folder)),
    `Expected a file for \`file\` but received the folder ${folder}`,
  )
  const missing = join(folder, 'missing.pt')
  t.equal(
    failure(() => openScriptArchive(missing)),
    `Expected a readable file for \`file\` but received ${missing}: ENOENT: no such file or directory, open '${missing}'`,
  )
  const empty = join(folder, 'empty.pt')
  writeFileSync(empty, '')
  t.equal(
    failure(() => openScriptArchive(empty)),
    'Expected a TorchScript archive but received an empty file',
  )
  t.equal(
    failure(() => openScriptArchive(null as never)),
    'ArgumentError: Expected a path, a Buffer, an ArrayBuffer or an open file for `file` but received null',
  )
  t.equal(
    failure(() => openScriptArchive({} as never)),
    'ArgumentError: Expected a path, a Buffer, an ArrayBuffer or an open file for `file` but received Object',
  )
  t.equal(
    failure(() => openScriptArchive(-1)),
    'ArgumentError: Expected an open file descriptor for `file` but received -1',
  )
  t.equal(
    failure(() => openScriptArchive(new URL('http://a/b.pt'))),
    'ArgumentError: Expected a file: URL for `file` but received http:',
  )
  t.end()
})
