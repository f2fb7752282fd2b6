import type { SourceRange } from '../../ir/graph.js'
import type { BinaryOperator, ClassDef, CompareOperator, Expr, FunctionDef, Keyword, ParameterDef, Stmt } from '../ast.js'
import { compileError, joinRanges } from '../source.js'
import type { Token } from './lexer.js'
import { tokenize } from './lexer.js'
import { lookupTable, withinStack } from '../tables.js'

/** Binding power of the binary operators; higher binds tighter. `**` binds to the right and tighter than a sign before it. */
const precedence: Record<string, number> = {
  '|': 1,
  '^': 2,
  '&': 3,
  '<<': 4,
  '>>': 4,
  '+': 5,
  '-': 5,
  '*': 6,
  '/': 6,
  '//': 6,
  '%': 6,
  '@': 6,
}
const augmented = new Set(['+=', '-=', '*=', '/=', '//=', '%=', '**=', '@=', '&=', '|=', '^=', '<<=', '>>='])
const unsupported = lookupTable<string>({
  try: 'try blocks',
  global: 'global variables',
  nonlocal: 'nonlocal variables',
  async: 'async functions',
  lambda: 'lambda expressions',
  yield: 'yield expressions',
  match: '',
})
const maxDepth = 400

/** Recursive descent over the statements, precedence climbing over binary operators. */
class Parser {
  private readonly tokens: Token[]
  private at = 0
  private depth = 0

  constructor(
    private readonly text: string,
    private readonly file: string,
  ) {
    this.tokens = tokenize(text, file)
  }

  // Tokens

  private get token(): Token {
    return this.tokens[this.at]
  }
  private range(start: number, end: number): SourceRange {
    return { file: this.file, text: this.text, start, end }
  }
  private rangeFrom(start: number): SourceRange {
    return this.range(start, this.tokens[Math.max(0, this.at - 1)].end)
  }
  private fail(expected: string): never {
    const found = this.token.kind === 'op' || this.token.kind === 'name' ? JSON.stringify(this.token.text) : this.token.kind
    throw compileError(
      `Expected ${expected} but received ${found}`,
      this.range(this.token.start, Math.max(this.token.end, this.token.start + 1)),
    )
  }
  private is(text: string): boolean {
    const { kind, text: t } = this.token
    return t === text && (kind === 'op' || kind === 'name')
  }
  private tryEat(text: string): boolean {
    if (!this.is(text)) return false
    this.at++
    return true
  }
  private eat(text: string): void {
    if (!this.tryEat(text)) this.fail(`"${text}"`)
  }
  private isKind(kind: Token['kind']): boolean {
    return this.token.kind === kind
  }
  private eatKind(kind: Token['kind'], what: string): Token {
    if (this.token.kind !== kind) this.fail(what)
    return this.tokens[this.at++]
  }
  private name(): string {
    return this.eatKind('name', 'a name').text
  }
  /** Guards the parser's own stack against hostile nesting. */
  private nested<T>(parse: () => T): T {
    if (++this.depth > maxDepth)
      throw compileError('Expected less than 400 levels of nesting', this.range(this.token.start, this.token.end))
    try {
      return parse()
    } finally {
      this.depth--
    }
  }

  // Expressions

