import { catalog } from './catalog.js'
import type { ConstantValue, SimpleKind, Type } from './types.js'
import { dictOf, listOf, optionalOf, simpleType, tupleOf, futureOf, IntType, unionOf } from './types.js'

/** Alias annotation of an argument or return: `(a)`, `(a!)` written, `(a -> *)` may become a wildcard. */
export interface AliasInfo {
  readonly before: readonly string[]
  readonly after: readonly string[]
  readonly isWrite: boolean
}

/** What an int argument stands for, where the schema says it. */
export type CodeKind = 'ScalarType' | 'Layout' | 'MemoryFormat' | 'QScheme'

export interface SchemaArgument {
  readonly name: string
  readonly type: Type
  /** The schema's word for an int that stands for something else. */
  readonly codeOf?: CodeKind
  /** N of `int[N]`: a list of fixed length that also accepts one number. */
  readonly listSize?: number
  readonly default?: ConstantValue
  readonly kwargOnly: boolean
  readonly alias?: AliasInfo
  /** Alias annotation of list elements, `Tensor(a)[]`. */
  readonly elementAlias?: AliasInfo
}

export interface SchemaReturn {
  readonly name?: string
  readonly type: Type
  readonly alias?: AliasInfo
  readonly elementAlias?: AliasInfo
}

export interface FunctionSchema {
  /** `aten::add` */
  readonly name: string
  /** `Tensor`, or '' */
  readonly overloadName: string
  /** `aten::add.Tensor`; without the dot when there is no overload name. */
  readonly fullName: string
  readonly arguments: readonly SchemaArgument[]
  readonly returns: readonly SchemaReturn[]
  readonly isVararg: boolean
  readonly isVarret: boolean
  readonly text: string
}

const intNames = new Set(['SymInt', 'ScalarType', 'Layout', 'MemoryFormat', 'QScheme', 'SymBool'])
const codeKinds = new Set(['ScalarType', 'Layout', 'MemoryFormat', 'QScheme'])
const simpleNames: Record<string, SimpleKind> = {
  Tensor: 'Tensor',
  int: 'int',
  float: 'float',
  bool: 'bool',
  complex: 'complex',
  str: 'str',
  Scalar: 'number',
  number: 'number',
  NoneType: 'NoneType',
  None: 'NoneType',
  Device: 'Device',
  Generator: 'Generator',
  Any: 'Any',
  Stream: 'Stream',
  Storage: 'Storage',
  AnyEnumType: 'AnyEnum',
  AnyClassType: 'AnyClass',
  Capsule: 'Capsule',
  Quantizer: 'Quantizer',
  list: 'AnyList',
  tuple: 'AnyTuple',
}

