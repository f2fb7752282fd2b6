import type { BinaryOperator, CompareOperator, Expr, Keyword, Lambda, ParameterDef, Stmt } from '../ast.js'
import { compileError } from '../source.js'
import { lookupTable } from '../tables.js'
import type { Token } from './lexer.js'
import { Scope } from './scope.js'
import { TypeParser, declaredType, parseTypeText as parseTable } from './type-parser.js'

/** Binding power of the binary operators; higher binds tighter. `**` binds to the right. */
const precedence = lookupTable<number>({
  '??': 1,
  '||': 2,
  '&&': 3,
  '|': 4,
  '^': 5,
  '&': 6,
  '===': 7,
  '!==': 7,
  '==': 7,
  '!=': 7,
  '<': 8,
  '>': 8,
  '<=': 8,
  '>=': 8,
  instanceof: 8,
  in: 8,
  '<<': 9,
  '>>': 9,
  '>>>': 9,
  '+': 10,
  '-': 10,
  '*': 11,
  '/': 11,
  '%': 11,
  '**': 12,
})
const comparisons = lookupTable<CompareOperator>({ '===': '==', '!==': '!=', '<': '<', '>': '>', '<=': '<=', '>=': '>=' })
const keywords = new Set([
  'if',
  'for',
  'while',
  'return',
  'const',
  'switch',
  'case',
  'throw',
  'try',
  'import',
  'export',
  'class',
  'var',
  'else',
])

/** How declarations of parameters without an annotation get their types. */
export type TypeTable = Readonly<Record<string, string>>

/** Expressions. Names of variables become those of the tree as they are parsed; other names stay as they are. */
export abstract class ExpressionParser extends TypeParser {
  protected scope = new Scope()

  /** The statements of a block, its braces included. */
  protected abstract block(): Stmt[]

  expression(): Expr {
    const expr = this.ternary()
    if (this.isKind('op') && /^([-+*/%&|^]|\*\*|<<|&&|\|\||\?\?)?=$/.test(this.token.text))
      this.unsupported('Assignments inside expressions', 'Write the assignment as a statement of its own.')
    return expr
  }

  protected ternary(): Expr {
    return this.nested(() => {
      const { start } = this.token
      const lambda = this.tryLambda()
      if (lambda !== undefined) return lambda
      const condition = this.binary(0)
      if (!this.tryEat('?')) return condition
      const then = this.ternary()
      this.eat(':')
      const otherwise = this.ternary()
      return { kind: 'Ternary', condition, then, otherwise, range: this.rangeFrom(start) }
    })
  }

  /** The operator at hand with how many tokens it takes: `>` and what touches it make one operator. */
  private operator(): { op: string; count: number } {
    const { kind, text } = this.token
    if (kind === 'name')
      return { op: text === 'instanceof' || text === 'in' || text === 'as' || text === 'satisfies' ? text : '', count: 1 }
    if (kind !== 'op') return { op: '', count: 0 }
    if (text !== '>') return { op: text, count: 1 }
    let op = '>'
    let count = 1
    while (count < 3 && /^[>=]$/.test(this.peek(count).text) && this.peek(count).start === this.peek(count - 1).end && !op.endsWith('='))
      op += this.peek(count++).text
    return { op, count }
  }

  private binary(minimum: number): Expr {
    const { start } = this.token
    let left = this.unary()
    for (;;) {
      const { op, count } = this.operator()
      if ((op === 'as' || op === 'satisfies') && !this.token.newline) {
        this.at++
        if (op === 'as' && this.tryEat('const')) continue
        const annotation = this.type()
        if (op === 'as' && declaredType(annotation) !== undefined)
          left = { kind: 'Cast', value: left, annotation, range: this.rangeFrom(start) }
        continue
      }
      const power = precedence[op]
      if (power === undefined || power <= minimum) return left
      const at = this.here()
      this.at += count
      const right = this.nested(() => this.binary(op === '**' ? power - 1 : power))
      left = this.combine(op, left, right, start, at)
    }
  }
  private combine(op: string, left: Expr, right: Expr, start: number, at: Expr['range']): Expr {
    const range = this.rangeFrom(start)
    switch (op) {
      case '??':
        return { kind: 'Coalesce', left, right, range }
      case '&&':
      case '||':
        return { kind: 'Logical', op: op === '&&' ? 'and' : 'or', left, right, range }
      case '==':
      case '!=':
        if (left.kind !== 'None' && right.kind !== 'None')
          this.unsupported(`Comparisons with ${op}`, `Write \`${op}=\`, which compares without conversion.`, at)
        return { kind: 'Compare', ops: [op === '==' ? 'is' : 'is not'], operands: [left, right], range }
      case '===':
      case '!==':
        if (left.kind === 'None' || right.kind === 'None')
          return { kind: 'Compare', ops: [op === '===' ? 'is' : 'is not'], operands: [left, right], range }
        return { kind: 'Compare', ops: [comparisons[op]], operands: [left, right], range }
      case '<':
      case '>':
      case '<=':
      case '>=':
        return { kind: 'Compare', ops: [op], operands: [left, right], range }
      case 'instanceof':
        return { kind: 'Call', fn: { kind: 'Name', name: '.isinstance', range }, args: [left, right], kwargs: [], range }
      case 'in':
        this.unsupported('`in` tests', 'Write `map.has(key)` or `list.includes(value)`.', at)
      case '>>>':
        this.unsupported('Unsigned shifts', 'Write `>>`.', at)
      default:
        return { kind: 'Binary', op: op as BinaryOperator, left, right, range }
    }
  }

