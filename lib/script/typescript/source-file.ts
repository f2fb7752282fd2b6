import type { Expr, FunctionDef } from '../ast.js'
import { compileError } from '../source.js'
import { lookupTable } from '../tables.js'
import { ClassReader, type ClassSource } from './class-reader.js'
import type { TypeTable } from './expression-parser.js'
import { type Token, tokenize } from './lexer.js'
import { Parser } from './parser.js'

export type DeclarationKind = 'function' | 'arrow' | 'class' | 'const' | 'alias' | 'interface' | 'enum'

/** Something a file declares, found by its tokens; it is parsed when it is needed, because most of a file is no TorchScript. */
export interface Declaration {
  readonly kind: DeclarationKind
  readonly name: string
  /** The token where parsing starts: the parameters of functions, the name of classes, the value of constants. */
  readonly index: number
  /** Where the declaration starts in the text. */
  readonly start: number
}
export interface Import {
  /** The name in the other file; `*` for all of it, `default`. */
  readonly name: string
  readonly from: string
}

/** A TypeScript or JavaScript file. */
export class SourceFile {
  private readonly tokens: readonly Token[]
  private readonly declarations = new Map<string, Declaration[]>()
  readonly imports: Map<string, Import>

  constructor(
    readonly text: string,
    readonly file: string,
  ) {
    this.tokens = tokenize(text)
    this.imports = lookupImports(this.tokens)
    this.tokens.forEach((_, i) => this.scan(i))
  }

  private scan(i: number): void {
    const { tokens } = this
    const { kind, text, start } = tokens[i]
    if (kind !== 'name') return
    const before = tokens[i - 1]
    if (before?.kind === 'op' && (before.text === '.' || before.text === '?.')) return
    const next = tokens[i + 1]
    const add = (as: DeclarationKind, name: Token, index: number): void => {
      if (name?.kind !== 'name') return
      const list = this.declarations.get(name.text)
      const found = { kind: as, name: name.text, index, start }
      if (list === undefined) this.declarations.set(name.text, [found])
      else list.push(found)
    }
    switch (text) {
      case 'function':
        return next?.text === '*' ? add('function', tokens[i + 2], i + 3) : add('function', next, i + 2)
      case 'class':
        return add('class', next, i + 1)
      case 'interface':
        return add('interface', next, i + 1)
      case 'enum':
        return add('enum', next, i + 1)
      case 'type':
        if (next?.kind === 'name' && tokens[i + 2]?.text === '=') add('alias', next, i + 3)
        return
      case 'const':
      case 'let':
      case 'var':
        this.scanConstant(next, i + 2, add)
    }
  }
  /** `const name = value` and `const name: type = value`. */
  private scanConstant(name: Token | undefined, at: number, add: (as: DeclarationKind, name: Token, index: number) => void): void {
    const { tokens } = this
    if (name?.kind !== 'name') return
    let i = at
    if (tokens[i]?.text === ':') {
      // The type ends at the equals sign outside of its brackets.
      let depth = 0
      for (; i < tokens.length; i++) {
        const { text, kind } = tokens[i]
        if (kind !== 'op') continue
        if ('([{<'.includes(text)) depth++
        else if (')]}>'.includes(text)) depth--
        else if (text === '=' && depth <= 0) break
        else if (text === ';') return
      }
    }
    if (tokens[i]?.text !== '=') return
    i++
    while (tokens[i]?.text === '__name' && tokens[i + 1]?.text === '(') i += 2
    const { text, kind } = tokens[i] ?? { text: '', kind: 'end' }
    if (text === 'function') {
      const open = tokens[i + 1]?.kind === 'name' ? i + 2 : i + 1
      return add('function', name, open)
    }
    if (text === 'class') return add('class', name, tokens[i + 1]?.kind === 'name' && tokens[i + 1].text !== 'extends' ? i + 1 : i)
    const closing = text === '(' && kind === 'op' ? closingOf(tokens, i) : -1
    const after = closing < 0 ? tokens[i + 1]?.text : tokens[closing + 1]?.text
    const isArrow = after === '=>' || (closing >= 0 && after === ':' && hasArrow(tokens, closing + 2))
    add(isArrow ? 'arrow' : 'const', name, i)
  }

  /** A declaration by name: where there are several, the last before `near`. */
  find(name: string, near?: number): Declaration | undefined {
    const list = this.declarations.get(name)
    if (list === undefined) return undefined
    return (near === undefined ? undefined : list.findLast((d) => d.start <= near)) ?? list[0]
  }

