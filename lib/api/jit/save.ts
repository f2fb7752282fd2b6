import { type ExtraFiles, rootOfPath, type ScriptContents, writeScriptArchive } from '../../archive/script-writer.js'
import type { TensorData } from '../../archive/values.js'
import type { ObjectHandle } from '../../native/binding.js'
import type { Program } from '../../runtime/program.js'
import { TensorExporter } from '../../runtime/snapshot.js'
import { Tensor } from '../../tensor/tensor.js'
import { ArgumentError } from '../../util/errors.js'
import { printedGraph } from './print.js'
import { fileTarget, type FileTarget, writeFile } from '../files.js'

export interface JitSaveOptions {
  /** Files to put beside the model: text or bytes by name. */
  extraFiles?: ExtraFiles
}

export function checkSaveOptions(options: unknown): asserts options is JitSaveOptions {
  if (typeof options !== 'object' || options === null)
    throw new ArgumentError(`Expected an object for \`options\` but received ${String(options)}`)
}

/** The data of a tensor that a graph holds: one of a file, or one that lives. */
export const constantTensor = (constant: unknown, exporter: TensorExporter): TensorData =>
  constant instanceof Tensor ? exporter.export(Tensor.handleOf(constant)) : (constant as TensorData)

/** The archive of an object of a program, with its attributes as they are now. */
export function archiveBytes(program: Program, object: ObjectHandle, path: string | undefined, options: JitSaveOptions): Uint8Array[] {
  checkSaveOptions(options)
  const exporter = new TensorExporter()
  const contents: ScriptContents = {
    object: (names) => program.snapshot(object, names, exporter),
    graph: printedGraph,
    tensor: (constant) => constantTensor(constant, exporter),
  }
  return writeScriptArchive(contents, { root: path === undefined ? undefined : rootOfPath(path), extraFiles: options.extraFiles })
}

/** Writes an archive to a file, or gives its bytes where there is none. */
export function saveObject(
  program: Program,
  object: ObjectHandle,
  file: FileTarget | undefined,
  options: JitSaveOptions,
): Buffer | undefined {
  const path = fileTarget(file)
  const pieces = archiveBytes(program, object, path, options)
  if (path === undefined) return Buffer.concat(pieces)
  writeFile(path, pieces)
  return undefined
}
