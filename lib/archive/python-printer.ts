import type { Block, Graph, Node, Value } from '../ir/graph.js'
import { floatText, quote } from '../ir/printer.js'
import type { ConstantValue, ScriptFunction, Type } from '../ir/types.js'
import { AnyType, NoneType, sameType, TensorType, tupleOf } from '../ir/types.js'
import { unifyTypes } from '../script/schema-matching.js'
import { InvariantError, UnsupportedError } from '../util/errors.js'
import { type CodeNames, programNames } from './code-names.js'

/**
 * Prints graphs as the Python-like code of archives, after PyTorch's `python_print.cpp`:
 * - a value used once, without a name of its own, is written inside its consumer when that keeps the order of evaluation;
 * - expressions of 40 characters or more, indentation included, get a line and a temporary of their own, and so does every operand before them;
 * - trailing arguments that equal their defaults are left out;
 * - tensors, objects and strings that are not ASCII are `CONSTANTS.cN`.
 */

/** What printed code calls by name: no local variable may hide it. Parameters keep their names, which callers use. */
const called = new Set(
  'torch annotate int float bool str complex range print isinstance sorted len unchecked_cast uninitialized Tensor List Dict Tuple Optional Union'.split(
    ' ',
  ),
)
const keywords = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda ' +
    'nonlocal not or pass raise return try while with yield'
  ).split(' '),
)
const reserved = new Set([
  ...keywords,
  ...'_ aten attribute CONSTANTS fork getattr inf nan infj nanj ops __torch__ uninitialized unchecked_cast'.split(' '),
])
const longLine = 40
const identifier = /^[A-Za-z_]\w*$/
/** Whether a name can stand behind a dot. */
export const isAttributeName = (name: string): boolean => identifier.test(name) && !keywords.has(name)

/** Archive versions from which on operators mean what they mean now (`caffe2/serialize/versions.h`); division of tensors only. */
const operatorVersions = new Map([
  ['aten::div', 4],
  ['aten::div_', 4],
  ['aten::full', 5],
  ['aten::linspace', 8],
  ['aten::logspace', 9],
  ['aten::gelu', 10],
])
const oldestVersion = 3

/** What the code of one archive refers to: the constants that it calls `CONSTANTS.cN`, and the version that its operators need. */
export class ConstantTable {
  readonly values: ConstantValue[] = []
  version = oldestVersion

  addOperator(node: Node): void {
    const needed = operatorVersions.get(node.kind)
    if (needed !== undefined && (needed > 4 || node.inputs[0]?.type === TensorType)) this.version = Math.max(this.version, needed)
  }

  /** Index of a constant; the same object is given the same index. */
  add(value: ConstantValue): number {
    const same = (other: ConstantValue): boolean =>
      other === value ||
      (other.kind === 'tensor' && value.kind === 'tensor' && other.tensor === value.tensor) ||
      (other.kind === 'string' && value.kind === 'string' && other.value === value.value)
    const known = this.values.findIndex(same)
    return known >= 0 ? known : this.values.push(value) - 1
  }
}

/** Kinds whose result is no expression. */
const noExpressions = new Set(['prim::Param', 'prim::Enter', 'prim::isinstance'])

/** `1.+2.j`, of numbers that the language has. */
function complexText(re: number, im: number): string {
  if (!Number.isFinite(im)) return Number.isNaN(im) ? `${floatText(re)}+nanj` : `${floatText(re)}${im < 0 ? '-' : '+'}infj`
  return `${floatText(re)}${im < 0 || Object.is(im, -0) ? '' : '+'}${floatText(im)}j`
}

class CodePrinter {
  private readonly lines: string[] = []
  /** Number of lines when each open `with` block began. */
  private readonly contextStarts: number[] = []
  private readonly inlined = new Set<Node>()
  /** How a value is written where it is used. */
  private readonly expressions = new Map<Value, string>()
  private readonly used = new Set<string>()
  private level: number

  constructor(
    private readonly constants: ConstantTable,
    baseLevel: number,
    private readonly names: CodeNames,
    private readonly nextId: NameNumbers,
  ) {
    this.level = baseLevel
  }

  private line(text: string): void {
    this.lines.push('  '.repeat(this.level) + text)
  }

