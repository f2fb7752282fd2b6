import { type ExtraFiles, rootOfPath, writeScriptArchive } from '../../archive/script-writer.js'
import type { Graph } from '../../ir/graph.js'
import { BoolType, ClassType, type ScriptFunction as CompiledFunction } from '../../ir/types.js'
import { TensorExporter } from '../../runtime/snapshot.js'
import { fileTarget, type FileTarget, writeFile } from '../files.js'
import { printedGraph } from './print.js'
import { checkSaveOptions, constantTensor, type JitSaveOptions } from './save.js'

/** Writes a function as PyTorch does: as `forward` of a module without attributes, which is what `torch.jit.load` gives back. */
export function saveFunction(fn: CompiledFunction, file: FileTarget | undefined, options: JitSaveOptions): Buffer | undefined {
  checkSaveOptions(options)
  const path = fileTarget(file)
  const type = new ClassType('__torch__.PlaceholderModule', 'module')
  type.attributes.push({ name: 'training', type: BoolType, isParameter: false, isBuffer: false })
  const forward: CompiledFunction = {
    qualifiedName: `${type.qualifiedName}.forward`,
    name: 'forward',
    parameters: [{ name: 'self', type }, ...fn.parameters],
    returnType: fn.returnType,
    get graph() {
      return withSelf(printedGraph(fn), type)
    },
  }
  type.methods.set('forward', forward)
  const exporter = new TensorExporter()
  const extraFiles: ExtraFiles | undefined = options.extraFiles
  const pieces = writeScriptArchive(
    {
      object: (names) => ({
        kind: 'object',
        className: names.class(type),
        attributes: new Map([['training', { kind: 'bool', value: true }]]),
      }),
      graph: (method) => (method === forward ? forward.graph : printedGraph(method)),
      tensor: (constant) => constantTensor(constant, exporter),
    },
    { root: path === undefined ? undefined : rootOfPath(path), extraFiles },
  )
  if (path === undefined) return Buffer.concat(pieces)
  writeFile(path, pieces)
  return undefined
}

/** A graph of its own gets one more parameter before the others. */
function withSelf(graph: Graph, type: ClassType): Graph {
  graph.block.addInput(type, 'self')
  const { outputs } = graph.block.paramNode
  outputs.unshift(outputs.pop()!)
  outputs.forEach((output, i) => (output.offset = i))
  return graph
}
