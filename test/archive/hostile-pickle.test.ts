import t from 'tap'
import { loadObject } from '../../lib/archive/load.js'
import { openScriptArchive } from '../../lib/archive/script-archive.js'
import type { ArchiveError } from '../../lib/util/errors.js'
import { checkpoint, op, pickle, scriptArchive } from './assembler.js'

const join = Buffer.concat
const repeat = (count: number, part: Buffer): Buffer => join(Array<Buffer>(count).fill(part))

/** The message that `load` fails with; offsets in pickles are replaced by N. */
function failure(load: () => unknown): string {
  try {
    load()
  } catch (error) {
    const { name, code, message } = error as ArchiveError
    return name === 'ArchiveError' && code === 'ERR_ARCHIVE' ? message.replace(/at byte \d+/, 'at byte N') : `${name}: ${message}`
  }
  return 'no error'
}

/** Asserts that a torch.save file with this data.pkl is refused as malformed, for this reason. */
function refuses(
  t: { equal(found: string, wanted: string): unknown },
  data: Buffer,
  reason: string,
  storages: Record<string, Uint8Array> = {},
): void {
  t.equal(
    failure(() => loadObject(checkpoint(data, storages))),
    `The pickle is malformed at byte N: ${reason} (in data.pkl)`,
  )
}

t.test('refuses names that it does not know', (t) => {
  const refusesName = (module: string, name: string, hint: string): void => {
    const data = pickle(op.global(module, name), op.string('echo pwned'), op.tuple1, op.reduce)
    const received = `the Python class or function ${module}.${name}, which is never run${hint} (in data.pkl)`
    const message = `Expected a type of PyTorch's tensor files but received ${received}`
    t.equal(
      failure(() => loadObject(checkpoint(data))),
      message,
    )
    t.equal(
      failure(() => openScriptArchive(scriptArchive({ 'data.pkl': data }))),
      message,
    )
  }
  const plain = '. Only tensors, numbers, strings and containers of them can be loaded'
  refusesName('os', 'system', plain)
  refusesName('builtins', 'eval', plain)
  refusesName('__builtin__', 'getattr', plain)
  refusesName('torch', 'load', plain)
  refusesName('torch._utils', '__class__', plain)
  refusesName('torch.hub', 'constructor', plain)
  refusesName('', '', plain)
  refusesName(
    'torch.nn.modules.linear',
    'Linear',
    '. The file pickles a whole Python model: save its state_dict() or export it with torch.jit.save',
  )
  t.equal(
    failure(() => loadObject(checkpoint(pickle(op.global('__torch__.a', 'M'), op.emptyTuple, op.newObject)))),
    'The class __torch__.a.M belongs to a TorchScript archive; only torch.jit.load can build it (in data.pkl)',
  )
  t.equal(
    failure(() => loadObject(checkpoint(pickle(op.global('torch', 'Bits8Storage'))))),
    'Tensors of the class torch.Bits8Storage are not supported (in data.pkl)',
  )
  t.end()
})

t.test('builds known names only in the way they are meant', (t) => {
  refuses(t, pickle(op.global('torch', 'FloatStorage'), op.emptyTuple, op.reduce), 'torch.FloatStorage is called')
  refuses(
    t,
    pickle(op.global('collections', 'OrderedDict'), op.emptyTuple, op.newObject),
    'the class collections.OrderedDict is instantiated',
  )
  refuses(t, pickle(op.int(1), op.emptyTuple, op.reduce), 'the int 1 is called')
  refuses(
    t,
    pickle(op.global('collections', 'OrderedDict'), op.int(1), op.reduce),
    'Expected a tuple of arguments for collections.OrderedDict but received the int 1',
  )
  refuses(t, pickle(op.global('collections', 'OrderedDict'), op.tuple1), 'the class collections.OrderedDict stands where a value is needed')
  refuses(t, pickle(op.global('collections', 'OrderedDict')), 'the class collections.OrderedDict stands where a value is needed')
  refuses(t, pickle(op.emptyList, op.emptyDict, op.build), 'a state is given to a list of 0')
  refuses(
    t,
    pickle(
      op.global('torch._tensor', '_rebuild_from_type_v2'),
      op.tupleOf(op.global('collections', 'OrderedDict'), op.none, op.emptyTuple, op.none),
      op.reduce,
    ),
    'Expected a function that builds a tensor but received the class collections.OrderedDict',
  )
  refuses(
    t,
    pickle(op.global('torch', 'device'), op.string('/dev/sda'), op.tuple1, op.reduce),
    "Expected a device such as cuda:0 but received the string '/dev/sda'",
  )
  t.end()
})

