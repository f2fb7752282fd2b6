import { ArchiveNames } from '../archive/code-names.js'
import type { ClassType, Type } from '../ir/types.js'
import { customClass, isCustomClassName, parseType } from '../script/type-resolver.js'
import type { ObjectHandle } from '../native/binding.js'
import { InvariantError } from '../util/errors.js'
import type { ProgramSource } from './compile.js'
import type { Program } from './program.js'

/**
 * A running module as the source of another program: its objects with their attributes as they are now, on the same tensor memory, and their
 * classes. Classes of one name are told apart by the names they get here.
 */
export function liveSource(program: Program, object: ObjectHandle): ProgramSource {
  const names = new ArchiveNames()
  const root = program.snapshot(object, names)
  const classes = new Map<string, ClassType>()
  const types = new Map<string, Type>()
  // Types of elements come after what they are elements of.
  names.defineMentioned()
  for (const definition of names.definitions) {
    if (definition.kind === 'function') continue
    types.set(names.nameOf(definition), definition.type)
    if (definition.kind === 'class') classes.set(names.nameOf(definition), definition.type)
  }
  return {
    root,
    classes: {
      classType(name) {
        const type = classes.get(name) ?? (isCustomClassName(name) ? customClass(name) : undefined)
        if (type === undefined) throw new InvariantError(`No object of the class ${name} is part of the program.`)
        return type
      },
      enumType: (name) => types.get(name),
      parseType(text) {
        try {
          return parseType(text, (name) => types.get(name))
        } catch {
          return undefined
        }
      },
    },
  }
}
