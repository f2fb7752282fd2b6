import { allNodes, type Graph, type Node, type Value } from '../ir/graph.js'
import { type FunctionSchema, schemaByFullName } from '../ir/schema.js'
import { BoolType, type ConstantValue, IntType, listOf, TensorType } from '../ir/types.js'
import { argumentAt } from '../ops/traits.js'
import { dtypeCode } from '../tensor/dtype.js'
import { floatDType, forgetDTypes, learnDType } from './dtype-inference.js'
import { compute, type Evaluator } from './evaluator.js'
import type { Pass } from './pass.js'

/** What products are computed in. */
export type ReducedDType = 'float16' | 'bfloat16'

const named = (names: string): ReadonlySet<string> => new Set(names.split(/\s+/).map((name) => `aten::${name}`))

/** As PyTorch's lower_precision_fp, with the layers that it takes apart. */
const reduced = named(`_convolution conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d convolution prelu addmm addmv addr
  matmul einsum mm mv linalg_vecdot linalg_multi_dot chain_matmul linear addbmm baddbmm bmm scaled_dot_product_attention
  _native_multi_head_attention _transformer_encoder_layer_fwd`)

/**
 * As PyTorch's fp32 and fp32_set_opt_dtype. Recurrent layers and norms with statistics are here too, since their parameters stay float32.
 */
const full = named(`acos asin cosh erfinv exp expm1 log log10 log2 log1p reciprocal rsqrt sinh tan pow softplus layer_norm native_layer_norm group_norm
  frobenius_norm nuclear_norm cosine_similarity poisson_nll_loss cosine_embedding_loss nll_loss nll_loss2d nll_loss_nd cross_entropy_loss
  hinge_embedding_loss kl_div l1_loss smooth_l1_loss huber_loss mse_loss margin_ranking_loss multilabel_margin_loss multi_margin_loss
  soft_margin_loss triplet_margin_loss binary_cross_entropy binary_cross_entropy_with_logits ctc_loss dist pdist cdist renorm logsumexp norm
  linalg_norm linalg_vector_norm linalg_matrix_norm prod softmax log_softmax cumprod cumsum sum batch_norm instance_norm rms_norm
  lstm gru rnn_tanh rnn_relu lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell fft_fft fft_ifft fft_rfft fft_irfft fft_fft2 fft_ifft2 stft istft`)

const isPlain = ({ name, overloadName, returns }: FunctionSchema): boolean =>
  !name.endsWith('_') && !overloadName.endsWith('out') && returns.length > 0

/**
 * Mixed precision as under torch.autocast: products in 16 bits, norms, sums, exponentials and losses in float32, other operators in what their
 * arguments have. Weights of products become constants of 16 bits. For frozen graphs.
 *
 *     %y : Tensor = aten::linear(%x, %w, %b)    =>    %h : Tensor = aten::_autocast_to_reduced_precision(%x, %true, %true, %5, %5)
 *     %z : Tensor = aten::softmax(%y, %dim, %n)       %y : Tensor = aten::linear(%h, %w16, %b16)
 *                                                     %s : Tensor = aten::to(%y, %6, %false, %false, %n)
 *                                                     %z : Tensor = aten::softmax(%s, %dim, %n)
 */
export const autocast = (dtype: ReducedDType, evaluator: Evaluator): Pass => ({
  name: 'autocast',
  run(graph: Graph): boolean {
    // Results have other dtypes than before.
    forgetDTypes(graph)
    const casting = new Casting(graph, dtype, evaluator)
    for (const node of [...allNodes(graph.block)]) casting.node(node)
    return casting.changed
  },
})

class Casting {
  changed = false
  /** What a value is in 16 or 32 bits, for nodes of one block. */
  private readonly casts = new Map<Value, { readonly to: string; readonly block: Node['owner']; readonly value: Value }[]>()

  constructor(
    private readonly graph: Graph,
    private readonly dtype: ReducedDType,
    private readonly evaluator: Evaluator,
  ) {}

