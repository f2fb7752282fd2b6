import { explain, optimizedGraphOf } from '../api/explain.js'
import { load } from '../api/jit/load.js'
import { optimizeForInference } from '../api/jit/optimize-for-inference.js'
import { setNumThreads } from '../api/settings.js'
import { ArgumentError } from '../util/errors.js'
import { parseInput, positive, shapeOf } from './run.js'

export interface InspectOptimizedOptions {
  explain?: boolean
  shape?: string[]
  input?: string[]
  method?: string
  threads?: string
  json?: boolean
}

/** `torchscript inspect --optimized`: the graph that runs after freezing; with `--explain`, what runs for each of its nodes. */
export function inspectOptimizedCommand(file: string, options: InspectOptimizedOptions): number {
  if (options.threads !== undefined) setNumThreads(positive(options.threads, '--threads'))
  if (options.shape !== undefined && options.input !== undefined)
    throw new ArgumentError('Expected --shape or --input, which give the arguments in order, but received both')
  const { method = 'forward' } = options
  const otherMethods = method === 'forward' ? [] : [method]
  const module = optimizeForInference(load(file, { mapLocation: 'cpu' }), { otherMethods })
  if (!options.explain) {
    const graph = optimizedGraphOf(module, method)
    process.stdout.write(options.json ? `${JSON.stringify({ graph })}\n` : graph)
    return 0
  }
  const args = [
    ...(options.shape ?? []).map((text) => parseInput(`random:${shapeOf(text, '--shape').join(',')}`)),
    ...(options.input ?? []).map(parseInput),
  ]
  if (args.length === 0)
    throw new ArgumentError('Expected the arguments of a call for `--explain`, as --shape 1,3,224,224 or --input, but received none')
  const explanation = explain(module, args, { method })
  process.stdout.write(options.json ? `${JSON.stringify(explanation, null, 2)}\n` : `${String(explanation)}\n`)
  return 0
}