  // Names

  private uniqueName(candidate: string, isParameter = false): string {
    let name = candidate
    while (this.used.has(name) || reserved.has(name) || (!isParameter && called.has(name))) {
      const id = this.nextId.get(name) ?? 0
      this.nextId.set(name, id + 1)
      name = candidate + id
    }
    this.used.add(name)
    return name
  }
  private assignName(value: Value, isParameter = false): string {
    const base = value.debugName?.replace(/\.\d+$/, '')
    const candidate = base === undefined || /^\d+$/.test(base) ? '_' : base.replace(/\W/g, '_').replace(/^(?=\d)/, '_')
    const name = this.uniqueName(candidate, isParameter)
    this.expressions.set(value, name)
    return name
  }
  private use(value: Value): string {
    const text = this.expressions.get(value)
    if (text !== undefined) return text
    const constant = value.node.constant
    if (constant !== undefined) return this.constantOf(value.node)
    throw new InvariantError(`A value of ${value.node.kind} is used before it is printed.`)
  }
  private list(values: readonly Value[]): string {
    return values.map((v) => this.use(v)).join(', ')
  }

  // Which nodes are written inside their consumer

  private canInline(value: Value): boolean {
    const node = value.node
    if (node.outputs.length !== 1 || value.uses.length !== 1 || node.blocks.length > 0 || noExpressions.has(node.kind)) return false
    const { user, offset } = value.uses[0]
    if (value.debugName !== undefined && !/^\d+$/.test(value.debugName) && user.kind !== 'prim::Return') return false
    if (user.kind === 'prim::Loop' && offset >= 2) return false
    return user.kind !== 'prim::fork' && node.kind !== 'prim::isinstance' && node.kind !== 'prim::Enter'
  }
  private previous(block: Block, at: number): number {
    do at--
    while (at >= 0 && block.nodes[at].kind === 'prim::Constant')
    return at
  }
  /** Decides for one block, from its end to its start. Positions are indices of `block.nodes`; -1 is the start of the block. */
  private scanBlock(block: Block): void {
    const position = new Map(block.nodes.map((node, i) => [node, i]))
    const scanNode = (node: Node, at: number): number => {
      if (this.inlined.has(node)) return at
      for (const inner of node.blocks) this.scanBlock(inner)
      let point = this.previous(block, at)
      for (let i = node.inputs.length - 1; i >= 0; i--) point = scanValue(point, node.inputs[i])
      return point
    }
    const scanValue = (point: number, value: Value): number => {
      const node = value.node
      if (point >= 0 && position.get(node) === point && this.canInline(value)) {
        const next = scanNode(node, point)
        this.inlined.add(node)
        return next
      }
      if (node.kind === 'prim::Constant') this.inlined.add(node)
      return point
    }
    let point = scanNode(block.returnNode, block.nodes.length)
    while (point >= 0) point = scanNode(block.nodes[point], point)
  }

  // Constants and types

