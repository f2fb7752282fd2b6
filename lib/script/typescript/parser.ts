import type { BinaryOperator, Expr, FunctionDef, Lambda, ParameterDef, Stmt } from '../ast.js'
import { compileError } from '../source.js'
import { lookupTable } from '../tables.js'
import { ExpressionParser, sticky, type TypeTable } from './expression-parser.js'
import { rangeLoop } from './range-loop.js'
import { Scope } from './scope.js'
import { declaredType } from './type-parser.js'

const augmented = lookupTable<BinaryOperator>({
  '+=': '+',
  '-=': '-',
  '*=': '*',
  '/=': '/',
  '%=': '%',
  '**=': '**',
  '&=': '&',
  '|=': '|',
  '^=': '^',
  '<<=': '<<',
})
/** Errors of JavaScript and what PyTorch calls the like. */
const exceptions = lookupTable<string>({ Error: 'RuntimeError', TypeError: 'TypeError', RangeError: 'IndexError', EvalError: 'ValueError' })

/**
 * Statements and functions. Blocks of JavaScript have variables of their own where the neutral tree has one space of names for a function:
 * a variable that shares its name with another of the function gets a name of its own (scope.ts).
 */
export class Parser extends ExpressionParser {
  /** Local functions cannot call themselves. */
  private loopDepth = 0

  /** Moves to a token. */
  seek(index: number): this {
    this.at = index
    return this
  }

  // Functions

  /**
   * A function or method from the token of its parameters on (an arrow function, or what follows `function name`).
   * `self` puts the object first.
   */
  functionAt(name: string, options: { self?: boolean; types?: TypeTable; isArrow?: boolean; isSignature?: boolean }): FunctionDef {
    const { start } = this.token
    this.scope = new Scope(undefined, true)
    this.scope.declare('self', true)
    const types = options.types ?? {}
    if (this.is('<')) this.unsupported('Generic functions', 'Write the types.')
    const own = this.is('(') ? this.parameters(types) : this.singleParameter(types)
    let returns = declaredType(
      this.tryEat(':') ? this.returnType() : types.return === undefined ? undefined : this.typeFromTable(types.return),
    )
    // Which number a function returns, its body says.
    if (returns?.kind === 'Name' && returns.name === 'number') returns = undefined
    if (options.isArrow === true) this.eat('=>')
    const header = this.rangeFrom(start)
    let body: Stmt[]
    if (options.isSignature === true) body = [{ kind: 'Pass', range: header }]
    else if (options.isArrow === true && !this.is('{')) {
      const value = this.expression()
      body = [{ kind: 'Return', value, range: value.range }]
    } else {
      if (!this.is('{')) this.expected('the body of the function')
      body = this.block()
    }
    const self: ParameterDef[] = options.self === true ? [{ name: 'self', kwargOnly: false, range: header }] : []
    return { kind: 'FunctionDef', name, parameters: [...self, ...own], returns, body, decorators: [], range: header }
  }
  private singleParameter(types: TypeTable): ParameterDef[] {
    const { start } = this.token
    const spelled = this.name('a parameter')
    const annotation = types[spelled] === undefined ? undefined : this.typeFromTable(types[spelled])
    const { name } = this.scope.declare(spelled, false, sticky(annotation))
    return [{ name, annotation, kwargOnly: false, range: this.rangeFrom(start) }]
  }
  private returnType(): Expr {
    if (this.isKind('name') && this.peek().text === 'is') this.unsupported('Type predicates', 'Write `: boolean`.')
    return this.type()
  }

  /** One expression from the token on, such as the value of a constant. */
  expressionAt(): Expr {
    this.scope = new Scope(undefined, true)
    return this.ternary()
  }
  typeAt(): Expr {
    return this.type()
  }

  // Blocks

