/** `nn`: modules, layers, functions and initialisation, by the names of torch.nn. */
export { attributeName } from './attributes.js'
export type { AttributeTable } from './attributes.js'
export * from './containers.js'
export * as functional from './functional/index.js'
export * as init from './init.js'
export { deepCopy } from './copy.js'
export * from './layers/activation.js'
export * from './layers/adaptive.js'
export * from './layers/attention.js'
export * from './layers/conv.js'
export * from './layers/dropout.js'
export * from './layers/embedding.js'
export * from './layers/lazy.js'
export * from './layers/linear.js'
export * from './layers/loss.js'
export * from './layers/normalization.js'
export * from './layers/padding.js'
export * from './layers/pooling.js'
export * from './layers/rnn.js'
export * from './layers/shape.js'
export * from './layers/transformer.js'
export { pythonNameOf, scriptAttributes, scriptSource } from './script-attributes.js'
export type { ScriptAttribute } from './script-attributes.js'
export { callModule, Module, setModuleListener } from './module.js'
export type {
  AnyModule,
  ForwardHook,
  ForwardPreHook,
  HookHandle,
  LoadResult,
  ModuleListener,
  StateDict,
  StateDictOptions,
} from './module.js'
export { Parameter } from './parameter.js'
export type { ParameterOptions } from './parameter.js'
export { isLazy, UninitializedBuffer, UninitializedParameter } from './uninitialized.js'
export type { LazyTensor, UninitializedOptions } from './uninitialized.js'
export * as utils from './utils/index.js'
