import type { SourceRange } from '../ir/graph.js'

/**
 * The neutral syntax tree that front ends make and the emitter reads. Names follow Python's `ast` where it has one.
 * Type annotations are expressions; the emitter resolves them.
 */
interface At {
  readonly range: SourceRange
}

export type Expr =
  | (At & { readonly kind: 'Name'; readonly name: string })
  | (At & { readonly kind: 'Int'; readonly value: bigint })
  | (At & { readonly kind: 'Float'; readonly value: number })
  | (At & { readonly kind: 'Imaginary'; readonly value: number })
  | (At & { readonly kind: 'String'; readonly value: string })
  | (At & { readonly kind: 'Bool'; readonly value: boolean })
  | (At & { readonly kind: 'None' })
  | (At & { readonly kind: 'Ellipsis' })
  | (At & { readonly kind: 'Attribute'; readonly value: Expr; readonly name: string })
  | (At & { readonly kind: 'Call'; readonly fn: Expr; readonly args: readonly Expr[]; readonly kwargs: readonly Keyword[] })
  | (At & { readonly kind: 'Subscript'; readonly value: Expr; readonly items: readonly Expr[] })
  | (At & { readonly kind: 'Slice'; readonly start?: Expr; readonly stop?: Expr; readonly step?: Expr })
  | (At & { readonly kind: 'Binary'; readonly op: BinaryOperator; readonly left: Expr; readonly right: Expr })
  | (At & { readonly kind: 'Unary'; readonly op: '-' | '+' | '~' | 'not'; readonly value: Expr })
  | (At & { readonly kind: 'Compare'; readonly ops: readonly CompareOperator[]; readonly operands: readonly Expr[] })
  | (At & { readonly kind: 'Logical'; readonly op: 'and' | 'or'; readonly left: Expr; readonly right: Expr })
  | (At & { readonly kind: 'Ternary'; readonly condition: Expr; readonly then: Expr; readonly otherwise: Expr })
  | (At & { readonly kind: 'List'; readonly items: readonly Expr[] })
  | (At & { readonly kind: 'Tuple'; readonly items: readonly Expr[] })
  /** `record`: written as an object with named fields, which calls of operators take as keyword arguments. */
  | (At & { readonly kind: 'Dict'; readonly entries: readonly (readonly [Expr, Expr])[]; readonly record?: boolean })
  | (At & {
      readonly kind: 'ListComp'
      readonly element: Expr
      readonly target: Expr
      readonly iter: Expr
      readonly conditions: readonly Expr[]
    })
  | (At & {
      readonly kind: 'DictComp'
      readonly key: Expr
      readonly value: Expr
      readonly target: Expr
      readonly iter: Expr
      readonly conditions: readonly Expr[]
    })
  | (At & { readonly kind: 'Starred'; readonly value: Expr })
  | (At & { readonly kind: 'Format'; readonly parts: readonly (string | Expr)[] })
  /** `left ?? right`: the right side where the left one is None. */
  | (At & { readonly kind: 'Coalesce'; readonly left: Expr; readonly right: Expr })
  /** A value that the program says is not None. */
  | (At & { readonly kind: 'NonNull'; readonly value: Expr })
  /** A value that the program gives another type: a conversion, a wider type, or one member of a union. */
  | (At & { readonly kind: 'Cast'; readonly value: Expr; readonly annotation: Expr })
  | Lambda

/** A local function. Calls of it are inlined; it sees and changes the variables around it. */
export interface Lambda extends At {
  readonly kind: 'Lambda'
  readonly parameters: readonly ParameterDef[]
  readonly returns?: Expr
  readonly body: Expr | readonly Stmt[]
  /** Variables of the scopes around it that it assigns. */
  readonly assigns: readonly string[]
}

export type BinaryOperator = '+' | '-' | '*' | '/' | '//' | '%' | '**' | '@' | '&' | '|' | '^' | '<<' | '>>'
export type CompareOperator = '<' | '>' | '<=' | '>=' | '==' | '!=' | 'is' | 'is not' | 'in' | 'not in'

export interface Keyword extends At {
  readonly name: string
  readonly value: Expr
}

export type Stmt =
  | (At & { readonly kind: 'Assign'; readonly targets: readonly Expr[]; readonly annotation?: Expr; readonly value: Expr })
  /** A declaration without a value, `x : Tensor`. */
  | (At & { readonly kind: 'Declare'; readonly target: Expr; readonly annotation: Expr })
  | (At & { readonly kind: 'AugAssign'; readonly target: Expr; readonly op: BinaryOperator; readonly value: Expr })
  | (At & { readonly kind: 'Expr'; readonly value: Expr })
  | (At & { readonly kind: 'Return'; readonly value?: Expr })
  | (At & { readonly kind: 'If'; readonly condition: Expr; readonly then: readonly Stmt[]; readonly otherwise: readonly Stmt[] })
  | (At & {
      readonly kind: 'While'
      readonly condition: Expr
      readonly body: readonly Stmt[]
      /** Runs after each round that was not left, after `continue` as well. */
      readonly update?: readonly Stmt[]
      /** The first round runs without a test. */
      readonly testLast?: boolean
    })
  | (At & { readonly kind: 'For'; readonly target: Expr; readonly iter: Expr; readonly body: readonly Stmt[] })
  | (At & { readonly kind: 'Break' | 'Continue' | 'Pass' })
  | (At & { readonly kind: 'Assert'; readonly condition: Expr; readonly message?: Expr })
  | (At & { readonly kind: 'Raise'; readonly value?: Expr })
  | (At & {
      readonly kind: 'With'
      readonly items: readonly { readonly value: Expr; readonly target?: Expr }[]
      readonly body: readonly Stmt[]
    })
  | (At & { readonly kind: 'Delete'; readonly targets: readonly Expr[] })
  | FunctionDef
  | ClassDef

export interface ParameterDef extends At {
  readonly name: string
  readonly annotation?: Expr
  readonly default?: Expr
  readonly kwargOnly: boolean
}

export interface FunctionDef extends At {
  readonly kind: 'FunctionDef'
  readonly name: string
  readonly parameters: readonly ParameterDef[]
  readonly returns?: Expr
  readonly body: readonly Stmt[]
  readonly decorators: readonly Expr[]
}

export interface ClassDef extends At {
  readonly kind: 'ClassDef'
  readonly name: string
  readonly bases: readonly Expr[]
  readonly body: readonly Stmt[]
}