  protected block(): Stmt[] {
    const saved = this.scope
    this.scope = new Scope(saved)
    try {
      this.eat('{')
      const out: Stmt[] = []
      while (!this.is('}')) {
        if (this.isKind('end')) this.expected('"}"')
        out.push(...this.nested(() => this.statement()))
      }
      this.eat('}')
      return out
    } finally {
      this.scope = saved
    }
  }
  /** A block, or one statement in a scope of its own. */
  private body(): Stmt[] {
    if (this.is('{')) return this.block()
    const saved = this.scope
    this.scope = new Scope(saved)
    try {
      return this.nested(() => this.statement())
    } finally {
      this.scope = saved
    }
  }
  private loopBody(): Stmt[] {
    this.loopDepth++
    try {
      return this.body()
    } finally {
      this.loopDepth--
    }
  }
  protected override lambdaBody(start: number, parameters: readonly ParameterDef[], returns: Expr | undefined): Lambda {
    const saved = this.loopDepth
    this.loopDepth = 0
    try {
      return super.lambdaBody(start, parameters, returns)
    } finally {
      this.loopDepth = saved
    }
  }

  private semicolon(): void {
    if (this.tryEat(';') || this.is('}') || this.isKind('end') || this.token.newline) return
    this.expected('";"')
  }

  // Statements

  private statement(): Stmt[] {
    const { kind, text, start } = this.token
    if (kind === 'op') {
      if (text === ';') {
        this.at++
        return []
      }
      if (text === '{') return this.block()
      if (text === '++' || text === '--') {
        const out = [this.prefixStep(start)]
        this.semicolon()
        return out
      }
    }
    if (kind === 'name') {
      const found = this.keywordStatement(text, start)
      if (found !== undefined) return found
    }
    const out = this.simpleStatement()
    this.semicolon()
    return out
  }

  private keywordStatement(text: string, start: number): Stmt[] | undefined {
    if (this.peek().kind === 'op' && this.peek().text === ':') this.unsupported('Labels', 'Set a variable and test it in the outer loop.')
    switch (text) {
      case 'const':
      case 'let': {
        const out = this.declaration()
        this.semicolon()
        return out
      }
      case 'var':
        return this.unsupported('`var` declarations', 'Write `let` or `const`.')
      case 'if':
        return [this.ifStatement()]
      case 'for':
        return this.forStatement()
      case 'while': {
        this.at++
        const condition = this.parenthesizedCondition()
        return [{ kind: 'While', condition, body: this.loopBody(), range: this.rangeFrom(start) }]
      }
      case 'do':
        return [this.doStatement()]
      case 'return': {
        this.at++
        const value = this.is(';') || this.is('}') || this.token.newline ? undefined : this.expression()
        const range = this.rangeFrom(start)
        this.semicolon()
        return [{ kind: 'Return', value, range }]
      }
      case 'break':
      case 'continue':
        return [this.jump(text, start)]
      case 'throw':
        return [this.throwStatement()]
      case 'function':
        return this.localFunction()
      case 'switch':
        return [this.switchStatement()]
      case 'async':
        if (this.peek().text === 'function') this.unsupported('Async functions', 'Write `jit.fork(fn, ...args)` and `jit.wait(future)`.')
        return undefined
      case 'try':
        return this.unsupported('try statements', 'TorchScript cannot catch errors; test for the case before.')
      case 'class':
        return this.unsupported('Class definitions in functions', 'Declare the class at the top of the file.')
      case 'import':
      case 'export':
        return this.unsupported(`\`${text}\` in functions`, 'Write it at the top of the file.')
      case 'type':
      case 'interface':
        if (this.peek().kind === 'name' && !this.peek().newline)
          this.unsupported('Type declarations in functions', 'Declare the type at the top of the file.')
        return undefined
      case 'with':
      case 'debugger':
        return this.unsupported(`\`${text}\` statements`, 'Remove it.')
    }
    return undefined
  }

