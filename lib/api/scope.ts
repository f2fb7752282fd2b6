import { currentListener } from '../runtime/dispatch.js'
import { collectTensors, Tensor } from '../tensor/tensor.js'
import { ArgumentError } from '../util/errors.js'

/** The tensors in a value: in arrays, Maps, Sets and the fields of objects. */
function tensorsIn(value: unknown, found = new Set<Tensor>(), seen = new Set<object>()): Set<Tensor> {
  if (typeof value !== 'object' || value === null || seen.has(value)) return found
  seen.add(value)
  if (value instanceof Tensor) found.add(value)
  else if (value instanceof Map || value instanceof Set)
    for (const item of [...value.keys(), ...value.values()]) tensorsIn(item, found, seen)
  else if (!ArrayBuffer.isView(value)) for (const item of Object.values(value)) tensorsIn(item, found, seen)
  return found
}

const asyncRefusal =
  'Expected a function that is not async for `fn` of scope but received an async one: a scope ends when the function returns, before an async function is done'

const isThenable = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'

/**
 * Runs `fn` and frees at once the memory of every tensor made meanwhile, except those in the result: `const y = torch.scope(() => a.add(b).relu())`.
 * The result may be a tensor, an array, a Map, a Set or an object that holds tensors. In a scope within a scope the outer one takes
 * care of the inner one's result. Tensors that `fn` stores elsewhere are disposed of like the rest. While a trace is recorded nothing is freed.
 */
export function scope<T>(fn: () => T): T {
  if (typeof fn !== 'function') throw new ArgumentError(`Expected a function for \`fn\` of scope but received ${String(fn)}`)
  if (Object.prototype.toString.call(fn) === '[object AsyncFunction]') throw new ArgumentError(asyncRefusal)
  if (currentListener() !== undefined) return fn()
  const made: Tensor[] = []
  const outer = collectTensors(made)
  let kept: ReadonlySet<Tensor> = new Set()
  try {
    const result = fn()
    if (isThenable(result)) throw new ArgumentError(asyncRefusal)
    kept = tensorsIn(result)
    return result
  } finally {
    collectTensors(outer)
    // A parameter has the handle of the tensor that it was made from.
    const handles = new Set([...kept].map((tensor) => Tensor.presentHandleOf(tensor)))
    handles.delete(undefined)
    for (const tensor of made) {
      if (!kept.has(tensor) && !handles.has(Tensor.presentHandleOf(tensor))) tensor.dispose()
      else if (outer !== undefined) outer.push(tensor)
    }
  }
}

/** Runs `fn` as PyTorch's `inference_mode` does. No gradients are computed here, so that it only says so. */
export const inferenceMode = <T>(fn: () => T): T => fn()
/** Runs `fn` as PyTorch's `no_grad` does. No gradients are computed here, so that it only says so. */
export const noGrad = <T>(fn: () => T): T => fn()
