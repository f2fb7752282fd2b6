import type { QuantInfo } from '../native/binding.js'
import { ArgumentError } from '../util/errors.js'
import { exponential, fixed, repr } from './decimal.js'
import type { DType } from './dtype.js'
import type { Complex, Element } from './typed-array.js'

/*
 * Tensors as text, letter for letter as PyTorch prints them: one width and one notation for all elements shown, chosen from the finite
 * non-zero ones; middle parts of large tensors left out; what cannot be seen from the elements said behind them.
 */

export interface PrintOptions {
  /** Digits behind the point. */
  precision?: number
  /** Tensors of more elements are summarized. */
  threshold?: number
  /** Elements shown at each end of a summarized dimension. */
  edgeitems?: number
  /** Characters of a line. */
  linewidth?: number
  /** Scientific notation always or never; null, as in each call that does not say, decides by the elements. */
  sciMode?: boolean | null
  /** Values of the other options to start from. */
  profile?: 'default' | 'short' | 'full'
}

interface Settings {
  precision: number
  threshold: number
  edgeitems: number
  linewidth: number
  sciMode: boolean | null
}
const profiles: Record<'default' | 'short' | 'full', Omit<Settings, 'sciMode'>> = {
  default: { precision: 4, threshold: 1000, edgeitems: 3, linewidth: 80 },
  short: { precision: 2, threshold: 1000, edgeitems: 2, linewidth: 80 },
  full: { precision: 4, threshold: Infinity, edgeitems: 3, linewidth: 80 },
}
let settings: Settings = { ...profiles.default, sciMode: null }

/** How tensors are printed from now on; options that are not given stay, except `sciMode`. */
export function setPrintOptions(options: PrintOptions): void {
  const { profile, sciMode, ...given } = options
  if (profile !== undefined && !(profile in profiles))
    throw new ArgumentError(`Expected 'default', 'short' or 'full' for \`profile\` but received ${JSON.stringify(profile)}`)
  const next = { ...settings, ...(profile === undefined ? {} : profiles[profile]), sciMode: sciMode ?? null }
  for (const [name, value] of Object.entries(given)) {
    if (!(name in profiles.default)) throw new ArgumentError(`Expected an option of printing but received \`${name}\``)
    if (value === undefined) continue
    const isCount = typeof value === 'number' && value >= 0 && (Number.isInteger(value) || value === Infinity)
    if (!isCount || (name === 'precision' && value > 1000))
      throw new ArgumentError(`Expected a non-negative integer for \`${name}\` but received ${String(value)}`)
    next[name as keyof typeof given] = value
  }
  settings = next
}
/** The options in force. */
export const getPrintOptions = (): Readonly<Settings> => ({ ...settings })

/** What printing needs of a tensor. */
export interface Printable {
  readonly dtype: DType
  readonly shape: readonly number[]
  /** The element at a place in row-major order. */
  read(index: number): Element
  readonly requiresGrad?: boolean
  readonly device?: string
  readonly quantization?: QuantInfo | null
}

type Format = (value: Element) => string

const isFloating = (dtype: DType): boolean => dtype.startsWith('float') || dtype === 'bfloat16'
const isComplexType = (dtype: DType): boolean => dtype.startsWith('complex')
const isQuantized = (dtype: DType): boolean => /^q/.test(dtype)

const plainText = (value: Element): string => (typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value))

/** The width and the notation for the values of a tensor that are shown. */
function formatterOf(values: readonly Element[], isFloat: boolean): { width: number; format: Format } {
  let width = 1
  const measure = (text: string): void => {
    width = Math.max(width, text.length)
  }
  if (!isFloat) {
    for (const value of values) measure(plainText(value))
    return { width, format: (value) => plainText(value).padStart(width) }
  }
  const { precision, sciMode } = settings
  const finite = (values as number[]).filter((value) => Number.isFinite(value) && value !== 0)
  let isInt = true
  let isScientific = false
  if (finite.length > 0) {
    let smallest = Infinity
    let largest = 0
    for (const value of finite) {
      const size = Math.abs(value)
      if (size < smallest) smallest = size
      if (size > largest) largest = size
      if (!Number.isInteger(value)) isInt = false
    }
    isScientific = sciMode ?? (largest / smallest > 1000 || largest > 1e8 || smallest < 1e-4)
    for (const value of finite)
      measure(isScientific ? exponential(value, precision) : isInt ? `${fixed(value, 0)}.` : fixed(value, precision))
  }
  const format = (value: Element): string => {
    const number = value as number
    if (isScientific) return exponential(number, precision).padStart(width)
    if (isInt) return (fixed(number, 0) + (Number.isFinite(number) ? '.' : '')).padStart(width)
    return fixed(number, precision).padStart(width)
  }
  return { width, format }
}

/** The places of a dimension that are shown; -1 for the gap. */
function shownPlaces(size: number, summarize: boolean): number[] {
  const { edgeitems } = settings
  if (!summarize || size <= 2 * edgeitems) return Array.from({ length: size }, (_, i) => i)
  const edge = Array.from({ length: edgeitems }, (_, i) => i)
  return [...edge, -1, ...edge.map((i) => size - edgeitems + i)]
}