  private jump(text: string, start: number): Stmt {
    this.at++
    if (this.isKind('name') && !this.token.newline) this.unsupported('Labels', 'Set a variable and test it in the outer loop.')
    const range = this.rangeFrom(start)
    if (this.loopDepth === 0) throw compileError(`Expected \`${text}\` inside a loop`, range)
    this.semicolon()
    return { kind: text === 'break' ? 'Break' : 'Continue', range }
  }
  private parenthesizedCondition(): Expr {
    this.eat('(')
    const condition = this.expression()
    this.eat(')')
    return condition
  }
  private ifStatement(): Stmt {
    const { start } = this.token
    this.eat('if')
    const condition = this.parenthesizedCondition()
    const range = this.rangeFrom(start)
    const then = this.body()
    const otherwise = this.tryEat('else') ? this.body() : []
    return { kind: 'If', condition, then, otherwise, range }
  }
  private doStatement(): Stmt {
    const { start } = this.token
    this.eat('do')
    const body = this.loopBody()
    this.eat('while')
    const condition = this.parenthesizedCondition()
    const range = this.rangeFrom(start)
    this.tryEat(';')
    return { kind: 'While', condition, body, testLast: true, range }
  }

  private throwStatement(): Stmt {
    const { start } = this.token
    this.eat('throw')
    const value = this.expression()
    const range = this.rangeFrom(start)
    this.semicolon()
    if (value.kind !== 'Call' || value.fn.kind !== 'Name')
      this.unsupported('Thrown values that are no new errors', 'Write `throw new Error(message)`.', value.range)
    const fn: Expr = { ...value.fn, name: exceptions[value.fn.name] ?? value.fn.name }
    return { kind: 'Raise', value: { ...value, fn, args: value.args.slice(0, 1) }, range }
  }

  /** `function f(x: Tensor) {...}` inside a function: a local function. */
  private localFunction(): Stmt[] {
    const { start } = this.token
    this.eat('function')
    if (this.is('*')) this.unsupported('Generators', 'Return a list.')
    const spelled = this.name('the name of a function')
    const target: Expr = { kind: 'Name', name: this.declare(spelled, true, undefined, start), range: this.rangeFrom(start) }
    const saved = this.scope
    this.scope = new Scope(saved, true)
    try {
      const parameters = this.parameters({})
      const returns = declaredType(this.tryEat(':') ? this.returnType() : undefined)
      if (!this.is('{')) this.expected('the body of the function')
      const value = this.lambdaBody(start, parameters, returns)
      return [{ kind: 'Assign', targets: [target], value, range: value.range }]
    } finally {
      this.scope = saved
    }
  }

  /** Every case ends in `break`, `return` or `throw`, which makes a chain of ifs. */
  private switchStatement(): Stmt {
    const { start } = this.token
    this.eat('switch')
    const subject = this.parenthesizedCondition()
    const range = this.rangeFrom(start)
    if (subject.kind !== 'Name' && subject.kind !== 'Attribute')
      this.unsupported('switch statements over expressions', 'Give the value a name first: `const kind = ...`.', subject.range)
    this.eat('{')
    const cases: { tests: Expr[]; body: Stmt[]; isDefault: boolean }[] = []
    while (!this.is('}')) {
      const tests: Expr[] = []
      let isDefault = false
      const from = this.token.start
      do {
        if (this.tryEat('default')) isDefault = true
        else {
          this.eat('case')
          const value = this.expression()
          const op = value.kind === 'None' ? 'is' : '=='
          tests.push({ kind: 'Compare', ops: [op], operands: [subject, value], range: value.range })
        }
        this.eat(':')
      } while (this.is('case') || this.is('default'))
      cases.push({ tests, body: this.caseBody(from), isDefault })
    }
    this.eat('}')
    const last = cases.find((c) => c.isDefault)
    if (last !== undefined && last !== cases.at(-1)) this.unsupported('`default` before other cases', 'Write it last.', range)
    const chain = cases
      .filter((c) => !c.isDefault)
      .reduceRight<readonly Stmt[]>((otherwise, { tests, body }) => {
        const condition = tests.reduce((left, right): Expr => ({ kind: 'Logical', op: 'or', left, right, range: left.range }))
        return [{ kind: 'If', condition, then: body, otherwise, range: condition.range }]
      }, last?.body ?? [])
    return chain[0] ?? { kind: 'Pass', range }
  }
  private caseBody(from: number): Stmt[] {
    const saved = this.scope
    this.scope = new Scope(saved)
    try {
      const body: Stmt[] = []
      while (!this.is('case') && !this.is('default') && !this.is('}')) {
        if (this.is('break') && (this.peek().kind !== 'name' || this.peek().newline)) {
          this.at++
          this.tryEat(';')
          return body
        }
        if (this.isKind('end')) this.expected('"}"')
        body.push(...this.statement())
        const last = body.at(-1)?.kind
        if (last === 'Return' || last === 'Raise' || last === 'Continue') {
          if (this.is('break')) continue
          return body
        }
      }
      if (!this.is('}')) this.unsupported('Cases that fall through', 'End the case with `break`.', this.rangeFrom(from))
      return body
    } finally {
      this.scope = saved
    }
  }

