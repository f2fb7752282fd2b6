import { dtypeFromCode } from '../tensor/dtype.js'
import { assertExhaustive } from '../util/errors.js'
import type { Block, Graph, Node, NodeAttribute, SourceRange, Value } from './graph.js'
import type { ConstantValue, Type } from './types.js'
import { typeToString } from './types.js'

export interface PrintOptions {
  /** Append `# file:line:column` to nodes that have a position. Default true. */
  readonly ranges?: boolean
  /** Text of a constant tensor: `{0.5}` for one element, or `<Tensor>` (the default). */
  readonly tensorText?: (tensor: unknown) => string
  /** For people: constants other than tensors stand where they are read, as `stride=[2, 2]`, defaults do not. Such text is not read back. */
  readonly constantsInPlace?: boolean
}

/** A tensor that was read back from IR text, of which only the text is known. */
export class PrintedTensor {
  constructor(readonly text: string) {}
}

/** Text of a float as PyTorch prints it in code and graphs: `1.`, `0.10000000000000001`, `1.0000000000000001e-05`, `inf`. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  if (Number.isInteger(value) && Math.abs(value) < 1e10) return `${Object.is(value, -0) ? '-0' : value}.`
  // C's %.17g: 17 significant digits, exponent form below 1e-4 and from 1e17 on, trailing zeros dropped.
  const exponent = Number(value.toExponential(16).split('e')[1])
  if (exponent < -5 + 1 || exponent >= 17) {
    const [mantissa, power] = value.toExponential(16).split('e')
    const digits = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa
    const size = Math.abs(Number(power))
    return `${digits}e${power[0] === '-' ? '-' : '+'}${size < 10 ? `0${size}` : size}`
  }
  const fixed = value.toFixed(Math.max(0, Math.min(100, 16 - exponent)))
  const text = fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed
  // A dot keeps the text a float when it is read again.
  return text.includes('.') ? text : `${text}.`
}

/** A string literal with PyTorch's escapes: `\n \t \r \\ \" \'` and octal for other control bytes. */
export function quote(text: string): string {
  const named: Record<string, string> = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '\\': '\\\\', '"': '\\"', "'": "\\'" }
  return `"${text.replace(/[\x00-\x1f\x7f\\"']/g, (c) => named[c] ?? `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`)}"`
}

/** 1-based line and 0-based column of a position. */
export function lineAndColumn(range: SourceRange): { line: number; column: number } {
  const before = range.text.slice(0, range.start)
  const lineStart = before.lastIndexOf('\n') + 1
  return { line: before.split('\n').length, column: range.start - lineStart }
}

class Printer {
  private readonly lines: string[] = []
  private readonly names = new Map<Value, string>()
  private readonly taken = new Set<string>()
  private readonly subgraphs: { name: string; graph: Graph }[] = []
  private nextNumber = 0

  constructor(private readonly options: PrintOptions) {}

  private name(value: Value): string {
    let name = this.names.get(value)
    if (name !== undefined) return name
    const base = value.debugName
    if (base === undefined) {
      do name = String(this.nextNumber++)
      while (this.taken.has(name))
    } else {
      name = base
      const stem = base.replace(/\.\d+$/, '')
      for (let i = 1; this.taken.has(name); i++) name = `${stem}.${i}`
    }
    this.taken.add(name)
    this.names.set(value, name)
    return name
  }
  private typed(value: Value): string {
    return `%${this.name(value)} : ${typeToString(value.type)}`
  }

  private constantText(value: ConstantValue): string {
    switch (value.kind) {
      case 'none':
        return 'None'
      case 'bool':
        return value.value ? '1' : '0'
      case 'int':
        return String(value.value)
      case 'float':
        return floatText(value.value)
      case 'complex':
        return `${floatText(value.re)}${value.im < 0 || Object.is(value.im, -0) ? '' : '+'}${floatText(value.im)}j`
      case 'string':
      case 'device':
        return quote(value.value)
      case 'tensor':
        if (value.tensor instanceof PrintedTensor) return value.tensor.text
        return this.options.tensorText?.(value.tensor) ?? '<Tensor>'
      case 'list':
        return `[${value.items.map((v) => this.constantText(v)).join(', ')}]`
      case 'tuple':
        return `(${value.items.map((v) => this.constantText(v)).join(', ')}${value.items.length === 1 ? ',' : ''})`
      case 'dict':
        return `{${value.entries.map(([k, v]) => `${this.constantText(k)}: ${this.constantText(v)}`).join(', ')}}`
      case 'enum':
        return `${value.className}(${this.constantText(value.value)})`
      case 'object':
        return `<${value.className}>`
      case 'function':
        return quote(value.fn.qualifiedName)
      default:
        return assertExhaustive(value, 'constant')
    }
  }

