import type { ScriptArchive } from '../archive/script-archive.js'
import { CompilationUnit } from '../script/compilation-unit.js'
import { type CompiledProgram, compileProgram, type ProgramSource } from './compile.js'
import { constantOf } from './objects.js'
import { type PlanFile, planFile } from './plan-file.js'
import { Program } from './program.js'

/** The classes and objects of an archive. */
export function sourceOf(archive: ScriptArchive): ProgramSource {
  const unit = new CompilationUnit({
    sources: (name) => archive.sources(name),
    version: archive.version,
    constants: archive.constants.map(constantOf),
  })
  return { classes: unit, root: archive.root }
}

/** Compiles an archive and hands it to the executor. */
export const loadProgram = (archive: ScriptArchive): Program => new Program(sourceOf(archive))

/** The program of an archive as a plan file. */
export const planFileOf = (archive: ScriptArchive): PlanFile => planFile(sourceOf(archive))

/** Compiles an archive without running anything: what it needs, and what is missing. */
export const inspectProgram = (archive: ScriptArchive): CompiledProgram => compileProgram(sourceOf(archive))
