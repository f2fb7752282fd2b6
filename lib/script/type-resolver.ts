import type { SimpleKind, Type } from '../ir/types.js'
import { ClassType, IntType, NoneType, dictOf, futureOf, listOf, optionalOf, simpleType, tupleOf, unionOf } from '../ir/types.js'
import type { SourceRange } from '../ir/graph.js'
import { setCustomClassResolver } from '../ir/schema.js'
import type { Expr } from './ast.js'
import { parseExpression } from './python/parser.js'
import { compileError } from './source.js'
import { lookupTable } from './tables.js'

const simple = lookupTable<SimpleKind>({
  Tensor: 'Tensor',
  int: 'int',
  float: 'float',
  bool: 'bool',
  complex: 'complex',
  str: 'str',
  number: 'number',
  Scalar: 'number',
  NoneType: 'NoneType',
  Device: 'Device',
  Generator: 'Generator',
  Any: 'Any',
  Stream: 'Stream',
  Storage: 'Storage',
  Capsule: 'Capsule',
  AnyEnumType: 'AnyEnum',
  AnyClassType: 'AnyClass',
  AnyListType: 'AnyList',
  AnyTupleType: 'AnyTuple',
  Quantizer: 'Quantizer',
})
/** Types that are ints at run time. */
const intNames = new Set(['Layout', 'MemoryFormat', 'ScalarType', 'QScheme', 'dtype'])

const customClasses = new Map<string, ClassType>()
/** The one class of a custom C++ type such as `__torch__.torch.classes.quantized.LinearPackedParamsBase`. */
export function customClass(qualifiedName: string): ClassType {
  let type = customClasses.get(qualifiedName)
  if (type === undefined) customClasses.set(qualifiedName, (type = new ClassType(qualifiedName, 'custom')))
  return type
}
export const isCustomClassName = (qualifiedName: string): boolean => qualifiedName.startsWith('__torch__.torch.classes.')
setCustomClassResolver(customClass)

/** Gives the type of a dotted name, or undefined. */
export type NamedTypeLookup = (qualifiedName: string) => Type | undefined

/** The dotted name that an expression spells, such as `a.b.c`; undefined for anything else. */
export function dottedName(expr: Expr): string | undefined {
  if (expr.kind === 'Name') return expr.name
  if (expr.kind !== 'Attribute') return undefined
  const left = dottedName(expr.value)
  return left === undefined ? undefined : `${left}.${expr.name}`
}

/** A tree with every range replaced, so that errors in an annotation written as a string point at the string. */
function relocated<T>(tree: T, range: SourceRange): T {
  if (Array.isArray(tree)) return tree.map((t) => relocated(t, range)) as T
  if (tree === null || typeof tree !== 'object') return tree
  return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, key === 'range' ? range : relocated(value, range)])) as T
}

/** The type that an annotation means. Throws CompileError on what is no type. */
export function resolveType(expr: Expr, lookup: NamedTypeLookup): Type {
  const resolve = (e: Expr): Type => resolveType(e, lookup)
  switch (expr.kind) {
    case 'None':
      return NoneType
    case 'String':
      return resolveType(relocated(parseExpression(expr.value, expr.range.file), expr.range), lookup)
    case 'Binary':
      if (expr.op === '|') return unionOf([resolve(expr.left), resolve(expr.right)])
      break
    case 'Name':
    case 'Attribute': {
      const full = dottedName(expr)
      if (full === undefined) break
      const found = lookup(full)
      if (found !== undefined) return found
      const name = full.replace(/^(torch|typing|numbers|t)\./, '')
      if (name in simple) return simpleType(simple[name])
      if (intNames.has(name)) return IntType
      if (name === 'device') return simpleType('Device')
      if (name === 'Number') return simpleType('number')
      if (isCustomClassName(full)) return customClass(full)
      if (name === 'list' || name === 'List' || name === 'Dict' || name === 'dict')
        throw compileError(`Attempted to use ${name} without a contained type. Please add a contained type, e.g. ${name}[int]`, expr.range)
      throw compileError(`Unknown type name '${full}'`, expr.range)
    }
    case 'Subscript': {
      const head = (dottedName(expr.value) ?? '').replace(/^(torch|torch\.jit|typing|t)\./, '')
      const parts =
        expr.items.length === 1 && expr.items[0].kind === 'Tuple' && expr.items[0].items.length > 0 ? expr.items[0].items : expr.items
      const count = (n: number): void => {
        if (parts.length !== n)
          throw compileError(`Expected ${n} type argument${n === 1 ? '' : 's'} for ${head} but received ${parts.length}`, expr.range)
      }
      switch (head) {
        case 'List':
        case 'list':
          count(1)
          return listOf(resolve(parts[0]))
        case 'Dict':
        case 'dict':
          count(2)
          return dictOf(resolve(parts[0]), resolve(parts[1]))
        case 'Optional':
          count(1)
          return optionalOf(resolve(parts[0]))
        case 'Union':
          return unionOf(parts.map(resolve))
        case 'Tuple':
        case 'tuple':
          if (parts.length === 1 && parts[0].kind === 'Tuple' && parts[0].items.length === 0) return tupleOf([])
          return tupleOf(parts.map(resolve))
        case 'Future':
          count(1)
          return futureOf(resolve(parts[0]))
        case 'RRef':
        case 'Await':
          count(1)
          return { kind: head, element: resolve(parts[0]) }
        case 'Final':
          count(1)
          return resolve(parts[0])
      }
      throw compileError(`Unknown type constructor ${head}`, expr.range)
    }
  }
  throw compileError('Expected a type', expr.range)
}

/** The type of text such as the `List[int]` of type tags in pickles. */
export const parseType = (text: string, lookup: NamedTypeLookup = () => undefined): Type =>
  resolveType(parseExpression(text, '<type>'), lookup)
