import type { SourceRange, Value } from '../../ir/graph.js'
import type { ClassType, ConstantValue, EnumType, ScriptFunction, Type } from '../../ir/types.js'
import type { Expr, FunctionDef, Lambda } from '../ast.js'
import { compileError } from '../source.js'

/** What an expression means while compiling: a value of the graph, or something only the compiler knows. */
export type Meaning =
  | { readonly kind: 'value'; readonly value: Value }
  /** A name that leads to more names: `torch`, `ops.quantized`, `__torch__.a`. */
  | { readonly kind: 'namespace'; readonly path: string }
  /** Overloads of an operator, with `self` when it was reached through a value. */
  | { readonly kind: 'operator'; readonly name: string; readonly self?: Value }
  | { readonly kind: 'function'; readonly fn: ScriptFunction }
  | { readonly kind: 'method'; readonly self: Value; readonly name: string }
  | { readonly kind: 'class'; readonly type: ClassType }
  | { readonly kind: 'namedTuple'; readonly type: Type & { kind: 'Tuple' } }
  | { readonly kind: 'enum'; readonly type: EnumType }
  | { readonly kind: 'constant'; readonly value: ConstantValue; readonly type: Type }
  /** Builtins with rules of their own: `annotate`, `isinstance`, `range` ... */
  | { readonly kind: 'special'; readonly name: string; readonly self?: Value }
  | { readonly kind: 'forked'; readonly def: FunctionDef }
  /** A local function, inlined where it is called. */
  | { readonly kind: 'lambda'; readonly lambda: Lambda }
  /** Something to loop over that is no value. */
  | { readonly kind: 'iterable'; readonly name: 'range' | 'enumerate' | 'zip'; readonly args: readonly Meaning[] }
  /** A tuple of meanings, from several results of an operator or a tuple display in a loop. */
  | { readonly kind: 'meanings'; readonly items: readonly Meaning[] }

export const valueMeaning = (value: Value): Meaning => ({ kind: 'value', value })

interface Entry {
  readonly meaning: Meaning
  /** Put here by a type test, not by the program: leaving the scope takes it back. */
  readonly isRefinement: boolean
}

/** Names in scope. Blocks of branches and loops get a child; what they assign is collected when they end. */
export class Environment {
  private readonly entries = new Map<string, Entry>()
  constructor(readonly parent?: Environment) {}

  find(name: string): Meaning | undefined {
    return this.entries.get(name)?.meaning ?? this.parent?.find(name)
  }
  set(name: string, meaning: Meaning): void {
    this.entries.set(name, { meaning, isRefinement: false })
  }
  refine(name: string, value: Value): void {
    this.entries.set(name, { meaning: valueMeaning(value), isRefinement: true })
  }
  delete(name: string): void {
    this.entries.delete(name)
  }
  /** Names this scope itself assigned. */
  assigned(): string[] {
    return [...this.entries].filter(([, e]) => !e.isRefinement).map(([name]) => name)
  }
  refined(): string[] {
    return [...this.entries].filter(([, e]) => e.isRefinement).map(([name]) => name)
  }
  /** The variable of the scopes around this one, as the program assigned it: without what type tests narrowed. */
  outerVariable(name: string): Meaning | undefined {
    return this.parent?.variable(name)
  }
  /** The same, this scope included. */
  variable(name: string): Meaning | undefined {
    const entry = this.entries.get(name)
    return entry !== undefined && !entry.isRefinement ? entry.meaning : this.parent?.variable(name)
  }
}

/** What a condition tells about the types of variables in the branch where it holds. */
export type Refinements = ReadonlyMap<string, Type>
export const noRefinements: Refinements = new Map()

export interface Condition {
  readonly value: Value
  readonly whenTrue: Refinements
  readonly whenFalse: Refinements
  /** Known while compiling: the other branch is not compiled. */
  readonly known?: boolean
}

export function describe(meaning: Meaning): string {
  switch (meaning.kind) {
    case 'value':
      return 'a value'
    case 'namespace':
      return `the namespace ${meaning.path}`
    case 'operator':
    case 'special':
      return `the builtin ${meaning.name}`
    case 'function':
      return `the function ${meaning.fn.name}`
    case 'method':
      return `the method ${meaning.name}`
    case 'class':
      return `the class ${meaning.type.qualifiedName}`
    default:
      return `a ${meaning.kind}`
  }
}

export function fail(message: string, at: Expr | { readonly range: SourceRange }): never {
  throw compileError(message, at.range)
}