/** Gives meaning to types named `__torch__...` in schemas (packed quantized parameters); the script room's class table sets it. */
let customClass: (qualifiedName: string) => Type = () => simpleType('AnyClass')
export function setCustomClassResolver(resolve: (qualifiedName: string) => Type): void {
  customClass = resolve
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', f: '\f', v: '\v' }
/** The text of a string literal in a schema. */
const unescape = (literal: string): string => literal.replace(/\\(.)/g, (_, c: string) => escapes[c] ?? c)

class SchemaReader {
  private at = 0
  /** Of the type read last. */
  private codeOf: CodeKind | undefined
  constructor(private readonly text: string) {}

  private fail(what: string): never {
    throw new SyntaxError(`Expected ${what} at column ${this.at} of the schema ${JSON.stringify(this.text)}.`)
  }
  private space(): void {
    while (this.text[this.at] === ' ') this.at++
  }
  private tryEat(token: string): boolean {
    this.space()
    if (!this.text.startsWith(token, this.at)) return false
    this.at += token.length
    return true
  }
  private eat(token: string): void {
    if (!this.tryEat(token)) this.fail(`"${token}"`)
  }
  private word(pattern: RegExp): string | undefined {
    this.space()
    pattern.lastIndex = this.at
    const match = pattern.exec(this.text)
    if (match === null) return undefined
    this.at += match[0].length
    return match[0]
  }
  private separated<T>(close: string, read: () => T): T[] {
    const out: T[] = []
    if (this.tryEat(close)) return out
    do out.push(read())
    while (this.tryEat(','))
    this.eat(close)
    return out
  }

  private alias(): AliasInfo | undefined {
    if (this.text[this.at] !== '(') return undefined
    this.at++
    const set = (): string[] => {
      const out: string[] = []
      do {
        const name = this.word(/\w+|\*/y)
        if (name !== undefined) out.push(name)
      } while (this.tryEat('|'))
      return out
    }
    const before = set()
    const isWrite = this.tryEat('!')
    const after = this.tryEat('->') ? set() : before
    this.eat(')')
    return { before, after, isWrite }
  }

  private baseType(): Type {
    if (this.tryEat('(')) return tupleOf(this.separated(')', () => this.type().type))
    const name = this.word(/[A-Za-z_][\w.]*/y) ?? this.fail('a type')
    switch (name) {
      case 'Dict':
      case 'Future':
      case 'RRef':
      case 'Await':
      case 'Tuple': {
        this.eat('(')
        const args = this.separated(')', () => this.type().type)
        if (name === 'Dict') return dictOf(args[0], args[1])
        if (name === 'Future') return futureOf(args[0])
        return name === 'Tuple' ? tupleOf(args) : { kind: name, element: args[0] }
      }
      case 'Union':
        this.eat('[')
        return unionOf(this.separated(']', () => this.type().type))
      default:
        if (name.startsWith('__torch__.')) return customClass(name)
        if (codeKinds.has(name)) this.codeOf = name as CodeKind
        if (intNames.has(name)) return IntType
        return name in simpleNames ? simpleType(simpleNames[name]) : { kind: 'Var', name }
    }
  }

  private type(): { type: Type; alias?: AliasInfo; elementAlias?: AliasInfo; listSize?: number } {
    this.space()
    let type = this.baseType()
    let alias = this.alias()
    let elementAlias: AliasInfo | undefined
    let listSize: number | undefined
    for (;;) {
      if (this.text[this.at] === '[') {
        this.at++
        const size = this.word(/\d+/y)
        this.eat(']')
        listSize = size === undefined ? undefined : Number(size)
        type = listOf(type)
        elementAlias = alias
        alias = this.alias()
      } else if (this.text[this.at] === '?') {
        this.at++
        type = optionalOf(type)
        alias ??= this.alias()
      } else return { type, alias, elementAlias, listSize }
    }
  }

  private defaultValue(type: Type, listSize: number | undefined): ConstantValue {
    const base = type.kind === 'Optional' ? type.element : type
    if (this.tryEat('[')) {
      const element = base.kind === 'List' ? base.element : IntType
      return { kind: 'list', items: this.separated(']', () => this.defaultValue(element, undefined)), type: listOf(element) }
    }
    const quoted = this.word(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/y)
    if (quoted !== undefined) return { kind: 'string', value: unescape(quoted.slice(1, -1)) }
    const number = this.word(/-?(?:\d+\.?\d*(?:e[+-]?\d+)?|\.\d+|inf|nan)/y)
    if (number !== undefined) {
      const element = base.kind === 'List' ? base.element : base
      const isFloat = /[.einf]/.test(number) || (element.kind === 'Simple' && element.name === 'float')
      const parsed = number.endsWith('inf') ? (number[0] === '-' ? -Infinity : Infinity) : Number(number)
      const value: ConstantValue = isFloat ? { kind: 'float', value: parsed } : { kind: 'int', value: BigInt(number) }
      return base.kind === 'List' ? { kind: 'list', items: Array<ConstantValue>(listSize ?? 1).fill(value), type: base } : value
    }
    const word = this.word(/\w+/y)
    if (word === 'None') return { kind: 'none' }
    if (word === 'True' || word === 'False') return { kind: 'bool', value: word === 'True' }
    return this.fail('a default value')
  }

  read(): FunctionSchema {
    const full = this.word(/\w+::[\w.]+/y) ?? this.fail('an operator name')
    const dot = full.indexOf('.')
    const args: SchemaArgument[] = []
    let isVararg = false
    let kwargOnly = false
    this.eat('(')
    this.separated(')', () => {
      if (this.tryEat('...')) isVararg = true
      else if (this.tryEat('*')) kwargOnly = true
      else {
        this.codeOf = undefined
        const { type, alias, elementAlias, listSize } = this.type()
        const { codeOf } = this
        const name = this.word(/\w+/y) ?? ''
        const value = this.tryEat('=') ? this.defaultValue(type, listSize) : undefined
        args.push({ name, type, codeOf, kwargOnly, listSize, default: value, alias, elementAlias })
      }
    })
    this.eat('->')
    let isVarret = false
    const returns: SchemaReturn[] = []
    const readReturn = (): void => {
      if (this.tryEat('...')) isVarret = true
      else {
        const { type, alias, elementAlias } = this.type()
        returns.push({ type, alias, elementAlias, name: this.word(/\w+/y) })
      }
    }
    if (this.tryEat('(')) this.separated(')', readReturn)
    else readReturn()
    const name = dot < 0 ? full : full.slice(0, dot)
    const overloadName = dot < 0 ? '' : full.slice(dot + 1)
    return { name, overloadName, fullName: full, arguments: args, returns, isVararg, isVarret, text: this.text }
  }
}

/** Reads the text of a schema as PyTorch prints it. Throws SyntaxError on text that is not a schema. */
export const parseSchema = (text: string): FunctionSchema => new SchemaReader(text).read()

let index: Map<string, string[]> | undefined
const parsed = new Map<string, readonly FunctionSchema[]>()
function catalogIndex(): Map<string, string[]> {
  if (index === undefined) {
    index = new Map()
    for (const line of catalog.split('\n')) {
      if (line === '') continue
      const name = line.slice(0, line.indexOf('(')).split('.')[0]
      const rows = index.get(name)
      if (rows === undefined) index.set(name, [line])
      else rows.push(line)
    }
  }
  return index
}

/** All overloads of an operator such as `aten::add` in registration order; empty when the name is unknown. */
export function schemasOf(name: string): readonly FunctionSchema[] {
  let schemas = parsed.get(name)
  if (schemas === undefined) parsed.set(name, (schemas = (catalogIndex().get(name) ?? []).map(parseSchema)))
  return schemas
}

/** Adds an operator that PyTorch does not register (internal helpers, fused operators). */
export function registerSchema(text: string): FunctionSchema {
  const schema = parseSchema(text)
  parsed.set(schema.name, [...schemasOf(schema.name), schema])
  return schema
}

/** The schema of a full name such as `aten::add.Tensor`. */
export function schemaByFullName(fullName: string): FunctionSchema | undefined {
  return schemasOf(fullName.split('.')[0]).find((s) => s.fullName === fullName)
}

/** Every operator name of the catalog. */
export const operatorNames = (): Iterable<string> => catalogIndex().keys()

/** Whether a schema writes to any of its arguments. */
export const isMutating = (schema: FunctionSchema): boolean => schema.arguments.some((a) => a.alias?.isWrite || a.elementAlias?.isWrite)
/** Whether a result may alias an argument that is not written: a view. */
export const isView = (schema: FunctionSchema): boolean =>
  schema.returns.some((r) => (r.alias ?? r.elementAlias) !== undefined) && !isMutating(schema)
