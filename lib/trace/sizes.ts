import type { TraceValue } from './records.js'

/**
 * A size of a traced tensor. It is an object of Number: operators take it as the number it is, and the trace keeps where it comes from, so that
 * a view of `[x.size(0), -1]` works for other batch sizes. Arithmetic on it gives a plain number, which the trace keeps as a constant; the
 * tracer warns.
 */
export class TracedSize extends Number {
  constructor(
    size: number,
    readonly traced: TraceValue,
    private readonly onPlain: () => void,
  ) {
    super(size)
  }
  [Symbol.toPrimitive](hint: string): number | string {
    if (hint === 'string') return String(this.valueOf())
    this.onPlain()
    return this.valueOf()
  }
}
