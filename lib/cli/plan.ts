import { savePlan } from '../api/jit/save-plan.js'

/** `torchscript plan`. Exit code 1 when an operator is not supported; the file is written all the same. */
export function planCommand(file: string, output: string): number {
  const { missingOperators } = savePlan(file, output)
  if (missingOperators.length === 0) return 0
  process.stderr.write(`torchscript: not supported, and failing when reached: ${missingOperators.join(', ')}\n`)
  return 1
}