  private attributeText(name: string, attribute: NodeAttribute): string {
    switch (attribute.kind) {
      case 'value':
        return attribute.value.kind === 'function'
          ? `name=${quote(attribute.value.fn.qualifiedName)}`
          : `${name}=${this.constantText(attribute.value)}`
      case 'string':
        return `${name}=${quote(attribute.value)}`
      case 'int':
        return `${name}=${attribute.value}`
      case 'types':
        return `${name}=[${attribute.types.map((t: Type) => typeToString(t)).join(', ')}]`
      case 'graph':
        return `${name}=<Graph>`
      default:
        return assertExhaustive(attribute, 'attribute')
    }
  }

  private inputs(node: Node): string {
    if (this.options.constantsInPlace !== true) return node.inputs.map((value) => `%${this.name(value)}`).join(', ')
    // As in calls: names from the first argument on that is not at its place.
    let inPlace = true
    return node.inputs
      .flatMap((value, i) => {
        const { constant } = value.node
        const argument = node.schema?.arguments[i]
        const isTensor = constant === undefined || constant.kind === 'tensor'
        const name = argument === undefined || (inPlace && isTensor) ? '' : `${argument.name}=`
        if (isTensor) return [`${name}%${this.name(value)}`]
        if (argument !== undefined) inPlace = false
        const isDefault = argument?.default !== undefined && this.isSame(constant, argument.default)
        if (argument !== undefined && (isDefault || constant.kind === 'none')) return []
        const dtype = constant.kind === 'int' && argument?.codeOf === 'ScalarType' ? dtypeFromCode(Number(constant.value)) : undefined
        return [`${name}${dtype ?? (constant.kind === 'bool' ? constant.value : this.constantText(constant))}`]
      })
      .join(', ')
  }

  /** Whether a constant is a default; one number stands for a list of any length of it. */
  private isSame(constant: ConstantValue, byDefault: ConstantValue): boolean {
    const text = this.constantText(byDefault)
    if (this.constantText(constant) === text) return true
    if (constant.kind !== 'list' || constant.items.length === 0) return false
    return constant.items.every((item) => this.constantText(item) === text || `[${this.constantText(item)}]` === text)
  }

  private node(node: Node, indent: string): void {
    let kind = node.kind
    const attributes: string[] = []
    for (const [name, attribute] of node.attributes) {
      if (attribute.kind === 'graph') {
        kind = `${node.kind}_${this.subgraphs.length}`
        this.subgraphs.push({ name: kind, graph: attribute.graph })
      } else attributes.push(this.attributeText(name, attribute))
    }
    const left = node.outputs.map((o) => this.typed(o)).join(', ')
    const brackets = attributes.length === 0 ? '' : `[${attributes.join(', ')}]`
    const inputs = this.inputs(node)
    let comment = ''
    if (this.options.ranges !== false && node.range !== undefined) {
      const { line, column } = lineAndColumn(node.range)
      comment = ` # ${node.range.file}:${line}:${column}`
    }
    this.lines.push(`${indent}${left}${left === '' ? ' = ' : ' = '}${kind}${brackets}(${inputs})${comment}`)
    node.blocks.forEach((block, i) => {
      this.lines.push(`${indent}  block${i}(${block.inputs.map((v) => this.typed(v)).join(', ')}):`)
      this.block(block, `${indent}    `)
      this.lines.push(`${indent}    -> (${block.outputs.map((v) => `%${this.name(v)}`).join(', ')})`)
    })
  }
  private block(block: Block, indent: string): void {
    for (const node of block.nodes) this.node(node, indent)
  }

  /** Names given by programs are taken first, so that numbers never collide with them. */
  private collectNames(block: Block): void {
    const take = (value: Value): void => {
      if (value.debugName !== undefined) this.name(value)
    }
    block.inputs.forEach(take)
    for (const node of block.nodes) {
      node.outputs.forEach(take)
      node.blocks.forEach((inner) => this.collectNames(inner))
    }
  }

  graph(graph: Graph, head: string): string {
    this.collectNames(graph.block)
    const inputs = graph.inputs.map((v) => this.typed(v))
    this.lines.push(`${head}(${inputs.join(`,\n${' '.repeat(head.length + 1)}`)}):`)
    this.block(graph.block, '  ')
    this.lines.push(`  return (${graph.outputs.map((v) => `%${this.name(v)}`).join(', ')})`)
    let text = this.lines.join('\n') + '\n'
    for (const sub of this.subgraphs) text += `with ${sub.name} = ${new Printer(this.options).graph(sub.graph, 'graph')}`
    return text
  }
}

/** A graph in PyTorch's textual form. */
export const printGraph = (graph: Graph, options: PrintOptions = {}): string => new Printer(options).graph(graph, 'graph')