t.test('refuses storages that are not there', (t) => {
  const storages = { 0: new Uint8Array(16) }
  const data = (storage: Buffer): Buffer => pickle(op.tensor(storage, 0, [1], [1]))
  refuses(t, data(op.storage('1', 4)), 'storage 1 needs the member data/1, which is missing', storages)
  refuses(t, data(op.storage('../version', 4)), 'storage ../version needs the member data/../version, which is missing', storages)
  refuses(t, data(op.storage('0', 5)), 'storage 0 declares 20 bytes and the member data/0 has 16', storages)
  refuses(t, data(op.storage('0', -1)), 'Expected a non-negative int for the size of storage 0 but received -1', storages)
  refuses(
    t,
    data(op.storage('0', 1n << 62n)),
    'Expected a non-negative int for the size of storage 0 but received 4611686018427387904',
    storages,
  )
  refuses(t, data(op.storage('0', (1n << 53n) - 1n)), 'Storage 0 declares 9007199254740991 elements, which is too many', storages)
  refuses(t, pickle(op.storage('0', 2), op.storage('0', 4), op.tuple2), 'Storage 0 is declared with 8 bytes and with 16', storages)
  refuses(t, data(join([op.int(7), op.persistentId])), 'Expected a tuple of 5 for a persistent id but received the int 7', storages)
  refuses(
    t,
    data(join([op.tupleOf(op.string('module'), op.none, op.none, op.none, op.none), op.persistentId])),
    "Expected 'storage' as the kind of a persistent id but received the string 'module'",
    storages,
  )
  refuses(t, pickle(op.tensor(op.int(1), 0, [1], [1])), 'Expected a storage for a tensor but received the int 1')
  t.end()
})

t.test('refuses tensors that reach out of their storage', (t) => {
  const storages = { 0: new Uint8Array(16) }
  const refusesTensor = (offset: number | bigint, size: (number | bigint)[], stride: (number | bigint)[], reason: string): void =>
    refuses(t, pickle(op.tensor(op.storage('0', 4), offset, size, stride)), reason, storages)
  const reaches = (text: string): string => `A tensor of ${text} reaches past the 4 elements of storage 0`
  refusesTensor(0, [5], [1], reaches('size [5], strides [1] and offset 0'))
  refusesTensor(1, [4], [1], reaches('size [4], strides [1] and offset 1'))
  refusesTensor(4, [], [], reaches('size [], strides [] and offset 4'))
  refusesTensor(0, [2, 2], [3, 2], reaches('size [2, 2], strides [3, 2] and offset 0'))
  refusesTensor(0, [2], [(1n << 53n) - 1n], reaches('size [2], strides [9007199254740991] and offset 0'))
  refusesTensor(-1, [1], [1], 'Expected a non-negative int for the offset of a tensor but received -1')
  refusesTensor(0, [-1], [1], 'Expected a non-negative int for the size of a tensor but received -1')
  refusesTensor(3, [2], [-1], 'Expected a non-negative int for the strides of a tensor but received -1')
  refusesTensor(0, [2, 2], [1], 'A tensor has 2 sizes and 1 strides')
  refusesTensor(
    0,
    [1n << 40n, 1n << 40n],
    [0, 0],
    'A tensor of size [1099511627776, 1099511627776], strides [0, 0] and offset 0 is too large',
  )
  refusesTensor(
    0,
    Array<number>(65).fill(1),
    Array<number>(65).fill(1),
    'Expected at most 64 dimensions for the size of a tensor but received 65',
  )
  const inside = loadObject(checkpoint(pickle(op.tensor(op.storage('0', 4), 3, [7, 0], [9, 9])), storages))
  t.equal(inside.kind, 'tensor', 'an empty tensor reaches nothing')
  t.end()
})

