import type { Block } from '../../ir/graph.js'
import type { ScriptFunction as CompiledFunction } from '../../ir/types.js'
import { type ClassType, type ConstantValue, typeAnnotation } from '../../ir/types.js'
import type { ObjectValue } from '../../archive/values.js'
import { Program } from '../../runtime/program.js'
import { CompilationUnit } from '../../script/compilation-unit.js'
import { ArgumentError } from '../../util/errors.js'
import { Module } from '../nn/module.js'
import { ConcreteTypes } from './concrete-type.js'
import { callerSource, type FoundSource, givenSource } from './find-source.js'
import { compiledFunctionOf, scriptFunction, type ScriptFunction } from './script-function.js'
import { ScriptModule, type ScriptObject, wrapObjects } from './script-module.js'
import { isClass, isModuleClass, Sources } from './sources.js'
import { describe } from './values-of.js'

export interface ScriptOptions {
  /** TypeScript source of the function or class: its text, or the path or URL of its file. Default: the file of the caller. */
  source?: string | URL
  /** Functions, classes and constants that the source names and neither declares nor imports. */
  scope?: Readonly<Record<string, unknown>>
}

type Callable = (...args: never[]) => unknown
// Arguments of constructors are the class's.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Class = abstract new (...args: any[]) => unknown

interface FoundOptions {
  readonly source: FoundSource | undefined
  readonly scope: ScriptOptions['scope']
}
const sourcesFor = (unit: CompilationUnit, { source, scope }: FoundOptions): Sources => new Sources(unit, source, scope)

/** Compiles a function and all it calls, so that errors come now and not at the first call. */
function check(fn: CompiledFunction, seen = new Set<CompiledFunction>()): void {
  if (seen.has(fn)) return
  seen.add(fn)
  void fn.parameters
  checkCalls(fn.graph.block, seen)
}
function checkCalls(block: Block, seen: Set<CompiledFunction>): void {
  for (const node of block.nodes) {
    const [first] = node.inputs
    if (node.kind === 'prim::CallMethod' && first.type.kind === 'Class' && !first.type.isInterface) {
      const name = node.attributes.get('name')
      const method = name?.kind === 'string' ? first.type.methods.get(name.value) : undefined
      if (method !== undefined) check(method, seen)
    } else if (node.kind === 'prim::CallFunction' && first.type.kind === 'Function') check(first.type.fn, seen)
    for (const attribute of node.attributes.values()) if (attribute.kind === 'graph') checkCalls(attribute.graph.block, seen)
    for (const inner of node.blocks) checkCalls(inner, seen)
  }
}

/**
 * Compiles TypeScript: a function gives a ScriptFunction, a module a ScriptModule that shares its parameters, a class a TorchScript class
 * whose objects compiled functions take. The source is read from the file of the caller, types included, else from the engine, where
 * parameters without a default value are tensors unless a `types` table says otherwise. As torch.jit.script.
 */
export function script(module: Module, options?: ScriptOptions): ScriptModule
export function script<C extends Class>(target: C, options?: ScriptOptions): C
export function script(fn: Callable, options?: ScriptOptions): ScriptFunction
export function script<T extends ScriptModule>(module: T, options?: ScriptOptions): T
export function script(target: unknown, options: ScriptOptions = {}): unknown {
  if (target instanceof ScriptModule || compiledFunctionOf(target) !== undefined) return target
  if (typeof options !== 'object' || options === null)
    throw new ArgumentError(`Expected an object for \`options\` but received ${describe(options)}`)
  return scriptFrom(target, options.source === undefined ? callerSource() : givenSource(options.source), options.scope)
}

