// Operator calls that PyTorch recorded (test/fixtures/kernels), on the device: every row that the CPU has, on a sample of its cases.
import './emulated.js'
import t from 'tap'
import { describe, goldenCases, runGolden } from '../kernels/golden.js'

/** Of how many cases one is run. */
const share: Record<string, number> = { conv: 1, create: 3, dense: 1, index: 1, linalg: 1, pointwise: 4, reduce: 6, resize: 1, sort: 1 }

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
      else if (difference !== '') failures.push(`${describe(c)}: ${difference}`)
    }
    t.same(failures, [], `${name}: ${cases.length} cases`)
  }
  t.same([...lacking].sort(), [], 'rows without a CUDA kernel')
  t.end()
})
