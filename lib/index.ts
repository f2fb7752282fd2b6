/** TorchScript for Node.js: `import * as torch from 'torchscript-node'`. */
export { Tensor } from './tensor/tensor.js'
export type { NestedArray } from './tensor/tensor.js'
export { complex, fromBuffer, tensor } from './api/creation.js'
export * from './api/operators/index.js'
import './api/members.js'
export { inferenceMode, noGrad, scope } from './api/scope.js'
export { ellipsis, Slice, slice } from './api/indexing.js'
export type { Index, IndexAssignOptions } from './api/indexing.js'
export type { TensorData, TensorOptions } from './tensor/creation.js'
export type { Complex, Element, TypedArray } from './tensor/typed-array.js'
export { getPrintOptions, setPrintOptions } from './tensor/printing.js'
export type { PrintOptions } from './tensor/printing.js'
export type { DType } from './tensor/dtype.js'
export { bfloat16ToNumber, float16ToNumber, numberToBfloat16, numberToFloat16 } from './tensor/half.js'
export { kwargs } from './runtime/convert.js'
export type { KeywordArguments } from './runtime/convert.js'
export { load } from './api/load.js'
export type { LoadOptions, PickledObject } from './api/load.js'
export { save } from './api/save.js'
export * as jit from './api/jit/index.js'
export { enumerate, float, int, range, zip } from './api/jit/language.js'
export { compile } from './api/compile/index.js'
export type {
  Compilation,
  CompileBackend,
  Compiled,
  CompiledFunction,
  CompiledModule,
  CompileMode,
  CompileOptions,
  WeightStorage,
} from './api/compile/index.js'
export { explain } from './api/explain.js'
export type { ExplainOptions, Explanation, KernelRun, NodeExplanation } from './api/explain.js'
export * as nn from './api/nn/index.js'
export * as cuda from './api/cuda.js'
export { getNumThreads, isa, manualSeed, memoryStats, setNumThreads } from './api/settings.js'
export { onPrint, onWarn } from './api/settings.js'
export * from './util/errors.js'
export { loadNpy, loadNpz, loadSafetensors, safetensorsBytes, safetensorsMetadata, saveNpy, saveSafetensors } from './api/io.js'
export * as profiler from './api/profiler/index.js'
export { inspectArchive } from './api/inspect.js'
export type { Inspection } from './api/inspect.js'
