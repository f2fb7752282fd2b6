import type { SourceRange } from '../../ir/graph.js'
import type { Expr, FunctionDef, Stmt } from '../ast.js'
import { compileError } from '../source.js'
import type { TypeTable } from './expression-parser.js'
import { Parser } from './parser.js'
import { declaredType } from './type-parser.js'

export interface FieldSource {
  readonly name: string
  readonly isStatic: boolean
  readonly isReadonly: boolean
  readonly annotation?: Expr
  /** Parses the value that the field starts with; undefined where it has none. */
  readonly value?: () => Expr
  readonly range: SourceRange
}
export interface MethodSource {
  readonly name: string
  readonly kind: 'method' | 'getter' | 'setter' | 'constructor'
  readonly isStatic: boolean
  /** Names of decorators, such as `jit.export`. */
  readonly decorators: readonly string[]
  readonly range: SourceRange
  /** Parameters of a constructor that are fields as well. */
  readonly fields: readonly FieldSource[]
  parse(types?: TypeTable): FunctionDef
  /** Its declaration alone, with an empty body. */
  signature(): FunctionDef
}
/** A class by its members. Bodies are parsed when they are asked for: most classes have methods that are no TorchScript. */
export interface ClassSource {
  readonly name: string
  /** The dotted name of the base class. */
  readonly base: string | undefined
  readonly fields: readonly FieldSource[]
  readonly methods: readonly MethodSource[]
  readonly range: SourceRange
}

const modifiers = new Set(['public', 'private', 'protected', 'override', 'declare', 'abstract', 'accessor'])

interface Member {
  isStatic: boolean
  isReadonly: boolean
  kind: MethodSource['kind']
  readonly decorators: string[]
}

export class ClassReader extends Parser {
  private isInterface = false
  override seek(index: number): this {
    this.at = index
    return this
  }

  /** A class or interface from the token of its name on. */
  read(name: string, isInterface = false): ClassSource {
    this.isInterface = isInterface
    const { start } = this.token
    // Classes without a name of their own start at `class`.
    this.at++
    if (this.is('<')) this.unsupported('Generic classes', 'Write the types in the class.')
    let base: string | undefined
    while (!this.is('{')) {
      if (this.isKind('end')) this.expected('"{"')
      if (this.tryEat('extends')) {
        base = this.name('a base class')
        while (this.tryEat('.')) base += `.${this.name()}`
      } else this.at++
    }
    const range = this.rangeFrom(start)
    const close = this.closing(this.at)
    this.at++
    const fields: FieldSource[] = []
    const methods: MethodSource[] = []
    while (this.at < close) this.member(fields, methods)
    return { name, base, fields, methods, range }
  }

  private member(fields: FieldSource[], methods: MethodSource[]): void {
    if (this.tryEat(';') || this.tryEat(',')) return
    const member: Member = { isStatic: false, isReadonly: false, kind: 'method', decorators: [] }
    while (this.tryEat('@')) member.decorators.push(this.decorator())
    const { start } = this.token
    if (this.is('static') && this.peek().text === '{') {
      this.at = this.closing(this.at + 1) + 1
      return
    }
    this.modifiersOf(member)
    // Index signatures and computed names mean nothing here.
    if (this.is('[')) return this.skipMember()
    const isPrivate = this.tryEat('#')
    const isGenerator = this.tryEat('*')
    if (this.token.kind !== 'name' && this.token.kind !== 'string' && this.token.kind !== 'number') this.expected('a member of the class')
    const name = (isPrivate ? '#' : '') + this.tokens[this.at++].text
    const range = this.rangeFrom(start)
    if (this.is('(') || this.is('<')) {
      const kind = name === 'constructor' ? 'constructor' : member.kind
      const made = this.method(name, { ...member, kind }, range, isGenerator)
      methods.push(made)
      fields.push(...made.fields)
      return
    }
    fields.push(this.field(name, member, range))
  }
  private decorator(): string {
    let name = this.name('a decorator')
    while (this.tryEat('.')) name += `.${this.name()}`
    if (this.is('(')) this.at = this.closing(this.at) + 1
    return name
  }
  private modifiersOf(member: Member): void {
    for (;;) {
      const { text } = this.token
      const next = this.peek()
      // A member may itself have the name of a modifier.
      const isName = next.kind === 'op' && ['(', '=', ':', ';', '?', '!', '<', '}'].includes(next.text)
      if (this.token.kind !== 'name' || isName) return
      if (text === 'static') member.isStatic = true
      else if (text === 'readonly') member.isReadonly = true
      else if (text === 'get' && !next.newline) member.kind = 'getter'
      else if (text === 'set' && !next.newline) member.kind = 'setter'
      else if (!modifiers.has(text) && text !== 'async') return
      if (next.newline && !modifiers.has(text)) return
      this.at++
    }
  }

