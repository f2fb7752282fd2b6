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

/** What passes ask about an operator besides how it runs. Pointwise operators answer most of it by their expression. */
export interface OperatorTraits {
  /**
   * Arguments that decide the dtype of the results where it is a float: once all that are tensors, or lists of tensors, have one float dtype, the
   * results have it. Operators whose results are views of an argument need not say it.
   */
  readonly dtypeFrom?: readonly string[]
  /** Results are not the same for the same arguments each time, although no argument is a generator: random numbers, memory that nobody wrote, times. */
  readonly varies?: true
  /** It does something besides giving results and writing its arguments: it must run, and in its place. */
  readonly hasEffects?: true
  /** Raises for no arguments of its types: it can go when nobody reads its result. */
  readonly neverRaises?: true
  /** Looks at the sizes and the dtype of its arguments only, not at their numbers. */
  readonly readsFormOnly?: true
  /** The first result has as many dimensions as this argument, or as each tensor of this list. Expressions need not say it. */
  readonly rankOf?: string
  /** The first result has the shape of this argument. Expressions on one tensor need not say it. */
  readonly shapeOf?: string
  /** In place it writes elements only: the tensor keeps its shape. Operators with a file need not say it. */
  readonly keepsShape?: true
  /** The result may be an argument itself, or share its memory, although the schema does not say so; `ofOne`: of a list of one tensor only. */
  readonly mayReturnArgument?: true | 'ofOne'
  /** Copies its first argument in evaluation mode, which this argument tells. */
  readonly identityUnless?: string
  /** A convolution: how its arguments are laid out. */
  readonly convolution?: ConvolutionForm
  /** Which activation of the epilogues of convolutions and linear layers (native/cpu-avx) it is: the first whose `when` holds for constant arguments. */
  readonly activation?: readonly ActivationForm[]
  /**
   * What the kernel does with channels-last images, where it takes them as fast as others: the result has the layout of the first argument (`keeps`),
   * of all images, among the arguments or in a list (`joins`), or is in order whatever the image is (`reads`). Without it images are put in order
   * before. Expressions on one tensor keep the layout, others join, and folds read.
   */
  readonly layout?: 'keeps' | 'joins' | 'reads'
  /** The result has fewer pixels than the image it is made of. */
  readonly shrinks?: true
}

/** Arguments of a convolution. Those not named are where all convolutions have them: input, weight, bias, stride, padding, dilation. */
export interface ConvolutionForm {
  readonly groups: string
  /** Whether it is transposed, or the argument that says so. */
  readonly transposed: boolean | string
}

export interface ActivationForm {
  readonly name: string
  readonly when?: Readonly<Record<string, number | string>>
}

export interface PointwiseDefinition extends OperatorTraits {
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

export interface KernelDefinition extends OperatorTraits {
  readonly kind: 'kernel'
  readonly names: readonly string[]
  /** Row of the native kernel table; it receives the schema's arguments in order. */
  readonly kernel: string
  /** The row is one expression for given arguments, or a fold that may end a group: it may be part of a fused group (docs/fusion.md). */
  readonly fuses?: 'pointwise' | 'reduction'
}

export interface ComposedDefinition extends OperatorTraits {
  readonly kind: 'composed'
  readonly names: readonly string[]
  /** One TorchScript function whose parameters are the schema's (same order, names and defaults). */
  readonly source: string
}

const list = (names: string | readonly string[]): readonly string[] => (typeof names === 'string' ? [names] : names)

/** An operator with a native kernel of its own. `names` are full names such as `aten::softmax.int`. */
export const kernel = (
  names: string | readonly string[],
  row: string,
  traits: OperatorTraits & Pick<KernelDefinition, 'fuses'> = {},
): KernelDefinition => ({ kind: 'kernel', names: list(names), kernel: row, ...traits })

/** An operator written as a TorchScript function over other operators. */
export const composed = (names: string | readonly string[], source: string, traits: OperatorTraits = {}): ComposedDefinition => ({
  kind: 'composed',
  names: list(names),
  source,
  ...traits,
})

/** An operator given by one scalar expression. */
export const pointwise = (names: string | readonly string[], rest: Omit<PointwiseDefinition, 'kind' | 'names'>): PointwiseDefinition => ({
  kind: 'pointwise',
  names: list(names),
  ...rest,
})
