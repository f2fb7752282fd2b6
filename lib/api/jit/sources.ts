import type { CompilationUnit } from '../../script/compilation-unit.js'
import type { Meaning } from '../../script/emitter/values.js'
import { constantType } from '../../script/schema-matching.js'
import type { ClassSource, MethodSource } from '../../script/typescript/class-reader.js'
import type { TypeTable } from '../../script/typescript/expression-parser.js'
import { FileProgram, type TypeTables } from '../../script/typescript/file-program.js'
import type { Declaration, SourceFile } from '../../script/typescript/source-file.js'
import { Module } from '../nn/module.js'
import { engineSource, type FoundSource, importedSource } from './find-source.js'
import { compiledFunctionOf } from './script-function.js'

type Callable = (...args: never[]) => unknown

/** A class of the running program with its source. */
export interface ClassProgram {
  readonly file: FileProgram
  /** The class and its bases up to the library's, the class first. */
  readonly classes: readonly ClassSource[]
  /** Types of fields that stand beside the source. */
  readonly types: Readonly<Record<string, unknown>> | undefined
  readonly fields: ReadonlyMap<string, ClassSource['fields'][number]>
  method(name: string): { readonly method: MethodSource; readonly file: FileProgram; readonly types: TypeTable | undefined } | undefined
}

/** Whether a value is a class of JavaScript. */
export const isClass = (value: unknown): boolean => typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value))
export const isModuleClass = (value: unknown): boolean => typeof value === 'function' && value.prototype instanceof Module

/** The table of types beside a function: `fn.types = { n: 'int' }`; for a class, of each method or of all. */
function tablesOf(target: { readonly name: string }): TypeTables | undefined {
  const table = (target as { types?: unknown }).types
  if (typeof table !== 'object' || table === null) return undefined
  const entries = Object.entries(table as Record<string, unknown>)
  const flat = Object.fromEntries(entries.filter(([, v]) => typeof v === 'string')) as Record<string, string>
  const nested = Object.fromEntries(entries.filter(([, v]) => typeof v === 'object' && v !== null)) as Record<string, TypeTable>
  return new Proxy(nested, { get: (own, name) => (typeof name === 'string' && Object.hasOwn(own, name) ? own[name] : flat) })
}

/** Where the sources of the functions and classes of one call of `script` are. */
export class Sources {
  private readonly programs = new Map<SourceFile, FileProgram>()
  private readonly classes = new Map<object, ClassProgram | undefined>()
  private readonly known = new Map<string, { readonly name: string }>()

  constructor(
    readonly unit: CompilationUnit,
    private readonly found: FoundSource | undefined,
    private readonly scope: Readonly<Record<string, unknown>> = {},
  ) {}

  private programOf(source: SourceFile): FileProgram {
    let program = this.programs.get(source)
    if (program === undefined) {
      program = new FileProgram(this.unit, source, {
        near: source === this.found?.source ? this.found.near : undefined,
        outside: (name) => (Object.hasOwn(this.scope, name) ? this.meaningOf(this.scope[name], name) : undefined),
        imported: (from, file) => {
          const other = importedSource(from, file)
          return other && this.programOf(other)
        },
        types: (name) => {
          const target = this.known.get(name)
          return target && tablesOf(target)
        },
      })
      this.programs.set(source, program)
    }
    return program
  }

  /** What a value of the running program means in a script. */
  meaningOf(value: unknown, name: string): Meaning | undefined {
    const compiled = compiledFunctionOf(value)
    if (compiled !== undefined) return { kind: 'function', fn: compiled.fn }
    switch (typeof value) {
      case 'function':
        if (isClass(value)) {
          const program = this.ofClass(value)
          const type = program?.file.type(value.name)
          return type?.kind === 'Class' ? { kind: 'class', type } : undefined
        }
        return { kind: 'function', fn: this.function(value as Callable, name) }
      case 'number': {
        const constant = Number.isInteger(value) ? ({ kind: 'int', value: BigInt(value) } as const) : ({ kind: 'float', value } as const)
        return { kind: 'constant', value: constant, type: constantType(constant) }
      }
      case 'string': {
        const constant = { kind: 'string', value } as const
        return { kind: 'constant', value: constant, type: constantType(constant) }
      }
      case 'boolean': {
        const constant = { kind: 'bool', value } as const
        return { kind: 'constant', value: constant, type: constantType(constant) }
      }
      default:
        return undefined
    }
  }