  // Declarations and assignments

  private declare(spelled: string, isConst: boolean, annotation: Expr | undefined, start: number): string {
    if (this.scope.hasOwn(spelled)) throw compileError(`Expected a new name but '${spelled}' is declared already`, this.rangeFrom(start))
    return this.scope.declare(spelled, isConst, annotation).name
  }

  /** `const a: T = x, b = y` without the semicolon. */
  private declaration(): Stmt[] {
    const isConst = this.token.text === 'const'
    this.at++
    const out: Stmt[] = []
    do {
      const { start } = this.token
      if (this.is('{')) out.push(...this.takeApart(isConst, start))
      else if (this.is('[')) {
        const declare = this.pattern(isConst)
        this.eat('=')
        const value = tupleOf(this.expression(), true)
        out.push({ kind: 'Assign', targets: [declare()], value, range: this.rangeFrom(start) })
      } else out.push(this.declarator(isConst, start))
    } while (this.tryEat(','))
    return out
  }
  private declarator(isConst: boolean, start: number): Stmt {
    const spelled = this.name()
    const nameRange = this.rangeFrom(start)
    if (this.tryEat('!')) this.unsupported('Definite assignments', 'Give the variable a value.')
    let annotation = declaredType(this.tryEat(':') ? this.type() : undefined)
    // Which number it is, the value says.
    if (annotation?.kind === 'Name' && annotation.name === 'number') annotation = undefined
    if (!this.tryEat('=')) {
      const name = this.declare(spelled, isConst, sticky(annotation), start)
      const target: Expr = { kind: 'Name', name, range: nameRange }
      if (annotation === undefined) return { kind: 'Pass', range: nameRange }
      return { kind: 'Declare', target, annotation, range: this.rangeFrom(start) }
    }
    // The value cannot see the variable.
    const value = this.expression()
    const name = this.declare(spelled, isConst, sticky(annotation), start)
    return { kind: 'Assign', targets: [{ kind: 'Name', name, range: nameRange }], annotation, value, range: this.rangeFrom(start) }
  }

