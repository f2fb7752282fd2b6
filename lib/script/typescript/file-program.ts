import type { ConstantValue, Type } from '../../ir/types.js'
import { ClassType, FloatType, IntType, StringType } from '../../ir/types.js'
import { CompileError } from '../../util/errors.js'
import type { Expr } from '../ast.js'
import type { CompilationUnit } from '../compilation-unit.js'
import type { Meaning } from '../emitter/values.js'
import { constantType } from '../schema-matching.js'
import { compileError } from '../source.js'
import { dottedName } from '../type-resolver.js'
import { classDef, interfaceDef, staticConstants } from './class-def.js'
import { type FileNames, TypeScriptDialect } from './dialect.js'
import type { TypeTable } from './expression-parser.js'
import type { Declaration, Import, SourceFile } from './source-file.js'

/** Types of parameters that stand beside the source, by function (or method) and parameter. */
export type TypeTables = Readonly<Record<string, TypeTable | undefined>>

export interface FileProgramOptions {
  /** What names mean that the caller gives: they come before those of the file. */
  readonly outside?: (name: string) => Meaning | undefined
  /** The program of another file; undefined where there is none to read. */
  readonly imported?: (from: string, file: string) => FileProgram | undefined
  /** Of several declarations of one name, those before this offset are meant. */
  readonly near?: number
  /** Types of the functions and classes that the running program has. */
  readonly types?: (name: string) => TypeTables | undefined
}

/** The package whose names are those of TorchScript. */
const isThisPackage = (from: string): boolean => from === 'torchscript-node' || /(^|\/)(lib|dist)\/index\.(js|ts|mjs|cjs)$/.test(from)

/** The functions and classes of a file in a compilation unit, compiled as they are needed. */
export class FileProgram implements FileNames {
  readonly dialect: TypeScriptDialect
  private readonly meanings = new Map<Declaration, Meaning>()
  private readonly types = new Map<Declaration, Type>()
  /** Names of classes that are being made. */
  private readonly pending = new Map<Declaration, string>()

  constructor(
    readonly unit: CompilationUnit,
    readonly source: SourceFile,
    private readonly options: FileProgramOptions = {},
  ) {
    this.dialect = new TypeScriptDialect(unit, this)
  }

  private find(name: string): Declaration | undefined {
    return this.source.find(name, this.options.near)
  }

