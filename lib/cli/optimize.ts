import { statSync } from 'node:fs'
import { load } from '../api/jit/load.js'
import { optimizeForInference } from '../api/jit/optimize-for-inference.js'
import { save } from '../api/jit/save-module.js'

interface OptimizeOptions {
  output: string
  method?: string[]
}

const size = (path: string): string => `${(statSync(path).size / 1e6).toFixed(1)} MB`

/**
 * `torchscript optimize`: freezes a model, optimises it and writes it as an archive of PyTorch's operators, which PyTorch loads as well. What is faster
 * in this package only (fused and packed forms) is made when the file is loaded.
 */
export function optimizeCommand(file: string, options: OptimizeOptions): number {
  const module = optimizeForInference(load(file, { mapLocation: 'cpu' }), { otherMethods: options.method ?? [] })
  save(module, options.output)
  process.stdout.write(`${options.output}: ${size(options.output)}, from ${size(file)}\n`)
  return 0
}
