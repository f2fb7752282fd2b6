import type { PickleValue } from '../../lib/archive/values.js'
import { type DType, dtypeCode } from '../../lib/tensor/dtype.js'
import { Tensor } from '../../lib/tensor/tensor.js'
import type { Complex, Element } from '../../lib/tensor/typed-array.js'
import { readElement } from '../../lib/tensor/typed-array.js'
import { elementsOf, numberOf, special } from './expected.js'

/** How close numbers must be. */
export interface Tolerance {
  readonly rtol: number
  readonly atol: number
  /** Signs of vectors and the order of detections are free. */
  readonly fragile: boolean
}

/** A difference: a short kind for counting, and where it is. */
export class Difference extends Error {
  constructor(
    readonly category: string,
    detail: string,
  ) {
    super(detail)
  }
}

const isComplex = (value: unknown): value is Complex => typeof value === 'object' && value !== null && 're' in value

function describe(value: unknown): string {
  if (value instanceof Tensor) return `a tensor of ${value.dtype} [${value.shape.join(', ')}]`
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (value instanceof Map) return `a Map of ${value.size}`
  if (value === null) return 'null'
  if (typeof value === 'object')
    return isComplex(value) ? `${value.re}+${value.im}j` : `an object (${Object.keys(value).slice(0, 5).join(', ')})`
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

function closeNumbers(got: number, expected: number, { rtol, atol }: Tolerance): boolean {
  if (Number.isNaN(expected)) return Number.isNaN(got)
  if (got === expected) return true
  return Math.abs(got - expected) <= atol + rtol * Math.abs(expected) && Number.isFinite(got)
}

function closeComplex(got: Complex, expected: Complex, tolerance: Tolerance): boolean {
  const isFinite = [got.re, got.im, expected.re, expected.im].every(Number.isFinite)
  if (!isFinite) return closeNumbers(got.re, expected.re, tolerance) && closeNumbers(got.im, expected.im, tolerance)
  return Math.hypot(got.re - expected.re, got.im - expected.im) <= tolerance.atol + tolerance.rtol * Math.hypot(expected.re, expected.im)
}

function closeElements(got: Element, expected: Element, isFloat: boolean, tolerance: Tolerance): boolean {
  if (isComplex(expected)) return isComplex(got) && closeComplex(got, expected, tolerance)
  if (isFloat) return closeNumbers(Number(got), Number(expected), tolerance)
  return got === expected
}

const isInexact = (dtype: DType): boolean => /^(float|bfloat|complex)/.test(dtype)
const size = (value: Element): Element =>
  isComplex(value) ? Math.hypot(value.re, value.im) : typeof value === 'number' ? Math.abs(value) : value

function compareTensors(got: Tensor, expected: PickleValue & { kind: 'tensor' }, tolerance: Tolerance, where: string): void {
  const { dtype, shape } = expected.tensor
  if (got.dtype !== dtype) throw new Difference('wrong dtype', `${where}: expected ${dtype} but received ${got.dtype}`)
  const gotShape = got.shape
  if (gotShape.length !== shape.length || gotShape.some((n, i) => n !== shape[i])) {
    throw new Difference('wrong shape', `${where}: expected [${shape.join(', ')}] but received [${gotShape.join(', ')}]`)
  }
  const wanted = elementsOf(expected.tensor)
  const isFloat = isInexact(dtype)
  const { data } = got.cpu()
  let wrong = 0
  let worst = { error: -1, index: -1 }
  for (let i = 0; i < wanted.length; i++) {
    const value = readElement(dtype, data, i)
    if (closeElements(value, wanted[i], isFloat, tolerance)) continue
    if (tolerance.fragile && closeElements(size(value), size(wanted[i]), isFloat, tolerance)) continue
    wrong++
    const error = Math.abs(Number(size(value)) - Number(size(wanted[i])))
    if (error > worst.error || worst.index < 0) worst = { error, index: i }
  }
  if (wrong === 0) return
  const at = worst.index
  throw new Difference(
    'wrong values',
    `${where}: ${wrong} of ${wanted.length} ${dtype} differ, such as element ${at}: expected ${describe(wanted[at])} but received ${describe(readElement(dtype, data, at))}`,
  )
}

function compareItems(got: readonly unknown[], expected: readonly PickleValue[], tolerance: Tolerance, where: string): void {
  if (got.length !== expected.length)
    throw new Difference('wrong structure', `${where}: expected ${expected.length} items but received ${got.length}`)
  expected.forEach((item, i) => compare(got[i], item, tolerance, `${where}[${i}]`))
}

function compareDicts(got: unknown, expected: PickleValue & { kind: 'dict' }, tolerance: Tolerance, where: string): void {
  const entries = got instanceof Map ? [...got] : undefined
  if (entries === undefined) throw new Difference('wrong structure', `${where}: expected a dict but received ${describe(got)}`)
  if (entries.length !== expected.entries.length)
    throw new Difference('wrong structure', `${where}: expected ${expected.entries.length} entries but received ${entries.length}`)
  if (tolerance.fragile && isDetection(expected)) return compareDetections(got as Map<string, Tensor>, expected, where)
  expected.entries.forEach(([key, value], i) => {
    compare(entries[i][0], key, tolerance, `${where} key ${i}`)
    compare(entries[i][1], value, tolerance, `${where}[${describe(entries[i][0])}]`)
  })
}

const isDetection = (value: PickleValue & { kind: 'dict' }): boolean =>
  ['boxes', 'scores'].every((name) => value.entries.some(([key]) => key.kind === 'string' && key.value === name))

/** Each expected detection must have a partner with the same label, a box within a pixel and a score within 1%. */
function compareDetections(got: Map<string, Tensor>, expected: PickleValue & { kind: 'dict' }, where: string): void {
  const wanted = new Map(
    expected.entries.map(([key, value]) => [
      key.kind === 'string' ? key.value : '',
      value.kind === 'tensor' ? elementsOf(value.tensor).map(Number) : [],
    ]),
  )
  const mine = new Map([...got].map(([key, value]) => [key, Array.from(value.cpu().data as ArrayLike<number | bigint>, Number)]))
  const boxes = wanted.get('boxes')!
  const count = boxes.length / 4
  const gotBoxes = mine.get('boxes') ?? []
  if (Math.abs(gotBoxes.length / 4 - count) > Math.max(1, count * 0.02))
    throw new Difference('wrong detections', `${where}: expected ${count} boxes but received ${gotBoxes.length / 4}`)
  const free = new Set(Array.from({ length: gotBoxes.length / 4 }, (_, i) => i))
  let missing = 0
  for (let i = 0; i < count; i++) {
    const partner = [...free].find(
      (j) =>
        [0, 1, 2, 3].every((k) => Math.abs(gotBoxes[4 * j + k] - boxes[4 * i + k]) <= 1) &&
        wanted.get('labels')?.[i] === mine.get('labels')?.[j] &&
        Math.abs((wanted.get('scores')?.[i] ?? 0) - (mine.get('scores')?.[j] ?? 0)) <= 0.01,
    )
    if (partner === undefined) missing++
    else free.delete(partner)
  }
  if (missing > Math.max(1, count * 0.02))
    throw new Difference('wrong detections', `${where}: ${missing} of ${count} boxes have no partner`)
}

function sameNumber(got: unknown, expected: PickleValue & { kind: 'int' | 'float' }, tolerance: Tolerance): boolean {
  if (expected.kind === 'float') return typeof got === 'number' && closeNumbers(got, expected.value, tolerance)
  return (typeof got === 'number' && Number.isInteger(got) && BigInt(got) === expected.value) || got === expected.value
}

/** The value with every tensor in it on the CPU, where PyTorch computed what is expected. */
export function onCpu(value: unknown): unknown {
  if (value instanceof Tensor) return value.device === 'cpu' ? value : value.cpu()
  if (Array.isArray(value)) return value.map(onCpu)
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key as unknown, onCpu(item)]))
  const isPlain = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  return isPlain ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, onCpu(item)])) : value
}

