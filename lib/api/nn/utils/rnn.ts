import { tensor } from '../../../tensor/creation.js'
import { Tensor } from '../../../tensor/tensor.js'
import { ArgumentError } from '../../../util/errors.js'
import { op, ops, opWith, plainShape } from '../eager.js'

/** `nn.utils.rnn`: sequences of differing lengths for recurrent layers. */

/** The rows of several sequences, step by step. Made by `packPaddedSequence` and `packSequence`. */
export class PackedSequence {
  /** The rows: those of the first step of all sequences, of the second, ... */
  readonly data: Tensor
  /** How many sequences have each step. */
  readonly batchSizes: Tensor
  /** Order of the sequences by falling length; null when they came in that order. */
  readonly sortedIndices: Tensor | null
  readonly unsortedIndices: Tensor | null
  constructor(data: Tensor, batchSizes: Tensor, sortedIndices: Tensor | null = null, unsortedIndices: Tensor | null = null) {
    this.data = data
    this.batchSizes = batchSizes
    this.sortedIndices = sortedIndices
    this.unsortedIndices = unsortedIndices ?? invertPermutation(sortedIndices)
  }
}

/** The permutation that undoes one. */
export function invertPermutation(permutation: Tensor | null): Tensor | null {
  if (permutation === null) return null
  const places = opWith('arange', [permutation.numel()], { dtype: 'int64' })
  return op('scatter_', op('empty_like', permutation), 0, permutation, places)
}

export interface PackOptions {
  batchFirst?: boolean
  /** False for sequences in any order: they are sorted, and what comes out goes back to their order. */
  enforceSorted?: boolean
}

const asLengths = (lengths: Tensor | readonly number[]): Tensor =>
  lengths instanceof Tensor ? op('to', lengths, 'int64') : tensor(lengths.map(BigInt), { dtype: 'int64' })

export function packPaddedSequence(
  input: Tensor,
  lengths: Tensor | readonly number[],
  { batchFirst = false, enforceSorted = true }: PackOptions = {},
): PackedSequence {
  let rows = input
  let sizes = asLengths(lengths)
  let sorted: Tensor | null = null
  if (!enforceSorted) {
    ;[sizes, sorted] = ops('sort', sizes, -1, true)
    rows = op('index_select', input, batchFirst ? 0 : 1, sorted)
  }
  const [data, batchSizes] = ops('_pack_padded_sequence', rows, sizes, batchFirst)
  return new PackedSequence(data, batchSizes, sorted)
}

export interface UnpackOptions {
  batchFirst?: boolean
  paddingValue?: number
  /** Length of the result; default: of the longest sequence. */
  totalLength?: number | null
}
export function padPackedSequence(
  sequence: PackedSequence,
  { batchFirst = false, paddingValue = 0, totalLength = null }: UnpackOptions = {},
): [padded: Tensor, lengths: Tensor] {
  const longest = plainShape(sequence.batchSizes)[0]
  if (totalLength !== null && totalLength < longest)
    throw new ArgumentError(
      `Expected total_length to be at least the length of the longest sequence in input, but got total_length=${totalLength} and max sequence length being ${longest}`,
    )
  const [padded, lengths] = ops(
    '_pad_packed_sequence',
    sequence.data,
    sequence.batchSizes,
    batchFirst,
    paddingValue,
    totalLength ?? longest,
  )
  const { unsortedIndices } = sequence
  if (unsortedIndices === null) return [padded, lengths]
  return [op('index_select', padded, batchFirst ? 0 : 1, unsortedIndices), op('index_select', lengths, 0, unsortedIndices)]
}

export interface PadOptions {
  batchFirst?: boolean
  paddingValue?: number
  paddingSide?: 'left' | 'right'
}
/** Sequences in one tensor, padded to the longest. */
export const padSequence = (
  sequences: readonly Tensor[],
  { batchFirst = false, paddingValue = 0, paddingSide = 'right' }: PadOptions = {},
): Tensor => op('pad_sequence', sequences, batchFirst, paddingValue, paddingSide)

/** The sequences of a padded tensor. */
export function unpadSequence(
  padded: Tensor,
  lengths: Tensor | readonly number[],
  { batchFirst = false }: { batchFirst?: boolean } = {},
): Tensor[] {
  const batch = batchFirst ? padded : op('transpose', padded, 0, 1)
  const sizes = Array.from(asLengths(lengths).data as BigInt64Array, Number)
  return sizes.map((length, i) => op('slice', op('select', batch, 0, i), 0, 0, length))
}

export const packSequence = (sequences: readonly Tensor[], { enforceSorted = true }: { enforceSorted?: boolean } = {}): PackedSequence =>
  packPaddedSequence(
    padSequence(sequences),
    sequences.map((sequence) => plainShape(sequence)[0]),
    { enforceSorted },
  )

/** The sequences of a packed one, in the order they were given. */
export function unpackSequence(packed: PackedSequence): Tensor[] {
  const [padded, lengths] = padPackedSequence(packed, { batchFirst: true })
  return unpadSequence(padded, lengths, { batchFirst: true })
}