t.test('refuses quantization parameters that do not fit', (t) => {
  const storages = { 0: new Uint8Array(4), 1: new Uint8Array(64) }
  const quantized = (...parameters: Buffer[]): Buffer =>
    pickle(
      op.global('torch._utils', '_rebuild_qtensor'),
      op.tupleOf(
        op.storage('0', 4, 'QInt8Storage'),
        op.int(0),
        op.tupleOf(op.int(4)),
        op.tupleOf(op.int(1)),
        op.tupleOf(...parameters),
        op.false,
        op.emptyDict,
      ),
      op.reduce,
    )
  const vector = op.tensor(op.storage('1', 8, 'DoubleStorage'), 0, [3], [1])
  refuses(
    t,
    quantized(op.global('torch', 'per_tensor_affine'), op.float(1), op.int(1n << 40n)),
    'The zero point 1099511627776 is out of range',
    storages,
  )
  refuses(
    t,
    quantized(op.global('torch', 'per_channel_affine'), vector, vector, op.int(1)),
    'The quantization axis 1 is none of a tensor with 1 dimensions',
    storages,
  )
  refuses(
    t,
    quantized(op.global('torch', 'per_channel_affine'), vector, vector, op.int(0)),
    'Expected 4 quantization parameters along axis 0 but received a tensor of size [3]',
    storages,
  )
  refuses(
    t,
    pickle(op.tensor(op.storage('0', 4, 'QInt8Storage'), 0, [4], [1])),
    'A tensor of qint8 has no quantization parameters',
    storages,
  )
  t.end()
})

t.test('refuses pickles that recurse, nest or unfold without end', (t) => {
  const nested = pickle(op.none, repeat(100_000, op.tuple1))
  refuses(t, nested, 'values are nested deeper than 1000')
  refuses(t, pickle(repeat(100_000, op.mark), op.none), 'more than 4096 marks are open')
  refuses(t, pickle(op.emptyList, op.put(0), op.get(0), op.append), 'a list contains itself')
  refuses(t, pickle(op.emptyDict, op.put(0), op.none, op.get(0), op.setItem), 'a dict contains itself')
  refuses(t, pickle(op.emptyList, op.put(0), op.get(0), op.tuple1, op.append), 'a list contains itself')
  const doubling = [op.emptyList, op.put(0)]
  for (let i = 0; i < 60; i++) doubling.push(op.emptyList, op.mark, op.get(i), op.get(i), op.appends, op.put(i + 1))
  refuses(t, pickle(...doubling, op.tuple, op.get(60)), 'there is no mark')
  refuses(t, pickle(op.mark, ...doubling, op.tuple), 'shared values unfold to more than 67108864')
  t.end()
})

t.test('takes cycles through objects', (t) => {
  const data = pickle(
    op.global('__torch__', 'M'),
    op.emptyTuple,
    op.newObject,
    op.put(0),
    op.emptyDict,
    op.string('self'),
    op.get(0),
    op.setItem,
    op.build,
  )
  const { root } = openScriptArchive(scriptArchive({ 'data.pkl': data }))
  t.ok(root.kind === 'object' && root.attributes?.get('self') === root)
  t.end()
})

t.test('refuses pickles that claim more than they hold', (t) => {
  refuses(t, pickle(Buffer.from([0x58, 0xff, 0xff, 0xff, 0xff])), '4294967295 bytes are needed and 1 are left')
  refuses(t, pickle(Buffer.from([0x8b, 0xff, 0xff, 0xff, 0x7f])), 'an int of 2147483647 bytes is too large')
  refuses(t, pickle(Buffer.from('ctorch')), 'a name has no end')
  refuses(t, pickle(Buffer.from(`c${'a'.repeat(5000)}\nb\n`)), 'a name of 5000 bytes is too long')
  refuses(t, pickle(op.none).subarray(0, -1), '1 bytes are needed and 0 are left')
  refuses(t, Buffer.alloc(0), 'it is empty')
  refuses(t, Buffer.from('hello'), 'it does not start with PROTO')
  refuses(
    t,
    Buffer.from([0x80, 4, 0x2e]),
    'Expected pickle protocol 2 but received 4. Save the file again with the default pickle_protocol',
  )
  refuses(t, pickle(Buffer.from([0x94])), 'the opcode 0x94 is none that PyTorch writes')
  t.end()
})

