import { allNodes, type Block, type Graph, type Node } from '../ir/graph.js'
import { printGraph } from '../ir/printer.js'
import { type ScriptFunction, TensorType } from '../ir/types.js'
import type { NativeProfileEvent, NativeProfileTensor, ObjectHandle, SignatureReport } from '../native/binding.js'
import { callNative } from '../native/errors.js'
import { nativeBinding } from '../native/loader.js'
import { cloneGraphDeep } from '../passes/clone.js'
import { inlineCalls } from '../passes/inline.js'
import { collectNotes } from '../passes/notes.js'
import { runPasses } from '../passes/pass.js'
import { dtypeFromCode } from '../tensor/dtype.js'
import { loweringPassesOf, nativeOperators } from './compile.js'
import { objectHandle } from './convert.js'
import { liveSource } from './live-source.js'
import { Program } from './program.js'

/*
 * Note [How explain knows]
 * The optimised graph is compiled once more, with the place of each node being its number. The executor's profiler tells the place of what runs: so
 * every kernel of a replayed schedule finds its node. Composed operators have no places of their own then, and count for the node that calls them.
 */

/** A kernel that runs for a node. */
export interface KernelRun {
  /** The row of the kernel table. */
  readonly row: string
  /** The code that ran, such as `gemm_f32_avx512_14x32`; empty where the row has one only. */
  readonly inner: string
  /** Tensors with dtype and shape, such as `float32[1, 64]`. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

export interface NodeExplanation {
  /** The node as the graph prints it, blocks aside, with its constants in place. */
  readonly text: string
  /** Of a group: the nodes in it, printed. */
  readonly inner: readonly string[]
  /** `aten::linear`, `prim::If`, ... */
  readonly kind: string
  /** How deep in blocks of branches and loops. */
  readonly depth: number
  /** What runs for it; empty where nothing does. */
  readonly kernels: readonly KernelRun[]
  /** Why nothing runs for it; empty where something does. */
  readonly idle: string
  /** What passes decided. */
  readonly notes: readonly { readonly pass: string; readonly kind: 'fused' | 'kept' | 'made'; readonly reason: string }[]
  /** `file:line` that it comes from; empty where that is not known. */
  readonly location: string
}

export interface GraphExplanation {
  readonly graph: string
  readonly nodes: readonly NodeExplanation[]
  /** How the signature runs; undefined where it left no trace. */
  readonly signature: SignatureReport | undefined
}

const place = (index: number): string => `%node${index}`

/** Gives each node a place that tells its number, and returns the nodes by number. */
function numberNodes(graph: Graph): Node[] {
  const nodes: Node[] = []
  const visit = (block: Block): void => {
    for (const node of block.nodes) {
      const range = { file: place(nodes.length), text: '', start: 0, end: 0 }
      node.range = range
      node.callStack = undefined
      // What a group falls back to counts for the group.
      for (const attribute of node.attributes.values())
        if (attribute.kind === 'graph')
          for (const inner of allNodes(attribute.graph.block)) Object.assign(inner, { range, callStack: undefined })
      nodes.push(node)
      for (const inner of node.blocks) visit(inner)
    }
  }
  visit(graph.block)
  return nodes
}

const placeless = new WeakMap<ScriptFunction, ScriptFunction>()
/** A composed operator without places. */
function withoutPlaces(fn: ScriptFunction): ScriptFunction {
  const known = placeless.get(fn)
  if (known !== undefined) return known
  const graph = cloneGraphDeep(fn.graph)
  for (const node of allNodes(graph.block)) {
    node.range = undefined
    node.callStack = undefined
  }
  const copy = { ...fn, parameters: fn.parameters, returnType: fn.returnType, graph }
  placeless.set(fn, copy)
  return copy
}

const tensorText = ({ dtype, shape }: NativeProfileTensor): string => `${dtypeFromCode(dtype) ?? 'unknown'}[${shape.join(', ')}]`

function kernelOf(event: NativeProfileEvent): KernelRun {
  const inputs = event.inputs.filter((operand): operand is NativeProfileTensor => typeof operand === 'object' && operand !== null)
  return { row: event.row, inner: event.inner, inputs: inputs.map(tensorText), outputs: event.outputs.map(tensorText) }
}

/** What a node that leaves no work makes. */
function formOf({ outputs }: Node): string {
  const types = new Set(outputs.map(({ type }) => (type === TensorType ? 'a view' : type.kind === 'List' ? 'a list' : 'a number')))
  return types.size === 1 ? [...types][0] : 'no work left'
}

/** Why a node has no kernel of its own. */
function idleReason(node: Node, isRecorded: boolean): string {
  if (node.kind === 'prim::Constant') return 'constant'
  if (node.blocks.length > 0) return isRecorded ? 'decided by the signature' : 'control flow of the executor'
  if (node.schema === undefined || nativeOperators().builtins.has(node.schema.fullName)) return isRecorded ? formOf(node) : 'executor'
  return isRecorded ? 'known from the shapes, or part of another step' : 'did not run'
}

