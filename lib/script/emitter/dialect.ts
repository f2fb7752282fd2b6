import type { Value } from '../../ir/graph.js'
import type { Type } from '../../ir/types.js'
import type { BinaryOperator, CompareOperator, Expr } from '../ast.js'
import type { Emitter } from './emitter.js'
import type { Condition, Meaning } from './values.js'

/**
 * The rules of a source language that differ from Python's, for the functions written in it: what its free names and the members of values
 * mean, which operators it has for which values, and what it counts as true.
 */
export interface Dialect {
  /** What a name that is no variable means; undefined where the rules of all languages decide. */
  name(name: string): Meaning | undefined
  /** The class that a name in a type means. */
  type(name: string): Type | undefined
  /** `meaning.name`, where the language has a member of its own. */
  attribute(e: Emitter, meaning: Meaning, name: string, at: Expr): Meaning | undefined
  call(e: Emitter, expr: Expr & { kind: 'Call' }, hint: Type | undefined): Meaning
  /** Refuses what the language computes otherwise than TorchScript; may give the value itself. */
  binary(e: Emitter, op: BinaryOperator | CompareOperator, left: Value, right: Value, at: Expr): Value | undefined
  /** Refuses indexing that the language has not. */
  checkSubscript(base: Value, at: Expr): void
  /** The condition that a value is; undefined where it is that of Python. */
  truth(e: Emitter, value: Value, at: Expr): Condition | undefined
  /** What to write instead, for a message of a compile error. */
  hint(message: string): string | undefined
}
