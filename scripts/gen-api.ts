// Writes {options,functions,fft,linalg,special,methods}.ts in lib/api/operators, or in the folder of the first argument, from the catalog: every operator with a Tensor among its
// arguments or results that something here runs. `npm run gen` after an operator was added. The output is committed.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { camelCase, snakeCase } from '../lib/api/operators/operator.js'
import type { FunctionSchema, SchemaArgument } from '../lib/ir/schema.js'
import { operatorNames, schemasOf } from '../lib/ir/schema.js'
import type { Type } from '../lib/ir/types.js'
import { implementationOf } from '../lib/ops/registry.js'
import { nativeOperators } from '../lib/runtime/compile.js'
import { Tensor } from '../lib/tensor/tensor.js'
import { docOf } from './operator-docs.js'

const native = nativeOperators()

/** Does something here run this overload? */
function isImplemented(schema: FunctionSchema): boolean {
  if (native.builtins.has(schema.fullName)) return true
  const { definition, functional, variant } = implementationOf(schema)
  if (definition !== undefined) return definition.kind === 'composed' || native.kernels.has(definition.kernel)
  return variant !== 'functional' && (native.builtins.has(functional.fullName) || native.kernels.has(functional.fullName))
}

const holdsTensor = (type: Type): boolean =>
  type.kind === 'Simple' ? type.name === 'Tensor' : type.kind === 'List' || type.kind === 'Optional' ? holdsTensor(type.element) : false
const isOut = (argument: SchemaArgument): boolean => argument.kwargOnly && argument.alias?.isWrite === true

interface Overload {
  readonly schema: FunctionSchema
  readonly arguments: readonly SchemaArgument[]
}
interface Operator {
  /** In the catalog, without `aten::`. */
  readonly name: string
  readonly overloads: readonly Overload[]
  readonly hasOut: boolean
}

/** Names of PyTorch's internals, and what the language has in other ways. */
const hidden =
  /^_|backward|^[A-Z]|^(cudnn|miopen|mkldnn|mps|fbgemm|quantized|thnn|slow_conv|sym)_|_copy$|_out$|^(tensor|scalar_tensor|set_|set_data|data|requires_grad_|retain_grad|grad|device|dict|is_autocast.*|get_device|output_nr|len|list|item|as_tensor|sparse_.*|to_sparse.*|to_dense|to_mkldnn.*|rename|rename_|align_.*|refine_names|resize_as_sparse_|copy_sparse.*|record_stream|is_pinned|pin_memory|__.*|keys|pop|setdefault|copy|get|count|remove|sorted|numpy_T|matrix_H|mH|mT|lift|lift_fresh|t_copy|nll_loss2d|multilabel_margin_loss_forward|.*_forward|unflatten_dense_tensors)$/
/** What tensors have as properties or in the class. */
const members = /^(size|stride|dim|storage_offset|is_contiguous|real|imag|is_leaf|retains_grad)$/

/** What is no function of `torch`: questions that tensors answer, and `cuda`, which is the namespace there. */
const methodsOnly = /^(size|stride|dim|storage_offset|is_contiguous|cuda)$/

function operators(): Operator[] {
  const out: Operator[] = []
  for (const full of operatorNames()) {
    if (!full.startsWith('aten::')) continue
    const name = full.slice(6)
    if (hidden.test(name)) continue
    const schemas = schemasOf(full).filter(
      (schema) =>
        (schema.arguments.some((a) => holdsTensor(a.type)) || schema.returns.some((r) => holdsTensor(r.type))) &&
        !schema.isVararg &&
        isImplemented(schema),
    )
    const overloads = schemas
      .filter((schema) => !schema.arguments.some(isOut))
      .map((schema) => ({ schema, arguments: schema.arguments.filter((a) => !isIgnored(a)) }))
    if (overloads.length > 0) out.push({ name, overloads, hasOut: schemas.some((schema) => schema.arguments.filter(isOut).length === 1) })
  }
  return out
}
/** How a result is laid out in memory, which has one form here, and where numbers come from, which is one place. */
const isIgnored = (argument: SchemaArgument): boolean =>
  isGenerator(argument) || argument.codeOf === 'Layout' || argument.name === 'pin_memory'