/** Compiles a function of a program once more, runs it, and says of each node what it became. */
export function explainFunction(
  program: Program,
  fn: ScriptFunction,
  self: ObjectHandle | undefined,
  args: readonly unknown[],
): GraphExplanation {
  const graph = cloneGraphDeep(fn.graph)
  const notes = collectNotes(() => runPasses(graph, [inlineCalls, ...loweringPassesOf(program)]))
  const printed = printGraph(graph)
  const nodes = [...allNodes(graph.block)]
  const locations = nodes.map(({ range }) =>
    range === undefined ? '' : `${range.file}:${range.text.slice(0, range.start).split('\n').length}`,
  )
  const numbered = numberNodes(graph)
  const copy: ScriptFunction = { ...fn, parameters: fn.parameters, returnType: fn.returnType, graph }
  const { weights } = program
  const source = self === undefined ? { classes: emptyClasses } : liveSource(program, self)
  const twin = new Program({ ...source, functions: [copy], weights }, withoutPlaces)
  twin.setAutotune(program.autotune)
  if (program.leastGraph !== undefined) twin.setLeastGraph(program.leastGraph)
  if (program.device >= 0) twin.moveTo(program.device)
  try {
    const given = self === undefined ? args : [{ [objectHandle]: twin.root()! }, ...args]
    // The first call records, the second replays.
    twin.call(copy, given)
    const binding = nativeBinding()
    callNative(() => binding.setProfile(true))
    let events: NativeProfileEvent[]
    try {
      twin.call(copy, given)
    } finally {
      events = binding.takeProfile().events
      binding.setProfile(false)
    }
    // Graphs are made where nobody listens.
    if (program.device >= 0) twin.call(copy, given)
    const signature = twin.signatures().find((report) => report.function === copy.qualifiedName)
    const byPlace = new Map<string, KernelRun[]>()
    for (const event of events) {
      if (event.row === '') continue
      const at = event.location.replace(/:\d+$/, '')
      byPlace.set(at, [...(byPlace.get(at) ?? []), kernelOf(event)])
    }
    const texts = lineTexts(graph)
    const names = (at: Node): readonly string[] => inputNames(texts.get(numbered.indexOf(at)) ?? '')
    const depths = depthsOf(graph)
    const isRecorded = signature?.state === 'recorded'
    return {
      graph: printed,
      signature,
      nodes: numbered.map((node, i) => {
        const kernels = byPlace.get(place(i)) ?? []
        return {
          text: texts.get(i) ?? node.kind,
          inner: innerTexts(node, names),
          kind: node.kind,
          depth: depths[i],
          kernels,
          idle: kernels.length > 0 ? '' : idleReason(node, isRecorded),
          // Of what does not run it does not matter why it stayed as it was.
          notes: notes
            .filter((note) => note.node === node && (kernels.length > 0 || note.kind !== 'kept' || !isRecorded))
            .map(({ pass, kind, reason }) => ({ pass, kind, reason })),
          location: locations[i],
        }
      }),
    }
  } finally {
    twin.dispose()
  }
}

const emptyClasses = {
  classType: (name: string): never => {
    throw new Error(`There is no class ${name} in a function`)
  },
  parseType: () => undefined,
  enumType: () => undefined,
}

/** The printed line of each numbered node. */
function lineTexts(graph: Graph): Map<number, string> {
  const texts = new Map<number, string>()
  for (const line of printGraph(graph, { constantsInPlace: true }).split('\n')) {
    const match = /^\s*(.*?) # %node(\d+):\d+:\d+$/.exec(line)
    // The nodes inside of a group have its place and are printed after it.
    if (match !== null && !texts.has(Number(match[2]))) texts.set(Number(match[2]), match[1])
  }
  return texts
}

/** The nodes of the graphs that a node holds. */
function innerTexts(node: Node, namesOf: (node: Node) => readonly string[]): string[] {
  return [...node.attributes.values()].flatMap((attribute) => {
    if (attribute.kind !== 'graph') return []
    // What it reads has the names that it has outside.
    const outer = namesOf(node)
    attribute.graph.inputs.forEach((value, i) => (value.debugName = outer[i]?.slice(1) ?? value.debugName))
    const lines = printGraph(attribute.graph, { ranges: false, constantsInPlace: true }).split('\n')
    return lines.filter((line) => line.includes(' = ') && !line.includes(' = prim::Constant')).map((line) => line.trim())
  })
}

/** What a printed node reads. */
const inputNames = (text: string): readonly string[] => text.slice(text.indexOf(' = ')).match(/%[\w.]+/g) ?? []

function depthsOf(graph: Graph): number[] {
  const depths: number[] = []
  const visit = (block: Block, depth: number): void => {
    for (const node of block.nodes) {
      depths.push(depth)
      for (const inner of node.blocks) visit(inner, depth + 1)
    }
  }
  visit(graph.block, 0)
  return depths
}
