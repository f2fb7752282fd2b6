import type { SourceRange } from '../ir/graph.js'
import type { FunctionSchema } from '../ir/schema.js'
import type { ConstantValue, ScriptFunction, Type } from '../ir/types.js'
import type { Tensor } from '../tensor/tensor.js'

/*
 * What a trace writes down while the model runs: operators in order, each in the frame of the module that called it. Graphs are built from it
 * afterwards, when it is known what each module's call takes from outside and what of its inside is used outside.
 */

/** A module as a trace sees it. The api room makes these from modules of TypeScript. */
export interface TracedModule {
  /** Name of the class without its package, `Linear`. */
  readonly className: string
  /** Qualified name of the class in archives, `__torch__.torch.nn.modules.linear.Linear`. */
  readonly qualifiedName: string
  /** Names from the root module down; empty for the root. */
  readonly path: readonly string[]
}

/** A tensor or a size whose way through the program is traced. */
export class TraceValue {
  constructor(
    readonly origin:
      | { readonly kind: 'local'; readonly frame: Frame }
      | { readonly kind: 'attribute'; readonly path: readonly string[]; readonly name: string }
      | { readonly kind: 'constant'; readonly tensor: Tensor },
    readonly type: Type,
    readonly name?: string,
  ) {}
}

export type TraceArgument =
  | { readonly kind: 'value'; readonly value: TraceValue }
  | { readonly kind: 'constant'; readonly constant: ConstantValue; readonly type: Type }
  | { readonly kind: 'list' | 'tuple'; readonly items: readonly TraceArgument[]; readonly type: Type }
  | { readonly kind: 'dict'; readonly entries: readonly (readonly [TraceArgument, TraceArgument])[]; readonly type: Type }

/** An input of the traced function and the tensors in it. */
export type InputTree =
  | { readonly kind: 'tensor'; readonly value: TraceValue }
  | { readonly kind: 'tuple'; readonly value: TraceValue; readonly items: readonly InputTree[] }
  | { readonly kind: 'dict'; readonly value: TraceValue; readonly entries: readonly (readonly [string, InputTree])[] }

/** One result: a value, a list of values, nested, or something that became a JavaScript value. */
export type TraceResult =
  | { readonly kind: 'value'; readonly value: TraceValue }
  | { readonly kind: 'list' | 'tuple'; readonly items: readonly TraceResult[]; readonly type: Type }
  | { readonly kind: 'ignored'; readonly type: Type }

export interface OperatorRecord {
  readonly kind: 'operator'
  readonly schema: FunctionSchema
  readonly args: readonly TraceArgument[]
  readonly results: readonly TraceResult[]
  readonly range: SourceRange | undefined
}

/** A call of a scripted function, or of a method of a scripted submodule of the frame's module. */
export interface ScriptCallRecord {
  readonly kind: 'scriptCall'
  readonly fn: ScriptFunction
  /** Where the object is whose method this is; undefined for a function. */
  readonly path: readonly string[] | undefined
  readonly args: readonly TraceArgument[]
  readonly result: TraceResult
  readonly range: SourceRange | undefined
}

/** One call of a module, or of the function that is traced. */
export class Frame {
  readonly kind = 'frame'
  readonly records: (OperatorRecord | ScriptCallRecord | Frame)[] = []
  /** Values among the arguments of the call, in order. */
  args: TraceValue[] = []
  constructor(
    /** Undefined for the frame of a function. */
    readonly module: TracedModule | undefined,
    readonly parent: Frame | undefined,
    readonly range: SourceRange | undefined,
  ) {}

  isInside(other: Frame): boolean {
    return this === other || (this.parent?.isInside(other) ?? false)
  }
}

/** Every value of an argument. */
export function* valuesOf(argument: TraceArgument): Generator<TraceValue> {
  switch (argument.kind) {
    case 'value':
      yield argument.value
      break
    case 'list':
    case 'tuple':
      for (const item of argument.items) yield* valuesOf(item)
      break
    case 'dict':
      for (const [key, value] of argument.entries) {
        yield* valuesOf(key)
        yield* valuesOf(value)
      }
  }
}
