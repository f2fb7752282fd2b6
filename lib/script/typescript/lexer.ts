/**
 * Tokens of TypeScript. The lexer never fails: it runs over whole files of which only some functions are TorchScript, so what it does not
 * know becomes an `unknown` token that the parser refuses where it meets it. The one hard ambiguity of JavaScript, whether `/` divides or
 * starts a regular expression, is decided by the token before it. `>` is always a token of its own, because types nest (`Map<string, Array<int>>`);
 * the parser joins neighbours to `>=` and `>>`.
 */
export type TokenKind = 'name' | 'number' | 'bigint' | 'string' | 'template' | 'regex' | 'op' | 'unknown' | 'end'

export interface Token {
  readonly kind: TokenKind
  /** Text of names, numbers and operators; decoded value of strings. */
  readonly text: string
  readonly start: number
  readonly end: number
  /** A line ends between the token before and this one. */
  readonly newline: boolean
  /** Of a template: its texts and the tokens of its expressions, in turn. */
  readonly parts?: readonly (string | readonly Token[])[]
}

const operators = (
  '... **= ??= ||= &&= <<= === !== << <= == != => ++ -- += -= *= /= %= &= |= ^= ** ?? ?. || && ' +
  '+ - * / % & | ^ ~ < > ( ) [ ] { } , : . ; = ! ? @ #'
).split(' ')
const namePattern = /[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/uy
const numberPattern = /(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)n?/y
/** Words after which a `/` starts a regular expression, like after an operator. */
const operatorWords = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'instanceof',
  'new',
  'delete',
  'void',
  'throw',
  'else',
  'do',
  'await',
])

export function tokenize(text: string): Token[] {
  return new Lexer(text).run()
}

class Lexer {
  private at = 0
  private newline = false
  private tokens: Token[] = []
  constructor(private readonly text: string) {}

  run(): Token[] {
    if (this.text.startsWith('#!')) this.at = this.lineEnd()
    this.until(() => false)
    this.push('end', '', this.text.length)
    return this.tokens
  }

  private lineEnd(): number {
    const end = this.text.indexOf('\n', this.at)
    return end < 0 ? this.text.length : end
  }
  private push(kind: TokenKind, value: string, start: number, parts?: Token['parts']): void {
    this.tokens.push({ kind, text: value, start, end: this.at, newline: this.newline, ...(parts && { parts }) })
    this.newline = false
  }
  private matchAt(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    return pattern.exec(this.text)?.[0]
  }

  /** Reads tokens up to the end of the text, or to where `stop` says at the start of a token. */
  private until(stop: (c: string) => boolean): void {
    const { text } = this
    while (this.at < text.length) {
      const c = text[this.at]
      if (c === '\n') {
        this.newline = true
        this.at++
      } else if (/\s|\ufeff/.test(c)) this.at++
      else if (text.startsWith('//', this.at)) this.at = this.lineEnd()
      else if (text.startsWith('/*', this.at)) this.blockComment()
      else if (stop(c)) return
      else this.one(c)
    }
  }
  private blockComment(): void {
    const close = this.text.indexOf('*/', this.at + 2)
    const end = close < 0 ? this.text.length : close + 2
    if (this.text.slice(this.at, end).includes('\n')) this.newline = true
    this.at = end
  }

  private one(c: string): void {
    const start = this.at
    if (c === '"' || c === "'") return this.string(c)
    if (c === '`') return this.template()
    const name = this.matchAt(namePattern)
    if (name !== undefined) {
      this.at += name.length
      return this.push('name', name, start)
    }
    if (/\d/.test(c) || (c === '.' && /\d/.test(this.text[this.at + 1] ?? ''))) {
      const number = this.matchAt(numberPattern)!
      this.at += number.length
      const digits = number.replaceAll('_', '')
      return digits.endsWith('n') ? this.push('bigint', digits.slice(0, -1), start) : this.push('number', digits, start)
    }
    if (c === '/' && this.startsRegex()) {
      const regex = this.matchAt(/\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y)
      if (regex !== undefined) {
        this.at += regex.length
        return this.push('regex', regex, start)
      }
    }
    const op = c === '>' ? '>' : operators.find((o) => this.text.startsWith(o, this.at))
    this.at += op?.length ?? (this.text.codePointAt(this.at)! > 0xffff ? 2 : 1)
    // `x?.5:1` is a question mark and a number.
    if (op === '?.' && /\d/.test(this.text[this.at] ?? '')) {
      this.at--
      return this.push('op', '?', start)
    }
    this.push(op === undefined ? 'unknown' : 'op', op ?? this.text.slice(start, this.at), start)
  }
  private startsRegex(): boolean {
    const last = this.tokens.at(-1)
    if (last === undefined) return true
    if (last.kind === 'name') return operatorWords.has(last.text)
    return last.kind === 'op' && !')]}'.includes(last.text) && last.text !== '++' && last.text !== '--'
  }

  private string(quote: string): void {
    const start = this.at++
    let out = ''
    while (this.at < this.text.length && this.text[this.at] !== quote && this.text[this.at] !== '\n')
      out += this.text[this.at] === '\\' ? this.escape() : this.text[this.at++]
    const closed = this.text[this.at] === quote
    if (closed) this.at++
    this.push(closed ? 'string' : 'unknown', out, start)
  }
  private template(): void {
    const start = this.at++
    const { newline } = this
    const parts: (string | readonly Token[])[] = []
    let out = ''
    while (this.at < this.text.length && this.text[this.at] !== '`') {
      if (this.text.startsWith('${', this.at)) {
        this.at += 2
        parts.push(out)
        out = ''
        parts.push(this.inside())
      } else out += this.text[this.at] === '\\' ? this.escape() : this.text[this.at++]
    }
    parts.push(out)
    const closed = this.at < this.text.length
    if (closed) this.at++
    this.newline = newline
    this.push(closed ? 'template' : 'unknown', '', start, parts)
  }
  /** The tokens of one `${...}`, its closing brace consumed. */
  private inside(): readonly Token[] {
    const saved = this.tokens
    this.tokens = []
    let depth = 0
    this.until((c) => {
      if (c === '{') depth++
      return c === '}' && depth-- === 0
    })
    const found = this.tokens
    const end = this.at
    found.push({ kind: 'end', text: '', start: end, end, newline: false })
    this.tokens = saved
    if (this.at < this.text.length) this.at++
    return found
  }

  private escape(): string {
    const { text } = this
    const c = text[this.at + 1] ?? ''
    const code = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|u\{([\da-fA-F]{1,6})\})/y
    code.lastIndex = this.at
    const match = code.exec(text)
    if (match !== null) {
      this.at += match[0].length
      const value = parseInt(match[1] ?? match[2] ?? match[3], 16)
      return value <= 0x10ffff ? String.fromCodePoint(value) : '\ufffd'
    }
    this.at += 2
    if (c === '\r' && text[this.at] === '\n') this.at++
    const named: Record<string, string> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', v: '\v', '0': '\0', '\n': '', '\r': '' }
    return Object.hasOwn(named, c) ? named[c] : c
  }
}
