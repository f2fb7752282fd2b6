import type { ScriptArchive } from '../archive/script-archive.js'
import { CompilationUnit } from '../script/compilation-unit.js'
import { constantOf } from './objects.js'
import { Program } from './program.js'

/** Compiles an archive and hands it to the executor. */
export function loadProgram(archive: ScriptArchive): Program {
  const unit = new CompilationUnit({
    sources: (name) => archive.sources(name),
    version: archive.version,
    constants: archive.constants.map(constantOf),
  })
  return new Program({ classes: unit, root: archive.root })
}