  private unary(): Expr {
    const { kind, text, start } = this.token
    if (kind === 'op' && (text === '!' || text === '-' || text === '+' || text === '~')) {
      this.at++
      const value = this.nested(() => this.unary())
      return { kind: 'Unary', op: text === '!' ? 'not' : text, value, range: this.rangeFrom(start) }
    }
    if (kind === 'op' && (text === '++' || text === '--'))
      this.unsupported(`${text} inside expressions`, `Write \`x ${text[0]}= 1\` as a statement of its own.`)
    if (kind === 'name') {
      if (text === 'typeof') this.unsupported('`typeof` tests', 'Test for `null` or use `jit.isinstance(value, type)`.')
      if (text === 'await') this.unsupported('`await` expressions', 'Write `jit.wait(future)`.')
      if (text === 'void' || text === 'delete') this.unsupported(`\`${text}\` expressions`, 'Write `map.delete(key)` to remove an entry.')
      if (text === 'yield') this.unsupported('Generators', 'Return a list.')
      if (text === 'async') this.unsupported('Async functions', 'Write `jit.fork(fn, ...args)` and `jit.wait(future)`.')
      if (text === 'function') this.unsupported('Function expressions', 'Write an arrow function: `const f = (x: Tensor) => ...`.')
      if (text === 'class') this.unsupported('Class definitions in functions', 'Declare the class at the top of the file.')
    }
    return this.postfix()
  }

  private postfix(): Expr {
    const { start } = this.token
    let expr = this.primary()
    for (;;) {
      if (this.isKind('template')) this.unsupported('Tagged templates', 'Call a function.')
      if (!this.isKind('op')) return expr
      switch (this.token.text) {
        case '.':
          this.at++
          if (this.is('#')) this.unsupported('Private fields with #', 'Write `private name` instead.')
          expr = { kind: 'Attribute', value: expr, name: this.name('a member'), range: this.rangeFrom(start) }
          break
        case '?.':
          this.unsupported('Optional chains', 'Test for `null` first: `x !== null ? x.f() : ...`.')
        case '(':
          expr = this.call(expr, start)
          break
        case '[': {
          if (this.token.newline) return expr
          this.at++
          const item = this.expression()
          this.eat(']')
          expr = { kind: 'Subscript', value: expr, items: [item], range: this.rangeFrom(start) }
          break
        }
        case '!':
          if (this.token.newline) return expr
          this.at++
          expr = { kind: 'NonNull', value: expr, range: this.rangeFrom(start) }
          break
        case '<': {
          const call = this.attempt(() => {
            const types = this.typeArguments()
            if (!this.is('(')) this.expected('"("')
            return { types }
          })
          if (call === undefined) return expr
          const called = this.call(expr, start)
          expr = called.kind === 'Call' ? { ...called, args: [...call.types.map(typeArgument), ...called.args] } : called
          break
        }
        default:
          return expr
      }
    }
  }
  private call(fn: Expr, start: number): Expr {
    const args = this.args()
    const range = this.rangeFrom(start)
    // Compilers that keep the names of functions wrap them.
    if (fn.kind === 'Name' && fn.name === '__name' && args.length === 2) return args[0]
    const last = args.at(-1)
    const kwargs = last === undefined ? undefined : keywordCall(last)
    if (kwargs !== undefined) return { kind: 'Call', fn, args: args.slice(0, -1), kwargs, range }
    return { kind: 'Call', fn, args, kwargs: [], range }
  }
  private args(): Expr[] {
    this.eat('(')
    const args: Expr[] = []
    while (!this.is(')')) {
      const { start } = this.token
      if (this.tryEat('...')) args.push({ kind: 'Starred', value: this.expression(), range: this.rangeFrom(start) })
      else args.push(this.expression())
      if (!this.tryEat(',')) break
    }
    this.eat(')')
    return args
  }

