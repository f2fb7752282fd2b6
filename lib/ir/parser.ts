import { CompileError } from '../util/errors.js'
import type { Block, NodeAttribute, Value } from './graph.js'
import { Graph } from './graph.js'
import { PrintedTensor } from './printer.js'
import { schemasOf } from './schema.js'
import type { ConstantValue, SimpleKind, Type } from './types.js'
import {
  BoolType,
  ClassType,
  ComplexType,
  DeviceType,
  EnumType,
  FloatType,
  IntType,
  StringType,
  TensorType,
  dictOf,
  isSubtype,
  listOf,
  optionalOf,
  simpleType,
  tupleOf,
  unionOf,
} from './types.js'

/** What the text of a graph refers to but does not contain. */
export interface ParseEnvironment {
  /** Gives the class of a qualified name; by default an empty class of that name. */
  readonly classType?: (qualifiedName: string) => Type
}

const simpleKinds = new Set<string>([
  'Tensor',
  'int',
  'float',
  'bool',
  'complex',
  'str',
  'NoneType',
  'Device',
  'Generator',
  'Any',
  'Stream',
  'AnyClass',
  'AnyEnum',
  'Storage',
  'Quantizer',
  'Capsule',
])

/** Reads PyTorch's textual IR; recursive descent over the characters, since the grammar is decided by one character ahead. */
class Parser {
  private at = 0
  private values = new Map<string, Value>()
  private readonly classes = new Map<string, Type>()
  private readonly pendingSubgraphs: { name: string; kind: string; set: (graph: Graph) => void }[] = []

  constructor(
    private readonly text: string,
    private readonly environment: ParseEnvironment,
  ) {}

