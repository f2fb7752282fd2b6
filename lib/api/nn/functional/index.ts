/** `nn.functional`: the functions of torch.nn.functional by their names in camelCase. */
export * from './activation.js'
export * from './linear.js'
export * from './normalization.js'
export * from './pooling.js'
export * from './vision.js'
export * from './loss.js'
export { multiHeadAttentionForward } from './attention.js'
export type { MultiHeadAttentionOptions } from './attention.js'