  /** The declaration of a function or class: in the file of the caller, in what that imports, or in the engine's text of it. */
  private declarationOf(
    target: Callable,
    isRight: (declaration: Declaration, source: SourceFile) => boolean,
  ): { source: SourceFile; declaration: Declaration } | undefined {
    const look = (source: SourceFile | undefined, name: string): { source: SourceFile; declaration: Declaration } | undefined => {
      const near = source === this.found?.source ? this.found?.near : undefined
      const declaration = source?.find(name, near)
      return source !== undefined && declaration !== undefined && isRight(declaration, source) ? { source, declaration } : undefined
    }
    const file = this.found?.source
    const own = look(file, target.name)
    if (own !== undefined) return own
    for (const [local, { name, from }] of file?.imports ?? []) {
      if (name !== target.name && local !== target.name) continue
      const other = look(importedSource(from, file!.file), name === 'default' ? target.name : name)
      if (other !== undefined) return other
    }
    return undefined
  }

  /** The compiled function of a JavaScript function. */
  function(target: Callable, name = target.name): Extract<Meaning, { kind: 'function' }>['fn'] {
    const spelled = target.name || name
    this.known.set(spelled, target)
    const parameters = parameterNamesOf(target)
    const isRight = (declaration: Declaration, source: SourceFile): boolean => {
      if (declaration.kind !== 'function' && declaration.kind !== 'arrow') return false
      const text = parameterNames(source.text.slice(declaration.start))
      return parameters === undefined || text === undefined || text.map(stem).join() === parameters.map(stem).join()
    }
    const found = spelled === '' ? undefined : this.declarationOf(target, isRight)
    if (found !== undefined) {
      const meaning = this.programOf(found.source).meaning(found.declaration.name)
      if (meaning?.kind === 'function') return meaning.fn
    }
    const source = engineSource(target)
    const program = this.programOf(source)
    const tables = tablesOf(target)
    const def = source.functionAt(0, spelled || 'anonymous', tables?.[spelled])
    return this.unit.addFunction(this.unit.uniqueName(`__torch__.${spelled || 'anonymous'}`), def!, program.dialect)
  }

  /** A class with its source; undefined where there is none to read. */
  ofClass(target: object): ClassProgram | undefined {
    if (!this.classes.has(target)) this.classes.set(target, this.readClass(target))
    return this.classes.get(target)
  }
  private readClass(target: object): ClassProgram | undefined {
    if (!isClass(target)) return undefined
    const sources: { source: ClassSource; file: FileProgram; tables: TypeTables | undefined }[] = []
    for (
      let one = target as Callable | null;
      typeof one === 'function' && isClass(one);
      one = Object.getPrototypeOf(one) as Callable | null
    ) {
      // Classes of this package say what they are in Python.
      if ((one as unknown) === Module || Object.hasOwn(one, 'pythonName')) break
      this.known.set(one.name, one)
      const own = new Set(Object.getOwnPropertyNames((one as unknown as { prototype: object }).prototype))
      const found = this.declarationOf(one, (declaration, source) => {
        if (declaration.kind !== 'class') return false
        const methods = source.classOf(declaration).methods.filter((m) => !m.isStatic)
        return methods.every((m) => own.has(m.name) || m.name.startsWith('#'))
      })
      const file = found?.source ?? engineSource(one)
      const declaration = found?.declaration ?? file.find(one.name) ?? { kind: 'class', name: one.name, index: 0, start: 0 }
      sources.push({ source: file.classOf(declaration), file: this.programOf(file), tables: tablesOf(one) })
    }
    if (sources.length === 0) return undefined
    return {
      file: sources[0].file,
      classes: sources.map((s) => s.source),
      types: (target as { types?: Record<string, unknown> }).types,
      fields: new Map(
        sources
          .toReversed()
          .flatMap(({ source }) => source.fields)
          .filter((f) => !f.isStatic)
          .map((f) => [f.name, f]),
      ),
      method: (name) => {
        for (const { source, file, tables } of sources) {
          const method = source.methods.find((m) => m.name === name && m.kind !== 'constructor')
          if (method !== undefined) return { method, file, types: tables?.[name] }
        }
        return undefined
      },
    }
  }
}

/** Compilers put numbers behind names that are taken. */
const stem = (name: string): string => name.replace(/\d+$/, '')
const parameterNamesOf = (fn: Callable): string[] | undefined => parameterNames(Function.prototype.toString.call(fn))
/** The names of parameters in the text of a function, as far as a look tells: those before commas and at the start. */
function parameterNames(text: string): string[] | undefined {
  const open = /^[^(=]*?(?:=\s*(?:async\s*)?(?:function\s*\w*\s*)?)?\(/.exec(text)
  if (open === null) return undefined
  let depth = 0
  let current = ''
  const names: string[] = []
  for (let i = open[0].length; i < text.length; i++) {
    const c = text[i]
    if (depth === 0 && c === ')') {
      if (current.trim() !== '') names.push(current)
      return names.map((n) => /[\w$]+/.exec(n)?.[0] ?? '')
    }
    if ('([{<'.includes(c)) depth++
    else if (')]}'.includes(c) || (c === '>' && text[i - 1] !== '=')) depth--
    if (depth === 0 && c === ',') {
      names.push(current)
      current = ''
    } else current += c
  }
  return undefined
}