  /** `type` is the declared one: it tells the members of enums, and what empty and mixed containers hold. */
  constant(value: ConstantValue, type?: Type): string {
    switch (value.kind) {
      case 'none':
        return 'None'
      case 'bool':
        return value.value ? 'True' : 'False'
      case 'int':
        return String(value.value)
      case 'float':
        return floatText(value.value)
      case 'complex':
        return complexText(value.re, value.im)
      case 'string':
        return value.bytes === undefined && /^[\x00-\x7f]*$/.test(value.value)
          ? quote(value.value)
          : `CONSTANTS.c${this.constants.add(value)}`
      case 'device':
        return `torch.device(${quote(value.value)})`
      case 'list': {
        const listType = value.type ?? type
        const element = listType?.kind === 'List' ? listType.element : undefined
        const plain = `[${value.items.map((v) => this.constant(v, element)).join(', ')}]`
        return element !== undefined && (value.items.length === 0 || !this.inferable(element))
          ? `annotate(${this.names.type(listType!)}, ${plain})`
          : plain
      }
      case 'tuple': {
        const tupleType = value.type ?? type
        const elements = tupleType?.kind === 'Tuple' ? tupleType.elements : []
        const items = value.items.map((v, i) => this.constant(v, elements[i])).join(', ')
        if (tupleType?.kind === 'Tuple' && tupleType.named !== undefined) return `${this.names.type(tupleType)}(${items})`
        return `(${items}${value.items.length === 1 ? ',' : ''})`
      }
      case 'function':
        return this.names.function(value.fn)
      case 'enum': {
        const members = type?.kind === 'Optional' ? [type.element] : type?.kind === 'Union' ? type.members : [type]
        const enumType = members.find((t) => t?.kind === 'Enum' && t.qualifiedName === value.className)
        if (enumType?.kind !== 'Enum') throw new InvariantError(`The type of a constant of ${value.className} is not known.`)
        const same = JSON.stringify(value.value, bigints)
        return `${this.names.type(enumType)}.${enumType.members.find((m) => JSON.stringify(m.value, bigints) === same)?.name}`
      }
      case 'dict': {
        const dictType = value.type ?? type
        const [key, item] = dictType?.kind === 'Dict' ? [dictType.key, dictType.value] : []
        const plain = `{${value.entries.map(([k, v]) => `${this.constant(k, key)}: ${this.constant(v, item)}`).join(', ')}}`
        return dictType?.kind === 'Dict' && (value.entries.length === 0 || !this.inferable(dictType))
          ? `annotate(${this.names.type(dictType)}, ${plain})`
          : plain
      }
      default:
        return `CONSTANTS.c${this.constants.add(value)}`
    }
  }
  private constantOf(node: Node): string {
    return this.constant(node.constant!, node.output.type)
  }

  /** Whether a literal's type can be told from its members: not for Optional, Union and Any. */
  private inferable(type: Type): boolean {
    switch (type.kind) {
      case 'Optional':
      case 'Union':
        return false
      case 'Tuple':
        return type.elements.every((e) => this.inferable(e))
      case 'List':
      case 'Future':
        return this.inferable(type.element)
      case 'Dict':
        return this.inferable(type.key) && this.inferable(type.value)
      default:
        return type !== AnyType && type !== NoneType
    }
  }

  // Expressions

  private operatorName(kind: string): string {
    if (kind === 'aten::grad' || kind === 'aten::backward') return `torch.autograd.${kind.slice(6)}`
    const [namespace, name] = kind.split('::')
    return namespace === 'aten' ? `torch.${name}` : `ops.${namespace}.${name}`
  }
  /** Number of leading inputs that must be written; `out` arguments at the end are always written. */
  private necessaryArguments(node: Node): { count: number; outs: number } {
    const args = node.schema?.arguments ?? []
    if (args.length < node.inputs.length) return { count: node.inputs.length, outs: 0 }
    let at = args.length - 1
    while (at >= 0 && args[at].kwargOnly && args[at].alias?.isWrite) at--
    const outs = args.length - 1 - at
    for (; at >= 0; at--) {
      const fallback = args[at].default
      const actual = node.inputs[at].node.constant
      if (
        fallback === undefined ||
        actual === undefined ||
        JSON.stringify(strip(actual), bigints) !== JSON.stringify(strip(fallback), bigints)
      )
        break
    }
    return { count: at + 1, outs }
  }
  private receiver(value: Value): string {
    const text = this.use(value)
    return identifier.test(text) ? text : `(${text})`
  }