const isGenerator = ({ type }: SchemaArgument): boolean =>
  type.kind === 'Optional' && type.element.kind === 'Simple' && ['Generator', 'Stream'].includes(type.element.name)

// Types as TypeScript has them

// Unions, tuples and `readonly` lists are written as references to aliases: the compiler then sees that methods do not depend on the type of
// `this`, and shares them between Tensor and its subclasses. Without that, checking `class Parameter extends Tensor` takes half a minute.
function typeText(type: Type, argument: SchemaArgument | undefined, isResult = false): string {
  switch (type.kind) {
    case 'Optional':
      return `OrNull<${typeText(type.element, argument, isResult)}>`
    case 'List': {
      const element = typeText(type.element, undefined, isResult)
      if (isResult) return `${element}[]`
      return argument?.listSize === undefined ? `List<${element}>` : `ListOrOne<${element}>`
    }
    case 'Tuple':
      return `[${type.elements.map((element) => typeText(element, undefined, isResult)).join(', ')}]`
    case 'Simple':
      switch (type.name) {
        case 'Tensor':
          return 'Tensor'
        case 'int':
          return isResult ? 'number' : argument?.codeOf === 'ScalarType' ? 'DTypeName' : (argument?.codeOf ?? 'number')
        case 'float':
          return 'number'
        case 'number':
        case 'complex':
          return 'Scalar'
        case 'bool':
          return 'boolean'
        case 'str':
        case 'Device':
          return 'string'
        case 'NoneType':
          return 'null'
        default:
          return 'unknown'
      }
    default:
      return 'unknown'
  }
}

function resultText(schema: FunctionSchema): string {
  const texts = schema.returns.map((r) => typeText(r.type, undefined, true))
  if (texts.length === 0) return 'void'
  if (texts.length === 1) return texts[0]
  if (schema.returns.every((r) => r.name === undefined)) return `Results${texts.length}<${texts.join(', ')}>`
  const name = schema.returns.map((r) => pascal(r.name ?? '')).join('And')
  const members = schema.returns.map((r, i) => `readonly ${r.name}: ${texts[i]}`).join('\n')
  results.set(name, `export type ${name} = [${texts.join(', ')}] & { ${members} }`)
  return name
}
/** Types of several results with names. */
const results = new Map<string, string>()

const reserved = new Set([
  'var',
  'delete',
  'new',
  'in',
  'eval',
  'default',
  'function',
  'class',
  'with',
  'this',
  'arguments',
  'import',
  'export',
])
const parameterName = (name: string): string => {
  const camel = /[A-Z]/.test(name) ? name : camelCase(name)
  return reserved.has(camel) ? `${camel}_` : camel
}

const pascal = (name: string): string => {
  const camel = camelCase(name).replace(/_$/, 'InPlace')
  return camel[0].toUpperCase() + camel.slice(1)
}
/** In-place operators take what their functional ones do. */
const optionsName = (name: string): string => {
  const functional = name.replace(/_$/, '')
  return `${pascal(withOptions.has(functional) ? functional : name)}Options`
}

/** What can be given by name: everything but the tensor that methods are of. */
const nameable = (overload: Overload): readonly SchemaArgument[] => (isMethod(overload) ? overload.arguments.slice(1) : overload.arguments)
const isMethod = ({ arguments: [first] }: Overload): boolean =>
  first !== undefined && first.name === 'self' && first.type.kind === 'Simple' && first.type.name === 'Tensor'

/** Whether arguments that must be given can be given by name. */
const needsNames = (overload: Overload): boolean => nameable(overload).some((a) => a.default === undefined && !a.kwargOnly)

function optionsText(operator: Operator): string | undefined {
  const members = new Map<string, Set<string>>()
  const add = (name: string, text: string): void => {
    const key = /[A-Z]/.test(name) ? name : camelCase(name)
    if (!/[A-Z]/.test(name) && snakeCase(key) !== name)
      throw new Error(`Expected a name that comes back from camelCase but received ${name}`)
    members.set(key, (members.get(key) ?? new Set()).add(text))
  }
  for (const overload of operator.overloads) for (const a of nameable(overload)) add(a.name, typeText(a.type, a))
  if (operator.hasOut) add('out', 'Tensor')
  if (operator.overloads.some(({ schema }) => schema.arguments.some((a) => a.name === 'pin_memory'))) add('requires_grad', 'boolean')
  if (members.size === 0) return undefined
  const lines = [...members].map(([name, texts]) => `${name}?: ${[...texts].join(' | ')}`)
  return `{ ${lines.join('\n')} }`
}

