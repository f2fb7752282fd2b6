// node .build/scripts/freeze-check.js <kit...> [--filter text] [--all]: freezes the module of every conformance case and compares what it gives
// with what the case expects. Cases that fail unfrozen are left out; modules in training mode go to evaluation first and are compared with
// themselves unfrozen.
import { parseArgs } from 'node:util'
import { loadObject } from '../lib/archive/load.js'
import { openScriptArchive } from '../lib/archive/script-archive.js'
import { openSource, setFileMapper } from '../lib/archive/source.js'
import type { PickleValue } from '../lib/archive/values.js'
import * as torch from '../lib/index.js'
import { allNodes } from '../lib/ir/graph.js'
import { verifyGraph } from '../lib/ir/verifier.js'
import { nativeBinding } from '../lib/native/loader.js'
import { optimizeFrozenGraph } from '../lib/passes/frozen-pipeline.js'
import { evaluator } from '../lib/runtime/evaluator.js'
import { freezeProgram } from '../lib/runtime/freeze-program.js'
import { sourceOf } from '../lib/runtime/load-program.js'
import type { ProgramSource } from '../lib/runtime/compile.js'
import { Program } from '../lib/runtime/program.js'
import { objectHandle } from '../lib/runtime/convert.js'
import { compare, type Tolerance } from './conformance/compare.js'
import { field, numberOf, toArgument } from './conformance/expected.js'
import { casesOf, kitsOf } from './conformance/kits.js'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { filter: { type: 'string' }, all: { type: 'boolean' }, progress: { type: 'boolean' } },
})
torch.onPrint(() => {})
torch.onWarn(() => {})
setFileMapper((path) => nativeBinding().mapFile(path))

const items = (value: PickleValue | undefined): readonly PickleValue[] =>
  value?.kind === 'tuple' || value?.kind === 'list' ? value.items : []

interface Call {
  readonly method: string
  readonly inputs: readonly PickleValue[]
  readonly kwargs: PickleValue | undefined
  readonly expected: PickleValue
}
function callsOf(io: PickleValue): Call[] {
  const calls = items(field(io, 'calls')).map((call) => {
    const method = field(call, 'method')
    return {
      method: method?.kind === 'string' ? method.value : 'forward',
      inputs: items(field(call, 'inputs')),
      kwargs: field(call, 'kwargs'),
      expected: field(call, 'expected') ?? { kind: 'none' as const },
    }
  })
  if (calls.length > 0) return calls
  return [
    {
      method: 'forward',
      inputs: items(field(io, 'inputs')),
      kwargs: undefined,
      expected: field(io, 'expected') ?? { kind: 'none' as const },
    },
  ]
}

/** Whether a module or one below it trains; `set` turns it off. */
function trains(value: PickleValue, set: boolean, seen = new Set<PickleValue>()): boolean {
  if (value.kind !== 'object' || value.attributes === undefined || seen.has(value)) return false
  seen.add(value)
  let found = false
  for (const [name, held] of value.attributes) {
    if (name === 'training' && held.kind === 'bool' && held.value) {
      found = true
      if (set) value.attributes.set(name, { kind: 'bool', value: false })
    }
    found = trains(held, set, seen) || found
  }
  return found
}

function runProgram(source: ProgramSource, calls: readonly Call[], tolerance: Tolerance): unknown[] {
  const program = new Program(source)
  try {
    const root = program.root()!
    const type = program.classOf(root)
    return calls.map((call, i) => {
      const args = call.inputs.map(toArgument)
      if (call.kwargs?.kind === 'dict' && call.kwargs.entries.length > 0)
        args.push(torch.kwargs(Object.fromEntries(call.kwargs.entries.map(([key, value]) => [String(toArgument(key)), toArgument(value)]))))
      const run = (): unknown => program.call(type.methods.get(call.method)!, [{ [objectHandle]: root }, ...args])
      const raises = call.expected.kind === 'dict' && field(call.expected, '__raises__') !== undefined
      if (!raises) {
        const result = run()
        compare(result, call.expected, tolerance, `call ${i} ${call.method}`)
        return result
      }
      try {
        run()
      } catch (error) {
        if (error instanceof torch.UnsupportedError || error instanceof torch.InvariantError || !(error instanceof torch.TorchScriptError))
          throw error
        return undefined
      }
      throw new Error('did not raise')
    })
  } finally {
    program.dispose()
  }
}

const counts = new Map<string, string[]>()
const note = (key: string, name: string): void => {
  counts.set(key, [...(counts.get(key) ?? []), name])
  if (options.progress) console.error(name, key)
}
/** Reading a packed kit does not keep the process alive once the unpacking program has ended. */
const alive = setInterval(() => {}, 1000)
let nodesAfter = 0
let milliseconds = 0

for (const kit of positionals.flatMap(kitsOf)) {
  for await (const job of casesOf(kit, (name) => options.filter === undefined || name.includes(options.filter))) {
    const io = loadObject(job.io)
    const fragile = field(io, 'fragile')
    const tolerance: Tolerance = {
      rtol: numberOf(field(io, 'rtol') ?? { kind: 'float', value: 1.3e-6 }),
      atol: numberOf(field(io, 'atol') ?? { kind: 'float', value: 1e-5 }),
      fragile: fragile !== undefined && toArgument(fragile) === true,
    }
    const load = (): ProgramSource => sourceOf(openScriptArchive(openSource(job.model), {}))
    try {
      const calls = callsOf(io)
      const training = trains(load().root!, false)
      try {
        const plain = load()
        trains(plain.root!, true)
        runProgram(plain, calls, tolerance)
      } catch (error) {
        if (process.env.DEBUG) console.log(error)
        note(training ? 'left out: training' : 'left out: fails unfrozen', job.name)
        continue
      }
      const source = load()
      trains(source.root!, true)
      const preserved = [...new Set(calls.map((call) => call.method))].filter((name) => name !== 'forward')
      let frozen: ProgramSource
      try {
        const start = performance.now()
        frozen = freezeProgram(source, { preserved, optimize: (graph) => optimizeFrozenGraph(graph, evaluator, { numerics: true }) })
        milliseconds += performance.now() - start
      } catch (error) {
        note(`freeze: ${(error as Error).message.split('\n')[0].slice(0, 150)}`, job.name)
        continue
      }
      const root = frozen.root!
      const type = frozen.classes.classType(root.kind === 'object' ? root.className : '')
      try {
        for (const method of type.methods.values()) {
          verifyGraph(method.graph, 'freeze')
          nodesAfter += [...allNodes(method.graph.block)].length
        }
      } catch (error) {
        note(`verify: ${(error as Error).message.split('\n')[0].slice(0, 150)}`, job.name)
        continue
      }
      try {
        runProgram(frozen, calls, tolerance)
        note(type.attributes.length > 0 ? 'same, with attributes left' : 'same', job.name)
      } catch (error) {
        note(`run: ${(error as Error).message.split('\n').slice(0, 2).join(' ').slice(0, 200)}`, job.name)
      }
    } catch (error) {
      note(`left out: ${(error as Error).message.slice(0, 60)}`, job.name)
    } finally {
      job.release()
    }
  }
}
for (const [key, names] of [...counts].sort((a, b) => b[1].length - a[1].length))
  console.log(`${names.length} ${key}${/^(same|left)/.test(key) && !options.all ? '' : `: ${names.slice(0, 6).join(' ')}`}`)
console.log(`${nodesAfter} nodes, ${(milliseconds / 1000).toFixed(1)} s in freezing`)
clearInterval(alive)
