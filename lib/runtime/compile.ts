import type { PickleValue, TensorData } from '../archive/values.js'
import type { ClassType, ConstantValue, ScriptFunction } from '../ir/types.js'
import { nativeBinding } from '../native/loader.js'
import { cloneGraph } from '../passes/clone.js'
import type { WeightStorage } from '../passes/compress-weights.js'
import { expandFusion } from '../passes/expand-fusion.js'
import { type Pass, runPasses } from '../passes/pass.js'
import { loweringPipeline } from '../passes/pipeline.js'
import { composedFunction } from '../plan/composed.js'
import { type EncodedPlan, encodePlan } from '../plan/encode.js'
import { OperatorKind } from '../plan/format.js'
import { type NativeOperators, PlanTables } from '../plan/tables.js'
import { noneValue } from '../plan/value.js'
import { constantFacts } from './constant-facts.js'
import { type ClassTable, ObjectWriter } from './objects.js'
import { scalarOf } from './tensors.js'

/** What is linked in, and which kernel rows have a CUDA kernel. */
type LinkedOperators = NativeOperators & { readonly cudaKernels: ReadonlySet<string> }
let operators: LinkedOperators | undefined
/** What the linked executor runs by name. */
export function nativeOperators(): LinkedOperators {
  if (operators === undefined) {
    const { builtins, kernels, cudaKernels } = nativeBinding().nativeOperators()
    operators = { builtins: new Set(builtins), kernels: new Set(kernels), cudaKernels: new Set(cudaKernels) }
  }
  return operators
}

export interface ProgramSource {
  readonly classes: ClassTable
  /** The object tree; undefined for a program of functions. */
  readonly root?: PickleValue
  /** Functions to have besides the methods of the objects. */
  readonly functions?: readonly ScriptFunction[]
  /** Packed weights of linear layers are kept so. Default: as they are. */
  readonly weights?: WeightStorage
}

const passesFor = (weights?: WeightStorage): readonly Pass[] =>
  loweringPipeline({ scalar: (tensor) => scalarOf(tensor as TensorData) }, constantFacts, weights)
const plainPasses = passesFor()
/** What every graph of a program goes through before it is lowered. */
export const loweringPassesOf = ({ weights }: Pick<ProgramSource, 'weights'>): readonly Pass[] =>
  weights === undefined ? plainPasses : passesFor(weights)

export interface CompiledProgram {
  readonly plan: EncodedPlan
  /** Classes by their index in the plan. */
  readonly classes: readonly ClassType[]
  /** Operators that the code names and nothing here can run. They raise when they are reached. */
  readonly missingOperators: readonly string[]
  /** Functions that do not compile, with the reason. They raise when they are called. */
  readonly brokenFunctions: readonly { readonly name: string; readonly error: string }[]
}

/**
 * Lowers a program with its objects: every method of every object, and what those call. `adapt` may replace the functions of composed
 * operators.
 */
export function compileProgram(source: ProgramSource, adapt: (fn: ScriptFunction) => ScriptFunction = (fn) => fn): CompiledProgram {
  const native = nativeOperators()
  const passes = loweringPassesOf(source)
  const tables: PlanTables = new PlanTables({
    native,
    compile: (definition) => adapt(composedFunction(definition)),
    prepare: (graph) => {
      const copy = cloneGraph(graph)
      runPasses(copy, [...passes, expandFusion])
      return copy
    },
    object: (_, value: ConstantValue & { kind: 'object' }) => objects.value(value.object as PickleValue),
  })
  const objects = new ObjectWriter(tables, source.classes)
  const root = source.root === undefined ? noneValue : objects.value(source.root)
  for (const type of objects.classes) for (const method of type.methods.values()) tables.function(method)
  for (const fn of source.functions ?? []) tables.function(fn)
  const plan = encodePlan(tables, root)
  const isThere = (kind: number, target: string): boolean =>
    native.kernels.has(target) || (kind === OperatorKind.byName && native.builtins.has(target))
  return {
    plan,
    classes: tables.classes,
    missingOperators: [...new Set(tables.operators.filter((row) => !isThere(row.kind, row.target)).map((row) => row.name))],
    brokenFunctions: tables.functions.filter((row) => row.error !== '').map((row) => ({ name: row.fn.qualifiedName, error: row.error })),
  }
}
