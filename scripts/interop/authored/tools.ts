import * as torch from '../../../lib/index.js'
import { callOperator } from '../../../lib/runtime/dispatch.js'
import { manualSeed } from '../../../lib/api/settings.js'
import type { AuthoredCase } from '../authored.js'

export type AnyTensor = torch.Tensor

/** An operator by name, for what has no function yet. */
export const op = (name: string, ...args: unknown[]): AnyTensor => callOperator(`aten::${name}`, args) as AnyTensor
export const randn = (...shape: number[]): AnyTensor => op('randn', shape)
export const rand = (...shape: number[]): AnyTensor => op('rand', shape)
export const ints = (shape: number[], end: number): AnyTensor => op('randint', end, shape)

/** A module in eval mode, traced. Random numbers of the case are the same each time. */
export function traced(name: string, make: () => torch.nn.Module, inputs: () => unknown[]): AuthoredCase {
  return {
    name,
    make() {
      manualSeed(1)
      const module = make().eval()
      const example = inputs()
      return { module: torch.jit.trace(module, example), inputs: example }
    },
  }
}