/** Compiles TypeScript whose source has been found. */
export function scriptFrom(target: unknown, source: FoundSource | undefined, scope: ScriptOptions['scope']): unknown {
  const unit = new CompilationUnit()
  const options: FoundOptions = { source, scope }
  if (target instanceof Module) return scriptModule(target, unit, sourcesFor(unit, options))
  if (isModuleClass(target)) {
    const { name } = target as { name: string }
    throw new ArgumentError(`Expected a module but received the class ${name}. Write \`jit.script(new ${name}(...))\``)
  }
  if (isClass(target)) return scriptClass(target as Class, unit, sourcesFor(unit, options))
  if (typeof target !== 'function')
    throw new ArgumentError(`Expected a function, a class or an nn.Module for \`target\` but received ${describe(target)}`)
  const fn = sourcesFor(unit, options).function(target as Callable)
  check(fn)
  const program = new Program({ classes: unit, functions: [fn, ...methodsOfSignature(fn)] })
  wrapObjects(program)
  return scriptFunction(program, fn)
}

/** Methods of the classes that a function gives or takes, which its callers may call. */
function methodsOfSignature(fn: CompiledFunction): CompiledFunction[] {
  const types = [fn.returnType, ...fn.parameters.map((p) => p.type)]
  return types.flatMap((t) => (t.kind === 'Class' && t.flavor === 'class' ? [...t.methods.values()] : []))
}

function scriptModule(module: Module, unit: CompilationUnit, sources: Sources): ScriptModule {
  const types = new ConcreteTypes(unit, sources)
  const type = types.typeOf(module)
  const names = types.entryPoints(module)
  for (const name of names) unit.demandMethod(type, name)
  // Submodules can be called by themselves.
  for (const child of module.modules())
    if (child instanceof Module) for (const name of types.entryPoints(child)) unit.demandMethod(types.typeOf(child), name)
  for (const name of names) {
    const method = type.methods.get(name)
    if (method === undefined) throw new ArgumentError(`Expected a method of ${type.qualifiedName} to export but it has no '${name}'`)
    check(method)
  }
  return moduleOf(unit, types.objectOf(module))
}

/** A module from its object tree. */
function moduleOf(unit: CompilationUnit, root: ObjectValue): ScriptModule {
  const program = new Program({ classes: unit, root })
  wrapObjects(program)
  return new ScriptModule(program, program.root()!)
}

/** A class whose `new` makes objects of the compiled program. */
function scriptClass(target: Class, unit: CompilationUnit, sources: Sources): Class {
  const program = sources.ofClass(target)
  const type = program?.file.type(target.name)
  if (type?.kind !== 'Class') throw new ArgumentError(`Expected a class whose source can be read but received ${target.name}`)
  const make = factory(unit, type)
  for (const method of [...type.methods.values(), ...type.staticMethods.values(), make]) check(method)
  const compiled = new Program({ classes: unit, functions: [make, ...type.methods.values(), ...type.staticMethods.values()] })
  wrapObjects(compiled)
  return new Proxy(target, { construct: (_, args: unknown[]) => compiled.call(make, args) as ScriptObject })
}
/** A function that takes what the constructor takes. */
function factory(unit: CompilationUnit, type: ClassType): CompiledFunction {
  const parameters = type.methods.get('__init__')!.parameters.slice(1)
  const declared = parameters.map((p) => {
    const value = p.default === undefined ? undefined : pythonConstant(p.default)
    return `${p.name}: ${typeAnnotation(p.type)}${value === undefined ? '' : ` = ${value}`}`
  })
  const values = parameters.map((p) => p.name).join(', ')
  return unit.define(`def make(${declared.join(', ')}) -> ${type.qualifiedName}:\n  return ${type.qualifiedName}(${values})\n`)[0]
}
function pythonConstant(value: ConstantValue): string | undefined {
  switch (value.kind) {
    case 'none':
      return 'None'
    case 'bool':
      return value.value ? 'True' : 'False'
    case 'int':
      return String(value.value)
    case 'float':
      return Number.isInteger(value.value) ? value.value.toFixed(1) : String(value.value)
    case 'string':
      return JSON.stringify(value.value)
    default:
      return undefined
  }
}

export const newConcreteTypes = (unit: CompilationUnit): ConcreteTypes => new ConcreteTypes(unit, new Sources(unit, callerSource()))
