import { writeFileSync } from 'node:fs'
import type { NativeProfileEvent, NativeProfileTensor } from '../../native/binding.js'
import { callNative } from '../../native/errors.js'
import { nativeBinding } from '../../native/loader.js'
import { dtypeFromCode, type DType } from '../../tensor/dtype.js'
import { ArgumentError } from '../../util/errors.js'
import { chromeTrace } from './chrome-trace.js'
import { bytesOf, flopsOf } from './flops.js'
import { KeyAverages, type TableOptions } from './table.js'

export interface ProfilerTensor {
  readonly dtype: DType
  readonly shape: readonly number[]
}

/** One operator that ran, or a range of `recordFunction`. Times are microseconds; `start` counts from the first event. */
export interface ProfilerEvent {
  readonly category: 'operator' | 'range'
  /** Schema name of the operator. */
  readonly name: string
  /** The code that ran, such as `gemm_f32_avx512_14x32`. */
  readonly kernel: string
  readonly start: number
  readonly duration: number
  /** Small numbers: the executor's threads in the order in which they first report; -1 for ranges. */
  readonly thread: number
  /** The node's place in the recorded schedule, or -1 when the run was not a replay. */
  readonly step: number
  /** `file:line` of the TorchScript that called it, or an empty string. */
  readonly location: string
  /** Tensors among the arguments, lists flattened. */
  readonly inputs: readonly ProfilerTensor[]
  readonly outputs: readonly ProfilerTensor[]
  /** Operations of products and convolutions, two for each multiply-add; 0 for others. */
  readonly flops: number
  /** Bytes of the tensors read and written, each once. */
  readonly bytes: number
}

export interface KeyAveragesOptions {
  /** Rows of their own for each set of input shapes. */
  groupByInputShape?: boolean
  /** Rows of their own for each line of the program. */
  groupByLocation?: boolean
}

interface Range {
  name: string
  start: number
  end: number
}
let ranges: Range[] | undefined
const clock = (): number => Number(process.hrtime.bigint())

const tensorOf = (tensor: NativeProfileTensor): ProfilerTensor => ({ dtype: dtypeFromCode(tensor.dtype) ?? 'uint8', shape: tensor.shape })

function operatorEvent(event: NativeProfileEvent, origin: number): ProfilerEvent {
  const tensors = event.inputs.filter((operand): operand is NativeProfileTensor => typeof operand === 'object' && operand !== null)
  return {
    category: 'operator',
    name: event.name,
    kernel: event.inner === '' ? event.row : event.inner,
    start: (event.start - origin) / 1e3,
    duration: event.nanoseconds / 1e3,
    thread: event.thread,
    step: event.step,
    location: event.location,
    inputs: tensors.map(tensorOf),
    outputs: event.outputs.map(tensorOf),
    flops: flopsOf(event),
    bytes: bytesOf(event),
  }
}

function rangeEvent(range: Range, origin: number): ProfilerEvent {
  const none = { kernel: '', thread: -1, step: -1, location: '', inputs: [], outputs: [], flops: 0, bytes: 0 }
  return { category: 'range', name: range.name, start: (range.start - origin) / 1e3, duration: (range.end - range.start) / 1e3, ...none }
}

/** What `profile` measured. */
export class Profile<T = unknown> {
  /** What the profiled function returned. */
  readonly result: T
  /** Every operator and range, in the order of their starts. */
  readonly events: readonly ProfilerEvent[]
  /** Operators beyond the limit of about a million, which are not among the events. */
  readonly dropped: number

  constructor(result: T, native: readonly NativeProfileEvent[], recorded: readonly Range[], dropped: number) {
    const origin = [...native, ...recorded].reduce((least, event) => Math.min(least, event.start), Infinity)
    this.result = result
    this.events = [...native.map((e) => operatorEvent(e, origin)), ...recorded.map((r) => rangeEvent(r, origin))].sort(
      (a, b) => a.start - b.start || b.duration - a.duration,
    )
    this.dropped = dropped
  }

  /** The operators added up: by name and kernel, and by what the options say. */
  keyAverages(options: KeyAveragesOptions = {}): KeyAverages {
    return new KeyAverages(this.events, options)
  }
  /** `keyAverages()` as text. */
  table(options: TableOptions & KeyAveragesOptions = {}): string {
    return this.keyAverages(options).table(options)
  }
  /** Writes the events for chrome://tracing and Perfetto. */
  exportChromeTrace(path: string): void {
    if (typeof path !== 'string' || path === '')
      throw new ArgumentError(`Expected a path for \`path\` of exportChromeTrace but received ${JSON.stringify(path)}`)
    writeFileSync(path, JSON.stringify(chromeTrace(this.events, process.pid)))
  }
}

/**
 * Runs `fn` and measures every operator in it, of any thread: `const prof = torch.profiler.profile(() => model.forward(x))`, then `prof.table()`
 * or `prof.exportChromeTrace('trace.json')`. Call the model before, or the profile shows its first run, which packs weights and records.
 * When `fn` gives a promise, the profile is promised too. One profile at a time.
 */
export function profile<T>(fn: () => Promise<T>): Promise<Profile<T>>
export function profile<T>(fn: () => T): Profile<T>
export function profile<T>(fn: () => T | Promise<T>): Profile<T> | Promise<Profile<T>> {
  if (typeof fn !== 'function') throw new ArgumentError(`Expected a function for \`fn\` of profile but received ${String(fn)}`)
  if (ranges !== undefined) throw new ArgumentError('Expected no profile that still runs for profile but received a call within one')
  const binding = nativeBinding()
  const recorded: Range[] = (ranges = [])
  callNative(() => {
    binding.takeProfile()
    binding.setProfile(true)
  })
  const stop = (): { events: readonly NativeProfileEvent[]; dropped: number } => {
    ranges = undefined
    binding.setProfile(false)
    return binding.takeProfile()
  }
  const finish = (result: T): Profile<T> => {
    const { events, dropped } = stop()
    return new Profile(result, events, recorded, dropped)
  }
  let result: T | Promise<T>
  try {
    result = fn()
  } catch (error) {
    stop()
    throw error
  }
  if (!(result instanceof Promise)) return finish(result)
  return result.then(finish, (error: unknown) => {
    stop()
    throw error
  })
}

/** Runs `fn` and, within `profile`, shows it in the trace as a range of that name; its promise is awaited. */
export function recordFunction<T>(name: string, fn: () => T): T {
  const into = ranges
  if (into === undefined) return fn()
  const start = clock()
  const close = (): void => void into.push({ name, start, end: clock() })
  let result: T
  try {
    result = fn()
  } catch (error) {
    close()
    throw error
  }
  if (result instanceof Promise) return result.finally(close) as T
  close()
  return result
}
