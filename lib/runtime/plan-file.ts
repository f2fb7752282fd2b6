import type { StorageData, TensorData } from '../archive/values.js'
import { type PlanFileQuant, planFilePieces, type PlanFileTensor } from '../plan/file.js'
import { dtypeCode } from '../tensor/dtype.js'
import { compileProgram, type ProgramSource } from './compile.js'
import { checkTensor, quantInfo } from './tensors.js'

export interface PlanFile {
  /** The file's bytes, in pieces that follow each other. */
  readonly pieces: readonly Uint8Array[]
  /** Operators that the code names and nothing here can run. They raise when they are reached. */
  readonly missingOperators: readonly string[]
}

/** Compiles a program to what the C++ API loads. Tensors that share memory share it there. */
export function planFile(source: ProgramSource): PlanFile {
  const { plan, missingOperators } = compileProgram(source)
  const indices = new Map<StorageData, number>()
  const rows = (plan.tensors as readonly TensorData[]).map((tensor): PlanFileTensor => {
    checkTensor(tensor)
    let storage = indices.get(tensor.storage)
    if (storage === undefined) indices.set(tensor.storage, (storage = indices.size))
    const { dtype, shape, strides, offset, requiresGrad } = tensor
    return { storage, dtypeCode: dtypeCode(dtype), shape, strides, offset, requiresGrad, quant: quantOf(tensor) }
  })
  const storages = [...indices.keys()].map((storage) => storage.bytes())
  return { pieces: planFilePieces(plan.bytes, storages, rows), missingOperators }
}

function quantOf(tensor: TensorData): PlanFileQuant | undefined {
  if (tensor.quant === undefined) return undefined
  const { scheme, scale, zeroPoint, axis } = quantInfo(tensor.quant)
  if (scheme === 0) return { scheme, scale: scale as number, zeroPoint: zeroPoint as number }
  return { scheme, axis: axis!, scales: scale as Float64Array, zeroPoints: zeroPoint as Float64Array }
}
