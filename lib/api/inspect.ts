import { openScriptArchive } from '../archive/script-archive.js'
import type { SourceInput } from '../archive/source.js'
import type { PickleValue, TensorData } from '../archive/values.js'
import { allNodes, type Graph } from '../ir/graph.js'
import type { FunctionSchema } from '../ir/schema.js'
import type { ScriptFunction } from '../ir/types.js'
import { typeAnnotation } from '../ir/types.js'
import { implementationOf } from '../ops/registry.js'
import { composedFunction } from '../plan/composed.js'
import { nativeOperators } from '../runtime/compile.js'
import { constantOf } from '../runtime/objects.js'
import { CompilationUnit } from '../script/compilation-unit.js'
import { printGraph } from '../ir/printer.js'
import { functionCode } from './jit/print.js'
import { TorchScriptError } from '../util/errors.js'

export interface Inspection {
  readonly className: string
  readonly version: number
  readonly methods: { readonly name: string; readonly signature: string; readonly graph: string; readonly code: string }[]
  readonly parameters: number
  readonly parameterBytes: number
  readonly modules: number
  /** Full names of the operators that the methods can reach, with how often they are written. */
  readonly operators: {
    readonly name: string
    readonly count: number
    readonly supported: boolean
    /** Kernel rows without which the operator does not run on a CUDA device; empty when it does. */
    readonly withoutCuda: readonly string[]
  }[]
  /** Functions that do not compile, which fail when they are called. */
  readonly errors: { readonly function: string; readonly message: string }[]
  readonly members: readonly string[]
}

/** Whether an overload runs here: as a kernel, in the executor, or composed of operators that do. */
export function isSupported(schema: FunctionSchema, seen = new Set<string>()): boolean {
  const native = nativeOperators()
  if (native.builtins.has(schema.fullName) || native.kernels.has(schema.fullName) || executorKinds.has(schema.name)) return true
  const { definition, functional, variant } = implementationOf(schema)
  if (definition === undefined)
    return variant !== 'functional' && (native.builtins.has(functional.fullName) || native.kernels.has(functional.fullName))
  if (definition.kind !== 'composed') return native.kernels.has(definition.kernel)
  if (seen.has(schema.fullName)) return true
  seen.add(schema.fullName)
  return operatorsOf(composedFunction(definition).graph).every((inner) => isSupported(inner, seen))
}

/** The kernel rows of an overload that have no CUDA kernel. The operators of the executor itself run on every device, or by rows. */
export function rowsWithoutCuda(schema: FunctionSchema, seen = new Set<string>()): string[] {
  const native = nativeOperators()
  const lacking = (row: string): string[] => (native.kernels.has(row) && !native.cudaKernels.has(row) ? [row] : [])
  if (native.builtins.has(schema.fullName) || executorKinds.has(schema.name)) return []
  const { definition } = implementationOf(schema)
  if (definition === undefined) return []
  if (definition.kind !== 'composed') return lacking(definition.kernel)
  if (seen.has(schema.fullName)) return []
  seen.add(schema.fullName)
  return [...new Set(operatorsOf(composedFunction(definition).graph).flatMap((inner) => rowsWithoutCuda(inner, seen)))]
}

/** Operators that are instructions of the executor. */
const executorKinds = new Set([
  'prim::RaiseException',
  'aten::wait',
  'prim::TupleUnpack',
  'prim::isinstance',
  'prim::unchecked_cast',
  'prim::tolist',
])

function operatorsOf(graph: Graph): FunctionSchema[] {
  const out: FunctionSchema[] = []
  for (const node of allNodes(graph.block)) {
    if (node.schema !== undefined) out.push(node.schema)
    const sub = node.attributes.get('Subgraph')
    if (sub?.kind === 'graph') out.push(...operatorsOf(sub.graph))
  }
  return out
}

const contextMethods: Readonly<Record<string, string | undefined>> = { 'prim::Enter': '__enter__', 'prim::Exit': '__exit__' }

/** The functions a graph calls. */
function calleesOf(graph: Graph): ScriptFunction[] {
  const out: ScriptFunction[] = []
  for (const node of allNodes(graph.block)) {
    const constant = node.constant
    if (constant?.kind === 'function') out.push(constant.fn)
    const attribute = node.kind === 'prim::CallMethod' ? node.attributes.get('name') : undefined
    const name = attribute?.kind === 'string' ? attribute.value : contextMethods[node.kind]
    const type = name === undefined ? undefined : node.inputs[0].type
    const method = type?.kind === 'Class' ? type.methods.get(name!) : undefined
    if (method !== undefined) out.push(method)
  }
  return out
}

/** Reads an archive without running it: signatures, sizes, and every operator with whether it is supported. */
export function inspectArchive(file: SourceInput): Inspection {
  const archive = openScriptArchive(file, { mapLocation: 'cpu' })
  const unit = new CompilationUnit({
    sources: (name) => archive.sources(name),
    version: archive.version,
    constants: archive.constants.map(constantOf),
  })
  const { root } = archive
  const className = root.kind === 'object' ? root.className : root.kind
  const type = unit.classType(className)
  const tensors = new Set<TensorData>()
  let modules = 0
  const visited = new Set<PickleValue>()
  const visit = (value: PickleValue): void => {
    if (visited.has(value)) return
    visited.add(value)
    if (value.kind === 'tensor') tensors.add(value.tensor)
    else if (value.kind === 'object') {
      if (unit.namedType(value.className)?.kind === 'Class' && unit.classType(value.className).isModule) modules++
      value.attributes?.forEach(visit)
    } else if (value.kind === 'list' || value.kind === 'tuple') value.items.forEach(visit)
    else if (value.kind === 'dict') value.entries.forEach(([, v]) => visit(v))
  }
  visit(root)

  const counts = new Map<FunctionSchema, number>()
  const errors: { function: string; message: string }[] = []
  const pending: ScriptFunction[] = [...type.methods.values()]
  const seen = new Set(pending)
  for (let fn = pending.pop(); fn !== undefined; fn = pending.pop()) {
    try {
      for (const schema of operatorsOf(fn.graph)) counts.set(schema, (counts.get(schema) ?? 0) + 1)
      for (const callee of calleesOf(fn.graph)) {
        if (seen.has(callee)) continue
        seen.add(callee)
        pending.push(callee)
      }
    } catch (error) {
      if (!(error instanceof TorchScriptError)) throw error
      errors.push({ function: fn.qualifiedName, message: error.message })
    }
  }
  const methods = [...type.methods.values()].flatMap((fn) => {
    if (errors.some((e) => e.function === fn.qualifiedName)) return []
    const parameters = fn.parameters.slice(1).map((p) => `${p.name}: ${typeAnnotation(p.type)}`)
    return [
      {
        name: fn.name,
        signature: `${fn.name}(${parameters.join(', ')}) -> ${typeAnnotation(fn.returnType)}`,
        graph: printGraph(fn.graph),
        code: functionCode(fn),
      },
    ]
  })
  const operators = [...counts]
    .map(([schema, count]) => ({ name: schema.fullName, count, supported: isSupported(schema), withoutCuda: rowsWithoutCuda(schema) }))
    .sort((a, b) => b.count - a.count)
  const elements = (t: TensorData): number => t.shape.reduce((p, s) => p * s, 1)
  return {
    className,
    version: archive.version,
    methods,
    modules,
    operators,
    errors,
    members: archive.memberNames,
    parameters: [...tensors].reduce((sum, t) => sum + elements(t), 0),
    parameterBytes: [...new Set([...tensors].map((t) => t.storage))].reduce((sum, s) => sum + s.byteLength, 0),
  }
}
