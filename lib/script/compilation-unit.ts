import type { Graph, SourceRange, Value } from '../ir/graph.js'
import type { FunctionSchema } from '../ir/schema.js'
import { schemasOf } from '../ir/schema.js'
import type { ConstantValue, Parameter, ScriptFunction, Type } from '../ir/types.js'
import { ClassType, EnumType, IntType, StringType, TensorType, tupleOf } from '../ir/types.js'
import { dtypeCode, dtypeNamed } from '../tensor/dtype.js'
import { CompileError, invariant } from '../util/errors.js'
import type { ClassDef, Expr, FunctionDef, Stmt } from './ast.js'
import { callFunction } from './emitter/calls.js'
import type { Dialect } from './emitter/dialect.js'
import { Emitter } from './emitter/emitter.js'
import type { Meaning } from './emitter/values.js'
import { functionalSource } from './functional.js'
import { parseExpression, parseFile } from './python/parser.js'
import type { Match } from './schema-matching.js'
import { constantType } from './schema-matching.js'
import { compileError } from './source.js'
import { customClass, dottedName, isCustomClassName, parseType, resolveType } from './type-resolver.js'
import { oldSignatureOf, upgraderFor } from './upgraders.js'
import { lookupTable, withinStack } from './tables.js'

export interface CompilationUnitOptions {
  /** Source text of a module such as `__torch__.torch.nn.modules.linear`; undefined when there is none. */
  readonly sources?: (qualifiedModule: string) => string | undefined
  /** Version of the archive, which decides what operators of old files mean. Default: current. */
  readonly version?: number
  /** What `CONSTANTS.cN` refers to. */
  readonly constants?: readonly ConstantValue[]
}

/** Names that are numbers, unless the program has a variable of that name. */
const literals = lookupTable<ConstantValue | undefined>({
  inf: { kind: 'float', value: Infinity },
  nan: { kind: 'float', value: NaN },
  infj: { kind: 'complex', re: 0, im: Infinity },
  nanj: { kind: 'complex', re: 0, im: NaN },
})

const gradMode = '__torch__.torch.autograd.grad_mode'
const builtinClasses = lookupTable<string>({
  'torch.no_grad': `${gradMode}.no_grad`,
  'torch.enable_grad': `${gradMode}.enable_grad`,
})
const switcher = (name: string, value: string): string => `
class ${name}:
  prev : bool
  def __init__(self) -> None:
    self.prev = torch.is_grad_enabled()
  def __enter__(self) -> None:
    self.prev = torch.is_grad_enabled()
    torch.set_grad_enabled(${value})
  def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
    torch.set_grad_enabled(self.prev)
`
const gradModeSource = switcher('no_grad', 'False') + switcher('enable_grad', 'True')

/** The newest archive version this front end knows. */
export const currentVersion = 10

/** A function whose parameters resolve and whose body compiles on first use. */
class CompiledFunction implements ScriptFunction {
  private result: { graph: Graph; returnType: Type } | undefined
  private error: unknown
  private compiling = false
  private resolved: readonly Parameter[] | undefined
  private declared: Type | undefined | null = null

  constructor(
    private readonly unit: CompilationUnit,
    readonly qualifiedName: string,
    readonly def: FunctionDef,
    private readonly owner: ClassType | undefined,
    /** The rules of its language, for functions of other languages than Python. */
    private readonly dialect?: Dialect,
  ) {}

  get name(): string {
    return this.def.name
  }
  get parameters(): readonly Parameter[] {
    this.resolved ??= this.def.parameters.map((p, i) => {
      const type =
        i === 0 && this.owner !== undefined
          ? this.owner
          : p.annotation === undefined
            ? TensorType
            : this.unit.resolve(p.annotation, this.dialect)
      const value = p.default === undefined ? undefined : Emitter.defaultValue(this.unit, p.default, type)
      return { name: p.name, type, default: value, kwargOnly: p.kwargOnly }
    })
    return this.resolved
  }
  private get declaredReturn(): Type | undefined {
    if (this.declared === null)
      this.declared = this.def.returns === undefined ? undefined : this.unit.resolve(this.def.returns, this.dialect)
    return this.declared
  }
  get returnType(): Type {
    return this.declaredReturn ?? this.compile().returnType
  }
  get graph(): Graph {
    return this.compile().graph
  }
  /** An error with what to write instead, where the language knows it. */
  private hinted(error: unknown): unknown {
    if (!(error instanceof CompileError) || this.dialect === undefined || error.message.includes('\nHint: ')) return error
    const hint = this.dialect.hint(error.message)
    return hint === undefined ? error : new CompileError(`${error.message}\nHint: ${hint}`)
  }
  private compile(): { graph: Graph; returnType: Type } {
    if (this.result !== undefined) return this.result
    if (this.error !== undefined) throw this.error
    if (this.compiling)
      throw compileError(`function '${this.name}' is called recursively. Recursive calls are not supported`, this.def.range)
    this.compiling = true
    try {
      return (this.result = withinStack(`function '${this.name}'`, () =>
        Emitter.compile(this.unit, this.def, this.parameters, this.declaredReturn, this.dialect),
      ))
    } catch (error) {
      this.error = this.hinted(error)
      throw this.error
    } finally {
      this.compiling = false
    }
  }
}