  private rightHandSide(node: Node): string {
    const { inputs, kind } = node
    const annotated = (): string => `annotate(${this.names.type(node.output.type)}, ${this.use(inputs[0])})`
    switch (kind) {
      case 'prim::Constant':
        return this.constantOf(node)
      case 'aten::Int':
      case 'aten::Float':
      case 'aten::Bool':
      case 'aten::str':
        return `${kind.slice(6).toLowerCase()}(${this.list(inputs)})`
      case 'aten::IntImplicit':
      case 'aten::FloatImplicit':
      case 'aten::ComplexImplicit':
      case 'aten::ScalarImplicit':
      case 'prim::ImplicitTensorToNum':
        return annotated()
      case 'aten::__getitem__':
        return `${this.receiver(inputs[0])}[${this.use(inputs[1])}]`
      case 'prim::Print':
        return `print(${this.list(inputs)})`
      case 'aten::percentFormat': {
        // One argument, or a tuple of them.
        const values = inputs.slice(1)
        if (values.length === 1) return `torch.percentFormat(${this.list(inputs)})`
        return `torch.percentFormat(${this.use(inputs[0])}, (${this.list(values)}))`
      }
      case 'aten::sorted':
        return `sorted(${this.list(inputs)})`
      case 'prim::TupleConstruct': {
        const { type } = node.output
        if (type.kind === 'Tuple' && type.named) return `${this.names.type(type)}(${this.list(inputs)})`
        return `(${this.list(inputs)}${inputs.length === 1 ? ',' : ''})`
      }
      case 'prim::TupleIndex':
        return `(${this.use(inputs[0])})[${this.use(inputs[1])}]`
      case 'prim::TupleSlice': {
        const bound = (name: string): number => (node.attributes.get(name) as { value: number }).value
        return `(${this.use(inputs[0])})[${bound('beg')}:${bound('end')}]`
      }
      case 'prim::ListConstruct': {
        const { type } = node.output
        const plain = `[${this.list(inputs)}]`
        return inputs.length === 0 || (type.kind === 'List' && !this.inferable(type.element))
          ? `annotate(${this.names.type(type)}, ${plain})`
          : plain
      }
      case 'prim::DictConstruct': {
        const { type } = node.output
        const pairs: string[] = []
        for (let i = 0; i < inputs.length; i += 2) pairs.push(`${this.use(inputs[i])}: ${this.use(inputs[i + 1])}`)
        const plain = `{${pairs.join(', ')}}`
        return inputs.length === 0 || !this.inferable(type) ? `annotate(${this.names.type(type)}, ${plain})` : plain
      }
      case 'prim::CreateObject': {
        const name = this.names.type(node.output.type)
        return `${name}.__new__(${name})`
      }
      case 'prim::GetAttr': {
        const name = node.stringAttribute('name')
        return isAttributeName(name) ? `${this.use(inputs[0])}.${name}` : `getattr(${this.use(inputs[0])}, ${quote(name)})`
      }
      case 'prim::CallFunction':
        return `${this.use(inputs[0])}(${inputs
          .slice(1)
          .map((v) => `${this.use(v)}, `)
          .join('')})`
      case 'prim::CallMethod':
        return `(${this.use(inputs[0])}).${node.stringAttribute('name')}(${inputs
          .slice(1)
          .map((v) => `${this.use(v)}, `)
          .join('')})`
      case 'prim::unchecked_cast':
      case 'prim::unchecked_unwrap_optional':
        return `unchecked_cast(${this.names.type(node.output.type)}, ${this.use(inputs[0])})`
      case 'prim::Uninitialized':
        return `uninitialized(${this.names.type(node.output.type)})`
      case 'prim::isinstance': {
        const types = (node.attributes.get('types') as { types: readonly Type[] }).types.map((t) => this.names.type(t))
        return `isinstance(${this.use(inputs[0])}, ${types.length === 1 ? types[0] : `(${types.join(', ')})`})`
      }
      case 'prim::tolist':
        return `annotate(${this.names.type(node.output.type)}, ${this.use(inputs[0])}.tolist())`
      case 'prim::EnumName':
        return `(${this.use(inputs[0])}).name`
      case 'prim::EnumValue':
        return `(${this.use(inputs[0])}).value`
      case 'aten::_unwrap_optional':
        if (inputs[0].node.constant?.kind === 'none') return `torch._unwrap_optional(annotate(${this.names.type(inputs[0].type)}, None))`
        return `torch._unwrap_optional(${this.use(inputs[0])})`
      default: {
        this.constants.addOperator(node)
        const { count, outs } = this.necessaryArguments(node)
        const written: string[] = []
        inputs.forEach((input, i) => {
          if (i >= count && i < inputs.length - outs) return
          const argument = node.schema?.arguments[i]
          written.push(argument?.kwargOnly ? `${argument.name}=${this.use(input)}` : this.use(input))
        })
        return `${this.operatorName(kind)}(${written.join(', ')})`
      }
    }
  }

  // Statements

