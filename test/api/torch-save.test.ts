import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { openZip } from '../../lib/archive/zip.js'
import { openSource } from '../../lib/archive/source.js'
import * as torch from '../../lib/index.js'

const folder = mkdtempSync(join(tmpdir(), 'torchscript-torch-save-'))
t.teardown(() => rmSync(folder, { recursive: true }))
const roundTrip = (value: unknown): unknown => torch.load(torch.save(value))

t.test('plain values and containers', (t) => {
  const values = [null, true, false, 0, -1, 2 ** 31, 2 ** 40, 2n ** 63n - 1n, 1.5, 1e300, Infinity, 'text é', { re: 1, im: -2 }]
  t.same(roundTrip(values), values)
  t.ok(Number.isNaN(roundTrip(NaN)))
  t.ok(Object.is(roundTrip(-0), -0), 'minus zero is a float')
  t.same(
    roundTrip({ epoch: 3, names: ['a'], deep: { x: [1] } }),
    new Map<string, unknown>([
      ['epoch', 3],
      ['names', ['a']],
      ['deep', new Map([['x', [1]]])],
    ]),
  )
  t.same(
    roundTrip(
      new Map([
        [1, 'one'],
        [2, 'two'],
      ]),
    ),
    new Map([
      [1, 'one'],
      [2, 'two'],
    ]),
  )
  t.equal(roundTrip(undefined), null)
  t.end()
})

t.test('tensors of every dtype', (t) => {
  const dtypes: torch.DType[] = [
    ...(['uint8', 'int8', 'int16', 'int32', 'int64', 'float16', 'float32', 'float64', 'bool', 'bfloat16'] as const),
    ...(['uint16', 'uint32', 'uint64', 'complex64', 'complex128', 'complex32'] as const),
  ]
  for (const dtype of dtypes) {
    const value = torch.tensor([1, 0, 1], { dtype })
    const back = roundTrip(value) as torch.Tensor
    t.equal(back.dtype, dtype)
    t.same(back.toArray(), value.toArray(), dtype)
  }
  const scalar = roundTrip(torch.tensor(5)) as torch.Tensor
  t.same(scalar.shape, [])
  t.same((roundTrip(torch.empty([0, 3])) as torch.Tensor).shape, [0, 3])
  t.end()
})

t.test('shared tensors, containers and memory stay shared', (t) => {
  const m = torch.jit.load('test/fixtures/save/kinds.pt')
  const weight = torch.tensor([1, 2])
  const list = [weight, weight]
  const file = { list, again: list, head: m.head as torch.Tensor, tail: m.tail as torch.Tensor }
  const back = roundTrip(file) as Map<string, never>
  t.equal(back.get('list'), back.get('again'))
  t.equal(back.get('list')![0], back.get('list')![1])
  const zip = openZip(openSource(torch.save(file)))
  t.equal(zip.names().filter((name) => name.startsWith('data/')).length, 2, 'head and tail are in one storage')
  const self: unknown[] = []
  self.push(self)
  t.throws(() => torch.save(self), { code: 'ERR_UNSUPPORTED', message: /received a list that contains itself/ })
  t.end()
})

t.test("a state dict is written as PyTorch's members", (t) => {
  const m = torch.jit.load('test/fixtures/save/kinds.pt')
  const path = join(folder, 'weights.pth')
  torch.save(m.stateDict(), path)
  const zip = openZip(openSource(path))
  t.equal(zip.root, 'weights')
  t.same(
    zip.names().filter((name) => !name.startsWith('data/')),
    ['data.pkl', '.format_version', '.storage_alignment', 'byteorder', 'version', '.data/serialization_id'],
  )
  const loaded = torch.load(path) as Map<string, torch.Tensor>
  t.same([...loaded.keys()], [...m.stateDict().keys()])
  for (const [name, tensor] of m.stateDict()) t.same(loaded.get(name)!.toArray(), tensor.toArray())
  t.same(torch.save(m.stateDict()), torch.save(m.stateDict()), 'the same bytes each time')
  t.end()
})

t.test('what cannot be saved is refused by its place', (t) => {
  const expected =
    'Expected tensors, numbers, strings, booleans, null, or arrays, Maps and plain objects of them, for `value["a"][1]` but received'
  t.throws(() => torch.save({ a: [1, () => 1] }), { code: 'ERR_ARGUMENT', message: `${expected} a function` })
  t.throws(() => torch.save({ a: [1, new Date(0)] }), { message: `${expected} a Date` })
  t.throws(() => torch.save({ a: [1, torch.jit.load('test/fixtures/save/kinds.pt')] }), {
    message: `${expected} a TorchScript object; use jit.save`,
  })
  t.throws(() => torch.save(2n ** 63n), { code: 'ERR_ARGUMENT' })
  t.end()
})

t.test('safetensors to a file and back', (t) => {
  const path = join(folder, 'model.safetensors')
  const tensors = {
    weight: torch.tensor([
      [1, 2],
      [3, 4],
    ]),
    half: torch.tensor([0.5], { dtype: 'float16' }),
    count: torch.tensor(7n),
    none: torch.empty([0, 2]),
  }
  torch.saveSafetensors(tensors, path, { format: 'pt' })
  const loaded = torch.loadSafetensors(path)
  t.same([...loaded.keys()].sort(), ['count', 'half', 'none', 'weight'])
  for (const [name, tensor] of Object.entries(tensors)) {
    t.same(loaded.get(name)!.toArray(), tensor.toArray())
    t.same(loaded.get(name)!.shape, tensor.shape)
    t.equal(loaded.get(name)!.dtype, tensor.dtype)
  }
  t.same(torch.safetensorsMetadata(path), new Map([['format', 'pt']]))
  const tail = torch.jit.load('test/fixtures/save/kinds.pt').tail as torch.Tensor
  t.same(torch.loadSafetensors(torch.safetensorsBytes({ tail })).get('tail')!.toArray(), [9, 10, 11], 'the viewed part only')
  ;(loaded.get('weight')!.data as Float32Array)[0] = 9
  t.same(
    torch.loadSafetensors(path).get('weight')!.toArray(),
    [
      [1, 2],
      [3, 4],
    ],
    'writing into a tensor leaves the file alone',
  )
  t.throws(() => torch.saveSafetensors({ a: 5 as unknown as torch.Tensor }, path), {
    message: 'Expected a tensor for `tensors`["a"] but received number',
  })
  t.throws(() => torch.saveSafetensors({}, path, { a: 1 as unknown as string }), {
    message: 'Expected text for `metadata`["a"] but received number',
  })
  t.end()
})
