import type { ObjectValue, PickleValue } from '../../archive/values.js'
import { BoolType, ClassType, optionalOf, TensorType } from '../../ir/types.js'
import type { ClassTable } from '../../runtime/objects.js'
import { liveTensor } from '../../runtime/live-tensors.js'
import { InvariantError } from '../../util/errors.js'
import { className, type ModuleClass } from '../nn/attributes.js'
import { Module } from '../nn/module.js'
import { checkInitialized } from '../nn/script-attributes.js'
import { partsOf, type ScriptModule, type ScriptObject } from './script-module.js'
import { ValueWriter } from './values-of.js'

/** A module of the tree that is traced: where it is, and its class. Every module has a class of its own, since the class holds its calls. */
interface TracedNode {
  readonly module: Module
  readonly path: readonly string[]
  readonly type: ClassType
}

/** The classes and objects of a traced module: its whole tree, with parameters, buffers and `training`. */
export class TracedClasses implements ClassTable {
  private readonly nodes = new Map<Module, TracedNode>()
  private readonly byPath = new Map<string, TracedNode>()
  private readonly classes = new Map<string, ClassType>()
  /** Compiled submodules, by what is behind them, with their first path. */
  private readonly scripted = new Map<object, readonly string[]>()
  private readonly scriptedAt = new Map<string, ClassType>()
  private mangled = 0

  constructor(root: Module) {
    this.add(root, [])
  }

  private add(module: Module, path: readonly string[]): ClassType {
    const known = this.nodes.get(module)
    if (known !== undefined) {
      this.byPath.set(path.join('.'), known)
      return known.type
    }
    checkInitialized(module)
    const type = new ClassType(this.uniqueName(module), 'module')
    const node: TracedNode = { module, path, type }
    this.classes.set(type.qualifiedName, type)
    this.nodes.set(module, node)
    this.byPath.set(path.join('.'), node)
    for (const name of module.ownParameters().keys()) type.attributes.push({ name, type: TensorType, isParameter: true, isBuffer: false })
    for (const name of module.ownNullParameters())
      type.attributes.push({ name, type: optionalOf(TensorType), isParameter: false, isBuffer: false })
    for (const name of module.ownBuffers().keys()) type.attributes.push({ name, type: TensorType, isParameter: false, isBuffer: true })
    type.attributes.push({ name: 'training', type: BoolType, isParameter: false, isBuffer: false })
    for (const [name, child] of module.ownChildren()) {
      const childPath = [...path, name]
      const childType = child instanceof Module ? this.add(child, childPath) : this.addScripted(child, childPath)
      type.attributes.push({ name, type: childType, isParameter: false, isBuffer: false })
    }
    return type
  }
  private addScripted(module: ScriptModule, path: readonly string[]): ClassType {
    const parts = partsOf(module)
    if (!this.scripted.has(parts)) this.scripted.set(parts, path)
    this.scriptedAt.set(path.join('.'), parts.type)
    return parts.type
  }
  private uniqueName(module: Module): string {
    const { pythonName } = module.constructor as unknown as ModuleClass
    const own = Object.hasOwn(module.constructor, 'pythonName') ? pythonName : undefined
    const name = `__torch__.${own ?? className(module)}`
    if (!this.classes.has(name)) return name
    const dot = name.lastIndexOf('.')
    return `${name.slice(0, dot)}.___torch_mangle_${this.mangled++}${name.slice(dot)}`
  }

  /** Every module of the tree with its first path. */
  modules(): Iterable<{ readonly module: Module; readonly path: readonly string[]; readonly type: ClassType }> {
    return this.nodes.values()
  }
  /** Where a compiled submodule is; undefined for modules outside the tree. */
  pathOfScripted(module: ScriptObject): readonly string[] | undefined {
    return this.scripted.get(partsOf(module))
  }
  nodeOf(module: Module): TracedNode | undefined {
    return this.nodes.get(module)
  }
  classAt(path: readonly string[]): ClassType {
    const type = this.byPath.get(path.join('.'))?.type ?? this.scriptedAt.get(path.join('.'))
    if (type === undefined) throw new InvariantError(`A trace names a module at '${path.join('.')}' that is not there.`)
    return type
  }

  classType(qualifiedName: string): ClassType {
    const type = this.classes.get(qualifiedName)
    if (type === undefined) throw new InvariantError(`A traced module has an object of ${qualifiedName}, which it does not know.`)
    return type
  }
  parseType(): undefined {
    return undefined
  }
  enumType(): undefined {
    return undefined
  }

  /** The object tree. Tensors are those of the modules themselves. */
  objects(root: Module): ObjectValue {
    const made = new Map<Module, ObjectValue>()
    const objectOf = (module: Module): ObjectValue => {
      const known = made.get(module)
      if (known !== undefined) return known
      const { type } = this.nodes.get(module)!
      const attributes = new Map<string, PickleValue>()
      const object: ObjectValue = { kind: 'object', className: type.qualifiedName, type, attributes }
      made.set(module, object)
      for (const [name, tensor] of module.ownParameters()) attributes.set(name, { kind: 'tensor', tensor: liveTensor(tensor) })
      for (const name of module.ownNullParameters()) attributes.set(name, { kind: 'none' })
      for (const [name, tensor] of module.ownBuffers()) attributes.set(name, { kind: 'tensor', tensor: liveTensor(tensor) })
      attributes.set('training', { kind: 'bool', value: module.training })
      for (const [name, child] of module.ownChildren()) attributes.set(name, child instanceof Module ? objectOf(child) : scriptedOf(child))
      return object
    }
    const scripted = new Map<object, ObjectValue>()
    const scriptedOf = (value: ScriptObject): ObjectValue => {
      const { type } = partsOf(value)
      const known = scripted.get(partsOf(value))
      if (known !== undefined) return known
      const attributes = new Map<string, PickleValue>()
      const object: ObjectValue = { kind: 'object', className: type.qualifiedName, type, attributes }
      scripted.set(partsOf(value), object)
      for (const { name, type: declared } of type.attributes) attributes.set(name, writer.value(value.getAttribute(name), declared, name))
      return object
    }
    const writer = new ValueWriter((value) => scriptedOf(value as ScriptObject))
    return objectOf(root)
  }
}