  private primary(): Expr {
    const { token } = this
    const { kind, text, start } = token
    switch (kind) {
      case 'number':
        this.at++
        return this.number(text, start)
      case 'bigint':
        this.at++
        return { kind: 'Int', value: BigInt(text), range: this.rangeFrom(start) }
      case 'string':
        this.at++
        return { kind: 'String', value: text, range: this.rangeFrom(start) }
      case 'template':
        this.at++
        return this.template(token)
      case 'regex':
        return this.unsupported('Regular expressions', 'Use the methods of strings.')
      case 'name':
        return this.nameExpression()
      case 'op':
        if (text === '(') return this.parenthesized()
        if (text === '[') return this.list()
        if (text === '{') return this.record()
        if (text === '@') return this.unsupported('Decorators here', 'Mark methods with `jit.export`.')
        if (text === '<') return this.unsupported('Type assertions with <>', 'Write `value as Type`.')
    }
    return this.expected('an expression')
  }
  private number(text: string, start: number): Expr {
    const range = this.rangeFrom(start)
    if (/^0[xXbBoO]/.test(text) || !/[.eE]/.test(text)) return { kind: 'Int', value: BigInt(text), range }
    return { kind: 'Float', value: Number(text), range }
  }
  private template(token: Token): Expr {
    const parts: (string | Expr)[] = []
    for (const part of token.parts ?? []) {
      if (typeof part === 'string') {
        // Braces in the text would be places for values.
        const range = this.range(token.start, token.end)
        part.split(/(\{\})/).forEach((piece) => {
          if (piece === '{}') parts.push({ kind: 'String', value: piece, range })
          else if (piece !== '') parts.push(piece)
        })
      } else parts.push(this.within(part, () => this.expression()))
    }
    const range = this.range(token.start, token.end)
    if (parts.every((part) => typeof part === 'string')) return { kind: 'String', value: parts.join(''), range }
    return { kind: 'Format', parts, range }
  }
  /** Parses other tokens of the same source. */
  protected within<T>(tokens: readonly Token[], parse: () => T): T {
    const saved = { tokens: this.tokens, at: this.at }
    this.tokens = tokens
    this.at = 0
    const result = parse()
    if (!this.isKind('end')) this.expected('the end of the expression')
    this.tokens = saved.tokens
    this.at = saved.at
    return result
  }

  private nameExpression(): Expr {
    const { text, start } = this.token
    if (keywords.has(text)) this.expected('an expression')
    this.at++
    const range = this.rangeFrom(start)
    switch (text) {
      case 'true':
      case 'false':
        return { kind: 'Bool', value: text === 'true', range }
      case 'null':
      case 'undefined':
        return { kind: 'None', range }
      case 'this':
        return { kind: 'Name', name: 'self', range }
      case 'super':
        return this.unsupported('Calls of `super`', 'TorchScript classes have no base classes; write the code here.', range)
      case 'new':
        return this.construction(start)
    }
    return { kind: 'Name', name: this.scope.find(text)?.name ?? text, range }
  }

  private construction(start: number): Expr {
    const from = this.token.start
    let callee: Expr = { kind: 'Name', name: this.name('a class'), range: this.rangeFrom(from) }
    while (this.tryEat('.')) callee = { kind: 'Attribute', value: callee, name: this.name('a member'), range: this.rangeFrom(from) }
    const types = this.is('<') ? this.typeArguments() : []
    const args = this.is('(') ? this.args() : []
    const range = this.rangeFrom(start)
    const head = callee.kind === 'Name' ? callee.name : ''
    const typed = (value: Expr, container: string): Expr => {
      if (types.length === 0) return value
      const annotation: Expr = { kind: 'Subscript', value: { kind: 'Name', name: container, range }, items: types, range }
      return { kind: 'Cast', value, annotation, range }
    }
    if (head === 'Map') {
      if (args.length === 0) return typed({ kind: 'Dict', entries: [], range }, 'Dict')
      const [source] = args
      const pairs =
        source.kind === 'List' ? source.items.map((item) => (item.kind === 'List' && item.items.length === 2 ? item.items : undefined)) : []
      if (source.kind !== 'List' || pairs.some((p) => p === undefined))
        return { kind: 'Call', fn: { kind: 'Name', name: '.dict', range }, args, kwargs: [], range }
      return typed({ kind: 'Dict', entries: pairs.map((p) => [p![0], p![1]] as const), range }, 'Dict')
    }
    if (head === 'Array') {
      if (args.length === 0) return typed({ kind: 'List', items: [], range }, 'List')
      this.unsupported('Arrays of empty places', 'Write `Array.from({ length: n }, () => value)`.', range)
    }
    if (head === 'Set' || head === 'WeakMap' || head === 'WeakSet') this.unsupported('Sets', 'Write a Map or a list.', range)
    if (types.length > 0) this.unsupported('Generic classes', 'Write the types in the class.', range)
    return { kind: 'Call', fn: callee, args, kwargs: [], range }
  }