/** A function whose call is an error because its class or signature does not compile. */
type Definition = { readonly kind: 'class'; readonly def: ClassDef } | { readonly kind: 'function'; readonly def: FunctionDef }

/** All classes and functions of one program. Files are read, types resolved and bodies compiled on first use. */
export class CompilationUnit {
  readonly version: number
  readonly stringType = StringType
  private readonly sources: (qualifiedModule: string) => string | undefined
  private readonly constants: readonly ConstantValue[]
  private readonly files = new Map<string, Map<string, Definition> | undefined>()
  private readonly types = new Map<string, Type>()
  private readonly functions = new Map<string, ScriptFunction>()

  constructor(options: CompilationUnitOptions = {}) {
    this.sources = options.sources ?? (() => undefined)
    this.version = options.version ?? currentVersion
    this.constants = options.constants ?? []
  }

  // Lookup

  /** The definitions of a source file by name. */
  private file(module: string): Map<string, Definition> | undefined {
    if (this.files.has(module)) return this.files.get(module)
    const text = this.sources(module)
    let definitions: Map<string, Definition> | undefined
    if (text !== undefined) {
      definitions = new Map()
      this.files.set(module, definitions)
      this.addDefinitions(parseFile(text, `code/${module.replaceAll('.', '/')}.py`), definitions)
    }
    this.files.set(module, definitions)
    return definitions
  }
  private addDefinitions(statements: readonly Stmt[], into: Map<string, Definition>): FunctionDef[] {
    const functions: FunctionDef[] = []
    for (const stmt of statements) {
      if (stmt.kind === 'ClassDef') into.set(stmt.name, { kind: 'class', def: stmt })
      else if (stmt.kind === 'FunctionDef') {
        into.set(stmt.name, { kind: 'function', def: stmt })
        functions.push(stmt)
      } else if (stmt.kind !== 'Assign' && stmt.kind !== 'Expr' && stmt.kind !== 'Pass')
        throw compileError('Expected a class or a function', stmt.range)
    }
    return functions
  }
  private definition(qualifiedName: string): Definition | undefined {
    const dot = qualifiedName.lastIndexOf('.')
    return this.file(dot < 0 ? '' : qualifiedName.slice(0, dot))?.get(qualifiedName.slice(dot + 1))
  }

  /** Compiles functions and classes given as source text; returns the functions in order. */
  define(source: string, file = '<string>'): ScriptFunction[] {
    const definitions = this.files.get('') ?? new Map<string, Definition>()
    this.files.set('', definitions)
    return this.addDefinitions(parseFile(source, file), definitions).map((def) => this.function(def.name))
  }

  /** A class by qualified name. Throws CompileError when the program has none. */
  classType(qualifiedName: string): ClassType {
    const type = this.namedType(qualifiedName)
    if (type?.kind !== 'Class')
      throw new CompileError(
        `Expected a class named ${qualifiedName} in the archive's code but found ${type === undefined ? 'none' : `a ${type.kind}`}.`,
      )
    return type
  }
  enumType(qualifiedName: string): Type | undefined {
    const type = this.namedType(qualifiedName)
    return type?.kind === 'Enum' ? type : undefined
  }
  /** The type of text such as `Dict[str, __torch__.A]`; undefined when it is not a type. */
  parseType(text: string): Type | undefined {
    try {
      return parseType(text, (name) => this.namedType(name))
    } catch (error) {
      if (error instanceof CompileError) return undefined
      throw error
    }
  }
  /** A function by qualified name. */
  function(qualifiedName: string): ScriptFunction {
    const known = this.functions.get(qualifiedName)
    if (known !== undefined) return known
    const definition = this.definition(qualifiedName)
    if (definition?.kind !== 'function')
      throw new CompileError(`Expected a function named ${qualifiedName} but found ${definition === undefined ? 'none' : 'a class'}.`)
    const fn = new CompiledFunction(this, qualifiedName, definition.def, undefined)
    this.functions.set(qualifiedName, fn)
    return fn
  }

