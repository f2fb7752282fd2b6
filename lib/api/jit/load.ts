import { openScriptArchive } from '../../archive/script-archive.js'
import { openSource, setFileMapper, type SourceInput } from '../../archive/source.js'
import { nativeBinding } from '../../native/loader.js'
import { loadProgram } from '../../runtime/load-program.js'
import { hasDevice } from '../../tensor/device.js'
import { ArchiveError, ArgumentError } from '../../util/errors.js'
import { ScriptModule, wrapObjects } from './script-module.js'

export interface JitLoadOptions {
  /** Device that the module goes to, such as `cpu` or `cuda:0`. Without it, where it was saved. */
  mapLocation?: string
  /**
   * Extra files wanted: the keys are names, the values are replaced by the contents, as a string where the value was a string (such as '')
   * and else as a Buffer. Files that the archive lacks keep their value.
   */
  extraFiles?: Record<string, unknown>
}

/** Loads what torch.jit.save wrote: a path, bytes, or an open file. */
export function load(file: SourceInput, options: JitLoadOptions = {}): ScriptModule {
  if (typeof options !== 'object' || options === null)
    throw new ArgumentError(`Expected an object for \`options\` but received ${String(options)}`)
  setFileMapper((path) => nativeBinding().mapFile(path))
  const { extraFiles } = options
  let device: string | undefined
  const archive = openScriptArchive(openSource(file), {
    mapLocation: options.mapLocation,
    hasDevice: (name) => {
      if (name.startsWith('cuda')) device ??= name
      return hasDevice(name)
    },
    extraFiles: extraFiles && Object.keys(extraFiles),
  })
  if (extraFiles !== undefined) {
    for (const [name, bytes] of Object.entries(archive.extraFiles)) {
      extraFiles[name] = typeof extraFiles[name] === 'string' ? bytes.toString('utf8') : bytes
    }
  }
  const program = loadProgram(archive)
  wrapObjects(program)
  const root = program.root()
  if (root === null) throw new ArchiveError('Expected a module as root of the archive but it holds none', 'data.pkl')
  const module = new ScriptModule(program, root)
  // Programs are on one device.
  return device === undefined ? module : module.to(device)
}