/** Throws a Difference unless `got` is what PyTorch gave. */
export function compare(got: unknown, expected: PickleValue, tolerance: Tolerance, where = 'result'): void {
  const fail = (): never => {
    throw new Difference('wrong result', `${where}: expected ${describePickle(expected)} but received ${describe(got)}`)
  }
  switch (expected.kind) {
    case 'none':
      return got === null || got === undefined ? undefined : fail()
    case 'bool':
      return got === expected.value ? undefined : fail()
    case 'string':
      return got === expected.value ? undefined : fail()
    case 'int':
    case 'float':
      return sameNumber(got, expected, tolerance) ? undefined : fail()
    case 'complex':
      return isComplex(got) && closeComplex(got, expected, tolerance) ? undefined : fail()
    case 'tensor':
      return got instanceof Tensor ? compareTensors(got, expected, tolerance, where) : fail()
    case 'list':
      return Array.isArray(got) ? compareItems(got, expected.items, tolerance, where) : fail()
    case 'tuple': {
      // A NamedTuple is an object with its field names, in order.
      const isNamed = typeof got === 'object' && got !== null && !Array.isArray(got) && !(got instanceof Map) && !(got instanceof Tensor)
      const items = Array.isArray(got) ? got : isNamed ? Object.values(got) : fail()
      return compareItems(items, expected.items, tolerance, where)
    }
    case 'dict': {
      const inner = special(expected)
      if (inner === undefined) return compareDicts(got, expected, tolerance, where)
      if (inner.key === '__complex__' && (inner.value.kind === 'list' || inner.value.kind === 'tuple')) {
        const [re, im] = inner.value.items.map(numberOf)
        return isComplex(got) && closeComplex(got, { re, im }, tolerance) ? undefined : fail()
      }
      if (inner.key === '__dtype__' && inner.value.kind === 'string')
        return got === dtypeCode(inner.value.value as DType) ? undefined : fail()
      if (inner.key === '__device__' && inner.value.kind === 'string') return got === inner.value.value ? undefined : fail()
      return compareDicts(got, expected, tolerance, where)
    }
    default:
      return fail()
  }
}

function describePickle(value: PickleValue): string {
  switch (value.kind) {
    case 'none':
      return 'None'
    case 'bool':
    case 'int':
      return String(value.value)
    case 'float':
      return Number.isInteger(value.value) ? `${value.value}.` : String(value.value)
    case 'string':
      return JSON.stringify(value.value)
    case 'tensor':
      return `a tensor of ${value.tensor.dtype} [${value.tensor.shape.join(', ')}]`
    default:
      return `a ${value.kind}`
  }
}