  resolve(annotation: Expr, dialect?: Dialect): Type {
    return resolveType(annotation, (name) => dialect?.type(name) ?? this.namedType(name))
  }

  // What other front ends add

  /** A qualified name that is free: the one asked for, or it with a mangled package, as PyTorch does it. */
  uniqueName(qualifiedName: string): string {
    if (!this.types.has(qualifiedName) && !this.functions.has(qualifiedName)) return qualifiedName
    const dot = qualifiedName.lastIndexOf('.')
    for (;;) {
      const name = `${qualifiedName.slice(0, dot)}.___torch_mangle_${this.mangled++}.${qualifiedName.slice(dot + 1)}`
      if (!this.types.has(name) && !this.functions.has(name)) return name
    }
  }
  private mangled = 0

  /** Makes a type known by its name. */
  addType(type: ClassType): void {
    this.types.set(type.qualifiedName, type)
  }
  /** A function of another front end. */
  addFunction(qualifiedName: string, def: FunctionDef, dialect?: Dialect): ScriptFunction {
    const fn = new CompiledFunction(this, qualifiedName, def, undefined, dialect)
    this.functions.set(qualifiedName, fn)
    return fn
  }
  /** A class of another front end. */
  addClass(qualifiedName: string, def: ClassDef, dialect?: Dialect): Type {
    return this.makeType(qualifiedName, def, dialect)
  }
  /** A method of a class of this unit. */
  addMethodOf(type: ClassType, def: FunctionDef, dialect?: Dialect): void {
    this.addMethod(type, def, dialect)
  }

  private readonly offers = new WeakMap<ClassType, (name: string) => void>()
  /** Says how the methods of a class are made when they are first asked for. */
  offerMethods(type: ClassType, offer: (name: string) => void): void {
    this.offers.set(type, offer)
  }
  /** Has a method made, where its class makes methods on demand. */
  demandMethod(type: ClassType, name: string): void {
    if (!type.methods.has(name)) this.offers.get(type)?.(name)
  }

  /** The class, enum or named tuple of a qualified name; undefined when there is none. */
  namedType(qualifiedName: string): Type | undefined {
    const known = this.types.get(qualifiedName)
    if (known !== undefined) return known
    if (isCustomClassName(qualifiedName)) return customClass(qualifiedName)
    const definition = this.definition(qualifiedName)
    return definition?.kind === 'class' ? this.makeType(qualifiedName, definition.def) : undefined
  }

  private makeType(qualifiedName: string, def: ClassDef, dialect?: Dialect): Type {
    const base = def.bases[0] === undefined ? '' : (dottedName(def.bases[0]) ?? '')
    if (base === 'NamedTuple' || base === 'typing.NamedTuple') return this.makeNamedTuple(qualifiedName, def, dialect)
    if (base === 'Enum' || base === 'enum.Enum') return this.makeEnum(qualifiedName, def)
    const flavor =
      base === 'Module' || base === 'torch.nn.Module'
        ? 'module'
        : base === 'ModuleInterface'
          ? 'moduleInterface'
          : base === 'Interface'
            ? 'interface'
            : 'class'
    const type = new ClassType(qualifiedName, flavor)
    this.types.set(qualifiedName, type)
    this.fillClass(type, def, dialect)
    return type
  }
  private readonly resolving = new Set<string>()
  private makeNamedTuple(qualifiedName: string, def: ClassDef, dialect?: Dialect): Type {
    if (this.resolving.has(qualifiedName)) throw compileError(`The named tuple ${qualifiedName} contains itself`, def.range)
    this.resolving.add(qualifiedName)
    try {
      return this.namedTuple(qualifiedName, def, dialect)
    } finally {
      this.resolving.delete(qualifiedName)
    }
  }
  private namedTuple(qualifiedName: string, def: ClassDef, dialect?: Dialect): Type {
    const fields: string[] = []
    const elements: Type[] = []
    const defaults: (ConstantValue | undefined)[] = []
    for (const stmt of def.body) {
      if (stmt.kind !== 'Declare' && !(stmt.kind === 'Assign' && stmt.annotation !== undefined)) continue
      const target = stmt.kind === 'Declare' ? stmt.target : stmt.targets[0]
      if (target.kind !== 'Name') continue
      fields.push(target.name)
      elements.push(this.resolve(stmt.annotation!, dialect))
      defaults.push(stmt.kind === 'Assign' ? this.constantExpression(stmt.value) : undefined)
    }
    const type = tupleOf(elements, { qualifiedName, fields, defaults })
    this.types.set(qualifiedName, type)
    return type
  }
  private makeEnum(qualifiedName: string, def: ClassDef): Type {
    const members = def.body.flatMap((stmt) =>
      stmt.kind === 'Assign' && stmt.targets[0].kind === 'Name'
        ? [{ name: stmt.targets[0].name, value: this.constantExpression(stmt.value) }]
        : [],
    )
    const type = new EnumType(qualifiedName, members.length > 0 ? constantType(members[0].value) : IntType, members)
    this.types.set(qualifiedName, type)
    return type
  }

