import type { ScriptFunction as CompiledFunction, Type } from '../../ir/types.js'
import { Tensor } from '../../tensor/tensor.js'

/** Whether a value is one of a type, so that a script computes with it what JavaScript would. */
function isOf(type: Type, value: unknown): boolean {
  switch (type.kind) {
    case 'Optional':
      return value === null || value === undefined || isOf(type.element, value)
    case 'List':
      return Array.isArray(value) && value.every((item) => isOf(type.element, item))
    case 'Tuple':
      return Array.isArray(value) && value.length === type.elements.length && value.every((item, i) => isOf(type.elements[i], item))
    case 'Dict':
      return value instanceof Map && [...value].every(([key, item]) => isOf(type.key, key) && isOf(type.value, item))
    case 'Simple':
      switch (type.name) {
        case 'Tensor':
          return value instanceof Tensor
        case 'int':
          return typeof value === 'bigint' || Number.isInteger(value)
        case 'float':
          return typeof value === 'number'
        case 'number':
          return typeof value === 'number' || typeof value === 'bigint'
        case 'bool':
          return typeof value === 'boolean'
        case 'str':
          return typeof value === 'string'
        default:
          return false
      }
    default:
      return false
  }
}

/** Whether results of a type are to JavaScript what the function itself would give: dicts may be Maps or objects there. */
export function isPlainResult(type: Type): boolean {
  switch (type.kind) {
    case 'Optional':
    case 'List':
      return isPlainResult(type.element)
    case 'Tuple':
      return type.named === undefined && type.elements.every(isPlainResult)
    case 'Simple':
      return ['Tensor', 'int', 'float', 'number', 'bool', 'str'].includes(type.name)
    default:
      return false
  }
}

/** Arguments for the parameters of a script; undefined where they are none of the declared types. */
export function scriptArguments(parameters: CompiledFunction['parameters'], given: readonly unknown[]): readonly unknown[] | undefined {
  let count = given.length
  while (count > 0 && given[count - 1] === undefined) count--
  const args = count === given.length ? given : given.slice(0, count)
  if (count > parameters.length) return undefined
  for (let i = 0; i < parameters.length; i++) {
    const { type, default: initial } = parameters[i]
    if (i >= count) {
      if (initial === undefined) return undefined
    } else if (!isOf(type, args[i]) || (args[i] === undefined && initial !== undefined)) return undefined
  }
  return args
}
