import type { SourceRange } from '../../ir/graph.js'
import { compileError } from '../source.js'

export type TokenKind = 'name' | 'int' | 'float' | 'imaginary' | 'string' | 'format' | 'op' | 'newline' | 'indent' | 'dedent' | 'end'
export interface Token {
  readonly kind: TokenKind
  /** Text of names and operators; decoded value of strings. */
  readonly text: string
  readonly start: number
  readonly end: number
}

const operators = [
  '**=',
  '//=',
  '<<=',
  '>>=',
  '...',
  '->',
  '**',
  '//',
  '<<',
  '>>',
  '<=',
  '>=',
  '==',
  '!=',
  '+=',
  '-=',
  '*=',
  '/=',
  '%=',
  '&=',
  '|=',
  '^=',
  '@=',
  ':=',
  '+',
  '-',
  '*',
  '/',
  '%',
  '@',
  '&',
  '|',
  '^',
  '~',
  '<',
  '>',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  ',',
  ':',
  '.',
  ';',
  '=',
  '!',
]
const namePattern = /[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*/y
const numberPattern = /(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)j?/y
const stringStart = /([rRuUbBfF]{0,2})("""|'''|"|')/y

/**
 * Splits Python source into tokens. Indentation becomes `indent` and `dedent` tokens; inside brackets line ends and indentation
 * mean nothing. Comments vanish.
 */
export function tokenize(text: string, file: string): Token[] {
  const tokens: Token[] = []
  const indents = [0]
  let at = 0
  let depth = 0
  let lineStart = true
  const rangeOf = (start: number, end: number): SourceRange => ({ file, text, start, end })
  const push = (kind: TokenKind, value: string, start: number, end: number): void => void tokens.push({ kind, text: value, start, end })
  const matchAt = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    return pattern.exec(text)
  }

  while (at < text.length) {
    if (lineStart && depth === 0) {
      let width = 0
      let cursor = at
      for (; text[cursor] === ' ' || text[cursor] === '\t'; cursor++) width = text[cursor] === '\t' ? width - (width % 8) + 8 : width + 1
      if (text[cursor] === '\n' || text[cursor] === '#' || text[cursor] === '\r' || cursor >= text.length) {
        while (cursor < text.length && text[cursor] !== '\n') cursor++
        at = cursor + 1
        continue
      }
      if (width > indents[indents.length - 1]) {
        indents.push(width)
        push('indent', '', at, cursor)
      }
      while (width < indents[indents.length - 1]) {
        indents.pop()
        push('dedent', '', cursor, cursor)
      }
      if (width !== indents[indents.length - 1])
        throw compileError('Expected an indentation that matches an outer block', rangeOf(at, cursor + 1))
      at = cursor
      lineStart = false
    }
    const c = text[at]
    if (c === ' ' || c === '\t' || c === '\r' || c === '\f') at++
    else if (c === '#') while (at < text.length && text[at] !== '\n') at++
    else if (c === '\\' && /\r?\n/y.test(text.slice(at + 1, at + 3))) at = text.indexOf('\n', at) + 1
    else if (c === '\n') {
      if (depth === 0) {
        push('newline', '', at, at + 1)
        lineStart = true
      }
      at++
    } else {
      const quote = matchAt(stringStart)
      if (quote !== null) {
        readString(quote[1].toLowerCase(), quote[2], quote[0].length)
        continue
      }
      const name = matchAt(namePattern)
      if (name !== null) {
        push('name', name[0], at, at + name[0].length)
        at += name[0].length
        continue
      }
      const number = /[\d.]/.test(c) && !(c === '.' && !/\d/.test(text[at + 1] ?? '')) ? matchAt(numberPattern) : null
      if (number !== null) {
        const raw = number[0].replaceAll('_', '')
        const kind = raw.endsWith('j') ? 'imaginary' : /^0[xXbBoO]/.test(raw) ? 'int' : /[.eE]/.test(raw) ? 'float' : 'int'
        push(kind, kind === 'imaginary' ? raw.slice(0, -1) : raw, at, at + number[0].length)
        at += number[0].length
        continue
      }
      const op = operators.find((o) => text.startsWith(o, at))
      if (op === undefined) throw compileError(`Expected a token of TorchScript but received ${JSON.stringify(c)}`, rangeOf(at, at + 1))
      if ('([{'.includes(op)) depth++
      else if (')]}'.includes(op)) depth = Math.max(0, depth - 1)
      push('op', op, at, at + op.length)
      at += op.length
    }
  }
  if (tokens.length > 0 && tokens[tokens.length - 1].kind !== 'newline') push('newline', '', at, at)
  while (indents.length > 1) {
    indents.pop()
    push('dedent', '', text.length, text.length)
  }
  push('end', '', text.length, text.length)
  return tokens

  function readString(prefix: string, quote: string, skip: number): void {
    const start = at
    at += skip
    let out = ''
    for (;;) {
      if (at >= text.length || (quote.length === 1 && text[at] === '\n'))
        throw compileError('Expected the end of a string', rangeOf(start, at))
      if (text.startsWith(quote, at)) break
      if (text[at] === '\\' && !prefix.includes('r')) out += readEscape()
      else if (text[at] === '\\') {
        out += text.slice(at, at + 2)
        at += 2
      } else out += text[at++]
    }
    at += quote.length
    push(prefix.includes('f') ? 'format' : 'string', out, start, at)
  }

  function readEscape(): string {
    const named: Record<string, string> = {
      n: '\n',
      t: '\t',
      r: '\r',
      a: '\x07',
      b: '\b',
      f: '\f',
      v: '\v',
      '\\': '\\',
      "'": "'",
      '"': '"',
      '\n': '',
    }
    const c = text[at + 1]
    const octal = /[0-7]{1,3}/y
    octal.lastIndex = at + 1
    const digits = octal.exec(text)
    if (digits !== null) {
      at += 1 + digits[0].length
      return String.fromCharCode(parseInt(digits[0], 8) & 255)
    }
    const hex = c === 'x' ? 2 : c === 'u' ? 4 : c === 'U' ? 8 : 0
    if (hex > 0 && /^[\da-fA-F]+$/.test(text.slice(at + 2, at + 2 + hex))) {
      const code = parseInt(text.slice(at + 2, at + 2 + hex), 16)
      at += 2 + hex
      return code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd'
    }
    at += 2
    return c in named ? named[c] : `\\${c ?? ''}`
  }
}