  private fillClass(type: ClassType, def: ClassDef, dialect?: Dialect): void {
    const lists = new Map<string, string[]>()
    const declared: { name: string; annotation: Expr; value?: Expr }[] = []
    for (const stmt of def.body) {
      if (stmt.kind === 'FunctionDef') this.addMethod(type, stmt, dialect)
      else if (stmt.kind === 'Declare' && stmt.target.kind === 'Name')
        declared.push({ name: stmt.target.name, annotation: stmt.annotation })
      else if (stmt.kind === 'Assign') {
        const [target] = stmt.targets
        if (target.kind === 'Subscript' && target.items[0].kind === 'String')
          declared.push({ name: target.items[0].value, annotation: stmt.value })
        else if (target.kind === 'Name' && stmt.annotation !== undefined)
          declared.push({ name: target.name, annotation: stmt.annotation, value: stmt.value })
        else if (target.kind === 'Name' && stmt.value.kind === 'List')
          lists.set(
            target.name,
            stmt.value.items.flatMap((i) => (i.kind === 'String' ? [i.value] : [])),
          )
      }
    }
    const parameters = new Set(lists.get('__parameters__'))
    const buffers = new Set(lists.get('__buffers__'))
    type.forwardHooks = lists.get('__forward_hooks__') ?? []
    type.forwardPreHooks = lists.get('__forward_pre_hooks__') ?? []
    for (const { name, annotation, value } of declared) {
      if (value !== undefined && annotation.kind === 'Subscript' && dottedName(annotation.value)?.endsWith('Final')) {
        type.constants.set(name, this.typedConstant(value, this.resolve(annotation, dialect)))
      } else
        type.attributes.push({
          name,
          type: this.resolve(annotation, dialect),
          isParameter: parameters.has(name),
          isBuffer: buffers.has(name),
        })
    }
    if (type.flavor === 'class' && (type.attributes.length === 0 || dialect !== undefined)) this.attributesFromInit(type, dialect)
  }
  private typedConstant(expr: Expr, type: Type): ConstantValue {
    const value = this.constantExpression(expr)
    if (value.kind === 'int' && type.kind === 'Simple' && type.name === 'float') return { kind: 'float', value: Number(value.value) }
    return value.kind === 'list' || value.kind === 'tuple' ? { ...value, type } : value
  }
  private addMethod(type: ClassType, def: FunctionDef, dialect?: Dialect): void {
    const isStatic = def.decorators.some((d) => dottedName(d) === 'staticmethod')
    const decorator = def.decorators.map((d) => dottedName(d) ?? '')
    const fn = new CompiledFunction(this, `${type.qualifiedName}.${def.name}`, def, isStatic ? undefined : type, dialect)
    if (isStatic) type.staticMethods.set(def.name, fn)
    else if (decorator.includes('property'))
      type.methods.set(
        `__${def.name}_getter`,
        new CompiledFunction(this, fn.qualifiedName, { ...def, name: `__${def.name}_getter` }, type, dialect),
      )
    else if (decorator.some((d) => d.endsWith('.setter')))
      type.methods.set(
        `__${def.name}_setter`,
        new CompiledFunction(this, fn.qualifiedName, { ...def, name: `__${def.name}_setter` }, type, dialect),
      )
    else type.methods.set(def.name, fn)
  }
  /** Classes written by hand declare attributes by assigning them in `__init__`. */
  private attributesFromInit(type: ClassType, dialect?: Dialect): void {
    const init = type.methods.get('__init__') as CompiledFunction | undefined
    if (init === undefined) return
    const scope = new Map(
      init.def.parameters.map((p) => [p.name, p.annotation === undefined ? TensorType : this.resolve(p.annotation, dialect)] as const),
    )
    for (const stmt of init.def.body) {
      if (stmt.kind !== 'Assign' && stmt.kind !== 'Declare') continue
      const target = stmt.kind === 'Assign' ? stmt.targets[0] : stmt.target
      if (
        target.kind !== 'Attribute' ||
        target.value.kind !== 'Name' ||
        target.value.name !== init.def.parameters[0].name ||
        type.attribute(target.name)
      )
        continue
      type.attributes.push({ name: target.name, type: this.initType(stmt, scope, dialect), isParameter: false, isBuffer: false })
    }
  }
  private initType(stmt: Stmt & { kind: 'Assign' | 'Declare' }, scope: ReadonlyMap<string, Type>, dialect?: Dialect): Type {
    if (stmt.annotation !== undefined) return this.resolve(stmt.annotation, dialect)
    const value = (stmt as Stmt & { kind: 'Assign' }).value
    if (value.kind === 'Name' && scope.has(value.name)) return scope.get(value.name)!
    // The type of any other expression is that of its value in a function of the same parameters.
    const parameters = [...scope].map(([name, type]) => ({ name, type }))
    const def: FunctionDef = {
      kind: 'FunctionDef',
      name: '__init_type',
      parameters: [],
      body: [{ kind: 'Return', value, range: value.range }],
      decorators: [],
      range: value.range,
    }
    return Emitter.compile(this, def, parameters, undefined, dialect).returnType
  }