/** The parameter lists of one overload. `skip`: how many arguments are there already (the tensor of a method). */
function parameterLists(overload: Overload, options: string | undefined, skip: number): string[] {
  const positional = overload.arguments.filter((a) => !a.kwargOnly).slice(skip)
  const mustName = overload.arguments.some((a) => a.kwargOnly && a.default === undefined)
  // A default in the middle is one that must be given to go on.
  const firstOptional = positional.length - [...positional].reverse().findIndex((a) => a.default === undefined)
  const required = positional.some((a) => a.default === undefined) ? firstOptional : 0
  const parts = positional.map((a, i) => {
    const text = typeText(a.type, a)
    return i < required || mustName
      ? `${parameterName(a.name)}: ${text}`
      : `${parameterName(a.name)}?: ${options === undefined ? text : `Or<${text}, ${options}>`}`
  })
  if (options !== undefined) parts.push(`options${mustName ? '' : '?'}: ${options}`)
  const lists = [parts.join(', ')]
  // Lists at the end may be written out.
  const last = positional.at(-1)
  if (last?.type.kind === 'List' && last.type.element.kind === 'Simple' && last.type.element.name === 'int' && positional.length === 1)
    lists.push(`...${parameterName(last.name)}: number[]`)
  return lists
}

function comment(operator: Operator, schemas: readonly FunctionSchema[]): string {
  const doc = docOf(operator.name)
  return `/**\n${doc === undefined ? '' : ` * ${doc}\n *\n`}${schemas.map((s) => ` * - \`${s.text.slice(6)}\`\n`).join('')} */\n`
}

const all = operators()
const namespaces = ['fft', 'linalg', 'special'] as const
const namespaceOf = (name: string): (typeof namespaces)[number] | undefined => namespaces.find((n) => name.startsWith(`${n}_`))

const header = '// Generated by scripts/gen-api.ts from the catalog; do not edit.\n'
const typeNames = [
  'DTypeName',
  'Layout',
  'List',
  'ListOrOne',
  'MemoryFormat',
  'Or',
  'OrNull',
  'QScheme',
  'Results2',
  'Results3',
  'Results4',
  'Results5',
  'Scalar',
]
const imports = (text: string, ...extra: string[]): string => {
  const body = text.replace(/\/\*\*[^]*?\*\//g, '')
  const used = typeNames.filter((name) => new RegExp(`\\b${name}\\b`).test(body))
  const options = [
    ...new Set(body.match(/\b\w+Options\b/g) ?? []),
    ...[...results.keys()].filter((name) => new RegExp(`\\): ${name}\\b`).test(body)),
  ].sort()
  return [
    header,
    ...extra,
    /\bTensor\b/.test(body) ? "import type { Tensor } from '../../tensor/tensor.js'" : '',
    options.length > 0 && !extra.includes('options') ? `import type { ${options.join(', ')} } from './options.js'` : '',
    used.length > 0 ? `import type { ${used.join(', ')} } from './types.js'` : '',
    '',
  ]
    .filter((line) => line !== '' && line !== 'options')
    .join('\n')
}

const withOptions = new Map(
  all.flatMap((operator) => {
    const text = optionsText(operator)
    return text === undefined ? [] : [[operator.name, text] as const]
  }),
)

function functionsText(list: readonly Operator[], prefix: string): string {
  const renamed: string[] = []
  const seen = new Set<string>()
  const body = list
    .map((operator) => {
      const options = withOptions.has(operator.name) ? optionsName(operator.name) : undefined
      const signatures = operator.overloads.flatMap((overload) =>
        parameterLists(overload, options, 0).map((parameters) => `(${parameters}): ${resultText(overload.schema)}`),
      )
      const method = operator.overloads.find((overload) => isMethod(overload) && needsNames(overload))
      if (method !== undefined && options !== undefined)
        signatures.push(`(self: Tensor, options: ${options}): ${resultText(method.schema)}`)
      const name = camelCase(operator.name.slice(prefix.length))
      if (seen.has(name)) throw new Error(`Expected one operator for the name ${name} but received two`)
      seen.add(name)
      const local = reserved.has(name) ? `${name}_` : name
      if (local !== name) renamed.push(`export { ${local} as ${name} }`)
      const schemas = operator.overloads.map((overload) => overload.schema)
      return `${comment(operator, schemas)}${local === name ? 'export ' : ''}const ${local} = /* @__PURE__ */ operator<{ ${[...new Set(signatures)].join('\n')} }>('${operator.name}')`
    })
    .join('\n\n')
  return `${imports(body, "import { operator } from './operator.js'")}\n${body}\n\n${renamed.join('\n')}\n`
}

function methodsText(): string {
  const own = new Set(Object.getOwnPropertyNames(Tensor.prototype))
  const list = all.filter(
    ({ name, overloads }) =>
      namespaceOf(name) === undefined &&
      overloads.some(isMethod) &&
      !own.has(camelCase(name)) &&
      !members.test(name) &&
      !/^(index(_put_?)?|clone|contiguous)$/.test(name),
  )
  const body = list
    .map((operator) => {
      const options = withOptions.has(operator.name) ? optionsName(operator.name) : undefined
      const methods = operator.overloads.filter(isMethod)
      const signatures = methods.flatMap((overload) =>
        parameterLists(overload, options, 1).map((parameters) => `(${parameters}): ${resultText(overload.schema)}`),
      )
      const first = methods.find(needsNames)
      if (first !== undefined && options !== undefined) signatures.push(`(options: ${options}): ${resultText(first.schema)}`)
      const name = camelCase(operator.name)
      const doc = comment(
        operator,
        methods.map((overload) => overload.schema),
      )
      return [...new Set(signatures)].map((signature, i) => `${i === 0 ? doc : ''}${name}${signature}`).join('\n')
    })
    .join('\n')
  const names = list.map((operator) => operator.name).join(' ')
  // In the module of Tensor the name is the class.
  return `${imports(body, "import { installMethods } from './operator.js'").replace(/import type { Tensor }.*\n/, '')}