  /** An expression, or a tuple without parentheses. */
  expressionList(): Expr {
    const start = this.token.start
    const first = this.starOrExpression()
    if (!this.is(',')) return first
    const items = [first]
    while (this.tryEat(',')) {
      if (!this.startsExpression()) break
      items.push(this.starOrExpression())
    }
    return { kind: 'Tuple', items, range: this.rangeFrom(start) }
  }
  private startsExpression(): boolean {
    const { kind, text } = this.token
    if (kind === 'op') return ['(', '[', '{', '-', '+', '~', '...', '*'].includes(text)
    return kind === 'name'
      ? !['in', 'if', 'else', 'for', 'and', 'or', 'is'].includes(text)
      : ['int', 'float', 'imaginary', 'string', 'format'].includes(kind)
  }
  private starOrExpression(): Expr {
    const start = this.token.start
    if (this.tryEat('*')) return { kind: 'Starred', value: this.binary(1), range: this.rangeFrom(start) }
    return this.expression()
  }
  expression(): Expr {
    return this.nested(() => {
      const start = this.token.start
      if (this.token.kind === 'name' && this.token.text === 'lambda')
        throw compileError("lambda expressions aren't supported", this.range(start, this.token.end))
      const value = this.or()
      if (!this.tryEat('if')) return value
      const condition = this.or()
      this.eat('else')
      const otherwise = this.expression()
      return { kind: 'Ternary', condition, then: value, otherwise, range: this.rangeFrom(start) }
    })
  }
  private or(): Expr {
    let left = this.and()
    while (this.tryEat('or')) {
      const right = this.and()
      left = { kind: 'Logical', op: 'or', left, right, range: joinRanges(left.range, right.range) }
    }
    return left
  }
  private and(): Expr {
    let left = this.not()
    while (this.tryEat('and')) {
      const right = this.not()
      left = { kind: 'Logical', op: 'and', left, right, range: joinRanges(left.range, right.range) }
    }
    return left
  }
  private not(): Expr {
    const start = this.token.start
    if (this.tryEat('not')) return this.nested(() => ({ kind: 'Unary', op: 'not', value: this.not(), range: this.rangeFrom(start) }))
    return this.comparison()
  }
  private compareOperator(): CompareOperator | undefined {
    for (const op of ['<=', '>=', '==', '!=', '<', '>', 'in'] as const) if (this.tryEat(op)) return op
    if (this.tryEat('is')) return this.tryEat('not') ? 'is not' : 'is'
    if (this.is('not') && this.tokens[this.at + 1].text === 'in') {
      this.at += 2
      return 'not in'
    }
    return undefined
  }
  private comparison(): Expr {
    const first = this.binary(1)
    const ops: CompareOperator[] = []
    const operands = [first]
    for (let op = this.compareOperator(); op !== undefined; op = this.compareOperator()) {
      ops.push(op)
      operands.push(this.binary(1))
    }
    return ops.length === 0 ? first : { kind: 'Compare', ops, operands, range: this.rangeFrom(first.range.start) }
  }
  private binary(least: number): Expr {
    let left = this.unary()
    for (;;) {
      const op = this.token.kind === 'op' ? this.token.text : ''
      const power = precedence[op]
      if (power === undefined || power < least) return left
      this.at++
      const right = this.binary(power + 1)
      left = { kind: 'Binary', op: op as BinaryOperator, left, right, range: joinRanges(left.range, right.range) }
    }
  }
  private unary(): Expr {
    const start = this.token.start
    for (const op of ['-', '+', '~'] as const) {
      if (this.tryEat(op)) return this.nested(() => ({ kind: 'Unary', op, value: this.unary(), range: this.rangeFrom(start) }))
    }
    const base = this.postfix()
    if (!this.tryEat('**')) return base
    const right = this.nested(() => this.unary())
    return { kind: 'Binary', op: '**', left: base, right, range: joinRanges(base.range, right.range) }
  }
  private postfix(): Expr {
    const start = this.token.start
    let value = this.atom()
    for (;;) {
      if (this.tryEat('.')) value = { kind: 'Attribute', value, name: this.name(), range: this.rangeFrom(start) }
      else if (this.tryEat('(')) {
        const { args, kwargs } = this.callArguments()
        value = { kind: 'Call', fn: value, args, kwargs, range: this.rangeFrom(start) }
      } else if (this.tryEat('[')) {
        const items = this.nested(() => this.subscript())
        value = { kind: 'Subscript', value, items, range: this.rangeFrom(start) }
      } else return value
    }
  }
  private callArguments(): { args: Expr[]; kwargs: Keyword[] } {
    return this.nested(() => {
      const args: Expr[] = []
      const kwargs: Keyword[] = []
      while (!this.tryEat(')')) {
        const start = this.token.start
        if (this.is('**')) throw compileError('keyword-arg expansion is not supported', this.range(start, this.token.end))
        if (this.token.kind === 'name' && this.tokens[this.at + 1].kind === 'op' && this.tokens[this.at + 1].text === '=') {
          const name = this.name()
          this.eat('=')
          kwargs.push({ name, value: this.expression(), range: this.rangeFrom(start) })
        } else {
          const value = this.starOrExpression()
          args.push(this.is('for') ? this.comprehension(value, start) : value)
        }
        if (!this.tryEat(',')) {
          this.eat(')')
          break
        }
      }
      return { args, kwargs }
    })
  }
  private subscript(): Expr[] {
    const items: Expr[] = []
    while (!this.tryEat(']')) {
      items.push(this.sliceOrExpression())
      if (!this.tryEat(',')) {
        this.eat(']')
        // `x[a]` and `x[a,]` differ: the latter is a tuple of one, which indexes the same.
        return items
      }
    }
    return items
  }
  private sliceOrExpression(): Expr {
    const start = this.token.start
    const bound = (): Expr | undefined => (this.is(':') || this.is(']') || this.is(',') ? undefined : this.expression())
    const first = bound()
    if (!this.tryEat(':')) return first ?? this.fail('an index')
    const stop = bound()
    const step = this.tryEat(':') ? bound() : undefined
    return { kind: 'Slice', start: first, stop, step, range: this.range(start, Math.max(start + 1, this.tokens[this.at - 1].end)) }
  }
  private comprehension(element: Expr, start: number, key?: Expr): Expr {
    this.eat('for')
    const target = this.targetList()
    this.eat('in')
    const iter = this.or()
    const conditions: Expr[] = []
    while (this.tryEat('if')) conditions.push(this.or())
    const range = this.rangeFrom(start)
    if (this.is('for')) throw compileError("multiple comprehension clauses aren't supported", this.range(this.token.start, this.token.end))
    return key === undefined
      ? { kind: 'ListComp', element, target, iter, conditions, range }
      : { kind: 'DictComp', key, value: element, target, iter, conditions, range }
  }
  private targetList(): Expr {
    const start = this.token.start
    const first = this.targetItem()
    if (!this.is(',')) return first
    const items = [first]
    while (this.tryEat(',') && !this.is('in')) items.push(this.targetItem())
    return { kind: 'Tuple', items, range: this.rangeFrom(start) }
  }
  private targetItem(): Expr {
    const start = this.token.start
    return this.tryEat('*') ? { kind: 'Starred', value: this.postfix(), range: this.rangeFrom(start) } : this.postfix()
  }

