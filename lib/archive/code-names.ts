import type { Graph } from '../ir/graph.js'
import { type ClassType, type EnumType, type ScriptFunction, type Type, typeAnnotation } from '../ir/types.js'

/** How printed code calls types and functions, and what it makes of a function. */
export interface CodeNames {
  /** An annotation such as `Optional[__torch__.A]`. */
  type(type: Type): string
  /** The dotted name of a function. */
  function(fn: ScriptFunction): string
  /** The graph to print; the function's own when there is nothing to prepare. */
  graph?(fn: ScriptFunction): Graph
}

/** Names as the program has them, for `.code`. */
export const programNames: CodeNames = { type: typeAnnotation, function: (fn) => fn.qualifiedName }

type NamedTuple = Type & { kind: 'Tuple' }
/** What has a definition in the files of an archive. */
export type Definition =
  | { readonly kind: 'class'; readonly type: ClassType }
  | { readonly kind: 'enum'; readonly type: EnumType }
  | { readonly kind: 'namedTuple'; readonly type: NamedTuple }
  | { readonly kind: 'function'; readonly fn: ScriptFunction }

const keyOf = (definition: Definition): object => (definition.kind === 'function' ? definition.fn : definition.type)

/**
 * Gives every class, enum, named tuple and function of an archive a name of its own under `__torch__`, and collects them in the order in
 * which they are first named. Two different ones with one name are told apart as PyTorch does it: `___torch_mangle_0` before the last part.
 */
export class ArchiveNames implements CodeNames {
  readonly definitions: Definition[] = []
  private readonly mentioned: Definition[] = []
  private onlyMentions = false
  private readonly names = new Map<object, string>()
  private readonly defined = new Set<object>()
  private readonly taken = new Set<string>()
  /** Every package that a name lies in. */
  private readonly packages = new Set<string>()
  /** The graph of a function as it is to be printed. */
  readonly graph: (fn: ScriptFunction) => Graph

  constructor(graph: (fn: ScriptFunction) => Graph = (fn) => fn.graph) {
    this.graph = graph
  }

  /** Enums and named tuples have no identity; their first use stands for all of a name. */
  private readonly byName = new Map<string, object>()

  type(type: Type): string {
    const inner = (t: Type): string => this.type(t)
    switch (type.kind) {
      case 'Class':
        return this.class(type)
      case 'Enum':
        return this.define(this.canonical(type.qualifiedName, type), type.qualifiedName, { kind: 'enum', type })
      case 'Tuple':
        if (type.named !== undefined) {
          const { qualifiedName } = type.named
          return this.define(this.canonical(qualifiedName, type), qualifiedName, { kind: 'namedTuple', type })
        }
        return type.elements.length === 0 ? 'Tuple[()]' : `Tuple[${type.elements.map(inner).join(', ')}]`
      case 'List':
      case 'Optional':
      case 'Future':
      case 'RRef':
      case 'Await':
        return `${type.kind}[${inner(type.element)}]`
      case 'Dict':
        return `Dict[${inner(type.key)}, ${inner(type.value)}]`
      case 'Union':
        return `Union[${type.members.map(inner).sort().join(', ')}]`
      default:
        return typeAnnotation(type)
    }
  }

  /** As `type`, for data: what it names is defined after everything that code names. */
  mention(type: Type): string {
    this.onlyMentions = true
    try {
      return this.type(type)
    } finally {
      this.onlyMentions = false
    }
  }

  /** Definitions that only data has named so far join the others. */
  defineMentioned(): void {
    for (const definition of this.mentioned.splice(0)) if (!this.defined.has(keyOf(definition))) this.add(definition)
  }

  class(type: ClassType): string {
    // Custom classes are PyTorch's own.
    if (type.flavor === 'custom') return type.qualifiedName
    return this.define(type, type.qualifiedName, { kind: 'class', type })
  }

  function(fn: ScriptFunction): string {
    return this.define(fn, fn.qualifiedName, { kind: 'function', fn })
  }

  /** The full name that a definition has been given. */
  nameOf(definition: Definition): string {
    return this.names.get(keyOf(definition))!
  }

  /** The name given to a class of the program, for values that know it only by name. */
  classNamed(qualifiedName: string): string {
    const found = this.definitions.find((d) => d.kind === 'class' && d.type.qualifiedName === qualifiedName)
    return found === undefined ? qualifiedName : this.nameOf(found)
  }

  private canonical(name: string, type: object): object {
    const known = this.byName.get(name)
    if (known === undefined) this.byName.set(name, type)
    return known ?? type
  }

  private define(key: object, wanted: string, definition: Definition): string {
    let name = this.names.get(key)
    if (name === undefined) this.names.set(key, (name = this.unique(wanted)))
    if (this.defined.has(key)) return name
    if (this.onlyMentions) this.mentioned.push(definition)
    else this.add({ ...definition, ...(definition.kind === 'function' ? {} : { type: key }) } as Definition)
    return name
  }
  private add(definition: Definition): void {
    this.defined.add(keyOf(definition))
    this.definitions.push(definition)
  }

  private unique(wanted: string): string {
    const parts = wanted
      .split('.')
      .map((part) => part.replace(/\W/g, '_').replace(/^(?=\d)/, '_'))
      .filter((part) => part !== '')
    if (parts[0] !== '__torch__') parts.unshift('__torch__')
    if (parts.length === 1) parts.push('Module')
    const last = parts.length - 1
    let chosen = parts
    // A name that begins with that of a class would be looked up in the class.
    const isInside = (): boolean =>
      chosen.some((_, n) => n > 0 && n < chosen.length - 1 && this.taken.has(chosen.slice(0, n + 1).join('.')))
    for (let i = 0; this.taken.has(chosen.join('.')) || this.packages.has(chosen.join('.')) || isInside(); i++) {
      const at = isInside() ? 1 : last
      chosen = [...parts.slice(0, at), `___torch_mangle_${i}`, ...parts.slice(at)]
    }
    const name = chosen.join('.')
    chosen.forEach((_, n) => this.packages.add(chosen.slice(0, n).join('.')))
    this.taken.add(name)
    return name
  }
}
