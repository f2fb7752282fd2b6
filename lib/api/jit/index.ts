/** The public names below `torch.jit`. */
export { load } from './load.js'
export type { JitLoadOptions } from './load.js'
export { savePlan } from './save-plan.js'
export { ScriptModule, ScriptObject } from './script-module.js'
export { isTracing, trace, traceModule, TracingCheckError } from './trace.js'
export type { TraceOptions } from './trace.js'
export type { ScriptFunction } from './script-function.js'
