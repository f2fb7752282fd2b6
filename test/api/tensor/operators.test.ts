import t from 'tap'
import { readFileSync } from 'node:fs'
import { camelCase, snakeCase } from '../../../lib/api/operators/operator.js'
import * as torch from '../../../lib/index.js'
import { operatorNames, schemasOf } from '../../../lib/ir/schema.js'
import { withListener } from '../../../lib/runtime/dispatch.js'

const x = torch.tensor([
  [1, -2, 3],
  [-4, 5, -6],
])

t.test('operators are functions and methods, with arguments by position and by name', (t) => {
  t.same(x.relu().toArray(), [
    [1, 0, 3],
    [0, 5, 0],
  ])
  t.same(torch.relu(x).toArray(), x.relu().toArray())
  t.same(x.sum([1], true).shape, [2, 1])
  t.same(x.sum([1], { keepdim: true }).shape, [2, 1])
  t.same(x.sum({ dim: 1, keepdim: true }).toArray(), [[2], [-5]])
  t.same(torch.softmax(x, { dim: 0 }).toArray(), x.softmax(0).toArray())
  t.same(x.add(1, { alpha: 2 }).toArray(), x.add(2).toArray())
  t.equal(torch.sum(x, { dtype: 'float64' }).dtype, 'float64')
  t.equal(x.sum([0], { keepdim: undefined }).dim(), 1, 'what is undefined is not given')
  t.end()
})

t.test('several results are arrays with names', (t) => {
  const { values, indices } = x.max(1)
  const [first, second] = torch.max(x, 1)
  t.same([values.toArray(), indices.toArray()], [first.toArray(), second.toArray()])
  t.same(values.toArray(), [3, 5])
  t.end()
})

t.test('in-place operators change the tensor and return it; out options write to theirs', (t) => {
  const y = x.clone()
  t.equal(y.add_(1).mul_(2), y)
  t.same(y.index(0).toArray(), [4, -2, 8])
  const out = torch.empty([0])
  t.equal(torch.add(x, x, { out }), out)
  t.same(out.toArray(), x.mul(2).toArray())
  t.same(y.maskedFill_(y.lt(0), 0).min().item(), 0)
  t.end()
})

t.test('lists at the end may be written out; a number stands for a list of fixed length', (t) => {
  t.same(x.view(3, -1).shape, [3, 2])
  t.same(x.view([3, 2]).shape, [3, 2])
  t.same(x.permute(1, 0).shape, [3, 2])
  t.same(torch.conv2d(torch.ones([1, 1, 4, 4]), torch.ones([1, 1, 3, 3]), { padding: 1, stride: 2 }).shape, [1, 1, 2, 2])
  t.end()
})

t.test('names that JavaScript reserves, namespaces, options in camelCase, complex numbers', (t) => {
  t.equal(torch.var(torch.tensor([1, 2, 3])).item(), 1)
  t.equal(torch.linalg.norm(torch.tensor([3, 4])).item(), 5)
  t.same(torch.fft.fft(torch.tensor([1, 0])).toArray(), [
    { re: 1, im: 0 },
    { re: 1, im: 0 },
  ])
  t.equal(torch.special.expit(torch.tensor(0)).item(), 0.5)
  t.same(torch.ones([1, 2, 2, 2]).contiguous({ memoryFormat: 'channels_last' }).stride(), [8, 1, 4, 2])
  t.same(torch.tensor([1]).add({ re: 0, im: 1 }).toArray(), [{ re: 1, im: 1 }])
  t.same(
    [snakeCase('memoryFormat'), snakeCase('mat1'), camelCase('log_softmax'), camelCase('masked_fill_')],
    ['memory_format', 'mat1', 'logSoftmax', 'maskedFill_'],
  )
  t.end()
})

t.test('calls that no overload takes list the overloads', (t) => {
  t.throws(() => x.softmax({ dimension: 1 } as never), {
    code: 'ERR_ARGUMENT',
    message:
      /^Expected arguments of an overload of `aten::softmax` but received \(Tensor float32, dimension: 1\)\. The overloads are:\n {2}aten::softmax\.int\(/,
  })
  t.throws(() => torch.matmul(x, 'y' as never), { message: /received \(Tensor float32, 'y'\)/ })
  t.end()
})

t.test('members: dtypes by name, properties of PyTorch', (t) => {
  const dtypes = [
    x.double(),
    x.half(),
    x.bfloat16(),
    x.bool(),
    x.byte(),
    x.char(),
    x.short(),
    x.int(),
    x.long(),
    x.cfloat(),
    x.cdouble(),
    x.float(),
  ].map((y) => y.dtype)
  t.same(dtypes, [
    'float64',
    'float16',
    'bfloat16',
    'bool',
    'uint8',
    'int8',
    'int16',
    'int32',
    'int64',
    'complex64',
    'complex128',
    'float32',
  ])
  t.same(
    [x.T.shape, x.mT.shape, x.H.shape, x.ndim, x.nbytes, x.itemsize, x.isLeaf, x.isQuantized, x.layout],
    [[3, 2], [3, 2], [3, 2], 2, 24, 4, true, false, 'strided'],
  )
  const c = torch.complex(torch.tensor([1, 2]), torch.tensor([3, 4]))
  t.same(
    [c.real.toArray(), c.imag.toArray()],
    [
      [1, 2],
      [3, 4],
    ],
  )
  t.equal(x.clone().requiresGrad_().requiresGrad, true)
  const view = x.t()
  t.same(view.clone().stride(), [1, 3], 'clone keeps strides that leave no gaps')
  t.same(view.contiguous().stride(), [2, 1])
  t.end()
})

t.test('a listener sees every call, also those whose overload is known', (t) => {
  const seen: string[] = []
  withListener({ called: (schema, args) => seen.push(`${schema.fullName}/${args.length}`) }, () => {
    for (let i = 0; i < 3; i++) x.add(i)
    x.sum([1], { keepdim: true })
    torch.zeros([2])
    x.index(0)
  })
  t.same(seen, [
    'aten::add.Scalar/3',
    'aten::add.Scalar/3',
    'aten::add.Scalar/3',
    'aten::sum.dim_IntList/4',
    'aten::zeros/5',
    'aten::select.int/3',
  ])
  t.end()
})

t.test('the declarations are those of the catalog: each method and function is there, and documented with its schema', (t) => {
  const text = readFileSync('lib/api/operators/methods.ts', 'utf8')
  const names = /const names =\n([^]*?)\ninstallMethods/.exec(text)?.[1].match(/\w+/g) ?? []
  t.ok(names.length > 600, `${names.length} methods`)
  const prototype = torch.Tensor.prototype as unknown as Record<string, unknown>
  t.same(
    names.filter((name) => typeof prototype[camelCase(name)] !== 'function'),
    [],
  )
  const known = new Set(operatorNames())
  t.same(
    names.filter((name) => !known.has(`aten::${name}`)),
    [],
  )
  for (const schema of schemasOf('aten::softmax')) if (schema.overloadName === 'int') t.match(text, schema.text.slice(6))
  const functions = readFileSync('lib/api/operators/functions.ts', 'utf8')
  const exported = [...functions.matchAll(/^export const (\w+) =/gm)].map(([, name]) => name)
  t.ok(exported.length > 650, `${exported.length} functions`)
  t.same(
    exported.filter((name) => typeof (torch as unknown as Record<string, unknown>)[name] !== 'function'),
    [],
  )
  t.end()
})
