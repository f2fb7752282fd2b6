import { callNative } from '../native/errors.js'
import { nativeBinding } from '../native/loader.js'
import { ArgumentError } from '../util/errors.js'

/** `cpu` for -1, `cuda:0` for 0. */
export const deviceName = (index: number): string => (index < 0 ? 'cpu' : `cuda:${index}`)

/** The index of a device that exists, by its name: -1 for `cpu`. `cuda` is the current device. */
export function deviceIndex(device: string): number {
  if (device === 'cpu') return -1
  const parts = typeof device === 'string' ? /^cuda(?::(\d+))?$/.exec(device) : null
  if (parts === null) throw new ArgumentError(`Expected 'cpu' or a device such as 'cuda:0' for \`device\` but received ${JSON.stringify(device)}`)
  const { cuda } = nativeBinding()
  const count = cuda.deviceCount()
  if (count === 0) throw new ArgumentError(`Expected a device that is there for \`device\` but received '${device}': CUDA is not available: ${cuda.unavailableReason()}`)
  const index = parts[1] === undefined ? callNative(() => cuda.currentDevice()) : Number(parts[1])
  if (index >= count) throw new ArgumentError(`Expected a CUDA device below ${count} for \`device\` but received '${device}'`)
  return index
}

/** Whether a device is there. */
export function hasDevice(device: string): boolean {
  if (device === 'cpu' || device === 'meta') return true
  const parts = /^cuda(?::(\d+))?$/.exec(device)
  return parts !== null && Number(parts[1] ?? 0) < nativeBinding().cuda.deviceCount()
}
