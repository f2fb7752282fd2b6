import type { DType } from '../../tensor/dtype.js'
import type { Complex } from '../../tensor/typed-array.js'

/** A number as argument of an operator. An integer-valued number is an int, any other a float. */
export type Scalar = number | bigint | boolean | Complex
/** A dtype, by its name or by PyTorch's short name. */
export type DTypeName = DType | 'half' | 'float' | 'double' | 'short' | 'int' | 'long' | 'cfloat' | 'cdouble'
export type MemoryFormat = 'contiguous_format' | 'preserve_format' | 'channels_last' | 'channels_last_3d'
export type Layout = 'strided' | 'sparse_coo' | 'sparse_csr'
export type QScheme = 'per_tensor_affine' | 'per_channel_affine' | 'per_tensor_symmetric' | 'per_channel_symmetric'
/** Integers of any size: sizes beyond 2^53 are bigints. */
export type Int = number | bigint

// Named so that declarations stay short.
export type List<T> = readonly T[]
/** A list of fixed length, for which one value may stand. */
export type ListOrOne<T> = readonly T[] | T
export type OrNull<T> = T | null
/** An argument, or at its place the options that end the call. */
export type Or<T, Options> = T | Options
export type Results2<A, B> = [A, B]
export type Results3<A, B, C> = [A, B, C]
export type Results4<A, B, C, D> = [A, B, C, D]
export type Results5<A, B, C, D, E> = [A, B, C, D, E]