  private atom(): Expr {
    const token = this.token
    const { start } = token
    switch (token.kind) {
      case 'int':
        this.at++
        return { kind: 'Int', value: BigInt(token.text), range: this.rangeFrom(start) }
      case 'float':
        this.at++
        return { kind: 'Float', value: Number(token.text), range: this.rangeFrom(start) }
      case 'imaginary':
        this.at++
        return { kind: 'Imaginary', value: Number(token.text), range: this.rangeFrom(start) }
      case 'string':
      case 'format':
        return this.strings()
      case 'name':
        return this.nameAtom()
      case 'op':
        if (this.tryEat('(')) return this.nested(() => this.parenthesised(start))
        if (this.tryEat('[')) return this.nested(() => this.listDisplay(start))
        if (this.tryEat('{')) return this.nested(() => this.dictDisplay(start))
        if (this.tryEat('...')) return { kind: 'Ellipsis', range: this.rangeFrom(start) }
        return this.fail('an expression')
      default:
        return this.fail('an expression')
    }
  }
  private nameAtom(): Expr {
    const { start, text } = this.token
    const range = this.range(start, this.token.end)
    if (text in unsupported && unsupported[text] !== '') throw compileError(`${unsupported[text]} aren't supported`, range)
    if (['in', 'is', 'for', 'else', 'if', 'elif', 'and', 'or', 'def', 'class', 'return', 'while', 'import'].includes(text))
      this.fail('an expression')
    this.at++
    switch (text) {
      case 'None':
        return { kind: 'None', range }
      case 'True':
      case 'False':
        return { kind: 'Bool', value: text === 'True', range }
      default:
        return { kind: 'Name', name: text, range }
    }
  }
  /** Adjacent literals join; a part with `f` makes the whole a format expression. */
  private strings(): Expr {
    const { start } = this.token
    const parts: (string | Expr)[] = []
    let isFormat = false
    while (this.token.kind === 'string' || this.token.kind === 'format') {
      const token = this.tokens[this.at++]
      if (token.kind === 'string') parts.push(token.text)
      else {
        isFormat = true
        parts.push(...this.formatParts(token))
      }
    }
    const range = this.rangeFrom(start)
    return isFormat ? { kind: 'Format', parts, range } : { kind: 'String', value: parts.join(''), range }
  }
  private formatParts(token: Token): (string | Expr)[] {
    const out: (string | Expr)[] = []
    let literal = ''
    const { text } = token
    for (let i = 0; i < text.length; i++) {
      const c = text[i]
      if ((c === '{' || c === '}') && text[i + 1] === c) {
        literal += c
        i++
      } else if (c === '{') {
        let depth = 1
        let end = i + 1
        while (end < text.length && depth > 0) {
          if ('([{'.includes(text[end])) depth++
          else if (')]}'.includes(text[end])) depth--
          end++
        }
        const inner = text.slice(i + 1, end - 1)
        if (/![rsa]$|:[^\]]*$/.test(inner))
          throw compileError("format specifiers in f-strings aren't supported", this.range(token.start, token.end))
        if (literal !== '') out.push(literal)
        literal = ''
        out.push(new Parser(inner, this.file).single())
        i = end - 1
      } else literal += c
    }
    if (literal !== '') out.push(literal)
    return out
  }
  private parenthesised(start: number): Expr {
    if (this.tryEat(')')) return { kind: 'Tuple', items: [], range: this.rangeFrom(start) }
    const first = this.starOrExpression()
    if (this.is('for')) {
      const out = this.comprehension(first, start)
      this.eat(')')
      return out
    }
    if (this.tryEat(')')) return first
    const items = [first]
    while (this.tryEat(',')) {
      if (this.is(')')) break
      items.push(this.starOrExpression())
    }
    this.eat(')')
    return { kind: 'Tuple', items, range: this.rangeFrom(start) }
  }
  private listDisplay(start: number): Expr {
    const items: Expr[] = []
    while (!this.tryEat(']')) {
      const item = this.starOrExpression()
      if (items.length === 0 && this.is('for')) {
        const out = this.comprehension(item, start)
        this.eat(']')
        return out
      }
      items.push(item)
      if (!this.tryEat(',')) {
        this.eat(']')
        break
      }
    }
    return { kind: 'List', items, range: this.rangeFrom(start) }
  }
  private dictDisplay(start: number): Expr {
    const entries: (readonly [Expr, Expr])[] = []
    while (!this.tryEat('}')) {
      const key = this.expression()
      if (!this.is(':')) throw compileError("set literals aren't supported", this.range(start, this.token.end))
      this.eat(':')
      const value = this.expression()
      if (entries.length === 0 && this.is('for')) {
        const out = this.comprehension(value, start, key)
        this.eat('}')
        return out
      }
      entries.push([key, value])
      if (!this.tryEat(',')) {
        this.eat('}')
        break
      }
    }
    return { kind: 'Dict', entries, range: this.rangeFrom(start) }
  }

  // Statements

  private block(): Stmt[] {
    this.eat(':')
    if (this.token.kind !== 'newline') return this.simpleLine()
    this.at++
    this.eatKind('indent', 'an indented block')
    const out: Stmt[] = []
    const ended = (): boolean => this.isKind('dedent') || this.isKind('end')
    while (!ended()) out.push(...this.nested(() => this.statement()))
    if (this.isKind('dedent')) this.at++
    return out
  }
  private statement(): Stmt[] {
    const { start, text, kind } = this.token
    if (kind === 'newline') {
      this.at++
      return []
    }
    if (kind === 'op' && text === '@') return [this.decorated()]
    if (kind === 'name') {
      const range = this.range(start, this.token.end)
      switch (text) {
        case 'if':
          this.at++
          return [this.ifStatement(start)]
        case 'while': {
          this.at++
          const condition = this.expression()
          const body = this.block()
          this.refuseElse()
          return [{ kind: 'While', condition, body, range: this.range(start, condition.range.end) }]
        }
        case 'for': {
          this.at++
          const target = this.targetList()
          this.eat('in')
          const iter = this.expressionList()
          const body = this.block()
          this.refuseElse()
          return [{ kind: 'For', target, iter, body, range: this.range(start, iter.range.end) }]
        }
        case 'with': {
          this.at++
          const items: { value: Expr; target?: Expr }[] = []
          do {
            const value = this.expression()
            items.push({ value, target: this.tryEat('as') ? this.targetItem() : undefined })
          } while (this.tryEat(','))
          const end = this.tokens[this.at - 1].end
          return [{ kind: 'With', items, body: this.block(), range: this.range(start, end) }]
        }
        case 'def':
          return [this.functionDef([])]
        case 'class':
          return [this.classDef()]
        case 'import':
        case 'from':
          // Archives of old versions begin with imports, which say nothing that names do not say again.
          while (this.token.kind !== 'newline' && this.token.kind !== 'end') this.at++
          return []
        case 'try':
        case 'global':
        case 'nonlocal':
        case 'async':
        case 'yield':
          throw compileError(`${unsupported[text]} aren't supported`, range)
      }
    }
    return this.simpleLine()
  }
  private refuseElse(): void {
    if (this.is('else')) throw compileError("else branches of loops aren't supported", this.range(this.token.start, this.token.end))
  }
  private ifStatement(start: number): Stmt {
    const condition = this.expression()
    const range = this.range(start, condition.range.end)
    const then = this.block()
    const elif = this.token.start
    if (this.tryEat('elif')) return { kind: 'If', condition, then, otherwise: [this.ifStatement(elif)], range }
    return { kind: 'If', condition, then, otherwise: this.tryEat('else') ? this.block() : [], range }
  }
  private decorated(): Stmt {
    const decorators: Expr[] = []
    while (this.tryEat('@')) {
      decorators.push(this.expression())
      this.eatKind('newline', 'the end of the line')
    }
    return this.is('class') ? this.classDef() : this.functionDef(decorators)
  }
  private simpleLine(): Stmt[] {
    const out: Stmt[] = []
    do {
      if (this.token.kind === 'newline') break
      out.push(this.simpleStatement())
    } while (this.tryEat(';'))
    if (this.token.kind !== 'end') this.eatKind('newline', 'the end of the line')
    return out
  }
  private simpleStatement(): Stmt {
    const { start, kind, text } = this.token
    const done = (): SourceRange => this.rangeFrom(start)
    const atEnd = (): boolean => this.token.kind === 'newline' || this.token.kind === 'end' || this.is(';')
    if (kind === 'name') {
      switch (text) {
        case 'pass':
        case 'break':
        case 'continue':
          this.at++
          return { kind: text === 'pass' ? 'Pass' : text === 'break' ? 'Break' : 'Continue', range: done() }
        case 'return': {
          this.at++
          const value = atEnd() ? undefined : this.expressionList()
          return { kind: 'Return', value, range: done() }
        }
        case 'assert': {
          this.at++
          const condition = this.expression()
          const message = this.tryEat(',') ? this.expression() : undefined
          return { kind: 'Assert', condition, message, range: done() }
        }
        case 'raise': {
          this.at++
          const value = atEnd() ? undefined : this.expression()
          if (this.tryEat('from')) this.expression()
          return { kind: 'Raise', value, range: done() }
        }
        case 'del': {
          this.at++
          const value = this.expressionList()
          return { kind: 'Delete', targets: value.kind === 'Tuple' ? value.items : [value], range: done() }
        }
      }
    }
    const first = this.expressionList()
    if (this.tryEat(':')) {
      const annotation = this.expression()
      if (!this.tryEat('=')) return { kind: 'Declare', target: first, annotation, range: done() }
      const value = this.expressionList()
      return { kind: 'Assign', targets: [first], annotation, value, range: done() }
    }
    if (this.token.kind === 'op' && augmented.has(this.token.text)) {
      const op = this.tokens[this.at++].text.slice(0, -1) as BinaryOperator
      return { kind: 'AugAssign', target: first, op, value: this.expressionList(), range: done() }
    }
    if (!this.is('=')) return { kind: 'Expr', value: first, range: done() }
    const targets = [first]
    let value = first
    while (this.tryEat('=')) {
      value = this.expressionList()
      targets.push(value)
    }
    targets.pop()
    return { kind: 'Assign', targets, value, range: done() }
  }

  private functionDef(decorators: Expr[]): FunctionDef {
    const { start } = this.token
    this.eat('def')
    const name = this.name()
    this.eat('(')
    const parameters: ParameterDef[] = []
    let kwargOnly = false
    while (!this.tryEat(')')) {
      const begin = this.token.start
      if (this.is('**'))
        throw compileError(
          "Compiled functions can't take variable number of arguments or use keyword-only arguments with defaults",
          this.range(begin, this.token.end),
        )
      if (this.tryEat('*')) {
        if (!this.is(','))
          throw compileError(
            "Compiled functions can't take variable number of arguments or use keyword-only arguments with defaults",
            this.rangeFrom(begin),
          )
        kwargOnly = true
      } else if (!this.tryEat('/')) {
        const parameter = this.name()
        const annotation = this.tryEat(':') ? this.expression() : undefined
        const value = this.tryEat('=') ? this.expression() : undefined
        parameters.push({ name: parameter, annotation, default: value, kwargOnly, range: this.rangeFrom(begin) })
      }
      if (!this.tryEat(',')) {
        this.eat(')')
        break
      }
    }
    const returns = this.tryEat('->') ? this.expression() : undefined
    const range = this.rangeFrom(start)
    return { kind: 'FunctionDef', name, parameters, returns, body: this.block(), decorators, range }
  }
  private classDef(): ClassDef {
    const { start } = this.token
    this.eat('class')
    const name = this.name()
    const bases = this.tryEat('(') ? this.callArguments().args : []
    const range = this.rangeFrom(start)
    return { kind: 'ClassDef', name, bases, body: this.block(), range }
  }

  // Entry points

  program(): Stmt[] {
    const out: Stmt[] = []
    while (this.token.kind !== 'end') out.push(...this.statement())
    return out
  }
  single(): Expr {
    const value = this.expressionList()
    if (this.token.kind === 'newline') this.at++
    if (this.token.kind !== 'end') this.fail('the end of the expression')
    return value
  }
}

/** Parses a source file: classes, functions and (in archives of old versions) assignments and imports. */
export const parseFile = (text: string, file: string): Stmt[] => withinStack(file, () => new Parser(text, file).program())
/** Parses one expression, such as a type. */
export const parseExpression = (text: string, file: string): Expr => withinStack(file, () => new Parser(text.trim(), file).single())