t.test('refuses small pickles that make many values or much work', (t) => {
  const tooMuch = 'its values take too much memory'
  refuses(t, pickle(op.mark, repeat(5_200_000, op.emptyList), op.tuple), tooMuch)
  const longList = [op.emptyList, op.mark, repeat(100_000, op.none), op.appends]
  const tagged = join([op.global('torch.jit._pickle', 'build_tensorlist'), op.get(1), op.tuple1, op.reduce])
  refuses(t, pickle(op.mark, ...longList, op.put(1), repeat(10_000, tagged), op.tuple), tooMuch)
  const longDict = [op.emptyDict, op.mark, repeat(100_000, join([op.string('k'), op.none])), op.setItems]
  const copied = join([op.global('collections', 'OrderedDict'), op.get(1), op.tuple1, op.reduce])
  refuses(t, pickle(op.mark, ...longDict, op.put(1), repeat(10_000, copied), op.tuple), tooMuch)
  const shared = pickle(op.mark, ...longDict, op.put(1), repeat(100_000, op.get(1)), op.tuple)
  refuses(t, shared, 'shared values unfold to more than 67108864')
  t.end()
})

t.test('refuses a stack or memo that does not add up', (t) => {
  refuses(t, pickle(), 'there is no value for the result')
  refuses(t, pickle(op.none, op.none), 'values are left over at STOP')
  refuses(t, pickle(op.mark, op.none), 'values are left over at STOP')
  refuses(t, pickle(op.tuple), 'there is no mark')
  refuses(t, pickle(op.none, op.tuple2), '2 values are needed and there are 1')
  refuses(t, pickle(op.get(0)), 'the memo has no entry 0')
  refuses(t, pickle(op.get(0xffffffff)), 'the memo has no entry 4294967295')
  refuses(t, pickle(op.put(0)), 'there is no value for BINPUT')
  refuses(t, pickle(op.none, op.none, op.append), 'items are appended to None')
  refuses(t, pickle(op.emptyList, op.none, op.none, op.setItem), 'items are set in a list of 0')
  refuses(t, pickle(op.emptyDict, op.mark, op.none, op.setItems), 'a dict has a key without a value')
  t.equal(loadObject(checkpoint(pickle(op.none, op.put(0xffffffff)))).kind, 'none', 'high memo ids cost nothing')
  t.end()
})

t.test('refuses typed containers that lie', (t) => {
  const tagged = (container: Buffer, tag: string): Buffer =>
    pickle(op.global('torch.jit._pickle', 'restore_type_tag'), container, op.string(tag), op.tuple2, op.reduce)
  refuses(t, tagged(op.emptyList, 'Dict[str, int]'), 'Expected a list type for a list but received the type Dict[str, int]')
  refuses(t, tagged(op.emptyDict, 'Dict[str]'), 'Expected a dict type for a dict but received the type Dict[str]')
  const ints = pickle(op.global('torch.jit._pickle', 'build_intlist'), op.emptyList, op.string('x'), op.append, op.tuple1, op.reduce)
  refuses(t, ints, "Expected items of type int in a list but received the string 'x'")
  t.end()
})

t.test('refuses malformed objects of script archives', (t) => {
  const refusesScript = (data: Buffer, message: string): void => {
    t.equal(
      failure(() => openScriptArchive(scriptArchive({ 'data.pkl': data }))),
      message,
    )
  }
  const malformed = (reason: string): string => `The pickle is malformed at byte N: ${reason} (in data.pkl)`
  const object = [op.global('__torch__', 'M'), op.emptyTuple, op.newObject]
  refusesScript(pickle(...object, op.none, op.build, op.none, op.build), malformed('an object of __torch__.M gets a second state'))
  refusesScript(
    pickle(op.global('__torch__', 'M'), op.none, op.tuple1, op.newObject),
    malformed('Expected no arguments for a new __torch__.M but received a tuple of 1'),
  )
  refusesScript(
    pickle(op.global('__torch__', 'M'), op.global('__torch__', 'M'), op.reduce),
    malformed('the class __torch__.M stands where a value is needed'),
  )
  refusesScript(
    pickle(Buffer.from([0x8a, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1])),
    malformed('the int 18446744073709551616 does not fit in 64 bits'),
  )
  t.end()
})
