/**
 * How an operator file says what its operator is. Schemas are PyTorch's own text in lib/ir/catalog.ts; an operator file adds how the
 * operator runs. In-place (`aten::relu_`) and out (`aten::relu.out`) variants follow from the functional one and are not
 * written down (see registry.ts).
 */
export type OperatorDefinition = PointwiseDefinition | KernelDefinition | ComposedDefinition

/** What the output dtype of a pointwise operator is. */
export type Promotion =
  /** promoted dtype of the tensor operands (add, relu) */
  | 'same'
  /** promoted dtype; integers and bool become the default float (exp, div) */
  | 'float'
  /** computed in the promoted dtype, result bool (lt, isnan) */
  | 'bool'
  /** as 'same' (as 'float' where 'int' is not among the dtypes), but the real part's dtype of complex results (abs, angle) */
  | 'real'

/** Kinds of dtype that an expression is defined for; others are refused by name. */
export type DTypeClass = 'bool' | 'int' | 'float' | 'complex'

export interface PointwiseDefinition {
  readonly kind: 'pointwise'
  /** Full overload names this definition serves; none for an expression that other kernel rows choose by their arguments. */
  readonly names: readonly string[]
  /** Native kernel row and generated function name. */
  readonly kernel: string
  /** Scalar expression over the operands by their letters; see docs/pointwise.md for the language. */
  readonly expr: string
  /** Schema arguments that are operands, in order, with the letter each has in `expr`: `{ self: 'a', other: 'b' }`. */
  readonly operands: Readonly<Record<string, string>>
  /** Letters that are bool conditions: they take no part in promotion. */
  readonly conditions?: readonly string[]
  /** Schema arguments that are numbers of the computed dtype, by the name they have in `expr` where that differs. */
  readonly params?: Readonly<Record<string, string>>
  readonly promotion: Promotion
  readonly dtypes: readonly DTypeClass[]
  /** Expression for integer dtypes where it differs. */
  readonly intExpr?: string
  /** Expression for bool where it differs. */
  readonly boolExpr?: string
  /** Expression for complex dtypes where it differs. */
  readonly complexExpr?: string
}

export interface KernelDefinition {
  readonly kind: 'kernel'
  readonly names: readonly string[]
  /** Row of the native kernel table; it receives the schema's arguments in order. */
  readonly kernel: string
  /** The row is one expression for given arguments, or a fold that may end a group: it may be part of a fused group (docs/fusion.md). */
  readonly fuses?: 'pointwise' | 'reduction'
}

export interface ComposedDefinition {
  readonly kind: 'composed'
  readonly names: readonly string[]
  /** One TorchScript function whose parameters are the schema's (same order, names and defaults). */
  readonly source: string
}

const list = (names: string | readonly string[]): readonly string[] => (typeof names === 'string' ? [names] : names)

/** An operator with a native kernel of its own. `names` are full names such as `aten::softmax.int`. */
export const kernel = (names: string | readonly string[], row: string, fuses?: KernelDefinition['fuses']): KernelDefinition => ({
  kind: 'kernel',
  names: list(names),
  kernel: row,
  ...(fuses === undefined ? {} : { fuses }),
})

/** An operator written as a TorchScript function over other operators. */
export const composed = (names: string | readonly string[], source: string): ComposedDefinition => ({
  kind: 'composed',
  names: list(names),
  source,
})

/** An operator given by one scalar expression. */
export const pointwise = (names: string | readonly string[], rest: Omit<PointwiseDefinition, 'kind' | 'names'>): PointwiseDefinition => ({
  kind: 'pointwise',
  names: list(names),
  ...rest,
})