  // What names mean to the emitter

  /** The meaning of a global dotted name; undefined when it has none. */
  meaningOf(name: string): Meaning | undefined {
    const literal = literals[name]
    if (literal !== undefined) return this.constantMeaning(literal)
    if (name === 'torch' || name === 'ops' || name === '__torch__' || name === 'CONSTANTS' || name === 'math' || name === 'cmath')
      return { kind: 'namespace', path: name }
    const dot = name.lastIndexOf('.')
    const [head, last] = [dot < 0 ? '' : name.slice(0, dot), name.slice(dot + 1)]
    if (head === 'CONSTANTS') {
      const index = /^c(\d+)$/.exec(last)
      const constant = index === null ? undefined : this.constants[Number(index[1])]
      return constant === undefined ? undefined : this.constantMeaning(constant)
    }
    if (name in builtinClasses) return { kind: 'class', type: this.builtinClass(name) }
    if (name.startsWith('torch.')) return this.torchName(name.slice(6))
    if (name.startsWith('ops.')) {
      const parts = name.split('.')
      if (parts.length === 2) return { kind: 'namespace', path: name }
      return parts.length === 3 ? { kind: 'operator', name: `${parts[1]}::${parts[2]}` } : undefined
    }
    if (head === 'math' || head === 'cmath') return this.mathName(last)
    const type = name === '' ? undefined : this.namedType(name)
    if (type?.kind === 'Class') return { kind: 'class', type }
    if (type?.kind === 'Enum') return { kind: 'enum', type }
    if (type?.kind === 'Tuple') return { kind: 'namedTuple', type }
    if (this.definition(name)?.kind === 'function') return { kind: 'function', fn: this.function(name) }
    // A member of a class is found through the class.
    if (!name.startsWith('__torch__.') || this.namedType(head) !== undefined) return undefined
    return { kind: 'namespace', path: name }
  }
  /** Classes that PyTorch's own Python code gives to programs. */
  private builtinClass(name: string): ClassType {
    const qualifiedName = builtinClasses[name]
    const known = this.types.get(qualifiedName)
    if (known !== undefined) return known as ClassType
    const def = parseFile(gradModeSource, '<builtin>').find(
      (s) => s.kind === 'ClassDef' && qualifiedName.endsWith(`.${s.name}`),
    ) as ClassDef
    return this.makeType(qualifiedName, def) as ClassType
  }
  private torchName(name: string): Meaning | undefined {
    if (
      name === 'jit.annotate' ||
      name === 'jit.isinstance' ||
      name === 'jit.is_scripting' ||
      name === 'jit.is_tracing' ||
      name === 'jit.fork' ||
      name === 'jit.wait' ||
      name === 'jit._unwrap_optional'
    )
      return { kind: 'special', name: `torch.${name}` }
    if (['autograd', 'fft', 'linalg', 'special', 'jit', 'nn', 'nn.functional', '_C', '_C._nn', 'ops'].includes(name))
      return { kind: 'namespace', path: `torch.${name}` }
    const dtype = dtypeNamed(name)
    if (dtype !== undefined) return this.constantMeaning({ kind: 'int', value: BigInt(dtypeCode(dtype)) })
    const codes = lookupTable<bigint>({
      strided: 0n,
      sparse_coo: 1n,
      contiguous_format: 0n,
      preserve_format: 1n,
      channels_last: 2n,
      channels_last_3d: 3n,
      per_tensor_affine: 0n,
      per_channel_affine: 1n,
    })
    if (name in codes) return this.constantMeaning({ kind: 'int', value: codes[name] })
    const special = lookupTable<number>({ inf: Infinity, nan: NaN, pi: Math.PI, e: Math.E })
    if (name in special) return this.constantMeaning({ kind: 'float', value: special[name] })
    const library = /^nn\.functional\.(\w+)$/.exec(name)
    const function_ = library === null ? undefined : this.libraryFunction(library[1])
    if (function_ !== undefined) return { kind: 'function', fn: function_ }
    const operator = name.replace(/^(fft|linalg|special)\./, '$1_').replace(/^(nn\.functional|_C\._nn|autograd)\./, '')
    const ops = /^ops\.(\w+)(?:\.(\w+))?$/.exec(name)
    if (ops !== null)
      return ops[2] === undefined ? { kind: 'namespace', path: `torch.${name}` } : { kind: 'operator', name: `${ops[1]}::${ops[2]}` }
    return /^\w+$/.test(operator) ? { kind: 'operator', name: `aten::${operator}` } : undefined
  }
  /** A function of torch.nn.functional that is no operator. */
  private libraryFunction(name: string): ScriptFunction | undefined {
    const source = functionalSource(name)
    if (source === undefined) return undefined
    const qualifiedName = `__torch__.torch.nn.functional.${name}`
    const known = this.library.get(name)
    if (known !== undefined) return known
    const def = parseFile(source, 'torch/nn/functional.py').find((stmt) => stmt.kind === 'FunctionDef')
    invariant(def !== undefined, `The source of ${qualifiedName} has no function.`)
    const made = this.addFunction(this.functions.has(qualifiedName) ? this.uniqueName(qualifiedName) : qualifiedName, def)
    this.library.set(name, made)
    return made
  }
  private readonly library = new Map<string, ScriptFunction>()