  /** `[a, , b, ...rest]`: its names are declared when the value behind it has been read. */
  private pattern(isConst: boolean): () => Expr {
    const { start } = this.token
    this.eat('[')
    const items: (() => Expr)[] = []
    while (!this.is(']')) {
      const from = this.token.start
      if (this.is(',')) {
        this.at++
        const range = this.range(from, from + 1)
        items.push(() => ({ kind: 'Name', name: this.scope.temporary(), range }))
        continue
      }
      if (this.is('[')) items.push(this.pattern(isConst))
      else {
        const isRest = this.tryEat('...')
        const spelled = this.name()
        const range = this.rangeFrom(from)
        if (this.is('=')) this.unsupported('Default values of patterns', 'Assign the value afterwards.')
        items.push(() => {
          const target: Expr = { kind: 'Name', name: this.declare(spelled, isConst, undefined, from), range }
          return isRest ? { kind: 'Starred', value: target, range } : target
        })
      }
      if (!this.tryEat(',')) break
    }
    this.eat(']')
    const range = this.rangeFrom(start)
    return () => ({ kind: 'Tuple', items: items.map((item) => item()), range })
  }
  /** `const { values, indices: at } = x.max(1)`: the value, then one attribute each. */
  private takeApart(isConst: boolean, start: number): Stmt[] {
    this.eat('{')
    const fields: { field: string; spelled: string; range: Expr['range'] }[] = []
    while (!this.is('}')) {
      const from = this.token.start
      if (this.is('...')) this.unsupported('Rest fields', 'Name the fields.')
      const field = this.name('a field')
      const spelled = this.tryEat(':') ? this.name() : field
      if (this.is('=')) this.unsupported('Default values of patterns', 'Assign the value afterwards.')
      fields.push({ field, spelled, range: this.rangeFrom(from) })
      if (!this.tryEat(',')) break
    }
    this.eat('}')
    this.eat('=')
    const value = this.expression()
    const range = this.rangeFrom(start)
    const whole: Expr = value.kind === 'Name' ? value : { kind: 'Name', name: this.scope.temporary(), range: value.range }
    const first: Stmt[] = value === whole ? [] : [{ kind: 'Assign', targets: [whole], value, range }]
    const rest = fields.map(({ field, spelled, range: at }): Stmt => ({
      kind: 'Assign',
      targets: [{ kind: 'Name', name: this.declare(spelled, isConst, undefined, at.start), range: at }],
      value: { kind: 'Attribute', value: whole, name: field, range: at },
      range: at,
    }))
    return [...first, ...rest]
  }

  private prefixStep(start: number): Stmt {
    const op = this.tokens[this.at++].text
    const target = this.ternary()
    this.checkTarget(target)
    return this.step(target, op, start)
  }
  private step(target: Expr, op: string, start: number): Stmt {
    const range = this.rangeFrom(start)
    return { kind: 'AugAssign', target, op: op === '++' ? '+' : '-', value: { kind: 'Int', value: 1n, range }, range }
  }

  /** An assignment or an expression, without the semicolon. */
  private simpleStatement(): Stmt[] {
    const { start } = this.token
    if (this.is('++') || this.is('--')) return [this.prefixStep(start)]
    const left = this.ternary()
    const { text } = this.token
    if (!this.isKind('op')) return [{ kind: 'Expr', value: left, range: left.range }]
    if (text === '=') {
      this.at++
      const target = this.target(left)
      if (this.hasSecondAssignment()) this.unsupported('Chained assignments', 'Write one assignment each.')
      const value = tupleOf(this.expression(), target.kind === 'Tuple')
      return [{ kind: 'Assign', targets: [target], annotation: this.declaredNumber(left), value, range: this.rangeFrom(start) }]
    }
    if ((text === '++' || text === '--') && !this.token.newline) {
      this.at++
      this.checkTarget(left)
      return [this.step(left, text, start)]
    }
    // `>>=` is three tokens.
    const shift = text === '>' && this.peek().text === '>' && this.peek(2).text === '='
    const op = shift ? '>>' : augmented[text]
    if (op !== undefined) {
      this.at += shift ? 3 : 1
      this.checkTarget(left)
      const value = this.expression()
      return [{ kind: 'AugAssign', target: left, op, value, range: this.rangeFrom(start) }]
    }
    if (text === '??=' || text === '&&=' || text === '||=') {
      this.at++
      this.checkTarget(left)
      const right = this.expression()
      const range = this.rangeFrom(start)
      const value: Expr =
        text === '??='
          ? { kind: 'Coalesce', left, right, range }
          : { kind: 'Logical', op: text === '&&=' ? 'and' : 'or', left, right, range }
      return [{ kind: 'Assign', targets: [left], value, range }]
    }
    if (text === '>>>=') this.unsupported('Unsigned shifts', 'Write `>>`.')
    return [{ kind: 'Expr', value: left, range: left.range }]
  }
  private hasSecondAssignment(): boolean {
    return this.isKind('name') && this.peek().kind === 'op' && this.peek().text === '='
  }
  /** The declared number type of a variable, which each assignment converts to. */
  private declaredNumber(left: Expr): Expr | undefined {
    if (left.kind !== 'Name') return undefined
    return this.scope.find(this.text.slice(left.range.start, left.range.end))?.annotation
  }
  private target(left: Expr): Expr {
    if (left.kind === 'List') return { kind: 'Tuple', items: left.items.map((item) => this.target(item)), range: left.range }
    if (left.kind === 'Starred') return { ...left, value: this.target(left.value) }
    this.checkTarget(left)
    return left
  }
  private checkTarget(target: Expr): void {
    if (target.kind === 'Attribute' || target.kind === 'Subscript') return
    if (target.kind !== 'Name') throw compileError('Expected a variable, a field or an item to assign to', target.range)
    const spelled = this.text.slice(target.range.start, target.range.end)
    const variable = this.scope.find(spelled)
    if (variable === undefined) {
      if (target.name.startsWith('.')) return
      throw compileError(`Expected a variable of the function but received '${spelled}'. Declare it with \`let\``, target.range)
    }
    if (variable.isConst) throw compileError(`Expected a variable but '${spelled}' is a constant. Declare it with \`let\``, target.range)
    this.scope.noteAssignment(spelled)
  }