  private parenthesized(): Expr {
    const { start } = this.token
    this.eat('(')
    // Compiled modules call imported functions as `(0, module.name)(x)`.
    if (this.isKind('number') && this.token.text === '0' && this.peek().text === ',') this.at += 2
    const inner = this.expression()
    if (this.is(',')) this.unsupported('Comma expressions', 'Write two statements.')
    this.eat(')')
    return { ...inner, range: this.rangeFrom(start) }
  }
  private list(): Expr {
    const { start } = this.token
    this.eat('[')
    const items: Expr[] = []
    while (!this.is(']')) {
      const from = this.token.start
      if (this.is(',')) {
        this.at++
        items.push({ kind: 'Name', name: this.scope.temporary(), range: this.range(from, from + 1) })
        continue
      }
      if (this.tryEat('...')) items.push({ kind: 'Starred', value: this.expression(), range: this.rangeFrom(from) })
      else items.push(this.expression())
      if (!this.tryEat(',')) break
    }
    this.eat(']')
    return { kind: 'List', items, range: this.rangeFrom(start) }
  }
  private record(): Expr {
    const { start } = this.token
    this.eat('{')
    const entries: [Expr, Expr][] = []
    while (!this.is('}')) {
      const from = this.token.start
      if (this.is('...')) this.unsupported('Spread fields', 'Write the fields one by one.')
      if (this.is('[')) this.unsupported('Computed fields', 'Write a Map.')
      if (this.token.kind !== 'name' && this.token.kind !== 'string') this.expected('a field')
      const { text } = this.tokens[this.at++]
      const key: Expr = { kind: 'String', value: text, range: this.rangeFrom(from) }
      if (this.is('(')) this.unsupported('Methods of objects', 'Write a class.')
      if (this.tryEat(':')) entries.push([key, this.expression()])
      else entries.push([key, { kind: 'Name', name: this.scope.find(text)?.name ?? text, range: key.range }])
      if (!this.tryEat(',')) break
    }
    this.eat('}')
    return { kind: 'Dict', entries, record: true, range: this.rangeFrom(start) }
  }

  // Functions

  /** An arrow function; undefined where there is none. */
  private tryLambda(): Lambda | undefined {
    const { kind, text, start } = this.token
    if (kind === 'name' && this.peek().text === '=>' && !keywords.has(text)) return this.lambda(start)
    if (kind === 'name' && text === 'async' && (this.peek().text === '(' || this.peek(2).text === '=>'))
      this.unsupported('Async functions', 'Write `jit.fork(fn, ...args)` and `jit.wait(future)`.')
    if (kind !== 'op' || text !== '(') return undefined
    const after = this.tokens[this.closing(this.at) + 1]?.text
    if (after === '=>') return this.lambda(start)
    if (after !== ':') return undefined
    // `(a): T => ...`, or the middle of a conditional expression.
    const saved = this.at
    this.at = this.closing(this.at) + 2
    const isArrow = this.attempt(() => (this.type(), this.is('=>') || undefined)) === true
    this.at = saved
    return isArrow ? this.lambda(start) : undefined
  }
  private lambda(start: number): Lambda {
    const saved = this.scope
    this.scope = new Scope(saved, true)
    try {
      const parameters = this.is('(') ? this.parameters({}) : [this.lambdaParameter()]
      const returns = declaredType(this.tryEat(':') ? this.type() : undefined)
      this.eat('=>')
      return this.lambdaBody(start, parameters, returns)
    } finally {
      this.scope = saved
    }
  }
  protected lambdaBody(start: number, parameters: readonly ParameterDef[], returns: Expr | undefined): Lambda {
    const body = this.is('{') ? this.block() : this.expression()
    const assigns = [...this.scope.assigns!]
    return { kind: 'Lambda', parameters, returns, body, assigns, range: this.rangeFrom(start) }
  }
  private lambdaParameter(): ParameterDef {
    const { start } = this.token
    const { name } = this.scope.declare(this.name(), false)
    return { name, kwargOnly: false, range: this.rangeFrom(start) }
  }

