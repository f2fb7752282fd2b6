import { ByteWriter } from './bytes.js'
import { planFileMagic, planFileVersion } from './format.js'

/** Quantization as a plan file has it: 0 per tensor; 1 and 4 per channel, with an entry for each index along `axis`. */
export type PlanFileQuant =
  | { readonly scheme: 0; readonly scale: number; readonly zeroPoint: number }
  | { readonly scheme: 1 | 4; readonly axis: number; readonly scales: ArrayLike<number>; readonly zeroPoints: ArrayLike<number> }

export interface PlanFileTensor {
  /** Index of its storage. */
  readonly storage: number
  readonly dtypeCode: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]
  readonly offset: number
  readonly requiresGrad: boolean
  readonly quant?: PlanFileQuant
}

const alignment = 64
const aligned = (length: number): number => Math.ceil(length / alignment) * alignment

/**
 * The bytes of a plan file (docs/plan-format.md, Plan file), in pieces that follow each other: the program, the memory of the storages, and the tensors on
 * them in the order of the plan's tensor table. Storages are not copied.
 */
export function planFilePieces(plan: Uint8Array, storages: readonly Uint8Array[], tensors: readonly PlanFileTensor[]): Uint8Array[] {
  const regions = [plan, ...storages]
  // All fields have fixed widths: the length of the header does not depend on the offsets in it.
  const starts = regions.map(() => 0)
  let end = aligned(header(regions, starts, tensors).length)
  regions.forEach((region, i) => {
    starts[i] = end
    end = aligned(end + region.length)
  })
  return [header(regions, starts, tensors), ...regions].flatMap((piece) => [piece, new Uint8Array(aligned(piece.length) - piece.length)])
}

function header(regions: readonly Uint8Array[], starts: readonly number[], tensors: readonly PlanFileTensor[]): Uint8Array {
  const out = new ByteWriter()
  const region = (i: number): ByteWriter => out.i64(BigInt(starts[i])).i64(BigInt(regions[i].length))
  out.u32(planFileMagic).u32(planFileVersion)
  region(0)
  out.u32(regions.length - 1)
  for (let i = 1; i < regions.length; i++) region(i)
  out.vec(tensors, (tensor) => {
    out.u32(tensor.storage).u8(tensor.dtypeCode).u32(tensor.shape.length)
    for (const n of [...tensor.shape, ...tensor.strides, tensor.offset]) out.i64(BigInt(n))
    out.u8(tensor.requiresGrad ? 1 : 0)
    writeQuant(out, tensor.quant)
  })
  return out.finish()
}

function writeQuant(out: ByteWriter, quant: PlanFileQuant | undefined): void {
  if (quant === undefined) {
    out.u8(0)
    return
  }
  out.u8(1).u8(quant.scheme)
  if (quant.scheme === 0) {
    out.f64(quant.scale).i64(BigInt(quant.zeroPoint))
    return
  }
  out.u32(quant.axis).u32(quant.scales.length)
  for (const numbers of [quant.scales, quant.zeroPoints]) for (let i = 0; i < numbers.length; i++) out.f64(numbers[i])
}