declare module '../../tensor/tensor.js' {
interface Tensor {
${body}
}
}

const names =
  ${(names.match(/.{1,120}(?: |$)/g) ?? []).map((line) => `'${line}'`).join(' +\n')}
installMethods(names.split(' '))
`
}

const config = (await resolveConfig('lib/index.ts')) ?? {}
const write = async (file: string, text: string): Promise<void> => {
  const path = `${process.argv[2] ?? 'lib/api/operators'}/${file}`
  const formatted = await format(text, { ...config, parser: 'typescript' })
  if (!existsSync(path) || readFileSync(path, 'utf8') !== formatted) writeFileSync(path, formatted)
}

const options = [...withOptions]
  .flatMap(([name, text]) => (optionsName(name) === `${pascal(name)}Options` ? [`export interface ${optionsName(name)} ${text}`] : []))
  .join('\n\n')
await write(
  'functions.ts',
  functionsText(
    all.filter(({ name }) => namespaceOf(name) === undefined && !methodsOnly.test(name)),
    '',
  ),
)
for (const namespace of namespaces)
  await write(
    `${namespace}.ts`,
    functionsText(
      all.filter(({ name }) => namespaceOf(name) === namespace),
      `${namespace}_`,
    ),
  )
await write('methods.ts', methodsText())
await write(
  'index.ts',
  `${header}import './methods.js'
export * from './functions.js'
${namespaces.map((namespace) => `export * as ${namespace} from './${namespace}.js'`).join('\n')}
export type { DTypeName, Layout, MemoryFormat, QScheme, Scalar } from './types.js'
export type * from './options.js'
`,
)
const resultTypes = [...results.values()].join('\n\n')
await write('options.ts', `${imports(options, 'options')}\n${options}\n\n${resultTypes}\n`)
const undocumented = all.filter(({ name }) => docOf(name) === undefined).map(({ name }) => name)
console.log(`${all.length} operators as functions and methods`)
if (undocumented.length > 0)
  throw new Error(`Expected a line in scripts/operator-docs.ts for each operator, but there is none for ${undocumented.join(' ')}`)
