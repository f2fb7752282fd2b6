import type { SourceRange } from '../../ir/graph.js'
import { compileError } from '../source.js'
import type { Token } from './lexer.js'

const maxDepth = 300

/** A position in the tokens of a file, and errors that point there. */
export class TokenReader {
  protected at = 0
  private depth = 0

  constructor(
    protected tokens: readonly Token[],
    readonly text: string,
    readonly file: string,
  ) {}

  protected get token(): Token {
    return this.tokens[Math.min(this.at, this.tokens.length - 1)]
  }
  protected peek(n = 1): Token {
    return this.tokens[Math.min(this.at + n, this.tokens.length - 1)]
  }
  protected range(start: number, end: number): SourceRange {
    return { file: this.file, text: this.text, start, end }
  }
  protected rangeFrom(start: number): SourceRange {
    return this.range(start, Math.max(start, this.tokens[Math.max(0, this.at - 1)].end))
  }
  protected here(): SourceRange {
    return this.range(this.token.start, Math.max(this.token.end, this.token.start + 1))
  }
  /** An error about the token at hand. */
  protected expected(what: string): never {
    const { kind, text } = this.token
    const found = kind === 'end' ? 'the end of the source' : kind === 'string' || kind === 'template' ? `a ${kind}` : JSON.stringify(text)
    throw compileError(`Expected ${what} but received ${found}`, this.here())
  }
  /** An error about syntax that TorchScript has nothing for, with what to write instead. */
  protected unsupported(what: string, instead: string, range = this.here()): never {
    throw compileError(`${what} aren't supported. ${instead.replace(/\.$/, '')}`, range)
  }

  protected is(text: string): boolean {
    const { token } = this
    return token.text === text && (token.kind === 'op' || token.kind === 'name')
  }
  protected tryEat(text: string): boolean {
    if (!this.is(text)) return false
    this.at++
    return true
  }
  protected eat(text: string): void {
    if (!this.tryEat(text)) this.expected(`"${text}"`)
  }
  protected name(what = 'a name'): string {
    if (this.token.kind !== 'name') this.expected(what)
    return this.tokens[this.at++].text
  }
  protected isKind(kind: Token['kind']): boolean {
    return this.token.kind === kind
  }
  /** Guards the parser's own stack against hostile nesting. */
  protected nested<T>(parse: () => T): T {
    if (++this.depth > maxDepth) throw compileError(`Expected less than ${maxDepth} levels of nesting`, this.here())
    try {
      return parse()
    } finally {
      this.depth--
    }
  }
  /** Parses, or gives undefined and stays where it was. */
  protected attempt<T>(parse: () => T): T | undefined {
    const { at, depth } = this
    try {
      return parse()
    } catch {
      this.at = at
      this.depth = depth
      return undefined
    }
  }
  /** The index of the bracket that closes the one at `open`. */
  protected closing(open: number): number {
    let depth = 0
    for (let i = open; i < this.tokens.length; i++) {
      const { kind, text } = this.tokens[i]
      if (kind !== 'op') continue
      if (text === '(' || text === '[' || text === '{') depth++
      else if ((text === ')' || text === ']' || text === '}') && --depth === 0) return i
    }
    return this.tokens.length - 1
  }
}
