import { type ClassType, unionMembers } from '../../ir/types.js'
import { Program } from '../../runtime/program.js'
import { CompilationUnit } from '../../script/compilation-unit.js'
import { parseFile } from '../../script/python/parser.js'
import { ArgumentError } from '../../util/errors.js'
import { Module } from '../nn/module.js'
import { addDefinition } from '../nn/definitions.js'
import { ConcreteTypes } from './concrete-type.js'
import { rebind, ScriptModule, setDefiner, typeOfObject, wrapObjects } from './script-module.js'
import { Sources } from './sources.js'

/** Classes of an object and of everything below it. */
function addClasses(unit: CompilationUnit, type: ClassType, seen = new Set<ClassType>()): void {
  if (seen.has(type)) return
  seen.add(type)
  unit.addType(type)
  for (const attribute of type.attributes)
    for (const member of unionMembers(attribute.type))
      if (member.kind === 'Class' && member.flavor !== 'custom') addClasses(unit, member, seen)
}

/**
 * Adds methods in TorchScript's Python syntax, with `self`: to a module before it is scripted, or to a ScriptModule. As
 * torch.jit.ScriptModule.define.
 */
export function define(module: Module | ScriptModule, source: string): void {
  if (module instanceof Module) return addDefinition(module, source)
  if (!(module instanceof ScriptModule)) throw new ArgumentError('Expected an nn.Module or a ScriptModule for `module`')
  const type = typeOfObject(module)
  const unit = new CompilationUnit()
  addClasses(unit, type)
  const defs = parseFile(source, '<define>').flatMap((stmt) => (stmt.kind === 'FunctionDef' ? [stmt] : []))
  for (const def of defs) {
    if (type.methods.has(def.name)) throw new ArgumentError(`Expected new methods but ${type.qualifiedName} has '${def.name}' already`)
    unit.addMethodOf(type, def)
  }
  try {
    for (const def of defs) void type.methods.get(def.name)!.graph
  } catch (error) {
    for (const def of defs) type.methods.delete(def.name)
    throw error
  }
  const root = new ConcreteTypes(unit, new Sources(unit, undefined)).objectOf(module)
  const program = new Program({ classes: unit, root })
  wrapObjects(program)
  rebind(module, program, program.root()!)
}

setDefiner(define)
