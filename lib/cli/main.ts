import { parseArgs } from 'node:util'
import { TorchScriptError } from '../util/errors.js'
import { benchCommand } from './bench.js'
import { inspectCommand } from './inspect.js'
import { inspectOptimizedCommand } from './inspect-optimized.js'
import { optimizeCommand } from './optimize.js'
import { planCommand } from './plan.js'
import { runCommand } from './run.js'

const usage = `Usage: torchscript <command> [options]

  run <model.pt>        calls a method of the model
    --input <value>     an argument, in order; may be repeated: a .npy file, file.npz:array, random:1,3,224,224, zeros:2,3,
                        int:5, float:0.5, bool:true, str:text, none
    --output <file>     where the result goes: .npy, or .npz for several tensors; without it the result is printed
    --method <name>     default forward
    --threads <n>       default: physical cores
    --optimize          freezes the model and optimises it for inference first
    --profile           prints the time of each operator
    --trace <file>      writes a trace of the operators for chrome://tracing and Perfetto
    --repeat <n>        calls n times; a profile leaves out the first of several calls
    --json              prints the result as JSON

  inspect <model.pt>    says what is in the file, and which of its operators are not supported
    --graph --code      prints the IR or the code of every method
    --json              everything as JSON
    --device cuda       the operators that have no CUDA kernel
    --optimized         prints the graph that runs after freezing and optimising instead
    --explain           with --optimized: the kernel of each node, and what was fused or was not, and why
    --shape, --input    arguments for --explain, as for bench and run
    --method <name>     for --optimized; default forward
    --threads <n>       for --explain

  optimize <model.pt>   freezes the model and optimises it for inference; PyTorch loads the result too
    --output <file>     the new archive
    --method <name>     a method to keep besides forward; may be repeated

  bench <model.pt>      measures the model, frozen and optimised for inference
    --shape <sizes>     a float32 argument of random numbers, such as 1,3,224,224; in order, may be repeated
    --input <value>     instead of --shape: an argument as for run
    --method <name>     default forward
    --threads <n>       default: physical cores
    --seconds <n>       default 3
    --as-loaded         without freezing and optimising
    --json              prints the figures as JSON

  plan <model.pt>       compiles the model for programs in C++, which load it without Node
    --output <file>     the plan file
`

/** Runs the command line and gives the exit code. */
export function main(argv: readonly string[]): number {
  const [command, ...rest] = argv
  if (command === undefined || command === '--help' || command === 'help') {
    process.stdout.write(usage)
    return command === undefined ? 2 : 0
  }
  try {
    switch (command) {
      case 'run': {
        const { values, positionals } = parseArgs({
          args: rest,
          allowPositionals: true,
          options: {
            input: { type: 'string', multiple: true, default: [] },
            output: { type: 'string' },
            method: { type: 'string', default: 'forward' },
            threads: { type: 'string' },
            repeat: { type: 'string', default: '1' },
            optimize: { type: 'boolean', default: false },
            profile: { type: 'boolean', default: false },
            trace: { type: 'string' },
            json: { type: 'boolean', default: false },
          },
        })
        return runCommand(onlyFile(positionals, 'run'), values)
      }
      case 'inspect': {
        const { values, positionals } = parseArgs({
          args: rest,
          allowPositionals: true,
          options: {
            graph: { type: 'boolean', default: false },
            code: { type: 'boolean', default: false },
            json: { type: 'boolean', default: false },
            device: { type: 'string' },
            optimized: { type: 'boolean', default: false },
            explain: { type: 'boolean', default: false },
            shape: { type: 'string', multiple: true },
            input: { type: 'string', multiple: true },
            method: { type: 'string' },
            threads: { type: 'string' },
          },
        })
        const file = onlyFile(positionals, 'inspect')
        return values.optimized || values.explain ? inspectOptimizedCommand(file, values) : inspectCommand(file, values)
      }
      case 'optimize': {
        const { values, positionals } = parseArgs({
          args: rest,
          allowPositionals: true,
          options: { output: { type: 'string', short: 'o' }, method: { type: 'string', multiple: true } },
        })
        const file = onlyFile(positionals, 'optimize')
        if (values.output === undefined) throw new UsageError('Expected the file to write for `--output` but received none')
        return optimizeCommand(file, { ...values, output: values.output })
      }
      case 'bench': {
        const { values, positionals } = parseArgs({
          args: rest,
          allowPositionals: true,
          options: {
            shape: { type: 'string', multiple: true },
            input: { type: 'string', multiple: true },
            method: { type: 'string', default: 'forward' },
            threads: { type: 'string' },
            seconds: { type: 'string', default: '3' },
            'as-loaded': { type: 'boolean', default: false },
            json: { type: 'boolean', default: false },
          },
        })
        return benchCommand(onlyFile(positionals, 'bench'), values)
      }
      case 'plan': {
        const { values, positionals } = parseArgs({
          args: rest,
          allowPositionals: true,
          options: { output: { type: 'string', short: 'o' } },
        })
        const file = onlyFile(positionals, 'plan')
        if (values.output === undefined) throw new UsageError('Expected the file to write for `--output` but received none')
        return planCommand(file, values.output)
      }
      default:
        throw new UsageError(`Expected run, inspect, optimize, bench or plan for the command but received ${command}`)
    }
  } catch (error) {
    if (
      error instanceof TorchScriptError ||
      error instanceof UsageError ||
      (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS')
    ) {
      process.stderr.write(`torchscript: ${(error as Error).message}\n`)
      return error instanceof TorchScriptError ? 1 : 2
    }
    throw error
  }
}

class UsageError extends Error {}

function onlyFile(positionals: readonly string[], command: string): string {
  if (positionals.length !== 1) throw new UsageError(`Expected one model file for ${command} but received ${positionals.length}`)
  return positionals[0]
}