  private mathName(name: string): Meaning | undefined {
    const constants = lookupTable<number>({ pi: Math.PI, e: Math.E, tau: 2 * Math.PI, inf: Infinity, nan: NaN })
    if (name in constants) return this.constantMeaning({ kind: 'float', value: constants[name] })
    return schemasOf(`aten::${name}`).length > 0 ? { kind: 'operator', name: `aten::${name}` } : undefined
  }

  constantMeaning(value: ConstantValue): Meaning {
    if (value.kind === 'object') {
      const type = this.namedType(value.className)
      return { kind: 'constant', value, type: type ?? TensorType }
    }
    if (value.kind === 'enum') return { kind: 'constant', value, type: this.namedType(value.className) ?? TensorType }
    return { kind: 'constant', value, type: constantType(value) }
  }

  private readonly callees = new Map<FunctionDef, Set<FunctionDef>>()
  /**
   * Records that one function calls another, and refuses the call that closes a circle. Bodies compile on first use, so this is what keeps
   * recursion, which TorchScript does not have, from reaching the passes that inline calls.
   */
  noteCall(caller: FunctionDef, callee: ScriptFunction | FunctionDef, range: SourceRange): void {
    const target = callee instanceof CompiledFunction ? callee.def : 'kind' in callee ? callee : undefined
    if (target === undefined) return
    const seen = new Set<FunctionDef>()
    const waiting = [target]
    for (let def = waiting.pop(); def !== undefined; def = waiting.pop()) {
      if (def === caller) throw compileError(`function '${target.name}' is called recursively. Recursive calls are not supported`, range)
      if (seen.has(def)) continue
      seen.add(def)
      waiting.push(...(this.callees.get(def) ?? []))
    }
    const known = this.callees.get(caller)
    if (known === undefined) this.callees.set(caller, new Set([target]))
    else known.add(target)
  }