  /** `(a: Tensor, b: int = 2)`; `types` has those that the source leaves out. */
  protected parameters(types: TypeTable): ParameterDef[] {
    this.eat('(')
    const parameters: ParameterDef[] = []
    while (!this.is(')')) {
      const { start } = this.token
      if (this.is('...')) this.unsupported('Rest parameters', 'Write a list parameter such as `xs: Tensor[]`.')
      if (this.is('{') || this.is('['))
        this.unsupported('Parameters that are taken apart', 'Give the parameter a name and take it apart in the body.')
      while (this.isKind('name') && modifiers.has(this.token.text) && this.peek().kind === 'name') this.at++
      const spelled = this.name('a parameter')
      const range = this.rangeFrom(start)
      const isOptional = this.tryEat('?')
      let annotation = declaredType(
        this.tryEat(':') ? this.type() : types[spelled] === undefined ? undefined : this.typeFromTable(types[spelled]),
      )
      const value = this.tryEat('=') ? this.expression() : undefined
      if (value?.kind === 'List' || value?.kind === 'Dict')
        this.unsupported('Mutable default arguments', `Write \`${spelled}: T | null = null\` and make the value in the body.`, value.range)
      annotation ??= value === undefined ? undefined : typeOfLiteral(value)
      if (isOptional && annotation !== undefined) {
        annotation = { kind: 'Binary', op: '|', left: annotation, right: { kind: 'None', range }, range }
      }
      const declared = annotation ?? (isOptional ? optionalTensor(range) : undefined)
      const { name } = this.declareParameter(spelled, declared)
      const fallback: Expr | undefined = value ?? (isOptional ? { kind: 'None', range } : undefined)
      parameters.push({ name, annotation: declared, default: fallback, kwargOnly: false, range: this.rangeFrom(start) })
      if (!this.tryEat(',')) break
    }
    this.eat(')')
    return parameters
  }
  private declareParameter(spelled: string, annotation: Expr | undefined): { name: string } {
    if (this.scope.hasOwn(spelled))
      throw compileError(`Expected parameters of different names but received '${spelled}' twice`, this.here())
    return this.scope.declare(spelled, false, sticky(annotation))
  }
  /** A type written as text beside the source. */
  protected typeFromTable(text: string): Expr {
    return parseTable(text)
  }
}

const modifiers = new Set(['public', 'private', 'protected', 'readonly', 'override'])
const optionalTensor = (range: Expr['range']): Expr => ({
  kind: 'Binary',
  op: '|',
  left: { kind: 'Name', name: 'Tensor', range },
  right: { kind: 'None', range },
  range,
})
/** Assignments to a variable declared as a number convert to its type. */
export const sticky = (annotation: Expr | undefined): Expr | undefined =>
  annotation?.kind === 'Name' && (annotation.name === 'int' || annotation.name === 'float') ? annotation : undefined

/** The type that a default value says; undefined where it says none. */
function typeOfLiteral(value: Expr): Expr | undefined {
  const inner = value.kind === 'Unary' && (value.op === '-' || value.op === '+') ? value.value : value
  const names: Partial<Record<Expr['kind'], string>> = { Int: 'int', Float: 'float', Bool: 'bool', String: 'str' }
  const name = names[inner.kind]
  if (inner.kind === 'None') return optionalTensor(value.range)
  return name === undefined ? undefined : { kind: 'Name', name, range: value.range }
}

/** `kwargs({ a: 1 })`, the keyword arguments of a call. */
function keywordCall(expr: Expr): Keyword[] | undefined {
  if (expr.kind !== 'Call' || expr.args.length !== 1) return undefined
  const name = expr.fn.kind === 'Name' ? expr.fn.name : expr.fn.kind === 'Attribute' ? expr.fn.name : ''
  const [record] = expr.args
  return name === 'kwargs' && record.kind === 'Dict' && record.record === true ? keywordsOf(record) : undefined
}
/** The fields of an object as keyword arguments. */
export const keywordsOf = (record: Expr & { kind: 'Dict' }): Keyword[] =>
  record.entries.map(([key, value]) => ({ name: (key as Expr & { kind: 'String' }).value, value, range: key.range }))

/** Type arguments of a call come before the others, marked so that only functions that know them take them. */
const typeArgument = (type: Expr): Expr => ({
  kind: 'Call',
  fn: { kind: 'Name', name: '.type', range: type.range },
  args: [type],
  kwargs: [],
  range: type.range,
})
