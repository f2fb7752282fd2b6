import type { ObjectValue } from '../../archive/values.js'
import type { ConstantValue, Type } from '../../ir/types.js'
import { ClassType, FloatType, isSubtype, NoneType, TensorType, typeAnnotation, unionMembers } from '../../ir/types.js'
import type { FunctionDef, Stmt } from '../../script/ast.js'
import type { CompilationUnit } from '../../script/compilation-unit.js'
import { parseFile } from '../../script/python/parser.js'
import { methodDef, staticConstants } from '../../script/typescript/class-def.js'
import type { ClassSource } from '../../script/typescript/class-reader.js'
import { parseTypeText } from '../../script/typescript/type-parser.js'
import { ArgumentError, CompileError } from '../../util/errors.js'
import { className, type ModuleClass } from '../nn/attributes.js'
import { Sequential } from '../nn/containers.js'
import { definitionsOf } from '../nn/definitions.js'
import { Module } from '../nn/module.js'
import { pythonNameOf, scriptAttributes, type ScriptAttribute, scriptSource } from '../nn/script-attributes.js'
import { markOf } from './markers.js'
import { ScriptModule, ScriptObject, snapshotOf, typeOfObject } from './script-module.js'
import type { ClassProgram, Sources } from './sources.js'
import { typeOfValue, ValueWriter } from './values-of.js'

/**
 * Note [Concrete types]
 * A class of modules becomes as many TorchScript classes as its objects differ in what the compiler sees: types of attributes, constants,
 * classes of submodules. Objects that agree share a class, as in PyTorch; the others get mangled names.
 */
interface Shared {
  readonly key: string
  readonly type: ClassType
}

const builtinBases = new WeakSet<object>([Module])

/** Makes the classes and objects of modules in one compilation unit. */
export class ConcreteTypes {
  private readonly shared = new Map<object, Shared[]>()
  /** Attributes by class: JavaScript's field for each name. */
  private readonly fields = new WeakMap<ClassType, Map<string, string>>()

  constructor(
    readonly unit: CompilationUnit,
    private readonly sources: Sources,
  ) {}

  /** The class of a module, its submodules' classes included. */
  typeOf(module: Module | ScriptModule): ClassType {
    if (module instanceof ScriptModule) return this.foreign(typeOfObject(module))
    const program = pythonNameOf(module) === undefined ? this.sources.ofClass(module.constructor) : undefined
    const attributes = scriptAttributes(module)
    const candidate = new ClassType('', 'module')
    for (const attribute of attributes) this.addAttribute(candidate, attribute, module, program)
    for (const [field, value] of Object.entries(module))
      if (typeof value === 'function')
        candidate.unavailable.set(field, 'functions are no values of TorchScript; call a function of the file or a method')
    if (program !== undefined) this.addStatics(candidate, program, module)
    const python = [...pythonSources(module), ...definitionsOf(module)]
    const key = JSON.stringify([
      candidate.attributes.map((a) => [a.name, typeAnnotation(a.type), a.isParameter, a.isBuffer]),
      [...candidate.constants].map(([name, value]) => [name, constantKey(value)]),
      python,
    ])
    const list = this.shared.get(module.constructor) ?? []
    this.shared.set(module.constructor, list)
    const known = list.find((s) => s.key === key)
    if (known !== undefined) return known.type
    const type = new ClassType(this.unit.uniqueName(`__torch__.${pythonNameOf(module) ?? className(module)}`), 'module')
    type.attributes.push(...candidate.attributes)
    for (const [name, value] of candidate.constants) type.constants.set(name, value)
    for (const [name, reason] of candidate.unavailable) type.unavailable.set(name, reason)
    list.push({ key, type })
    this.unit.addType(type)
    this.fields.set(type, new Map(attributes.map((a) => [a.name, a.field])))
    this.offer(type, module, program, python)
    return type
  }

  /** The class of an object of another program, with those of its attributes. A name that is taken goes on meaning what it meant. */
  private foreign(type: ClassType): ClassType {
    if (this.known.has(type)) return type
    this.known.add(type)
    // What has one name is one type to the compiler.
    const taken = this.unit.namedType(type.qualifiedName)
    if (taken !== undefined && taken !== type) type.qualifiedName = this.unit.uniqueName(type.qualifiedName)
    this.unit.addType(type)
    for (const attribute of type.attributes)
      for (const member of unionMembers(attribute.type)) if (member.kind === 'Class' && member.flavor !== 'custom') this.foreign(member)
    return type
  }
  private readonly known = new Set<ClassType>()

  // Attributes

