// Runs the cases of one fixture and prints those that differ, as JSON.
import { describe, goldenCases, runGolden } from './golden.js'

const failures: string[] = []
for (const c of goldenCases(process.argv[2])) {
  const d = runGolden(c)
  if (d !== '') failures.push(`${describe(c)}: ${d}`)
}
console.log(JSON.stringify(failures))
