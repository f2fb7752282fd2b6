import type { FunctionSchema } from '../ir/schema.js'
import { schemasOf } from '../ir/schema.js'
import { sameType } from '../ir/types.js'
import { operatorDefinitions } from './index.js'
import type { OperatorDefinition } from './op.js'

/** How a schema runs: the definition of its functional form, and how to get from there to the asked variant. */
export interface Implementation {
  /** Undefined: run by the executor under its own name (views, scalars, lists, strings), or not supported. */
  readonly definition: OperatorDefinition | undefined
  /** The functional schema that `definition` serves. */
  readonly functional: FunctionSchema
  /** `inplace` writes the result to the first argument, `out` to the trailing `out` arguments. */
  readonly variant: 'functional' | 'inplace' | 'out'
}

let definitions: Map<string, OperatorDefinition> | undefined
function definitionOf(fullName: string): OperatorDefinition | undefined {
  if (definitions === undefined) {
    definitions = new Map()
    for (const definition of operatorDefinitions) for (const name of definition.names) definitions.set(name, definition)
  }
  return definitions.get(fullName)
}

const inPlaceName = /^(\w+::(?!__)\w*[^_])_$/

/** The functional schema with the arguments of `schema` less the `out` ones. */
function functionalFormOf(schema: FunctionSchema, name: string): FunctionSchema | undefined {
  const args = schema.arguments.filter((a) => !(a.kwargOnly && a.alias?.isWrite))
  const matches = schemasOf(name).filter(
    (s) =>
      s !== schema &&
      !s.arguments.some((a) => a.alias?.isWrite) &&
      s.arguments.length === args.length &&
      s.arguments.every((a, i) => sameType(a.type, args[i].type)),
  )
  return matches.find((s) => s.overloadName === schema.overloadName) ?? matches[0]
}

const cache = new Map<FunctionSchema, Implementation>()

/** How an overload runs. */
export function implementationOf(schema: FunctionSchema): Implementation {
  const known = cache.get(schema)
  if (known !== undefined) return known
  const found = resolve(schema)
  cache.set(schema, found)
  return found
}

function resolve(schema: FunctionSchema): Implementation {
  const own = definitionOf(schema.fullName)
  if (own !== undefined)
    return { definition: own, functional: schema, variant: schema.arguments[0]?.alias?.isWrite ? 'inplace' : 'functional' }
  const inPlace = inPlaceName.exec(schema.name)
  if (inPlace !== null && schema.arguments[0]?.alias?.isWrite) {
    const functional = functionalFormOf(schema, inPlace[1])
    if (functional !== undefined) return { definition: definitionOf(functional.fullName), functional, variant: 'inplace' }
  }
  if (schema.arguments.some((a) => a.kwargOnly && a.alias?.isWrite)) {
    const functional = functionalFormOf(schema, schema.name)
    if (functional !== undefined) return { definition: definitionOf(functional.fullName), functional, variant: 'out' }
  }
  return { definition: undefined, functional: schema, variant: 'functional' }
}
