import type { ClassDef, Expr, FunctionDef, Stmt } from '../ast.js'
import { compileError } from '../source.js'
import { fieldAssignment, type ClassSource, type MethodSource } from './class-reader.js'
import type { TypeTable } from './expression-parser.js'

const name = (text: string, range: Expr['range']): Expr => ({ kind: 'Name', name: text, range })

/** Whether an expression is a value that a class constant can have. */
export function isConstantExpr(expr: Expr): boolean {
  switch (expr.kind) {
    case 'Int':
    case 'Float':
    case 'Bool':
    case 'String':
    case 'None':
      return true
    case 'Unary':
      return isConstantExpr(expr.value)
    case 'List':
    case 'Tuple':
      return expr.items.every(isConstantExpr)
    default:
      return false
  }
}
/** The type of a constant as an annotation. */
function constantAnnotation(value: Expr): Expr {
  const { range } = value
  switch (value.kind) {
    case 'Unary':
      return constantAnnotation(value.value)
    case 'List':
    case 'Tuple':
      return { kind: 'Subscript', value: name('Tuple', range), items: value.items.map(constantAnnotation), range }
    case 'None':
      return { kind: 'None', range }
    default: {
      const names: Partial<Record<Expr['kind'], string>> = { Int: 'int', Float: 'float', Bool: 'bool', String: 'str' }
      return name(names[value.kind] ?? 'Tensor', range)
    }
  }
}
/** The static fields that are constants, as declarations of the neutral tree. */
export function staticConstants(source: ClassSource): Stmt[] {
  return source.fields.flatMap((field): Stmt[] => {
    if (!field.isStatic || field.value === undefined) return []
    const parsed = field.value()
    if (!isConstantExpr(parsed)) return []
    const value: Expr = parsed.kind === 'List' ? { ...parsed, kind: 'Tuple' } : parsed
    const isNumber = field.annotation?.kind === 'Name' && field.annotation.name === 'number'
    const type = field.annotation === undefined || isNumber ? constantAnnotation(value) : field.annotation
    const annotation: Expr = { kind: 'Subscript', value: name('Final', field.range), items: [type], range: field.range }
    return [{ kind: 'Assign', targets: [name(field.name, field.range)], annotation, value, range: field.range }]
  })
}

/** An interface: of methods, or of fields, which is a named tuple. */
export function interfaceDef(source: ClassSource): ClassDef {
  const { range, fields, methods } = source
  const base = (text: string): readonly Expr[] => [name(text, range)]
  if (methods.length === 0) {
    const body = fields.map((field): Stmt => {
      if (field.annotation === undefined) throw compileError(`Expected a type for the field '${field.name}'`, field.range)
      return { kind: 'Declare', target: name(field.name, field.range), annotation: field.annotation, range: field.range }
    })
    return { kind: 'ClassDef', name: source.name, bases: base('NamedTuple'), body, range }
  }
  if (fields.length > 0) throw compileError('Interfaces have methods, or fields for a named tuple, but not both', range)
  const isModule = methods.some((m) => m.name === 'forward')
  const body = methods.filter((m) => m.kind === 'method' && !m.isStatic).map((m) => m.signature())
  return { kind: 'ClassDef', name: source.name, bases: base(isModule ? 'ModuleInterface' : 'Interface'), body, range }
}

/** A method of a class as a function of the neutral tree. */
export function methodDef(method: MethodSource, types?: TypeTable): FunctionDef {
  const def = method.parse(types)
  const { range } = method
  if (method.isStatic) return { ...def, decorators: [name('staticmethod', range)] }
  if (method.kind === 'getter') return { ...def, decorators: [name('property', range)] }
  if (method.kind === 'setter')
    return { ...def, decorators: [{ kind: 'Attribute', value: name(method.name, range), name: 'setter', range }] }
  return def
}

/**
 * A class that is no module: its fields, and `__init__` from the constructor with the first values of the fields before its body, as
 * JavaScript runs them.
 */
export function classDef(source: ClassSource, types: Readonly<Record<string, TypeTable | undefined>>): ClassDef {
  const { range } = source
  if (source.base !== undefined)
    throw compileError(
      'TorchScript classes have no base classes; only modules extend `nn.Module`. Write the members of the base in the class',
      range,
    )
  const own = (method: string): TypeTable | undefined => (Object.hasOwn(types, method) ? types[method] : undefined)
  const declared: Stmt[] = []
  const initial: Stmt[] = []
  for (const field of source.fields) {
    if (field.isStatic) continue
    const isNumber = field.annotation?.kind === 'Name' && field.annotation.name === 'number'
    const annotation = isNumber ? undefined : field.annotation
    if (annotation !== undefined) declared.push({ kind: 'Declare', target: name(field.name, field.range), annotation, range: field.range })
    if (field.value !== undefined) initial.push(fieldAssignment(field.name, field.value(), annotation, field.range))
  }
  const constructor = source.methods.find((m) => m.kind === 'constructor')
  const parsed = constructor?.parse(own('constructor'))
  const fromParameters = (constructor?.fields ?? []).map(({ name: field }) =>
    fieldAssignment(
      field,
      name(field, constructor!.range),
      parsed?.parameters.find((p) => p.name === field)?.annotation,
      constructor!.range,
    ),
  )
  const init: FunctionDef = {
    kind: 'FunctionDef',
    name: '__init__',
    parameters: parsed?.parameters ?? [{ name: 'self', kwargOnly: false, range }],
    returns: { kind: 'None', range },
    body: [...initial, ...fromParameters, ...(parsed?.body ?? [])],
    decorators: [],
    range: constructor?.range ?? range,
  }
  const methods = source.methods.filter((m) => m.kind !== 'constructor').map((m) => methodDef(m, own(m.name)))
  return { kind: 'ClassDef', name: source.name, bases: [], body: [...staticConstants(source), ...declared, init, ...methods], range }
}
