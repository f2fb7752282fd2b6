import t from 'tap'
import { isMutating, isView, operatorNames, parseSchema, schemaByFullName, schemasOf } from '../../lib/ir/schema.js'
import {
  IntType,
  NumberType,
  TensorType,
  isSubtype,
  listOf,
  optionalOf,
  typeAnnotation,
  typeToString,
  unionOf,
  FloatType,
  NoneType,
  StringType,
  ComplexType,
} from '../../lib/ir/types.js'

t.test('reads every schema of the catalog', (t) => {
  let count = 0
  for (const name of operatorNames()) count += schemasOf(name).length
  t.equal(count, 4103)
  t.end()
})

t.test('reads defaults, list sizes, keyword-only arguments and aliases', (t) => {
  const conv = schemaByFullName('aten::conv2d')!
  t.equal(conv.arguments[3].listSize, 2)
  t.same(conv.arguments[3].default, {
    kind: 'list',
    items: [
      { kind: 'int', value: 1n },
      { kind: 'int', value: 1n },
    ],
    type: listOf(IntType),
  })
  const add = schemaByFullName('aten::add_.Tensor')!
  t.same(add.arguments[0].alias, { before: ['a'], after: ['a'], isWrite: true })
  t.equal(add.arguments[2].kwargOnly, true)
  t.ok(isMutating(add) && !isView(add))
  t.ok(isView(schemaByFullName('aten::view')!))
  const split = schemaByFullName('aten::split.Tensor')!
  t.equal(typeToString(split.returns[0].type), 'Tensor[]')
  t.ok(isView(split))
  t.throws(() => parseSchema('aten::f(Tensor x'), { message: /Expected "\)" at column/ })
  t.end()
})

t.test('types: subtyping, unions, texts', (t) => {
  t.ok(isSubtype(IntType, NumberType) && !isSubtype(NumberType, IntType))
  t.ok(isSubtype(TensorType, optionalOf(TensorType)) && !isSubtype(optionalOf(TensorType), TensorType))
  t.notOk(isSubtype(listOf(IntType), listOf(FloatType)))
  t.equal(unionOf([IntType, FloatType, ComplexType]), NumberType)
  t.equal(typeAnnotation(unionOf([IntType, NoneType])), 'Optional[int]')
  t.equal(typeAnnotation(unionOf([TensorType, IntType, StringType])), 'Union[Tensor, int, str]')
  t.equal(typeToString(optionalOf(listOf(IntType))), 'int[]?')
  t.end()
})
