import type { MemoryStats } from '../native/binding.js'
import { callNative } from '../native/errors.js'
import { nativeBinding } from '../native/loader.js'
import { ArgumentError } from '../util/errors.js'

/** How many threads one call may use; the calling thread is one of them. */
export function setNumThreads(threads: number): void {
  if (!Number.isInteger(threads) || threads < 1)
    throw new ArgumentError(`Expected a positive integer for \`threads\` but received ${threads}`)
  callNative(() => nativeBinding().setNumThreads(threads))
}
export const getNumThreads = (): number => nativeBinding().getNumThreads()

/** Instruction set of the kernels in use: `scalar`, `avx2` or `avx512`. */
export const isa = (): string => callNative(() => nativeBinding().isa())

/** Seeds the generator of random numbers; the numbers are those that PyTorch gives on the CPU. */
export function manualSeed(seed: number | bigint): void {
  if (typeof seed !== 'bigint' && !Number.isSafeInteger(seed))
    throw new ArgumentError(`Expected an integer for \`seed\` but received ${seed}`)
  callNative(() => nativeBinding().seed(seed))
}

/** Native memory in use and kept for reuse. */
export const memoryStats = (): MemoryStats => nativeBinding().memoryStats()

/** Receives what programs print; null sends it to standard output again. */
export function onPrint(handler: ((line: string) => void) | null): void {
  nativeBinding().setPrintHandler(handler)
}
/** Receives the warnings of programs; null sends them to standard error again. */
export function onWarn(handler: ((message: string) => void) | null): void {
  nativeBinding().setWarnHandler(handler)
}
