export { attributeName } from './attributes.js'
export type { AttributeTable } from './attributes.js'
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
