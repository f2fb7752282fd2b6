import { Tensor } from '../../../tensor/tensor.js'
import type { MemoryFormat } from '../../operators/types.js'
import { detached, opWith } from '../eager.js'
import { Conv2d, Conv3d, ConvTranspose2d, ConvTranspose3d } from '../layers/conv.js'
import { type AnyModule, Module } from '../module.js'

function convert(module: AnyModule, format: MemoryFormat, isMeant: (module: Module) => boolean): void {
  if (!(module instanceof Module)) return
  if (isMeant(module)) {
    const { weight } = module as Conv2d
    const { requiresGrad } = weight
    Tensor.replaceHandle(weight, Tensor.handleOf(opWith('clone', [detached(weight)], { memory_format: format })))
    Tensor.handleOf(weight).setRequiresGrad(requiresGrad)
  }
  for (const child of module.children()) convert(child, format, isMeant)
}

/** Lays the weights of all Conv2d and ConvTranspose2d of a module out in a memory format, such as `channels_last`. Gives the module back. */
export function convertConv2dWeightMemoryFormat<T extends Module>(module: T, memoryFormat: MemoryFormat): T {
  convert(module, memoryFormat, (layer) => layer instanceof Conv2d || layer instanceof ConvTranspose2d)
  return module
}
/** The same for Conv3d and ConvTranspose3d. */
export function convertConv3dWeightMemoryFormat<T extends Module>(module: T, memoryFormat: MemoryFormat): T {
  convert(module, memoryFormat, (layer) => layer instanceof Conv3d || layer instanceof ConvTranspose3d)
  return module
}
