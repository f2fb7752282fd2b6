import { type ExtraFiles, rootOfPath, writeScriptArchive } from '../../archive/script-writer.js'
import type { ScriptFunction as CompiledFunction } from '../../ir/types.js'
import { TensorExporter } from '../../runtime/snapshot.js'
import { placeholderClass, withSelf } from './function-module.js'
import { fileTarget, type FileTarget, writeFile } from '../files.js'
import { printedGraph } from './print.js'
import { checkSaveOptions, constantTensor, type JitSaveOptions } from './save.js'

/** Writes a function as PyTorch does: as `forward` of a module without attributes, which is what `torch.jit.load` gives back. */
export function saveFunction(fn: CompiledFunction, file: FileTarget | undefined, options: JitSaveOptions): Buffer | undefined {
  checkSaveOptions(options)
  const path = fileTarget(file)
  const { type, forward } = placeholderClass(fn, (own) => withSelf(printedGraph(fn), own))
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