  parser(index: number): Parser {
    return new Parser(this.tokens, this.text, this.file).seek(index)
  }
  functionOf(declaration: Declaration, types?: TypeTable): FunctionDef {
    this.refuse(declaration.index)
    return this.parser(declaration.index).functionAt(declaration.name, { types, isArrow: declaration.kind === 'arrow' })
  }
  /** The function whose text starts at an offset, such as one written in place as an argument. */
  functionAt(offset: number, name: string, types?: TypeTable): FunctionDef | undefined {
    let index = this.tokens.findIndex((t) => t.start >= offset)
    if (index < 0) return undefined
    if (this.tokens[index].text === 'async') index++
    if (this.tokens[index].text === 'function') {
      index++
      if (this.tokens[index].kind === 'name') index++
      return this.parser(index).functionAt(name, { types })
    }
    return this.parser(index).functionAt(name, { types, isArrow: true })
  }
  classOf(declaration: Declaration): ClassSource {
    return new ClassReader(this.tokens, this.text, this.file).seek(declaration.index).read(declaration.name)
  }
  /** Functions that TorchScript has nothing for: async ones and generators. */
  private refuse(index: number): void {
    let at = index
    while (at > 0 && this.tokens[at].text !== 'function' && this.tokens[at].text !== '=' && index - at < 4) at--
    const range = { file: this.file, text: this.text, start: this.tokens[at].start, end: this.tokens[index].end }
    if (this.tokens[at + 1].text === '*') throw compileError("Generators aren't supported. Return a list", range)
    if (this.tokens[at - 1]?.text === 'async' || this.tokens[index].text === 'async')
      throw compileError("Async functions aren't supported. Write `jit.fork(fn, ...args)` and `jit.wait(future)`", range)
  }
  interfaceOf(declaration: Declaration): ClassSource {
    return new ClassReader(this.tokens, this.text, this.file).seek(declaration.index).read(declaration.name, true)
  }
  /** The members of an enumeration with their values, which are those of the running program. */
  enumOf(declaration: Declaration): Map<string, number | string> {
    const members = new Map<string, number | string>()
    let next = 0
    for (let i = declaration.index + 2; i < this.tokens.length && this.tokens[i].text !== '}'; i++) {
      const { kind, text } = this.tokens[i]
      if (kind !== 'name' && kind !== 'string') continue
      let value: number | string = next
      if (this.tokens[i + 1]?.text === '=') {
        i += 2
        const isNegative = this.tokens[i].text === '-'
        if (isNegative) i++
        const token = this.tokens[i]
        value = token.kind === 'string' ? token.text : Number(token.text) * (isNegative ? -1 : 1)
      }
      members.set(text, value)
      if (typeof value === 'number') next = value + 1
    }
    return members
  }
  valueOf(declaration: Declaration): Expr {
    return this.parser(declaration.index).expressionAt()
  }
  typeOf(declaration: Declaration): Expr {
    return this.parser(declaration.index).typeAt()
  }
}

function closingOf(tokens: readonly Token[], open: number): number {
  let depth = 0
  for (let i = open; i < tokens.length; i++) {
    if (tokens[i].kind !== 'op') continue
    if ('([{'.includes(tokens[i].text)) depth++
    else if (')]}'.includes(tokens[i].text) && --depth === 0) return i
  }
  return -1
}
/** Whether an arrow follows a return type. */
function hasArrow(tokens: readonly Token[], from: number): boolean {
  for (let i = from; i < tokens.length && i < from + 80; i++) {
    if (tokens[i].text === '=>') return true
    if (tokens[i].kind === 'op' && (tokens[i].text === ';' || tokens[i].text === '=')) return false
  }
  return false
}

const importWords = lookupTable<boolean>({ type: true, typeof: true })
function lookupImports(tokens: readonly Token[]): Map<string, Import> {
  const found = new Map<string, Import>()
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i].kind !== 'name' || tokens[i].text !== 'import' || tokens[i + 1]?.text === '(') continue
    let end = i + 1
    while (end < tokens.length && tokens[end].kind !== 'string' && tokens[end].text !== ';') end++
    if (tokens[end]?.kind !== 'string') continue
    const from = tokens[end].text
    let at = i + 1
    if (importWords[tokens[at].text] && tokens[at + 1].text !== 'from' && tokens[at + 1].text !== ',') at++
    while (at < end) {
      const { text, kind } = tokens[at]
      if (text === '*' && tokens[at + 1]?.text === 'as') {
        found.set(tokens[at + 2].text, { name: '*', from })
        at += 3
      } else if (text === '{') {
        for (at++; at < end && tokens[at].text !== '}'; at++) {
          if (tokens[at].text === ',') continue
          if (importWords[tokens[at].text] && tokens[at + 1].kind === 'name' && tokens[at + 1].text !== 'as') at++
          const name = tokens[at].text
          if (tokens[at + 1]?.text === 'as') at += 2
          found.set(tokens[at].text, { name, from })
        }
        at++
      } else {
        if (kind === 'name' && text !== 'from') found.set(text, { name: 'default', from })
        at++
      }
    }
    i = end
  }
  return found
}
