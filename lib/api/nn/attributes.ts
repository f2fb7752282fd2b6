/**
 * What a class of modules says about itself to the scripting front end and to the state dict: fields are camelCase, while state dicts,
 * reprs and archives have PyTorch's snake_case names.
 *
 * A class states in `static attributes` which of its fields PyTorch knows under the snake_case name, with the TorchScript type:
 * `{ inFeatures: 'Final[int]', runningMean: 'Optional[Tensor]' }`. Subclasses inherit the tables of their bases. Fields in no table
 * keep their names and have the type that their value has.
 */
export type AttributeTable = Readonly<Record<string, string>>

/** `inFeatures` as PyTorch writes it: `in_features`. */
export const attributeName = (field: string): string =>
  field.replace(/[A-Z]/g, (letter, at: number) => (at === 0 ? letter : '_') + (at === 0 ? '' : letter.toLowerCase()))

/** The static members of a module class that describe it. */
export interface ModuleClass {
  readonly name: string
  /** Fields with their TorchScript types; `Final[...]` for constants. */
  readonly attributes?: AttributeTable
  /** The methods in TorchScript's Python syntax (by the settings of a module where it is a function), with `self` and PyTorch's attribute names. */
  readonly torchscript?: string | ((module: never) => string)
  /** Qualified name of PyTorch's class, such as `torch.nn.modules.linear.Linear`. */
  readonly pythonName?: string
}

const tables = new WeakMap<object, AttributeTable>()

/** The table of a class together with those of its bases. */
export function attributeTable(moduleClass: object): AttributeTable {
  let table = tables.get(moduleClass)
  if (table === undefined) {
    const base = Object.getPrototypeOf(moduleClass) as object | null
    const own = Object.hasOwn(moduleClass, 'attributes') ? (moduleClass as ModuleClass).attributes : {}
    table = { ...(base === null || base === Function.prototype ? {} : attributeTable(base)), ...own }
    tables.set(moduleClass, table)
  }
  return table
}

/** PyTorch's name of a field. */
export const fieldToName = (owner: object, field: string): string =>
  Object.hasOwn(attributeTable(owner.constructor), field) ? attributeName(field) : field

/** Name of the class as PyTorch's repr has it. */
export function className(owner: object): string {
  const { constructor } = owner as { constructor: ModuleClass }
  return Object.hasOwn(constructor, 'pythonName') ? constructor.pythonName!.split('.').at(-1)! : constructor.name
}