/** The elements between the brackets. */
function elementsText(tensor: Printable, indent: number): string {
  const { shape } = tensor
  const count = shape.reduce((product, size) => product * size, 1)
  if (count === 0) return '[]'
  const summarize = count > settings.threshold
  const steps = shape.map((_, dim) => shape.slice(dim + 1).reduce((product, size) => product * size, 1))
  const shown: Element[] = []
  const collect = (dim: number, at: number): void => {
    if (dim === shape.length) shown.push(tensor.read(at))
    else for (const i of shownPlaces(shape[dim], summarize)) if (i >= 0) collect(dim + 1, at + i * steps[dim])
  }
  if (!summarize || settings.edgeitems > 0) collect(0, 0)

  let width: number
  let format: Format
  if (isComplexType(tensor.dtype)) {
    const re = formatterOf(
      shown.map((value) => (value as Complex).re),
      true,
    )
    const im = formatterOf(
      shown.map((value) => (value as Complex).im),
      true,
    )
    width = re.width + im.width + 1
    format = (value) => {
      const imaginary = `${im.format((value as Complex).im)}j`.trimStart()
      return re.format((value as Complex).re) + (/^[+-]/.test(imaginary) ? '' : '+') + imaginary
    }
  } else ({ width, format } = formatterOf(shown, isFloating(tensor.dtype)))

  const vector = (at: number, size: number, indent: number): string => {
    const items =
      summarize && settings.edgeitems === 0
        ? ['...']
        : shownPlaces(size, summarize).map((i) => (i < 0 ? ' ...' : format(tensor.read(at + i))))
    const perLine = Math.max(1, Math.floor((settings.linewidth - indent) / (width + 2)))
    const lines: string[] = []
    for (let i = 0; i < items.length; i += perLine) lines.push(items.slice(i, i + perLine).join(', '))
    return `[${lines.join(`,\n${' '.repeat(indent + 1)}`)}]`
  }
  const block = (dim: number, at: number, indent: number): string => {
    if (dim === shape.length) return format(tensor.read(at))
    if (dim === shape.length - 1) return vector(at, shape[dim], indent)
    const parts = shownPlaces(shape[dim], summarize).map((i) => (i < 0 ? '...' : block(dim + 1, at + i * steps[dim], indent + 1)))
    return `[${parts.join(`,${'\n'.repeat(shape.length - dim - 1)}${' '.repeat(indent + 1)}`)}]`
  }
  return block(0, 0, indent)
}

const tupleText = (sizes: readonly number[]): string => `(${sizes.join(', ')}${sizes.length === 1 ? ',' : ''})`

/** A one-dimensional tensor of numbers that there is no tensor of. */
const listText = (values: Iterable<number>, dtype: DType): string => {
  const all = [...values]
  return tensorText({ dtype, shape: [all.length], read: (i) => all[i] })
}

const schemes: Record<QuantInfo['scheme'], string> = {
  0: 'per_tensor_affine',
  1: 'per_channel_affine',
  4: 'per_channel_affine_float_qparams',
}

/** The numbers that the integers of a quantized tensor stand for. */
function dequantized(tensor: Printable, { scheme, scale, zeroPoint, axis = 0 }: QuantInfo): Printable {
  const { shape } = tensor
  const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1)
  const channelOf = (index: number): number => Math.floor(index / inner) % shape[axis]
  const read = (index: number): number => {
    const value = Number(tensor.read(index))
    if (scheme === 0) return Math.fround((value - (zeroPoint as number)) * Math.fround(scale as number))
    const channel = channelOf(index)
    const [unit, zero] = [(scale as number[])[channel], (zeroPoint as number[])[channel]]
    return scheme === 4 ? Math.fround(Math.fround(value - zero) * Math.fround(unit)) : Math.fround((value - zero) * Math.fround(unit))
  }
  return { dtype: 'float32', shape, read }
}

function quantizationSuffixes({ scheme, scale, zeroPoint, axis = 0 }: QuantInfo): string[] {
  const all = [`quantization_scheme=torch.${schemes[scheme]}`]
  if (scheme === 0) return [...all, `scale=${repr(scale as number)}`, `zero_point=${String(zeroPoint as number)}`]
  const isFloat = scheme === 4
  return [
    ...all,
    `scale=${listText(scale as Iterable<number>, isFloat ? 'float32' : 'float64')}`,
    `zero_point=${listText(zeroPoint as Iterable<number>, isFloat ? 'float32' : 'int64')}`,
    `axis=${axis}`,
  ]
}

/** The tensor as PyTorch prints it. */
export function tensorText(tensor: Printable): string {
  const prefix = 'tensor('
  const { dtype, shape, quantization } = tensor
  const suffixes: string[] = []
  if (tensor.device !== undefined && tensor.device !== 'cpu') suffixes.push(`device='${tensor.device}'`)
  const isEmpty = shape.includes(0)
  const isDefault = ['float32', 'complex64', 'int64', 'bool'].includes(dtype)
  let text: string
  if (quantization && isQuantized(dtype)) {
    suffixes.push(`size=${tupleText(shape)}`, `dtype=torch.${dtype}`, ...quantizationSuffixes(quantization))
    text = elementsText(dequantized(tensor, quantization), prefix.length)
  } else if (isEmpty) {
    if (shape.length !== 1) suffixes.push(`size=${tupleText(shape)}`)
    if (dtype !== 'float32') suffixes.push(`dtype=torch.${dtype}`)
    text = '[]'
  } else {
    if (settings.edgeitems === 0) suffixes.push(`size=${tupleText(shape)}`)
    if (!isDefault) suffixes.push(`dtype=torch.${dtype}`)
    text = elementsText(tensor, prefix.length)
  }
  if (tensor.requiresGrad) suffixes.push('requires_grad=True')

  let out = prefix + text
  let lastLine = out.length - out.lastIndexOf('\n') + 1
  for (const suffix of suffixes) {
    if (lastLine + suffix.length + 2 > settings.linewidth) {
      out += `,\n${' '.repeat(prefix.length)}${suffix}`
      lastLine = prefix.length + suffix.length
    } else {
      out += `, ${suffix}`
      lastLine += suffix.length + 2
    }
  }
  return `${out})`
}
