/** The public names below `torch.jit`. */
export { load } from './load.js'
export type { JitLoadOptions } from './load.js'
export { savePlan } from './save-plan.js'
export { ScriptModule, ScriptObject } from './script-module.js'
