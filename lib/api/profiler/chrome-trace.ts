import type { ProfilerEvent } from './profile.js'

interface TraceEvent {
  ph: 'X' | 'M'
  name: string
  cat?: string
  pid: number
  tid: number
  ts?: number
  dur?: number
  args: Record<string, unknown>
}

/** The events in the Trace Event Format, with PyTorch's names of categories and arguments. Ranges lie on a line of their own. */
export function chromeTrace(events: readonly ProfilerEvent[], pid: number): { schemaVersion: 1; traceEvents: TraceEvent[] } {
  const threads = [...new Set(events.map((event) => event.thread))].sort((a, b) => a - b)
  const label = (thread: number): string => (thread < 0 ? 'ranges' : `thread ${thread}`)
  const names: TraceEvent[] = [
    { ph: 'M', name: 'process_name', pid, tid: 0, args: { name: 'torchscript-node' } },
    ...threads.map((thread) => ({ ph: 'M' as const, name: 'thread_name', pid, tid: thread + 1, args: { name: label(thread) } })),
  ]
  const body = events.map((event): TraceEvent => {
    const args: Record<string, unknown> = {}
    if (event.category === 'operator') {
      args['Input Dims'] = event.inputs.map((tensor) => tensor.shape)
      args['Input type'] = event.inputs.map((tensor) => tensor.dtype)
      args['Output Dims'] = event.outputs.map((tensor) => tensor.shape)
      args.Kernel = event.kernel
      if (event.step >= 0) args.Step = event.step
      if (event.location !== '') args.Location = event.location
      if (event.flops > 0) args['GFLOP/s'] = rate(event.flops, event.duration)
      args.Bytes = event.bytes
      args['GB/s'] = rate(event.bytes, event.duration)
    }
    return {
      ph: 'X',
      cat: event.category === 'operator' ? 'cpu_op' : 'user_annotation',
      name: event.name,
      pid,
      tid: event.thread + 1,
      ts: event.start,
      dur: event.duration,
      args,
    }
  })
  return { schemaVersion: 1, traceEvents: [...names, ...body] }
}

const rate = (amount: number, microseconds: number): number => (microseconds > 0 ? Math.round(amount / microseconds / 10) / 100 : 0)