  private method(name: string, member: Member, range: SourceRange, isGenerator: boolean): MethodSource {
    const index = this.at
    if (this.is('<')) while (!this.is('(')) this.at++
    const open = this.at
    const close = this.closing(open)
    const fields: FieldSource[] = []
    if (member.kind === 'constructor')
      for (let i = open; i < close; i++) {
        const { text, kind } = this.tokens[i]
        const isModifier = kind === 'name' && ['public', 'private', 'protected', 'readonly'].includes(text)
        const next = this.tokens[i + 1]
        if (isModifier && next.kind === 'name' && !['readonly', 'public', 'private', 'protected'].includes(next.text))
          fields.push(this.parameterField(i, open))
      }
    this.at = close + 1
    this.skipToBody()
    const { tokens, text, file } = this
    const parse = (types?: TypeTable): FunctionDef => {
      if (isGenerator) throw compileError("Generators aren't supported. Return a list", range)
      if (this.text.slice(range.start, range.end).startsWith('async ')) {
        throw compileError("Async functions aren't supported. Write `jit.fork(fn, ...args)` and `jit.wait(future)`", range)
      }
      const def = new Parser(tokens, text, file).seek(index).functionAt(name, { self: !member.isStatic, types })
      return { ...def, range: { ...range, end: def.range.end } }
    }
    const signature = (): FunctionDef => new Parser(tokens, text, file).seek(index).functionAt(name, { self: true, isSignature: true })
    return { name, kind: member.kind, isStatic: member.isStatic, decorators: member.decorators, range, fields, parse, signature }
  }
  /** The field that a parameter of the constructor makes; `at` is its last modifier. */
  private parameterField(at: number, open: number): FieldSource {
    const name = this.tokens[at + 1]
    let first = at
    while (first > open + 1 && this.tokens[first - 1].kind === 'name') first--
    const isReadonly = this.tokens.slice(first, at + 1).some((t) => t.text === 'readonly')
    const colon = this.tokens[at + 2].text === '?' ? at + 3 : at + 2
    const saved = this.at
    this.at = colon + 1
    const annotation = this.tokens[colon].text === ':' ? declaredType(this.attempt(() => this.type())) : undefined
    this.at = saved
    return { name: name.text, isStatic: false, isReadonly, annotation, range: this.range(name.start, name.end) }
  }
  /** From the end of the parameters to behind the body; abstract methods and overloads have none. */
  private skipToBody(): void {
    if (this.tryEat(':')) {
      // A return type may hold braces; the body is the last pair before the next member.
      if (this.attempt(() => this.type()) === undefined) while (!this.is('{') && !this.is(';') && !this.isKind('end')) this.at++
    }
    if (this.is('{')) this.at = this.closing(this.at) + 1
    else this.tryEat(';')
  }

  private field(name: string, member: Member, range: SourceRange): FieldSource {
    if (!this.tryEat('?')) this.tryEat('!')
    let annotation: Expr | undefined
    if (this.is(':')) {
      const at = this.at + 1
      this.at = at
      const type = this.attempt(() => this.type())
      annotation = declaredType(type)
      if (type === undefined) while (!this.is('=') && !this.is(';') && !this.token.newline && !this.isKind('end')) this.at++
    }
    let value: (() => Expr) | undefined
    if (this.tryEat('=')) {
      const index = this.at
      const { tokens, text, file } = this
      value = () => new Parser(tokens, text, file).seek(index).expressionAt()
    }
    this.skipMember(value !== undefined)
    return { name, isStatic: member.isStatic, isReadonly: member.isReadonly, annotation, value, range }
  }
  /** To behind the end of a member: a semicolon, or the start of the next member on a new line. */
  private skipMember(hasMore = true): void {
    let isFirst = hasMore
    for (;;) {
      if (this.isKind('end') || this.is('}')) return
      if (this.tryEat(';') || (this.isInterface && this.tryEat(','))) return
      if (!isFirst && this.token.newline && !this.continuesLine()) return
      isFirst = false
      this.at = this.is('(') || this.is('[') || this.is('{') ? this.closing(this.at) + 1 : this.at + 1
    }
  }
  /** Whether the token goes on with the expression of the line before. */
  private continuesLine(): boolean {
    const before = this.tokens[this.at - 1]
    const isOpen = (kind: string, text: string): boolean => kind === 'op' && !')]}'.includes(text)
    return isOpen(before.kind, before.text) || (this.isKind('op') && !['[', '@', '#', '*'].includes(this.token.text))
  }
}

/** Statements that give fields their first values. */
export const fieldAssignment = (name: string, value: Expr, annotation: Expr | undefined, range: SourceRange): Stmt => ({
  kind: 'Assign',
  targets: [{ kind: 'Attribute', value: { kind: 'Name', name: 'self', range }, name, range }],
  annotation,
  value,
  range,
})