  // Loops

  private forStatement(): Stmt[] {
    const { start } = this.token
    this.eat('for')
    if (this.is('await')) this.unsupported('Async loops', 'Write `for (const x of xs)`.')
    const saved = this.scope
    this.scope = new Scope(saved)
    try {
      this.eat('(')
      const of = this.tryForOf(start)
      if (of !== undefined) return [of]
      return this.countedLoop(start)
    } finally {
      this.scope = saved
    }
  }
  private tryForOf(start: number): Stmt | undefined {
    if (!this.is('const') && !this.is('let')) return undefined
    const isConst = this.is('const')
    const from = this.at + 1
    const after = this.tokens[from].text === '[' || this.tokens[from].text === '{' ? this.closing(from) + 1 : from + 1
    const word = this.tokens[after]
    if (word?.text === 'in') {
      this.at = after
      this.unsupported('for...in loops', 'Write `for (const key of map.keys())` or `for (const i of range(n))`.')
    }
    if (word?.text !== 'of') return undefined
    this.at++
    if (this.is('{')) this.unsupported('Objects that loops take apart', 'Take the value apart in the body.')
    const nameStart = this.token.start
    let declare: () => Expr
    if (this.is('[')) declare = this.pattern(isConst)
    else {
      const spelled = this.name()
      const range = this.rangeFrom(nameStart)
      declare = () => ({ kind: 'Name', name: this.declare(spelled, isConst, undefined, nameStart), range })
    }
    this.eat('of')
    const iter = this.expression()
    this.eat(')')
    const range = this.rangeFrom(start)
    const target = declare()
    return { kind: 'For', target, iter, body: this.loopBody(), range }
  }
  /** `for (init; test; update)`: over a range where it counts, else a while loop. */
  private countedLoop(start: number): Stmt[] {
    const init = this.is(';') ? [] : this.is('let') || this.is('const') ? this.declaration() : this.simpleStatement()
    this.eat(';')
    const condition: Expr = this.is(';') ? { kind: 'Bool', value: true, range: this.here() } : this.expression()
    this.eat(';')
    const update: Stmt[] = []
    while (!this.is(')')) {
      update.push(...this.simpleStatement())
      if (!this.tryEat(',')) break
    }
    this.eat(')')
    const range = this.rangeFrom(start)
    const body = this.loopBody()
    const counted = rangeLoop(init, condition, update, body, range, this.scope.assignedByLocal)
    return counted !== undefined ? [counted] : [...init, { kind: 'While', condition, body, update, range }]
  }
}

/** A list display that is taken apart at once is a tuple. */
const tupleOf = (value: Expr, isTakenApart: boolean): Expr =>
  isTakenApart && value.kind === 'List' && value.items.every((i) => i.kind !== 'Starred')
    ? { kind: 'Tuple', items: value.items, range: value.range }
    : value