  private define(node: Node, text: string): void {
    const names = node.outputs.map((o) => this.assignName(o))
    this.line(names.length === 0 ? text : `${names.join(', ')} = ${text}`)
  }
  private isLong(text: string): boolean {
    return text.length + this.level * 2 >= longLine
  }
  /** Gives a line of its own to inlined inputs that are long, and to every inlined one before them, so that effects keep their order. */
  private splitLongInputs(node: Node): void {
    let end = 0
    node.inputs.forEach((input, i) => {
      const splits = input.node.kind !== 'prim::Constant' || input.type.kind === 'Function'
      if (splits && this.inlined.has(input.node) && this.isLong(this.use(input))) end = i + 1
    })
    for (const input of node.inputs.slice(0, end)) {
      const isPlainConstant = input.node.kind === 'prim::Constant' && input.type.kind !== 'Function'
      if (!isPlainConstant && this.inlined.has(input.node)) {
        const text = this.use(input)
        if (identifier.test(text) && this.used.has(text)) continue
        this.define(input.node, text)
      }
    }
  }
  private assign(targets: readonly Value[], sources: readonly Value[]): void {
    if (targets.length > 0) this.line(`${this.list(targets)} = ${this.list(sources)}`)
  }
  /** The first assignment of a variable whose type must be that of `target`. */
  private declare(target: Value, source: Value, isSame = sameType(target.type, readType(source))): void {
    this.line(`${this.use(target)}${isSame ? '' : `: ${this.names.type(target.type)}`} = ${this.use(source)}`)
  }
  /** Gives the results of a branch their names. */
  private assignResults(node: Node, block: Block): void {
    const isSame = node.outputs.map((output, i) => {
      const joined = unifyTypes(readType(node.blocks[0].outputs[i]), readType(node.blocks[1].outputs[i]))
      return joined !== undefined && sameType(joined, output.type)
    })
    if (isSame.every(Boolean)) this.assign(node.outputs, block.outputs)
    else node.outputs.forEach((output, i) => this.declare(output, block.outputs[i], isSame[i]))
  }
  private indented(print: () => void): void {
    this.level++
    print()
    this.level--
  }

  private printNode(node: Node): void {
    if (node.kind === 'prim::Constant') {
      if (!this.inlined.has(node)) this.inlined.add(node)
      return
    }
    this.splitLongInputs(node)
    switch (node.kind) {
      case 'prim::Return':
        if (node.inputs.length > 0) this.line(`return ${this.list(node.inputs)}`)
        return
      case 'prim::If': {
        node.outputs.forEach((o) => this.assignName(o))
        const branch = (block: Block): void =>
          this.indented(() => {
            this.printBlock(block, node.outputs.length > 0)
            this.assignResults(node, block)
          })
        this.line(`if ${this.use(node.inputs[0])}:`)
        branch(node.blocks[0])
        this.line('else:')
        branch(node.blocks[1])
        return
      }
      case 'prim::Loop':
        this.printLoop(node)
        return
      case 'prim::TupleUnpack':
      case 'prim::ListUnpack': {
        const names = node.outputs.map((o) => this.assignName(o))
        this.line(`${names.length === 0 ? '' : `${names.join(', ')}, = `}${this.use(node.inputs[0])}`)
        return
      }
      case 'prim::SetAttr': {
        const name = node.stringAttribute('name')
        if (!isAttributeName(name))
          throw new UnsupportedError(`The attribute ${quote(name)} is assigned in code, which TorchScript's language has no way to write.`)
        this.line(`${this.use(node.inputs[0])}.${name} = ${this.use(node.inputs[1])}`)
        return
      }
      case 'prim::Enter': {
        const entered = node.output
        const object = this.use(node.inputs[0])
        this.line(`with ${object}${entered.uses.length > 0 ? ` as ${this.assignName(entered)}` : ''}:`)
        this.level++
        this.contextStarts.push(this.lines.length)
        return
      }
      case 'prim::Exit': {
        if (this.contextStarts.pop() === this.lines.length) this.line('pass')
        this.level--
        return
      }
      case 'prim::fork': {
        const sub = (node.attributes.get('Subgraph') as { graph: Graph }).graph
        const name = this.uniqueName('__forked_function')
        sub.inputs.forEach((input, i) => this.expressions.set(input, this.use(node.inputs[i])))
        this.line(`def ${name}():`)
        this.indented(() => this.printBody(sub.block))
        this.define(node, `fork(${name})`)
        return
      }
      default: {
        const text = this.rightHandSide(node)
        if (this.inlined.has(node)) this.expressions.set(node.output, text)
        else this.define(node, text)
      }
    }
  }

