import { explainFunction, type KernelRun, type NodeExplanation } from '../runtime/explain.js'
import type { SignatureReport } from '../native/binding.js'
import type { ScriptFunction } from '../ir/types.js'
import { optimizedGraph } from '../runtime/optimized-execution.js'
import { deviceName } from '../tensor/device.js'
import { ArgumentError } from '../util/errors.js'
import { compiledFunctionOf } from './jit/script-function.js'
import { partsOf, ScriptModule } from './jit/script-module.js'
import { getNumThreads, isa } from './settings.js'

export type { KernelRun, NodeExplanation } from '../runtime/explain.js'

export interface ExplainOptions {
  /** The method of a module. Default `forward`. */
  method?: string
}

/** What became of a function or method for the shapes of some arguments. Printed, it is a table. */
export interface Explanation {
  /** The optimised graph. */
  readonly graph: string
  /** Its nodes in order. */
  readonly nodes: readonly NodeExplanation[]
  /** Whether such calls replay a schedule, how many steps it has and how much memory it needs. */
  readonly signature: SignatureReport | undefined
  /** Instruction set of the kernels, or the device that they run on. */
  readonly isa: string
  readonly threads: number
  toString(): string
}

const kilobytes = (bytes: number): string => (bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e3).toFixed(1)} kB`)

/** `conv winograd F(4,3) avx512`: the row, then the code that ran, without saying anything twice. */
function kernelText({ row, inner, inputs, outputs }: KernelRun, isa: string): string {
  const code = inner === '' ? '' : ` ${inner}`
  const where = inner.includes(isa) || inner.includes('scalar') ? '' : ` ${isa}`
  return `${row}${code}${where}  ${inputs.join(', ')} -> ${outputs.join(', ')}`
}

/** What CUDA graphs a signature has, or why none; empty on the CPU. */
function graphText({ graphs, graphNodes, graphReason, deviceArenaBytes }: SignatureReport): string {
  const memory = deviceArenaBytes > 0 ? `, device arena ${kilobytes(deviceArenaBytes)}` : ''
  if (graphs === 0) return `${memory}${graphReason === '' ? '' : `, no CUDA graph: ${graphReason}`}`
  const without = graphReason === '' ? '' : ` (step by step: ${graphReason})`
  return `${memory}, ${graphs} CUDA graph${graphs === 1 ? '' : 's'} of ${graphNodes} nodes${without}`
}

/** Nodes without work of which fewer than this follow one another have a line each. */
const shortRun = 4

/** How many nodes from one on have no kernel and nothing to say, in one block. */
function idleRun(nodes: readonly NodeExplanation[], from: number): number {
  let to = from
  while (to < nodes.length && nodes[to].depth === nodes[from].depth && isIdle(nodes[to])) to++
  return to - from
}
const isIdle = ({ kernels, notes, inner, kind }: NodeExplanation): boolean =>
  kernels.length === 0 && notes.length === 0 && inner.length === 0 && kind !== 'prim::If' && kind !== 'prim::Loop'

function tableOf({ nodes, signature, isa: set, threads }: Omit<Explanation, 'toString'>): string {
  const how =
    signature === undefined
      ? 'not recorded'
      : signature.state === 'recorded'
        ? `${signature.steps} steps, arena ${kilobytes(signature.arenaBytes)}, constants ${kilobytes(signature.constantBytes)}`
        : `runs operator by operator: ${signature.reason}`
  const graphs = signature === undefined ? '' : graphText(signature)
  const lines = [`(${signature?.inputs ?? ''}) on ${set}, ${threads} thread${threads === 1 ? '' : 's'}: ${how}${graphs}`]
  const shown = nodes.filter((node) => node.kind !== 'prim::Constant')
  for (let i = 0; i < shown.length; i++) {
    const node = shown[i]
    const idle = idleRun(shown, i)
    if (idle >= shortRun) {
      const counts = new Map<string, number>()
      for (const { idle: what } of shown.slice(i, i + idle)) counts.set(what, (counts.get(what) ?? 0) + 1)
      const names = [shown[i], shown[i + idle - 1]].map(({ text }) => text.split(' ')[0])
      const what = [...counts].map(([name, count]) => `${name} (${count})`).join(', ')
      lines.push(`${'  '.repeat(node.depth + 1)}${names.join(' ... ')}   # ${idle} nodes without work: ${what}`)
      i += idle - 1
      continue
    }
    const indent = '  '.repeat(node.depth + 1)
    lines.push(`${indent}${node.text}${node.kernels.length === 0 ? `   # ${node.idle}` : ''}`)
    for (const line of node.inner) lines.push(`${indent}  | ${line}`)
    for (const kernel of node.kernels) lines.push(`${indent}  -> ${kernelText(kernel, set)}`)
    for (const { pass, kind, reason } of node.notes)
      lines.push(`${indent}  ${kind === 'fused' ? 'fused' : kind === 'kept' ? 'not fused' : 'made'} (${pass}): ${reason}`)
  }
  return lines.join('\n')
}

const explainers = new WeakMap<object, (args: readonly unknown[]) => Explanation>()
/** Says how something that is neither a module nor a function of TorchScript is explained. */
export function setExplainer(target: object, explain: (args: readonly unknown[]) => Explanation): void {
  explainers.set(target, explain)
}

/**
 * Says what runs for each node of the optimised graph of a function, method, or result of `torch.compile`: the kernel and its shapes, or why there is
 * none, and what was fused or was not, and why. Runs a copy with the arguments, on the memory of the parameters, twice.
 */
export function explain(target: object, inputs: readonly unknown[], options: ExplainOptions = {}): Explanation {
  if (!Array.isArray(inputs)) throw new ArgumentError(`Expected an array of arguments for \`inputs\` but received ${String(inputs)}`)
  const own = explainers.get(target)
  if (own !== undefined) return own(inputs)
  const compiled = compiledFunctionOf(target)
  let found: ReturnType<typeof explainFunction>
  if (compiled !== undefined) found = explainFunction(compiled.program, compiled.fn, undefined, inputs)
  else if (target instanceof ScriptModule) {
    const { program, handle } = partsOf(target)
    found = explainFunction(program, methodOf(target, options.method), handle, inputs)
  } else {
    const given = typeof target === 'object' && target !== null ? (target as object).constructor.name : String(target)
    throw new ArgumentError(`Expected a TorchScript module or function, or a result of torch.compile, for \`target\` but received ${given}`)
  }
  const { device } = compiled === undefined ? partsOf(target as ScriptModule).program : compiled.program
  const explanation = { ...found, isa: device < 0 ? isa() : deviceName(device), threads: getNumThreads() }
  return { ...explanation, toString: () => tableOf(explanation) }
}

function methodOf(module: ScriptModule, name = 'forward'): ScriptFunction {
  const { type } = partsOf(module)
  const fn = type.methods.get(name)
  if (fn !== undefined) return fn
  const known = [...type.methods.keys()].join(', ')
  throw new ArgumentError(
    `Expected a method of ${type.qualifiedName} for \`method\` but received '${name}'; it has ${known === '' ? 'none' : known}`,
  )
}

/** The graph of a method as it is lowered, with all passes applied and calls dissolved. */
export const optimizedGraphOf = (module: ScriptModule, method?: string): string =>
  optimizedGraph(partsOf(module).program, methodOf(module, method))