  /** A schema without overloads. */
  schema(name: string): FunctionSchema {
    return schemasOf(name)[0]
  }

  /** An operator of an archive older than its last change, as a call of a function with the old meaning. */
  upgrade(e: Emitter, match: Match): Value | undefined {
    if (this.version >= currentVersion) return undefined
    const fn = upgraderFor(match.schema, this.version)
    if (fn === undefined) return undefined
    const formals = match.schema.arguments
    const args = match.inputs.filter((_, i) => !formals[i].kwargOnly)
    const kwargs = match.inputs.flatMap((value, i) => (formals[i].kwargOnly ? [{ name: formals[i].name, value }] : []))
    return callFunction(e, fn, args, kwargs, e.b.range!)
  }

  /** The function for calls that only an older archive's signature of the operator accepts. */
  oldSignature(name: string): ScriptFunction | undefined {
    return this.version < currentVersion ? oldSignatureOf(name, this.version) : undefined
  }

  /** The value of a default or class constant. */
  constantExpression(expr: Expr): ConstantValue {
    const each = (items: readonly Expr[]): ConstantValue[] => items.map((i) => this.constantExpression(i))
    switch (expr.kind) {
      case 'None':
        return { kind: 'none' }
      case 'Int':
        return { kind: 'int', value: expr.value }
      case 'Float':
        return { kind: 'float', value: expr.value }
      case 'Imaginary':
        return { kind: 'complex', re: 0, im: expr.value }
      case 'String':
        return { kind: 'string', value: expr.value }
      case 'Bool':
        return { kind: 'bool', value: expr.value }
      case 'List':
        return { kind: 'list', items: each(expr.items) }
      case 'Tuple':
        return { kind: 'tuple', items: each(expr.items) }
      case 'Dict':
        return { kind: 'dict', entries: expr.entries.map(([k, v]) => [this.constantExpression(k), this.constantExpression(v)] as const) }
      case 'Unary':
        return this.negated(expr)
      case 'Binary': {
        const [a, b] = [this.constantExpression(expr.left), this.constantExpression(expr.right)]
        const re = a.kind === 'float' ? a.value : a.kind === 'int' ? Number(a.value) : undefined
        if (b.kind === 'complex' && re !== undefined && (expr.op === '+' || expr.op === '-'))
          return { kind: 'complex', re, im: expr.op === '-' ? -b.im : b.im }
        break
      }
      case 'Call': {
        const name = dottedName(expr.fn)
        if (name === 'torch.device' && expr.args[0]?.kind === 'String') return { kind: 'device', value: expr.args[0].value }
        if (name === 'annotate') {
          const type = this.resolve(expr.args[0])
          const value = this.constantExpression(expr.args[1])
          return value.kind === 'list' || value.kind === 'tuple' || value.kind === 'dict' ? { ...value, type } : value
        }
        break
      }
      case 'Name':
      case 'Attribute': {
        const name = dottedName(expr)
        const meaning = name === undefined ? undefined : this.meaningOf(name)
        if (meaning?.kind === 'constant') return meaning.value
        if (expr.kind === 'Attribute') {
          const owner = dottedName(expr.value)
          const type = owner === undefined ? undefined : this.namedType(owner)
          const member = type?.kind === 'Enum' ? type.members.find((m) => m.name === expr.name) : undefined
          if (type?.kind === 'Enum' && member !== undefined) return { kind: 'enum', className: type.qualifiedName, value: member.value }
        }
        break
      }
    }
    throw compileError('Expected a constant', expr.range)
  }
  private negated(expr: Expr & { kind: 'Unary' }): ConstantValue {
    const value = this.constantExpression(expr.value)
    if (expr.op === '+') return value
    if (value.kind === 'int') return { kind: 'int', value: -value.value }
    if (value.kind === 'float') return { kind: 'float', value: -value.value }
    if (value.kind === 'complex') return { kind: 'complex', re: -value.re, im: -value.im }
    throw compileError('Expected a number', expr.range)
  }
}

/** Parses text as one expression; for tools that take constants as text. */
export const parseConstant = (unit: CompilationUnit, text: string): ConstantValue =>
  unit.constantExpression(parseExpression(text, '<constant>'))
