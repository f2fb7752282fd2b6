import type { CudaDeviceProperties, CudaGraphStats, CudaMemoryStats } from '../native/binding.js'
import { callNative } from '../native/errors.js'
import { nativeBinding } from '../native/loader.js'
import { deviceIndex } from '../tensor/device.js'
import { ArgumentError } from '../util/errors.js'

/*
 * `torch.cuda`: the GPUs of this machine. Nothing here needs one to be called: without a driver `isAvailable()` is false and
 * `unavailableReason()` says why.
 */

export type { CudaDeviceProperties, CudaGraphStats, CudaMemoryStats }

const face = () => nativeBinding().cuda
/** An index, or a name such as `cuda:1`; the current device when it is left out. */
type Which = number | string
const indexOf = (device: Which | undefined): number | undefined => {
  if (device === undefined || typeof device === 'number') return device
  const index = deviceIndex(device)
  if (index < 0) throw new ArgumentError(`Expected a CUDA device for \`device\` but received '${device}'`)
  return index
}

/** Whether a CUDA device can be used. Opens the driver on the first call. */
export const isAvailable = (): boolean => face().deviceCount() > 0
/** Number of CUDA devices; 0 where CUDA is not available. */
export const deviceCount = (): number => face().deviceCount()
/** Why CUDA is not available; undefined when it is. */
export function unavailableReason(): string | undefined {
  const reason = face().unavailableReason()
  return reason === '' ? undefined : reason
}
/** The CUDA version that the driver supports, such as `12.4`. */
export const driverVersion = (): string => callNative(() => face().driverVersion())
/** Where the compiled kernels are, their names, and why there are none (an empty text when there are). */
export const kernelFile = (): { path: string; reason: string; kernels: string[] } => callNative(() => face().kernelFile())

export const getDeviceProperties = (device?: Which): CudaDeviceProperties => callNative(() => face().properties(indexOf(device)))
export const getDeviceName = (device?: Which): string => getDeviceProperties(device).name
/** Major and minor number, such as [9, 0]. */
export function getDeviceCapability(device?: Which): [number, number] {
  const { major, minor } = getDeviceProperties(device)
  return [major, minor]
}

/** The device that `cuda` without an index means. */
export const currentDevice = (): number => callNative(() => face().currentDevice())
export const setDevice = (device: Which): void => callNative(() => face().setCurrentDevice(indexOf(device)!))

/** Waits until all work of a device is done. */
export const synchronize = (device?: Which): void => callNative(() => face().synchronize(indexOf(device)))

export const memoryStats = (device?: Which): CudaMemoryStats => callNative(() => face().memoryStats(indexOf(device)))
/** Bytes in use by tensors and schedules. */
export const memoryAllocated = (device?: Which): number => memoryStats(device).liveBytes
export const maxMemoryAllocated = (device?: Which): number => memoryStats(device).peakBytes
export const resetPeakMemoryStats = (device?: Which): void => callNative(() => face().resetPeak(indexOf(device)))
/** How many CUDA graphs were captured and launched; `explain()` of a module says which signatures have some. */
export const graphStats = (): CudaGraphStats => callNative(() => face().graphStats())
/** Gives memory that is kept for reuse back to the device. */
export const emptyCache = (device?: Which): void => callNative(() => face().emptyCache(indexOf(device)))

/**
 * What an operator without a CUDA kernel does: `error` (the default) names it; `cpu` runs it on copies of its arguments on the CPU.
 * `takeFallenBack()` lists the operators that did.
 */
export function setFallback(to: 'error' | 'cpu'): void {
  if (to !== 'error' && to !== 'cpu') throw new ArgumentError(`Expected 'error' or 'cpu' for \`to\` but received ${JSON.stringify(to)}`)
  face().setFallback(to === 'cpu')
}
/** Operators that ran on the CPU for want of a CUDA kernel since the last call of this. */
export const takeFallenBack = (): string[] => face().takeFallenBack()

/**
 * Whether matrix products and convolutions of float32 may run on Tensor Cores that see ten bits of each element's fraction (TF32). Neither may
 * unless this says so.
 */
export function allowTf32(allowed: { matmul?: boolean; convolution?: boolean }): void {
  face().allowTf32(allowed.matmul === true, allowed.convolution === true)
}
