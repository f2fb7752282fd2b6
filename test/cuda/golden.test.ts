// Operator calls that PyTorch recorded (test/fixtures/kernels), on the device: every row that the CPU has, on a sample of its cases.
import './emulated.js'
import t from 'tap'
import { describe, type GoldenCase, goldenCases, runGolden } from '../kernels/golden.js'

/** Of how many cases one is run. */
const share: Record<string, number> = { conv: 1, create: 3, dense: 1, index: 1, linalg: 1, pointwise: 4, reduce: 6, resize: 1, sort: 1 }

/** Tensors with gaps lie without them once they are moved, and what keeps their layout keeps that one. */
const hasGaps = (c: GoldenCase): boolean => c.args.some((a) => a !== null && 't' in a && a.st !== undefined)
/** Which of equal values is taken, and where NaN is among them, is left open by PyTorch and differs between its devices. */
const isOpen = (op: string, difference: string): boolean =>
  op === 'aten::mode' || (op.startsWith('aten::topk') && difference.startsWith('result 1'))

/** Rows that refuse a case of the sample: sums of complex numbers, and what has no row at all. */
const withoutKernel = [
  'upsample_cubic',
  'upsample_cubic_aa',
  'upsample_linear',
  'upsample_linear_aa',
  'upsample_linear_vec',
]

t.test('values', (t) => {
  const lacking = new Set<string>()
  for (const [name, each] of Object.entries(share)) {
    const failures: string[] = []
    const cases = goldenCases(name).filter((c, i) => i % each === 0 && c.args.some((a) => a !== null && ('t' in a || 'ts' in a)))
    // What PyTorch refuses because of values is not seen on a device until something waits.
    for (const c of cases.filter((c) => c.raises === undefined)) {
      const difference = runGolden(c, 0)
      const row = /has no CUDA kernel for .* \(row (\w+)\)/.exec(difference)
      if (row !== null) lacking.add(row[1])
      else if (difference !== '' && !isOpen(c.op, difference) && !(difference.startsWith('strides') && hasGaps(c)))
        failures.push(`${describe(c)}: ${difference}`)
    }
    t.same(failures, [], `${name}: ${cases.length} cases`)
  }
  t.same([...lacking].sort(), withoutKernel, 'rows without a CUDA kernel')
  t.end()
})