  node(node: Node): void {
    const { schema } = node
    if (schema === undefined || !isPlain(schema)) return
    if (reduced.has(schema.name)) this.arguments(node, this.dtype)
    else if (full.has(schema.name) && !this.asksForDType(node, schema)) this.arguments(node, 'float32')
  }

  private asksForDType(node: Node, schema: FunctionSchema): boolean {
    const at = argumentAt(schema, 'dtype')
    return at >= 0 && node.inputs[at].node.constant?.kind !== 'none'
  }

  private arguments(node: Node, to: string): void {
    let known = false
    for (const [i, value] of [...node.inputs].entries()) {
      const cast = this.cast(node, value, to)
      if (cast !== value) {
        node.replaceInput(i, cast)
        this.changed = true
      }
      known ||= cast.type === TensorType && this.dtypeOf(cast) === to
    }
    // The others agree with it, or the operator raises.
    if (known) for (const output of node.outputs) if (output.type === TensorType) learnDType(output, to)
  }

  private dtypeOf(value: Value): string | undefined {
    return floatDType(value, this.evaluator)
  }

  /** The value, or each tensor of a list that is made for the node, in a dtype. */
  private cast(node: Node, value: Value, to: string): Value {
    if (value.type.kind === 'List' && value.node.kind === 'prim::ListConstruct' && value.type.element === TensorType) {
      const items = value.node.inputs.map((item) => this.cast(node, item, to))
      if (items.every((item, i) => item === value.node.inputs[i])) return value
      const list = this.graph.create('prim::ListConstruct', items)
      list.output.setType(listOf(TensorType))
      return list.insertBefore(node).output
    }
    const isTensor = value.type === TensorType || value.node.constant?.kind === 'tensor'
    if (!isTensor) return value
    const has = this.dtypeOf(value)
    if (has === to || has === 'float64') return value
    const before = this.casts.get(value)?.find((cast) => cast.to === to && cast.block === node.owner)
    if (before !== undefined) return before.value
    const made = this.folded(node, value, to) ?? this.made(node, value, has, to)
    if (made === undefined) return value
    made.debugName = value.debugName
    this.casts.set(value, [...(this.casts.get(value) ?? []), { to, block: node.owner, value: made }])
    return made
  }

  /** A constant of the other dtype; undefined for what is none. */
  private folded(node: Node, value: Value, to: string): Value | undefined {
    const { constant } = value.node
    if (constant?.kind !== 'tensor' || this.dtypeOf(value) === undefined) return undefined
    const code: ConstantValue = { kind: 'int', value: BigInt(dtypeCode(to as ReducedDType)) }
    const result = compute(this.evaluator, 'aten::to.dtype', [constant, code])
    return result && this.graph.createConstant(result, TensorType).insertBefore(node).output
  }

  private made(node: Node, value: Value, has: string | undefined, to: string): Value | undefined {
    // Integers are constants of no float dtype.
    if (value.node.constant !== undefined && has === undefined) return undefined
    const bool = (flag: boolean): Value => this.graph.createConstant({ kind: 'bool', value: flag }, BoolType).insertBefore(node).output
    const code = (dtype: string): Value =>
      this.graph.createConstant({ kind: 'int', value: BigInt(dtypeCode(dtype as ReducedDType)) }, IntType).insertBefore(node).output
    if (has !== undefined) {
      const none = this.graph.createConstant({ kind: 'none' }, { kind: 'Optional', element: IntType }).insertBefore(node).output
      return this.operator(node, 'aten::to.dtype', [value, code(to), bool(false), bool(false), none])
    }
    // Of an unknown dtype: float32 alone is reduced, 16 bits alone are widened, and integers stay what they are.
    return to === 'float32'
      ? this.operator(node, 'aten::_autocast_to_full_precision', [value, bool(true), bool(true)])
      : this.operator(node, 'aten::_autocast_to_reduced_precision', [value, bool(true), bool(true), code(to), code(to)])
  }

  private operator(node: Node, fullName: string, inputs: readonly Value[]): Value {
    const schema = schemaByFullName(fullName)!
    const made = this.graph.create(schema.name, inputs)
    made.schema = schema
    made.insertBefore(node)
    made.range = node.range
    made.callStack = node.callStack
    return made.output
  }
}
