import { operatorNames, schemasOf } from '../../ir/schema.js'
import { dtypeCode, dtypeNamed, dtypeNames } from '../../tensor/dtype.js'
import { lookupTable } from '../tables.js'

/** `maskedFill_` as PyTorch writes it: `masked_fill_`. */
export const snakeCase = (name: string): string => name.replace(/(?<=[a-z\d])[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

let byLetters: Map<string, string> | undefined
/** Underscores at the ends mean something; those between words do not. */
const letters = (name: string): string => name.replace(/(?<=[^_])_+(?=[^_])/g, '').toLowerCase()

/** The operator of namespace aten that a camelCase name means; undefined when there is none. */
export function operatorName(name: string): string | undefined {
  for (const candidate of [name, snakeCase(name)]) if (schemasOf(`aten::${candidate}`).length > 0) return candidate
  if (byLetters === undefined) {
    byLetters = new Map()
    for (const full of operatorNames()) if (full.startsWith('aten::')) byLetters.set(letters(full.slice(6)), full.slice(6))
  }
  return byLetters.get(letters(name))
}

const codes = lookupTable<number>({
  strided: 0,
  sparse_coo: 1,
  contiguous_format: 0,
  preserve_format: 1,
  channels_last: 2,
  channels_last_3d: 3,
})

/** The code of a dtype's name; `short` ones such as `long` only where a dtype is asked for. */
export function dtypeCodeOf(text: string, allowShort: boolean): number | undefined {
  const dtype = allowShort ? dtypeNamed(text) : dtypeNames.find((d) => d === text)
  return dtype === undefined ? undefined : dtypeCode(dtype)
}
/** The code that a string argument of an operator stands for: dtypes, layouts and memory formats are ints in TorchScript. */
export function codeOfArgument(argument: string | undefined, text: string): number | undefined {
  if (argument === undefined || argument === 'dtype') {
    const code = dtypeCodeOf(text, argument === 'dtype')
    if (code !== undefined) return code
  }
  return argument === undefined || argument === 'memory_format' || argument === 'layout' ? codes[text] : undefined
}

/** Members of Math that are operators of the same or another name. */
export const mathFunctions = lookupTable<string>({
  acos: 'acos',
  acosh: 'acosh',
  asin: 'asin',
  asinh: 'asinh',
  atan: 'atan',
  atan2: 'atan2',
  atanh: 'atanh',
  ceil: 'ceil',
  cos: 'cos',
  cosh: 'cosh',
  exp: 'exp',
  expm1: 'expm1',
  floor: 'floor',
  log: 'log',
  log10: 'log10',
  log1p: 'log1p',
  pow: 'pow',
  sin: 'sin',
  sinh: 'sinh',
  sqrt: 'sqrt',
  tan: 'tan',
  tanh: 'tanh',
})
export const mathConstants = lookupTable<number>({
  PI: Math.PI,
  E: Math.E,
  LN2: Math.LN2,
  LN10: Math.LN10,
  LOG2E: Math.LOG2E,
  LOG10E: Math.LOG10E,
  SQRT2: Math.SQRT2,
  SQRT1_2: Math.SQRT1_2,
})
