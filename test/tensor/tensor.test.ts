import t from 'tap'
import { inspect } from 'node:util'
import { complex, empty, fromBuffer, tensor } from '../../lib/tensor/creation.js'
import '../../lib/index.js'
import { bfloat16ToNumber, float16ToNumber, float8ToNumber, numberToBfloat16, numberToFloat16 } from '../../lib/tensor/half.js'

t.test('numbers are float32, bigints int64, booleans bool', (t) => {
  t.equal(tensor(1).dtype, 'float32')
  t.same(tensor(1).shape, [])
  t.equal(tensor([1n, 2n]).dtype, 'int64')
  t.equal(tensor([[true], [false]]).dtype, 'bool')
  t.same(tensor([[true], [false]]).toArray(), [[true], [false]])
  t.equal(tensor([complex(1, 2)]).dtype, 'complex64')
  t.same(tensor([complex(1, 2)]).toArray(), [{ re: 1, im: 2 }])
  t.same(
    tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]).shape,
    [2, 3],
  )
  t.same(tensor([[], []]).shape, [2, 0])
  t.equal(tensor([]).dtype, 'float32')
  t.end()
})

t.test('int64 is exact', (t) => {
  const big = tensor([2n ** 53n + 1n, -(2n ** 63n)])
  t.same(big.toArray(), [2n ** 53n + 1n, -(2n ** 63n)])
  t.same(tensor([1, -2], { dtype: 'int64' }).toArray(), [1, -2])
  const fromInt32 = tensor(new Int32Array([7, -8]), { dtype: 'int64' })
  t.equal(fromInt32.dtype, 'int64')
  t.same(fromInt32.data, new BigInt64Array([7n, -8n]))
  t.end()
})

t.test('typed arrays share their memory', (t) => {
  const array = new Float32Array([1, 2, 3, 4, 5, 6])
  const x = tensor(array, { shape: [2, 3] })
  array[5] = 60
  t.same(x.toArray(), [
    [1, 2, 3],
    [4, 5, 60],
  ])
  ;(x.data as Float32Array)[0] = 10
  t.equal(array[0], 10)
  const part = tensor(array.subarray(2, 4))
  t.same(part.toArray(), [3, 4])
  const bits = tensor(new Uint16Array([0x3c00, 0xc000]), { dtype: 'float16' })
  t.same(bits.toArray(), [1, -2])
  t.same(tensor(new Uint8Array([0, 1]), { dtype: 'bool' }).toArray(), [false, true])
  t.same(tensor(new Float32Array([1, 2, 3, 4]), { dtype: 'complex64' }).shape, [2])
  t.same(tensor(Buffer.from([1, 2, 3])).toArray(), [1, 2, 3])
  t.same(fromBuffer(array.buffer, { dtype: 'float32', shape: [2], byteOffset: 8 }).toArray(), [3, 4])
  t.end()
})

t.test('creation', (t) => {
  t.same(empty([0, 3]).shape, [0, 3])
  t.equal(empty([0, 3]).numel(), 0)
  t.end()
})

t.test('item, size, stride, clone, dispose', (t) => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ])
  t.equal(tensor(2.5).item(), 2.5)
  t.equal(tensor([5n]).item(), 5)
  t.throws(() => x.item(), { message: 'Expected a tensor of one element for `item` but received one of shape [2, 2]' })
  t.same([x.size(0), x.size(-1), x.dim(), x.numel()], [2, 2, 2, 4])
  t.throws(() => x.size(2), { message: 'Expected a dimension from -2 to 1 for `dim` but received 2' })
  t.same([x.stride(), x.stride(0), x.stride(-1), x.size()], [[2, 1], 2, 1, [2, 2]])
  t.throws(() => x.stride(2), { message: 'Expected a dimension from -2 to 1 for `dim` but received 2' })
  const copy = x.clone()
  ;(copy.data as Float32Array)[0] = 100
  t.same(x.toArray(), [
    [1, 2],
    [3, 4],
  ])
  t.equal(inspect(x), 'tensor([[1., 2.],\n        [3., 4.]])')
  x.dispose()
  t.ok(x.isDisposed)
  t.throws(() => x.shape, { code: 'ERR_ARGUMENT' })
  t.equal(inspect(x), 'Tensor (disposed)')
  t.end()
})

t.test('what tensors cannot be made of is refused by name', (t) => {
  const message = (call: () => unknown): string => {
    try {
      call()
    } catch (error) {
      return (error as Error).message
    }
    return 'nothing thrown'
  }
  t.equal(
    message(() => tensor([1, 2, 3], { shape: [2] })),
    'Expected 2 elements for the shape [2] but received 3',
  )
  t.equal(
    message(() => tensor([[1, 2], [3]])),
    'Expected an array of 2 at depth 1 of nested arrays but received an array of 1',
  )
  t.equal(
    message(() => tensor([1, 2n])),
    'Expected values of one type for `data` but received bigint and number; give a dtype',
  )
  t.equal(
    message(() => tensor(['a'] as never)),
    'Expected numbers, bigints or booleans for `data` but received string',
  )
  t.equal(
    message(() => tensor([1], { dtype: 'float' as never })),
    `Expected a dtype such as 'float32' for \`dtype\` but received "float"`,
  )
  t.equal(
    message(() => empty([-1])),
    'Expected an array of non-negative integers for `shape` but received [-1]',
  )
  t.equal(
    message(() => tensor(new Float32Array(3), { shape: [2, 2] })),
    'Expected 4 elements for the shape [2, 2] but received 3',
  )
  t.equal(
    message(() => fromBuffer(new ArrayBuffer(8), { dtype: 'float64', shape: [2] })),
    'Expected at least 16 bytes for `buffer` but received 8',
  )
  t.end()
})

t.test('16-bit floats convert as the hardware does', (t) => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const half = float16ToNumber(bits)
    if (Number.isNaN(half)) continue
    if (numberToFloat16(half) !== bits) t.fail(`float16 ${bits.toString(16)}`)
    const brain = bfloat16ToNumber(bits)
    if (!Number.isNaN(brain) && numberToBfloat16(brain) !== bits) t.fail(`bfloat16 ${bits.toString(16)}`)
  }
  t.equal(numberToFloat16(65519.99), 0x7bff)
  t.equal(numberToFloat16(65520), 0x7c00)
  t.equal(numberToFloat16(1 + 2 ** -11), 0x3c00, 'half to even')
  t.equal(numberToFloat16(1 + 3 * 2 ** -11), 0x3c02)
  t.equal(numberToFloat16(2 ** -25), 0, 'half of the smallest goes to zero')
  t.equal(numberToFloat16(NaN), 0x7e00)
  t.equal(numberToBfloat16(1 + 2 ** -8), 0x3f80)
  t.equal(numberToBfloat16(1 + 2 ** -8 + 2 ** -40), 0x3f81, 'above the middle, though float32 rounds it onto the middle')
  t.equal(float8ToNumber('float8_e4m3fn', 0x7e), 448)
  t.ok(Number.isNaN(float8ToNumber('float8_e4m3fn', 0x7f)))
  t.equal(float8ToNumber('float8_e5m2', 0x7c), Infinity)
  t.equal(float8ToNumber('float8_e4m3fnuz', 0x7f), 240)
  t.end()
})