  private printLoop(node: Node): void {
    const [limit, condition, ...initial] = node.inputs
    const [block] = node.blocks
    const [trip, ...carried] = block.inputs
    const always = (value: Value): boolean => value.node.constant?.kind === 'bool' && value.node.constant.value
    const isFor = always(condition) && always(block.outputs[0])
    node.outputs.forEach((o) => this.assignName(o))
    carried.forEach((input, i) => this.expressions.set(input, this.use(node.outputs[i])))
    node.outputs.forEach((output, i) => this.declare(output, initial[i]))
    const name = this.assignName(trip)
    if (isFor) this.line(`for ${name} in range(${this.use(limit)}):`)
    else {
      this.line(`${name} = ${this.use(condition)}`)
      this.line(`while ${name}:`)
    }
    this.indented(() => {
      const targets = isFor ? carried : block.inputs
      this.printBlock(block, targets.length > 0)
      this.assign(targets, isFor ? block.outputs.slice(1) : block.outputs)
    })
  }

  private printBlock(block: Block, hasMore: boolean): void {
    const before = this.lines.length
    for (const node of block.nodes) this.printNode(node)
    this.splitLongInputs(block.returnNode)
    if (this.lines.length === before && !hasMore) this.line('pass')
  }
  private printBody(block: Block): void {
    this.scanBlock(block)
    for (const node of block.nodes) this.printNode(node)
    this.printNode(block.returnNode)
  }

  /** `functionName` is what stands behind `def`. */
  function(fn: ScriptFunction, functionName: string): string {
    const graph = this.names.graph?.(fn) ?? fn.graph
    const parameters = fn.parameters.map((p, i) => {
      const name = this.assignName(graph.inputs[i], true)
      const fallback = p.default === undefined ? '' : `=${this.constant(p.default, p.type)}`
      return `${name}: ${this.names.type(p.type)}${fallback}`
    })
    this.line(`def ${functionName}(${parameters.join(',\n    ')}) -> ${this.names.type(fn.returnType)}:`)
    this.level++
    this.printBody(graph.block)
    this.level--
    return this.lines.join('\n') + '\n'
  }
}

/** The type that a reader of the code gives to what is written for a value: None and tuples of it do not tell what else they may be. */
function readType(value: Value): Type {
  const { node } = value
  if (node.constant?.kind === 'none') return NoneType
  if (node.kind !== 'prim::TupleConstruct' || value.type.kind !== 'Tuple' || value.type.named !== undefined) return value.type
  return tupleOf(node.inputs.map(readType))
}

const bigints = (_: string, v: unknown): unknown =>
  typeof v === 'bigint' ? `${v}n` : typeof v === 'number' && !Number.isFinite(v) ? String(v) : v
/** A constant without the types of its containers, for comparison with a default value. */
function strip(value: ConstantValue): unknown {
  return value.kind === 'list' || value.kind === 'tuple' ? { kind: value.kind, items: value.items.map(strip) } : value
}

/** The numbers behind names that were taken, which go on through a file. */
export type NameNumbers = Map<string, number>

export interface FunctionPrintOptions {
  readonly constants?: ConstantTable
  /** 0, or 1 in a class. */
  readonly level?: number
  readonly names?: CodeNames
  readonly numbers?: NameNumbers
  /** What stands behind `def`, where that is not the function's own name. */
  readonly name?: string
}

/** Code of one function, as `.code` shows it or as it stands in a file of an archive. */
export function printFunction(fn: ScriptFunction, options: FunctionPrintOptions = {}): string {
  const { constants = new ConstantTable(), level = 0, names = programNames, numbers = new Map(), name = fn.name } = options
  return new CodePrinter(constants, level, names, numbers).function(fn, name)
}

/** A constant as it stands in code, such as the value of a `Final` member. */
export function printConstant(value: ConstantValue, type: Type, constants: ConstantTable, names: CodeNames): string {
  return new CodePrinter(constants, 0, names, new Map()).constant(value, type)
}