  private addAttribute(type: ClassType, attribute: ScriptAttribute, module: Module, program: ClassProgram | undefined): void {
    const { name, field, value, kind } = attribute
    const add = (attributeType: Type): void =>
      void type.attributes.push({
        name,
        type: attributeType,
        isParameter: kind === 'parameter' && value !== null,
        isBuffer: kind === 'buffer' && value !== null,
      })
    if (kind === 'module') {
      const own = this.typeOf(value as Module | ScriptModule)
      // A field declared as an interface takes any module that fits, also later.
      const annotation = program?.fields.get(field)?.annotation
      const wanted = annotation?.kind === 'Name' ? program!.file.type(annotation.name) : undefined
      if (wanted?.kind !== 'Class' || !wanted.isInterface) return add(own)
      for (const name of wanted.methods.keys()) this.unit.demandMethod(own, name)
      if (!isSubtype(own, wanted))
        throw new ArgumentError(
          `Expected a module with the methods of ${wanted.qualifiedName}, parameters of the same names and types included, for \`${field}\` but received ${own.qualifiedName}`,
        )
      return add(wanted)
    }
    if (kind === 'parameter' || kind === 'buffer') return add(value === null ? NoneType : TensorType)
    const stated = attribute.type === undefined ? undefined : this.unit.parseType(attribute.type)
    const source = program?.fields.get(field)
    const declared = stated ?? this.declaredType(source, program, field, value)
    if (attribute.isConstant || (stated === undefined && source?.isReadonly === true)) {
      const constant = constantOfValue(value, declared)
      if (constant !== undefined) return void type.constants.set(name, constant)
    }
    if (declared !== undefined) return add(declared)
    const own = typeOfValue(value, (object) => this.classOf(object))
    if ('reason' in own) type.unavailable.set(name, own.reason)
    else add(own)
  }
  private declaredType(
    source: ClassSource['fields'][number] | undefined,
    program: ClassProgram | undefined,
    field: string,
    value: unknown,
  ): Type | undefined {
    const text = program?.types?.[field]
    if (typeof text === 'string') return this.unit.resolve(parseTypeText(text), program!.file.dialect)
    const annotation = source?.annotation
    if (annotation === undefined || (annotation.kind === 'Name' && annotation.name === 'number')) return undefined
    try {
      return this.unit.resolve(annotation, program!.file.dialect)
    } catch (error) {
      // A module that is not there has no type but None.
      if (error instanceof CompileError && value === null) return NoneType
      throw error
    }
  }
  /** Script classes of plain objects. */
  private classOf(value: object): Type | undefined {
    const program = this.sources.ofClass(value.constructor)
    return program?.file.type(value.constructor.name)
  }

  private addStatics(type: ClassType, program: ClassProgram, module: Module): void {
    const constants = module.constructor as unknown as { readonly constants?: readonly string[] }
    for (const source of program.classes)
      for (const stmt of staticConstants(source)) {
        if (stmt.kind !== 'Assign' || stmt.targets[0].kind !== 'Name') continue
        const { name } = stmt.targets[0]
        if (!type.constants.has(name)) type.constants.set(name, this.unit.constantExpression(stmt.value))
      }
    // Fields that a table names as constants.
    for (const name of constants.constants ?? []) {
      const at = type.attributes.findIndex((a) => a.name === name)
      const constant = constantOfValue((module as unknown as Record<string, unknown>)[name], type.attributes[at]?.type)
      if (at < 0 || constant === undefined) continue
      type.attributes.splice(at, 1)
      type.constants.set(name, constant)
    }
  }

  // Methods

  private offer(type: ClassType, module: Module, program: ClassProgram | undefined, python: readonly string[]): void {
    const defs = new Map<string, FunctionDef>()
    for (const text of python)
      for (const stmt of parseFile(text, `<${className(module)}>`)) if (stmt.kind === 'FunctionDef') defs.set(stmt.name, stmt)
    this.unit.offerMethods(type, (name) => {
      const def = defs.get(name)
      if (def !== undefined) return this.unit.addMethodOf(type, def)
      const property = [`__${name}_getter`, name].find((n) => defs.has(n))
      if (property !== undefined) return
      const found = program?.method(name)
      if (found === undefined) return
      const mark = markOf(module.constructor as unknown as { prototype: object }, name)
      const parsed = methodDef(found.method, found.types)
      this.unit.addMethodOf(type, mark === 'ignore' || mark === 'unused' ? refused(parsed, mark) : parsed, found.file.dialect)
    })
  }
  /** Methods to compile besides those that others call. */
  entryPoints(module: Module): string[] {
    const names = new Set<string>()
    const isOwnForward = (): boolean => {
      for (let proto: object | null = Object.getPrototypeOf(module) as object; proto !== null && proto !== Module.prototype;) {
        if (Object.hasOwn(proto, 'forward')) return true
        proto = Object.getPrototypeOf(proto) as object | null
      }
      return false
    }
    if (isOwnForward()) names.add('forward')
    const { exports } = module.constructor as unknown as { readonly exports?: readonly string[] }
    for (const name of exports ?? []) names.add(name)
    for (let proto = Object.getPrototypeOf(module) as object | null; proto !== null && proto !== Module.prototype;) {
      for (const name of Object.getOwnPropertyNames(proto))
        if (markOf(module.constructor as unknown as { prototype: object }, name) === 'export') names.add(name)
      proto = Object.getPrototypeOf(proto) as object | null
    }
    const program = pythonNameOf(module) === undefined ? this.sources.ofClass(module.constructor) : undefined
    for (const source of program?.classes ?? [])
      for (const method of source.methods)
        if (method.decorators.some((d) => d === 'export' || d.endsWith('.export'))) names.add(method.name)
    for (const text of definitionsOf(module))
      for (const stmt of parseFile(text, '<define>')) if (stmt.kind === 'FunctionDef') names.add(stmt.name)
    return [...names]
  }