  meaning(name: string): Meaning | undefined {
    const given = this.options.outside?.(name)
    if (given !== undefined) return given
    const declaration = this.find(name)
    if (declaration !== undefined) {
      const known = this.meanings.get(declaration)
      if (known !== undefined) return known
      const made = this.declared(declaration)
      if (made !== undefined) {
        this.meanings.set(declaration, made)
        return made
      }
    }
    const imported = this.source.imports.get(name)
    return imported === undefined ? undefined : this.imported(imported)
  }
  private declared(declaration: Declaration): Meaning | undefined {
    switch (declaration.kind) {
      case 'function':
      case 'arrow':
        return { kind: 'function', fn: this.functionOf(declaration) }
      case 'class': {
        const type = this.classOf(declaration)
        return type === undefined ? undefined : { kind: 'class', type }
      }
      case 'const':
        return this.constantOf(declaration)
      case 'enum': {
        // A class of constants.
        const type = new ClassType(`__torch__.${declaration.name}`, 'class')
        for (const [member, value] of this.source.enumOf(declaration)) type.constants.set(member, constantOfMember(value))
        return { kind: 'class', type }
      }
      default:
        return undefined
    }
  }
  private functionOf(declaration: Declaration): Extract<Meaning, { kind: 'function' }>['fn'] {
    const { name } = declaration
    const tables = this.options.types?.(name)
    const types = tables?.[name] ?? tables?.['']
    return this.unit.addFunction(this.unit.uniqueName(`__torch__.${name}`), this.source.functionOf(declaration, types), this.dialect)
  }
  private classOf(declaration: Declaration): ClassType | undefined {
    const source = this.source.classOf(declaration)
    const qualifiedName = this.unit.uniqueName(`__torch__.${declaration.name}`)
    if (source.base !== undefined && /(^|\.)\w*Module$/.test(source.base)) {
      // Of modules, the constants; their methods need an object.
      const type = new ClassType(qualifiedName, 'module')
      for (const stmt of staticConstants(source))
        if (stmt.kind === 'Assign' && stmt.targets[0].kind === 'Name')
          type.constants.set(stmt.targets[0].name, this.unit.constantExpression(stmt.value))
      return type
    }
    if (source.base !== undefined && /Error$/.test(source.base)) return undefined
    const isInterface = new RegExp(`\\binterface\\(\\s*${declaration.name.replaceAll('$', '\\$')}\\s*\\)`).test(this.source.text)
    // Members may name the class itself.
    this.pending.set(declaration, qualifiedName)
    const def = isInterface ? interfaceDef({ ...source, fields: [] }) : classDef(source, this.options.types?.(declaration.name) ?? {})
    const type = this.unit.addClass(qualifiedName, def, this.dialect)
    return type.kind === 'Class' ? type : undefined
  }
  /** A constant of the file: a number, string or bool is put in place; another name is followed. */
  private constantOf(declaration: Declaration): Meaning | undefined {
    const value = this.source.valueOf(declaration)
    const isRequire = value.kind === 'Call' && value.fn.kind === 'Name' && value.fn.name === 'require'
    if (isRequire && value.args[0]?.kind === 'String') return this.imported({ name: '*', from: value.args[0].value })
    // What the names of the package are called by.
    if (this.dialect.packageName(declaration.name)?.kind === 'namespace' && value.kind !== 'Int' && value.kind !== 'Float') return undefined
    const dotted = dottedName(value)
    if (dotted !== undefined && value.kind !== 'None') return this.follow(value)
    if (value.kind === 'Lambda') return undefined
    let constant: ConstantValue
    try {
      constant = this.unit.constantExpression(value)
    } catch (error) {
      if (!(error instanceof CompileError)) throw error
      throw compileError(
        `The value of '${declaration.name}' is not known while compiling; only numbers, strings, bools and tuples of them are. Pass it as an argument or make it a field of the module`,
        value.range,
      )
    }
    if (constant.kind === 'list' || constant.kind === 'dict')
      throw compileError(
        `'${declaration.name}' may change while the program runs. Pass it as an argument or make it a field of the module`,
        value.range,
      )
    return { kind: 'constant', value: constant, type: constantType(constant) }
  }
  private follow(expr: Expr): Meaning | undefined {
    if (expr.kind === 'Name') return this.dialect.name(expr.name)
    if (expr.kind !== 'Attribute') return undefined
    const left = this.follow(expr.value)
    return left?.kind === 'namespace' ? this.dialect.member(left.path, expr.name, expr) : undefined
  }
  private imported({ name, from }: Import): Meaning | undefined {
    if (isThisPackage(from)) {
      if (name === '*' || name === 'default') return { kind: 'namespace', path: 'torch' }
      return this.dialect.packageName(name)
    }
    return this.options.imported?.(from, this.source.file)?.exported(name)
  }
  /** What another file sees under a name. */
  exported(name: string): Meaning | undefined {
    return this.meaning(name)
  }

  type(name: string): Type | undefined {
    const given = this.options.outside?.(name)
    if (given?.kind === 'class') return given.type
    const declaration = this.find(name)
    if (declaration !== undefined) {
      const pending = this.pending.get(declaration)
      const known = this.types.get(declaration) ?? (pending === undefined ? undefined : this.unit.namedType(pending))
      if (known !== undefined) return known
      const type = this.declaredType(declaration)
      if (type !== undefined) {
        this.types.set(declaration, type)
        return type
      }
    }
    const imported = this.source.imports.get(name)
    if (imported === undefined || isThisPackage(imported.from)) return undefined
    return this.options.imported?.(imported.from, this.source.file)?.type(imported.name)
  }
  private declaredType(declaration: Declaration): Type | undefined {
    switch (declaration.kind) {
      case 'alias': {
        if (declaration.name === 'int' || declaration.name === 'float') return undefined
        return this.unit.resolve(this.source.typeOf(declaration), this.dialect)
      }
      case 'interface':
        return this.unit.addClass(
          this.unit.uniqueName(`__torch__.${declaration.name}`),
          interfaceDef(this.source.interfaceOf(declaration)),
          this.dialect,
        )
      case 'class': {
        const meaning = this.meaning(declaration.name)
        return meaning?.kind === 'class' ? meaning.type : undefined
      }
      case 'enum': {
        const [first] = this.source.enumOf(declaration).values()
        return typeof first === 'string' ? StringType : Number.isInteger(first) ? IntType : FloatType
      }
      default:
        return undefined
    }
  }
}

const constantOfMember = (value: number | string): ConstantValue =>
  typeof value === 'string'
    ? { kind: 'string', value }
    : Number.isInteger(value)
      ? { kind: 'int', value: BigInt(value) }
      : { kind: 'float', value }
