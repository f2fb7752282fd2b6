import { ArgumentError } from '../../util/errors.js'
import { attributeTable, className, fieldToName, type ModuleClass } from './attributes.js'
import { Module } from './module.js'
import { checkScriptable } from './reparametrized.js'
import { isLazy } from './uninitialized.js'

/** A field of a module as TorchScript sees it. */
export interface ScriptAttribute {
  /** Name of the field in JavaScript. */
  readonly field: string
  /** PyTorch's name, which scripts and archives have. */
  readonly name: string
  readonly value: unknown
  readonly kind: 'parameter' | 'buffer' | 'module' | 'value'
  /** TorchScript type where the class states it; else it follows from the value. */
  readonly type: string | undefined
  /** A class constant (`Final`) rather than an attribute. */
  readonly isConstant: boolean
}

const intTuple = (value: readonly unknown[], element: string): string =>
  `Tuple[${value.map((item) => (item === null ? `Optional[${element}]` : element)).join(', ')}]`

/** Tables leave open how many numbers a tuple has, and whether it is one or a single number: the value says. */
function settled(type: string, value: unknown): string {
  const shaped = (element: string): string => (value === null ? 'NoneType' : Array.isArray(value) ? intTuple(value, element) : element)
  if (value === null && /^(Optional\[)?(Sizes|OptionalSizes|OptionalFloats)/.test(type)) return 'NoneType'
  if (/^(Optional\[)?(Sizes|OptionalSizes)/.test(type)) return shaped('int')
  if (type === 'OptionalFloats') return shaped('float')
  if (typeof value === 'string' && type.startsWith('Tuple[')) return 'str'
  return type === 'Tuple[int, ...]' ? shaped('int') : type
}

/** Neither scripts nor traces take parameters that wait for an input. */
export function checkInitialized(module: Module): void {
  for (const [kind, tensors] of [
    ['parameters', module.ownParameters()],
    ['buffers', module.ownBuffers()],
  ] as const)
    for (const [name, tensor] of tensors)
      if (isLazy(tensor))
        throw new ArgumentError(
          `'${pythonNameOf(module) ?? className(module)}' has uninitialized ${kind} ${name}. Did you forget to run a forward pass?`,
        )
}

/** The fields of a module in PyTorch's order: parameters, buffers, other values, submodules. Methods and private `#` fields are none of them. */
export function scriptAttributes(module: Module): ScriptAttribute[] {
  checkInitialized(module)
  checkScriptable(module)
  const table = attributeTable(module.constructor)
  const parameters = new Map<string, unknown>([
    ...module.ownParameters(),
    ...module.ownNullParameters().map((name) => [name, null] as const),
  ])
  const buffers = new Map<string, unknown>([...module.ownBuffers(), ...module.ownNullBuffers().map((name) => [name, null] as const)])
  const children = module.ownChildren()
  const fieldOf = new Map(Object.keys(module).map((field) => [fieldToName(module, field), field]))
  const entry = (name: string, value: unknown, kind: ScriptAttribute['kind']): ScriptAttribute => ({
    field: fieldOf.get(name) ?? name,
    name,
    value,
    kind,
    type: undefined,
    isConstant: false,
  })
  const values: ScriptAttribute[] = []
  for (const [field, value] of Object.entries(module)) {
    const name = fieldToName(module, field)
    if (parameters.has(name) || buffers.has(name) || children.has(name) || typeof value === 'function' || value === undefined) continue
    const stated = Object.hasOwn(table, field) ? table[field] : undefined
    const constant = stated === undefined ? null : /^Final\[(.*)\]$/.exec(stated)
    const known = stated === undefined ? undefined : settled(constant?.[1] ?? stated, value)
    // A constant is None or a value, never either.
    const optional = constant === null || known === undefined ? null : /^Optional\[(.*)\]$/.exec(known)
    const type = optional === null ? known : value === null ? 'NoneType' : optional[1]
    values.push({ field, name, value, kind: 'value', type, isConstant: constant !== null })
  }
  return [
    ...[...parameters].map(([name, value]) => entry(name, value, 'parameter')),
    ...[...buffers].map(([name, value]) => entry(name, value, 'buffer')),
    ...values,
    ...[...children].map(([name, value]) => entry(name, value, 'module')),
  ]
}

/** The methods of a library layer in TorchScript's Python syntax; undefined for other classes and for subclasses of layers. */
export function scriptSource(module: Module): string | undefined {
  const moduleClass = module.constructor as unknown as ModuleClass
  if (!Object.hasOwn(moduleClass, 'pythonName')) return undefined
  const source = moduleClass.torchscript
  return typeof source === 'function' ? source.call(moduleClass, module as never) : source
}

/** Qualified Python name of a library layer's class, such as `torch.nn.modules.linear.Linear`. */
export function pythonNameOf(module: Module): string | undefined {
  const moduleClass = module.constructor as unknown as ModuleClass
  return Object.hasOwn(moduleClass, 'pythonName') ? moduleClass.pythonName : undefined
}
