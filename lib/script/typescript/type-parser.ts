import type { Expr } from '../ast.js'
import { compileError } from '../source.js'
import { lookupTable } from '../tables.js'
import { tokenize } from './lexer.js'
import { TokenReader } from './token-reader.js'

/** TypeScript's names of types that the neutral tree calls otherwise. */
const simple = lookupTable<string>({
  boolean: 'bool',
  string: 'str',
  bigint: 'int',
  unknown: 'Any',
  DType: 'int',
  Complex: 'complex',
})
const generic = lookupTable<string>({
  Array: 'List',
  ReadonlyArray: 'List',
  Map: 'Dict',
  ReadonlyMap: 'Dict',
  Record: 'Dict',
  Promise: 'Future',
  Future: 'Future',
})

/** Types, as annotation expressions of the neutral tree: `Map<string, Tensor | null>[]` is `List[Dict[str, Tensor | None]]`. */
export class TypeParser extends TokenReader {
  type(): Expr {
    return this.nested(() => {
      const { start } = this.token
      this.tryEat('|')
      let left = this.postfixType()
      if (this.is('&')) this.unsupported('Intersection types', 'Write one class or type.')
      while (this.tryEat('|')) {
        const right = this.postfixType()
        left = { kind: 'Binary', op: '|', left, right, range: this.rangeFrom(start) }
      }
      if (this.is('extends')) this.unsupported('Function and conditional types', 'Functions are no values of TorchScript.')
      return left
    })
  }

  private postfixType(): Expr {
    const { start } = this.token
    if (this.is('readonly')) this.at++
    let type = this.primaryType()
    while (this.is('[') && !this.token.newline) {
      this.at++
      if (!this.tryEat(']')) this.unsupported('Indexed types', 'Write the type itself.')
      type = this.container('List', [type], start)
    }
    return type
  }
  private container(head: string, items: readonly Expr[], start: number): Expr {
    items.forEach((item) => this.refuseNumber(item))
    const range = this.rangeFrom(start)
    return { kind: 'Subscript', value: { kind: 'Name', name: head, range }, items, range }
  }
  /** Elements need to be of one type: `number` says two. */
  private refuseNumber(type: Expr): void {
    if (type.kind === 'Name' && type.name === 'number')
      throw compileError(
        'Expected a type of elements but received `number`, which may be an int or a float. Write `int` or `float`',
        type.range,
      )
    if (type.kind === 'Binary') [type.left, type.right].forEach((t) => this.refuseNumber(t))
  }

  private primaryType(): Expr {
    const { kind, text, start } = this.token
    const named = (name: string): Expr => ({ kind: 'Name', name, range: this.rangeFrom(start) })
    if (kind === 'string') {
      this.at++
      return named('str')
    }
    if (kind === 'number' || (kind === 'op' && text === '-')) {
      this.at += kind === 'op' ? 2 : 1
      return named('number')
    }
    if (kind === 'op' && text === '(') {
      if (this.tokens[this.closing(this.at) + 1]?.text === '=>')
        this.unsupported('Function types', 'Functions are no values of TorchScript.')
      this.at++
      const inner = this.type()
      this.eat(')')
      return inner
    }
    if (kind === 'op' && text === '[') return this.tupleType()
    if (kind === 'op' && text === '{')
      this.unsupported('Object types', 'Declare an interface with this name and its fields, or write a tuple or a Map.')
    if (kind !== 'name') this.expected('a type')
    if (text === 'typeof' || text === 'keyof' || text === 'unique' || text === 'infer' || text === 'asserts')
      this.unsupported(`${text} types`, 'Write the type itself.')
    return this.reference()
  }

  private tupleType(): Expr {
    const { start } = this.token
    this.eat('[')
    const items: Expr[] = []
    while (!this.is(']')) {
      if (this.is('...')) this.unsupported('Tuples of any length', 'Write an array type such as `Tensor[]`.')
      // Names of elements say nothing to the compiler.
      if (this.isKind('name') && this.peek().text === ':') this.at += 2
      items.push(this.type())
      if (!this.tryEat(',')) break
    }
    this.eat(']')
    items.forEach((item) => this.refuseNumber(item))
    const range = this.rangeFrom(start)
    const inner: readonly Expr[] = items.length === 0 ? [{ kind: 'Tuple', items: [], range }] : items
    return { kind: 'Subscript', value: { kind: 'Name', name: 'Tuple', range }, items: inner, range }
  }

  private reference(): Expr {
    const { start } = this.token
    const first = this.name()
    if (first === 'null' || first === 'undefined' || first === 'void' || first === 'never')
      return { kind: 'None', range: this.rangeFrom(start) }
    if (first === 'true' || first === 'false') return { kind: 'Name', name: 'bool', range: this.rangeFrom(start) }
    let expr: Expr = { kind: 'Name', name: simple[first] ?? first, range: this.rangeFrom(start) }
    let last = first
    while (this.tryEat('.')) {
      last = this.name()
      expr = { kind: 'Attribute', value: expr, name: last, range: this.rangeFrom(start) }
    }
    if (!this.is('<')) return expr
    const args = this.typeArguments()
    if (last === 'Readonly' || last === 'Final' || last === 'NonNullable') return args[0]
    const head = generic[last]
    if (head === undefined)
      throw compileError(`Expected one of the generic types Array, Map and Future but received ${last}`, this.rangeFrom(start))
    return this.container(head, args, start)
  }
  /** `<A, B>`. */
  typeArguments(): Expr[] {
    this.eat('<')
    const args: Expr[] = []
    do args.push(this.type())
    while (this.tryEat(','))
    this.eat('>')
    return args
  }
  /** The whole text as one type. */
  only(): Expr {
    const type = this.type()
    if (!this.isKind('end')) this.expected('the end of the type')
    return type
  }
}

/** What a declaration says of a type; undefined for `any`, which says nothing. */
export const declaredType = (type: Expr | undefined): Expr | undefined => (type?.kind === 'Name' && type.name === 'any' ? undefined : type)

/** A type written as text, such as those of a `static types` table. */
export const parseTypeText = (text: string, file = '<types>'): Expr => new TypeParser(tokenize(text), text, file).only()