  private fail(expected: string): never {
    const before = this.text.slice(0, this.at)
    const line = before.split('\n').length
    const start = before.lastIndexOf('\n') + 1
    const end = this.text.indexOf('\n', start)
    const source = this.text.slice(start, end < 0 ? undefined : end)
    throw new CompileError(`Expected ${expected} at line ${line} of the graph.\n${source}\n${' '.repeat(this.at - start)}^ HERE`)
  }
  private space(): void {
    for (;;) {
      const c = this.text[this.at]
      if (c === ' ' || c === '\n' || c === '\t' || c === '\r') this.at++
      else if (c === '#') while (this.at < this.text.length && this.text[this.at] !== '\n') this.at++
      else return
    }
  }
  private peek(token: string): boolean {
    this.space()
    return this.text.startsWith(token, this.at)
  }
  private tryEat(token: string): boolean {
    if (!this.peek(token)) return false
    this.at += token.length
    return true
  }
  private eat(token: string): void {
    if (!this.tryEat(token)) this.fail(`"${token}"`)
  }
  private match(pattern: RegExp, what: string): string {
    return this.tryMatch(pattern) ?? this.fail(what)
  }
  private tryMatch(pattern: RegExp): string | undefined {
    this.space()
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)
    if (found === null) return undefined
    this.at += found[0].length
    return found[0]
  }
  private separated<T>(close: string, read: () => T): T[] {
    const out: T[] = []
    while (!this.tryEat(close)) {
      out.push(read())
      if (!this.tryEat(',')) {
        this.eat(close)
        break
      }
    }
    return out
  }

  private classNamed(name: string): Type {
    let type = this.classes.get(name)
    if (type === undefined) this.classes.set(name, (type = this.environment.classType?.(name) ?? new ClassType(name, 'class')))
    return type
  }

  private baseType(): Type {
    if (this.tryEat('(')) return tupleOf(this.separated(')', () => this.type()))
    const name = this.match(/[A-Za-z_][\w.]*/y, 'a type')
    switch (name) {
      case 'Dict': {
        this.eat('(')
        const [key, value] = this.separated(')', () => this.type())
        return dictOf(key, value)
      }
      case 'Future':
      case 'RRef':
      case 'Await':
        // Graphs print Future[T], schemas Future(T).
        if (this.tryEat('[')) return { kind: name, element: this.separated(']', () => this.type())[0] }
        this.eat('(')
        return { kind: name, element: this.separated(')', () => this.type())[0] }
      case 'Union':
        this.eat('[')
        return unionOf(this.separated(']', () => this.type()))
      case 'Enum': {
        this.eat('<')
        const qualified = this.match(/[\w.]+/y, 'an enum name')
        this.eat('>')
        return new EnumType(qualified, IntType, [])
      }
      case 'NamedTuple': {
        this.eat('(')
        const fields: string[] = []
        const elements = this.separated(')', () => {
          const type = this.type()
          fields.push(this.match(/\w+/y, 'a field name'))
          return type
        })
        return tupleOf(elements, { qualifiedName: '', fields })
      }
      case 'Scalar':
        return simpleType('number')
      case 'list':
        return simpleType('AnyList')
      case 'tuple':
        return simpleType('AnyTuple')
      default:
        if (simpleKinds.has(name)) return simpleType(name as SimpleKind)
        // Float(2, 3, strides=[3, 1], requires_grad=0, device=cpu): a tensor with profiled facts.
        if (/^(Float|Double|Half|BFloat16|Long|Int|Short|Char|Byte|Bool|Complex\w+|Q\w+)$/.test(name)) {
          if (this.tryEat('(')) {
            for (let depth = 1; depth > 0; this.at++) {
              if (this.at >= this.text.length) this.fail('")"')
              if (this.text[this.at] === '(') depth++
              else if (this.text[this.at] === ')') depth--
            }
          }
          return TensorType
        }
        return name.includes('.') || name.startsWith('__torch__') ? this.classNamed(name) : { kind: 'Var', name }
    }
  }
  private type(): Type {
    let type = this.baseType()
    for (;;) {
      if (this.text.startsWith('[]', this.at)) {
        this.at += 2
        type = listOf(type)
      } else if (this.text[this.at] === '?') {
        this.at++
        type = optionalOf(type)
      } else return type
    }
  }

  private string(): string {
    const raw = this.match(/"(?:[^"\\]|\\[\s\S])*"/y, 'a string')
    const named: Record<string, string> = { n: '\n', t: '\t', r: '\r', '\\': '\\', '"': '"', "'": "'" }
    return raw
      .slice(1, -1)
      .replace(/\\([0-7]{3}|[\s\S])/g, (_, c: string) => named[c] ?? (c.length === 3 ? String.fromCharCode(parseInt(c, 8)) : c))
  }

  /** A constant, read as the type of the node's output says. */
  private constant(type: Type): ConstantValue {
    const base = type.kind === 'Optional' ? type.element : type
    if (this.peek('<')) {
      const text = this.match(/<[^>]*>/y, 'an opaque constant')
      if (text === '<Tensor>' || base === TensorType) return { kind: 'tensor', tensor: new PrintedTensor(text) }
      return { kind: 'object', className: text.slice(1, -1) }
    }
    if (base === TensorType) {
      if (this.peek('{')) return { kind: 'tensor', tensor: new PrintedTensor(this.match(/\{[^}]*\}/y, 'a tensor')) }
      return { kind: 'tensor', tensor: new PrintedTensor(this.match(/[^\](]*(?:\[ [^\]]*\])/y, 'a tensor').trim()) }
    }
    if (this.tryEat('[')) {
      const element = base.kind === 'List' ? base.element : undefined
      return { kind: 'list', items: this.separated(']', () => this.constant(element ?? this.guess())), type: base }
    }
    if (this.tryEat('(')) {
      let i = 0
      return {
        kind: 'tuple',
        items: this.separated(')', () => this.constant((base.kind === 'Tuple' ? base.elements[i++] : undefined) ?? this.guess())),
        type: base,
      }
    }
    if (this.tryEat('{')) {
      const entries = this.separated('}', () => {
        const key = this.constant(base.kind === 'Dict' ? base.key : this.guess())
        this.eat(':')
        return [key, this.constant(base.kind === 'Dict' ? base.value : this.guess())] as const
      })
      return { kind: 'dict', entries, type: base }
    }
    if (this.peek('"')) return base === DeviceType ? { kind: 'device', value: this.string() } : { kind: 'string', value: this.string() }
    if (this.tryMatch(/None\b/y) !== undefined) return { kind: 'none' }
    if (base.kind === 'Enum') {
      const className = this.match(/[\w.]+/y, 'an enum name')
      this.eat('(')
      const value = this.constant(this.guess())
      this.eat(')')
      return { kind: 'enum', className, value }
    }
    const number = '-?(?:\\d+\\.?\\d*(?:e[+-]?\\d+)?|inf|nan)'
    const complex = this.tryMatch(new RegExp(`(${number})([+-]${number.slice(2)}|${number})j`, 'y'))
    if (complex !== undefined) {
      const split = /^(.*?[^e])([+-].*)j$/.exec(complex)
      if (split === null) this.fail('a complex number')
      return { kind: 'complex', re: numberOf(split[1]), im: numberOf(split[2]) }
    }
    const text = this.match(new RegExp(number, 'y'), 'a constant')
    if (base === BoolType) return { kind: 'bool', value: text !== '0' }
    if (base === FloatType || /[.einf]/.test(text)) return { kind: 'float', value: numberOf(text) }
    return { kind: 'int', value: BigInt(text) }
  }
  /** The type of a constant that nothing declares, by its first character. */
  private guess(): Type {
    if (this.peek('"')) return StringType
    if (this.peek('{') || this.peek('<')) return TensorType
    return this.peek('(') || this.peek('[')
      ? simpleType('Any')
      : /^-?\d+[,)\]}]/.test(this.text.slice(this.at, this.at + 24))
        ? IntType
        : ComplexType
  }

  private attributes(kind: string, outputType: Type): [string, NodeAttribute][] {
    if (!this.tryEat('[')) return []
    return this.separated(']', () => {
      const name = this.match(/\w+/y, 'an attribute name')
      this.eat('=')
      if (name === 'types') {
        this.eat('[')
        return [name, { kind: 'types', types: this.separated(']', () => this.type()) }] as [string, NodeAttribute]
      }
      if (kind === 'prim::Constant' && name === 'value') return [name, { kind: 'value', value: this.constant(outputType) }]
      if (this.peek('"')) return [name, { kind: 'string', value: this.string() }]
      return [name, { kind: 'int', value: Number(this.match(/-?\d+/y, 'a number')) }]
    })
  }

  private valueDefinition(make: (type: Type, name: string | undefined) => Value): Value {
    this.eat('%')
    const name = this.match(/[\w.\-]+/y, 'a value name')
    this.eat(':')
    const type = this.type()
    if (this.values.has(name)) this.fail(`a value name other than %${name}, which is defined already,`)
    const value = make(type, /^\d+$/.test(name) ? undefined : name)
    this.values.set(name, value)
    return value
  }
  private valueUse(): Value {
    this.eat('%')
    const name = this.match(/[\w.\-]+/y, 'a value name')
    return this.values.get(name) ?? this.fail(`a value defined before its use (%${name} is not)`)
  }

  private node(graph: Graph, block: Block): void {
    const declared: { type: Type; name: string }[] = []
    if (this.peek('%')) {
      do {
        this.eat('%')
        const name = this.match(/[\w.\-]+/y, 'a value name')
        this.eat(':')
        declared.push({ name, type: this.type() })
      } while (this.tryEat(','))
    }
    this.eat('=')
    const printedKind = this.match(/\w+::[\w.]+/y, 'an operator')
    const kind = /^prim::(fork|Closure|FusionGroup|DifferentiableGraph|TensorExprGroup)_\d+$/.test(printedKind)
      ? printedKind.replace(/_\d+$/, '')
      : printedKind
    const node = graph.create(kind, [], 0)
    for (const [name, attribute] of this.attributes(kind, declared[0]?.type ?? simpleType('NoneType'))) node.setAttribute(name, attribute)
    this.eat('(')
    for (const input of this.separated(')', () => this.valueUse())) node.addInput(input)
    if (this.tryEat(',')) {
      this.eat('scope:')
      this.match(/[^\n#]*/y, 'a scope')
    }
    block.append(node)
    if (kind !== printedKind) {
      this.pendingSubgraphs.push({
        name: printedKind,
        kind,
        set: (sub) => void node.setAttribute('Subgraph', { kind: 'graph', graph: sub }),
      })
    }
    while (this.tryMatch(/block\d+/y) !== undefined) {
      const inner = node.addBlock()
      this.eat('(')
      this.separated(')', () => this.valueDefinition((type, name) => inner.addInput(type, name)))
      this.eat(':')
      while (!this.peek('->')) this.node(graph, inner)
      this.eat('->')
      this.eat('(')
      for (const output of this.separated(')', () => this.valueUse())) inner.addOutput(output)
    }
    for (const { name, type } of declared) {
      if (this.values.has(name)) this.fail(`a value name other than %${name}, which is defined already,`)
      this.values.set(name, node.addOutput(type, /^\d+$/.test(name) ? undefined : name))
    }
    node.schema = schemasOf(kind).find(
      (s) =>
        s.arguments.length === node.inputs.length &&
        s.arguments.every((a, i) => fits(node.inputs[i].type, a.type)) &&
        (s.isVarret || s.returns.length === node.outputs.length),
    )
  }

  private graphBody(): Graph {
    this.eat('graph')
    const graph = new Graph()
    this.values = new Map()
    this.eat('(')
    this.separated(')', () => this.valueDefinition((type, name) => graph.block.addInput(type, name)))
    this.eat(':')
    while (!this.peek('return')) this.node(graph, graph.block)
    this.eat('return')
    this.eat('(')
    for (const output of this.separated(')', () => this.valueUse())) graph.block.addOutput(output)
    return graph
  }

  parse(): Graph {
    const graph = this.graphBody()
    while (this.tryMatch(/with\b/y) !== undefined) {
      const name = this.match(/\w+::\w+/y, 'a subgraph name')
      this.eat('=')
      const at = this.pendingSubgraphs.findIndex((p) => p.name === name)
      if (at < 0) this.fail(`a subgraph that a node refers to (none refers to ${name})`)
      const [pending] = this.pendingSubgraphs.splice(at, 1)
      pending.set(this.graphBody())
    }
    this.space()
    if (this.at < this.text.length) this.fail('the end of the text')
    if (this.pendingSubgraphs.length > 0) this.fail(`the graph of ${this.pendingSubgraphs[0].name}`)
    return graph
  }
}

/** Whether a value of a type can be an argument; type variables take everything. */
function fits(type: Type, argument: Type): boolean {
  if (argument.kind === 'Var') return true
  if (argument.kind === 'List' && type.kind === 'List')
    return fits(type.element, argument.element) && (argument.element.kind === 'Var' || isSubtype(type, argument))
  if (argument.kind === 'Dict' && type.kind === 'Dict') return fits(type.key, argument.key) && fits(type.value, argument.value)
  return isSubtype(type, argument)
}

const numberOf = (text: string): number =>
  text.endsWith('inf') ? (text.startsWith('-') ? -Infinity : Infinity) : text.endsWith('nan') ? NaN : Number(text)

/** Reads a graph in the form that printGraph writes. Throws CompileError with the line on text that is not a graph. */
export const parseGraph = (text: string, environment: ParseEnvironment = {}): Graph => new Parser(text, environment).parse()