  // Objects

  /** The object tree of a module. Tensors are the module's own. */
  objectOf(module: Module | ScriptModule): ObjectValue {
    const made = new Map<object, ObjectValue>()
    const make = (value: object, type: ClassType): ObjectValue => {
      const known = made.get(value)
      if (known !== undefined) return known
      if (value instanceof ScriptObject) {
        const taken = snapshotOf(value) as ObjectValue
        made.set(value, taken)
        return taken
      }
      const attributes: NonNullable<ObjectValue['attributes']> = new Map()
      const object: ObjectValue = { kind: 'object', className: type.qualifiedName, type, attributes }
      made.set(value, object)
      const fields = this.fields.get(type)
      const wanted = value instanceof Module ? new Map(scriptAttributes(value).map((a) => [a.name, a.value])) : undefined
      for (const { name, type: declared } of type.attributes) {
        const item = wanted === undefined ? (value as Record<string, unknown>)[fields?.get(name) ?? name] : wanted.get(name)
        attributes.set(name, writer.value(item, declared, name))
      }
      return object
    }
    const writer = new ValueWriter((value, type) => {
      if (value instanceof Module) return make(value, this.typeOf(value))
      return make(value, type)
    })
    return make(module, this.typeOf(module))
  }
}

/** The Python source of a library layer, or of the layers a class is derived from. */
function pythonSources(module: Module): string[] {
  const own = scriptSource(module)
  if (own !== undefined) return [own]
  if (module instanceof Sequential && (Object.getPrototypeOf(module) as object | null) === Sequential.prototype) {
    const calls = [...module.ownChildren().keys()].map((name) => `  input = getattr(self, ${JSON.stringify(name)}).forward(input)\n`)
    return [`def forward(self, input: Tensor) -> Tensor:\n${calls.join('')}  return input\n`]
  }
  for (
    let base = module.constructor as object | null;
    base !== null && !builtinBases.has(base);
    base = Object.getPrototypeOf(base) as object | null
  ) {
    if (!Object.hasOwn(base, 'torchscript')) continue
    const source = (base as ModuleClass).torchscript as unknown
    return [typeof source === 'function' ? (source.call(base, module) as string) : (source as string)]
  }
  return []
}

/** A method that JavaScript keeps: calls of it raise. */
function refused(def: FunctionDef, mark: 'ignore' | 'unused'): FunctionDef {
  const { range } = def
  const message =
    mark === 'unused'
      ? `The method '${def.name}' is marked as unused: it cannot be called in TorchScript.`
      : `The method '${def.name}' is marked as ignored: compiled code cannot call JavaScript.`
  const raise: Stmt = {
    kind: 'Raise',
    value: {
      kind: 'Call',
      fn: { kind: 'Name', name: 'RuntimeError', range },
      args: [{ kind: 'String', value: message, range }],
      kwargs: [],
      range,
    },
    range,
  }
  return { ...def, body: [raise] }
}

function constantOfValue(value: unknown, type: Type | undefined): ConstantValue | undefined {
  switch (typeof value) {
    case 'boolean':
      return { kind: 'bool', value }
    case 'string':
      return { kind: 'string', value }
    case 'bigint':
      return { kind: 'int', value }
    case 'number':
      return type === FloatType || !Number.isInteger(value) ? { kind: 'float', value } : { kind: 'int', value: BigInt(value) }
    case 'object': {
      if (value === null) return { kind: 'none' }
      if (!Array.isArray(value)) return undefined
      const elements = type?.kind === 'Tuple' ? type.elements : undefined
      const items = value.map((item, i) => constantOfValue(item, elements?.[i] ?? (type?.kind === 'List' ? type.element : undefined)))
      if (items.some((item) => item === undefined)) return undefined
      return { kind: 'tuple', items: items as ConstantValue[] }
    }
    default:
      return undefined
  }
}
const constantKey = (value: ConstantValue): string =>
  JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? `${item}n` : Object.is(item, -0) ? '-0' : item))
