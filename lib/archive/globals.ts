import { type DType, dtypeNames } from '../tensor/dtype.js'
import type { Fail, GlobalRef, StackValue } from './pickle.js'
import { describeItem, makeMetaTensor, makeTensor, storageDType, toBool, toCount, toCounts, toTensor } from './tensors.js'
import { dictGet, type PickleValue, type QuantizationData, type SparseData, type StorageValue, type TensorData } from './values.js'
import { metaStorage } from './storage.js'

type Reduce = NonNullable<GlobalRef['reduce']>

/** The value or class that a GLOBAL names; fails for every name outside of this file's tables. */
export function resolveGlobal(module: string, name: string, scriptClasses: boolean, fail: Fail): StackValue {
  const fullName = `${module}.${name}`
  const reduce = reducers.get(fullName)
  if (reduce !== undefined) return { kind: 'global', name: fullName, reduce }
  const storage = storageDType(module, name)
  if (storage !== undefined) return { kind: 'global', name: fullName, storage }
  if (module === 'torch') {
    if ((dtypeNames as readonly string[]).includes(name)) return { kind: 'dtype', value: name as DType }
    if (torchConstants.has(name)) return { kind: 'constant', name: fullName }
    if (name.endsWith('Storage')) throw fail(`Tensors of the class ${fullName} are not supported`)
  }
  if (tensorClasses.has(fullName)) return { kind: 'global', name: fullName }
  if (module === '__torch__' || module.startsWith('__torch__.')) {
    if (scriptClasses) return { kind: 'global', name: fullName, isScriptClass: true }
    throw fail(`The class ${fullName} belongs to a TorchScript archive; only torch.jit.load can build it`)
  }
  throw fail(unknownGlobal(fullName))
}

function unknownGlobal(fullName: string): string {
  const hint = /^(torch\.nn|torchvision|timm|transformers|__main__)\./.test(fullName)
    ? '. The file pickles a whole Python model: save its state_dict() or export it with torch.jit.save'
    : '. Only tensors, numbers, strings and containers of them can be loaded'
  return `Expected a type of PyTorch's tensor files but received the Python class or function ${fullName}, which is never run${hint}`
}

const torchConstants = new Set([
  'per_tensor_affine',
  'per_channel_affine',
  'per_tensor_symmetric',
  'per_channel_symmetric',
  'per_channel_affine_float_qparams',
  'contiguous_format',
  'preserve_format',
  'channels_last',
  'channels_last_3d',
  'strided',
  'sparse_coo',
  'sparse_csr',
  'sparse_csc',
  'sparse_bsr',
  'sparse_bsc',
])

/** Classes that `_rebuild_from_type_v2` may name. */
const tensorClasses = new Set(['torch.Tensor', 'torch.nn.parameter.Parameter', 'torch.nn.parameter.Buffer', 'torch._tensor.Tensor'])

/** c10::Layout codes of sparse tensors. */
const sparseLayouts: Record<string, SparseData['layout']> = {
  1: 'coo',
  2: 'csr',
  4: 'csc',
  5: 'bsr',
  6: 'bsc',
  'torch.sparse_coo': 'coo',
  'torch.sparse_csr': 'csr',
  'torch.sparse_csc': 'csc',
  'torch.sparse_bsr': 'bsr',
  'torch.sparse_bsc': 'bsc',
}

function expectArgs(args: StackValue[], least: number, most: number, callee: string, fail: Fail): void {
  if (args.length >= least && args.length <= most) return
  const range = least === most ? `${least}` : `${least} to ${most}`
  throw fail(`Expected ${range} arguments for ${callee} but received ${args.length}`)
}

function toStorage(value: StackValue, fail: Fail): StorageValue {
  if (value.kind !== 'storage') throw fail(`Expected a storage for a tensor but received ${describeItem(value)}`)
  return value
}

const tensorValue = (tensor: TensorData): PickleValue => ({ kind: 'tensor', tensor })

/** (storage, offset, size, stride[, requires_grad, hooks[, metadata]]) */
const rebuildTensor: Reduce = (args, fail) => {
  expectArgs(args, 4, 7, '_rebuild_tensor_v2', fail)
  const storage = toStorage(args[0], fail)
  if (storage.dtype.startsWith('q')) throw fail(`A tensor of ${storage.dtype} has no quantization parameters`)
  const tensor = makeTensor(storage, storage.dtype, args[1], args[2], args[3], args[4] ?? { kind: 'bool', value: false }, fail)
  setLazyBits(tensor, args[6])
  return tensorValue(tensor)
}

/** (storage, offset, size, stride, requires_grad, hooks, dtype[, metadata]), over an untyped storage */
const rebuildTensorV3: Reduce = (args, fail) => {
  expectArgs(args, 7, 8, '_rebuild_tensor_v3', fail)
  const dtype = args[6]
  if (dtype.kind !== 'dtype') throw fail(`Expected a dtype for a tensor but received ${describeItem(dtype)}`)
  const tensor = makeTensor(toStorage(args[0], fail), dtype.value, args[1], args[2], args[3], args[4], fail)
  setLazyBits(tensor, args[7])
  return tensorValue(tensor)
}

function setLazyBits(tensor: TensorData, metadata: StackValue | undefined): void {
  if (metadata === undefined || metadata.kind !== 'dict') return
  for (const bit of ['conj', 'neg'] as const) {
    const value = dictGet(metadata, bit)
    if (value?.kind === 'bool' && value.value) tensor[bit] = true
  }
}

/** (storage, offset, size, stride, qparams, requires_grad, hooks) */
const rebuildQuantized: Reduce = (args, fail) => {
  expectArgs(args, 6, 7, '_rebuild_qtensor', fail)
  const storage = toStorage(args[0], fail)
  if (!storage.dtype.startsWith('q')) throw fail(`Expected a quantized storage for a quantized tensor but received one of ${storage.dtype}`)
  const tensor = makeTensor(storage, storage.dtype, args[1], args[2], args[3], args[5], fail)
  tensor.quant = quantization(args[4], tensor, fail)
  return tensorValue(tensor)
}

function quantization(value: StackValue, tensor: TensorData, fail: Fail): QuantizationData {
  if (value.kind !== 'tuple' || value.items.length < 3) {
    throw fail(`Expected (scheme, ...) for the quantization parameters of a tensor but received ${describeItem(value)}`)
  }
  const [scheme, first, second, axisValue] = value.items as StackValue[]
  if (scheme.kind !== 'constant') throw fail(`Expected a quantization scheme but received ${describeItem(scheme)}`)
  switch (scheme.name) {
    case 'torch.per_tensor_affine':
      if (first.kind !== 'float' || second.kind !== 'int') {
        throw fail(`Expected a float scale and an int zero point but received ${describeItem(first)} and ${describeItem(second)}`)
      }
      if (BigInt.asIntN(32, second.value) !== second.value) throw fail(`The zero point ${second.value} is out of range`)
      return { scheme: 'per_tensor_affine', scale: first.value, zeroPoint: Number(second.value) }
    case 'torch.per_channel_affine':
    case 'torch.per_channel_affine_float_qparams': {
      const scales = toTensor(first, 'the scales of a quantized tensor', fail)
      const zeroPoints = toTensor(second, 'the zero points of a quantized tensor', fail)
      const axis = toCount(axisValue ?? { kind: 'none' }, 'the axis of a quantized tensor', fail)
      if (axis >= tensor.shape.length) {
        throw fail(`The quantization axis ${axis} is none of a tensor with ${tensor.shape.length} dimensions`)
      }
      for (const parameter of [scales, zeroPoints]) {
        if (parameter.shape.length !== 1 || parameter.shape[0] !== tensor.shape[axis]) {
          const size = `[${parameter.shape.join(', ')}]`
          throw fail(`Expected ${tensor.shape[axis]} quantization parameters along axis ${axis} but received a tensor of size ${size}`)
        }
      }
      const isAffine = scheme.name === 'torch.per_channel_affine'
      return { scheme: isAffine ? 'per_channel_affine' : 'per_channel_affine_float_qparams', scales, zeroPoints, axis }
    }
    default:
      throw fail(`The quantization scheme ${scheme.name} is not supported`)
  }
}

/** torch.save: (layout, (indices, values, size[, coalesced])) or, compressed, (layout, (compressed, plain, values, size)) */
function sparseFromPython(layout: SparseData['layout'], data: StackValue, fail: Fail): PickleValue {
  if (data.kind !== 'tuple') throw fail(`Expected a tuple of parts for a sparse tensor but received ${describeItem(data)}`)
  const parts: StackValue[] = data.items
  if (layout === 'coo') {
    expectArgs(parts, 3, 4, 'a sparse tensor', fail)
    const coalesced = parts[3]?.kind === 'bool' ? parts[3].value : undefined
    return cooTensor(parts[0], parts[1], coalesced, parts[2], false, fail)
  }
  expectArgs(parts, 4, 4, 'a sparse tensor', fail)
  return compressedTensor(layout, parts[0], parts[1], parts[2], parts[3], false, fail)
}

function cooTensor(
  indices: StackValue,
  values: StackValue,
  coalesced: boolean | undefined,
  size: StackValue,
  requiresGrad: boolean,
  fail: Fail,
): PickleValue {
  const parts = { indices: toTensor(indices, 'sparse indices', fail), values: toTensor(values, 'sparse values', fail) }
  const sparse: SparseData = { layout: 'coo', ...parts }
  if (coalesced !== undefined) sparse.coalesced = coalesced
  return sparseTensor(sparse, size, requiresGrad, fail)
}

function compressedTensor(
  layout: SparseData['layout'],
  compressed: StackValue,
  plain: StackValue,
  values: StackValue,
  size: StackValue,
  requiresGrad: boolean,
  fail: Fail,
): PickleValue {
  const sparse = {
    layout,
    compressedIndices: toTensor(compressed, 'sparse indices', fail),
    plainIndices: toTensor(plain, 'sparse indices', fail),
    values: toTensor(values, 'sparse values', fail),
  }
  return sparseTensor(sparse, size, requiresGrad, fail)
}

function sparseTensor(sparse: SparseData, size: StackValue, requiresGrad: boolean, fail: Fail): PickleValue {
  const shape = toCounts(size, 'the size of a sparse tensor', fail)
  if (!Number.isSafeInteger(shape.reduce((product, n) => product * n, 1))) {
    throw fail(`A sparse tensor of size [${shape.join(', ')}] is too large`)
  }
  for (const indices of [sparse.indices, sparse.compressedIndices, sparse.plainIndices]) {
    if (indices !== undefined && indices.dtype !== 'int64' && indices.dtype !== 'int32') {
      throw fail(`Expected integer indices for a sparse tensor but received ${indices.dtype}`)
    }
  }
  const { indices, values } = sparse
  if (indices !== undefined && (indices.shape.length !== 2 || indices.shape[0] > shape.length || indices.shape[1] !== values.shape[0])) {
    const [indicesText, valuesText, sizeText] = [indices.shape, values.shape, shape].map((sizes) => `[${sizes.join(', ')}]`)
    throw fail(`The indices ${indicesText} and values ${valuesText} of a sparse tensor of size ${sizeText} do not fit`)
  }
  const { dtype } = values
  return tensorValue({ dtype, shape, strides: [], offset: 0, storage: metaStorage('sparse', dtype, 0), requiresGrad, sparse })
}

function layoutOf(value: StackValue, fail: Fail): SparseData['layout'] {
  const key = value.kind === 'int' ? String(value.value) : value.kind === 'constant' ? value.name : ''
  const layout = Object.hasOwn(sparseLayouts, key) ? sparseLayouts[key] : undefined
  if (layout === undefined) throw fail(`Expected a sparse layout but received ${describeItem(value)}`)
  return layout
}

/** torch.jit.save: (layout code, size, requires_grad, indices, values, hooks) */
const rebuildSparse: Reduce = (args, fail) => {
  expectArgs(args, 2, 7, '_rebuild_sparse_tensor', fail)
  const layout = layoutOf(args[0], fail)
  if (args.length === 2) return sparseFromPython(layout, args[1], fail)
  expectArgs(args, 5, 7, '_rebuild_sparse_tensor', fail)
  const requiresGrad = toBool(args[2], 'requires_grad', fail)
  if (layout === 'coo') {
    return cooTensor(args[3], args[4], undefined, args[1], requiresGrad, fail)
  }
  return compressedTensor(layout, args[3], args[4], args[5] ?? { kind: 'none' }, args[1], requiresGrad, fail)
}

/** (dtype, size, stride, requires_grad) */
const rebuildMeta: Reduce = (args, fail) => {
  expectArgs(args, 4, 4, '_rebuild_meta_tensor_no_storage', fail)
  const dtype = args[0]
  if (dtype.kind !== 'dtype') throw fail(`Expected a dtype for a tensor but received ${describeItem(dtype)}`)
  return tensorValue(makeMetaTensor(dtype.value, args[1], args[2], args[3], fail))
}

/** (tensor, requires_grad, hooks[, state]) */
const rebuildParameter: Reduce = (args, fail) => {
  expectArgs(args, 2, 4, '_rebuild_parameter', fail)
  return tensorValue({ ...toTensor(args[0], 'a parameter', fail), requiresGrad: toBool(args[1], 'requires_grad', fail), parameter: true })
}

/** (rebuild function, class, its arguments, state) of tensors with attributes of their own */
const rebuildFromType: Reduce = (args, fail) => {
  expectArgs(args, 4, 4, '_rebuild_from_type_v2', fail)
  const [rebuild, type, rebuildArgs] = args
  if (rebuild.kind !== 'global' || rebuild.reduce === undefined || !tensorReducers.has(rebuild.name)) {
    throw fail(`Expected a function that builds a tensor but received ${describeItem(rebuild)}`)
  }
  if (type.kind !== 'global' || !tensorClasses.has(type.name)) throw fail(`Expected a tensor class but received ${describeItem(type)}`)
  if (rebuildArgs.kind !== 'tuple') {
    throw fail(`Expected a tuple of arguments for ${rebuild.name} but received ${describeItem(rebuildArgs)}`)
  }
  return rebuild.reduce(rebuildArgs.items, fail)
}

/** A list whose element type TorchScript knows: (list,) */
const typedList =
  (elementType: string, kinds: readonly PickleValue['kind'][]): Reduce =>
  (args, fail) => {
    expectArgs(args, 1, 1, `a List[${elementType}]`, fail)
    const list = args[0]
    if (list.kind !== 'list') throw fail(`Expected a list for a List[${elementType}] but received ${describeItem(list)}`)
    for (const item of list.items as StackValue[]) {
      if (item.kind === 'global' || !kinds.includes(item.kind)) {
        throw fail(`Expected items of type ${elementType} in a list but received ${describeItem(item)}`)
      }
    }
    list.elementType = elementType
    return list
  }

/** (container, type text such as `Dict[str, List[int]]`) */
const restoreTypeTag: Reduce = (args, fail) => {
  expectArgs(args, 2, 2, 'restore_type_tag', fail)
  const [container, tag] = args
  if (tag.kind !== 'string') throw fail(`Expected a string as type tag but received ${describeItem(tag)}`)
  if (container.kind === 'list') {
    const match = /^List\[(.*)\]$/s.exec(tag.value)
    if (match === null) throw fail(`Expected a list type for a list but received the type ${tag.value}`)
    container.elementType = match[1]
    return container
  }
  if (container.kind === 'dict') {
    const match = /^Dict\[(.*)\]$/s.exec(tag.value)
    const comma = match === null ? -1 : topLevelComma(match[1])
    if (match === null || comma < 0) throw fail(`Expected a dict type for a dict but received the type ${tag.value}`)
    container.keyType = match[1].slice(0, comma).trim()
    container.valueType = match[1].slice(comma + 1).trim()
    return container
  }
  if (container.kind === 'global') throw fail(`the class ${container.name} stands where a value is needed`)
  return container
}

function topLevelComma(text: string): number {
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '[' || text[i] === '(') depth++
    else if (text[i] === ']' || text[i] === ')') depth--
    else if (text[i] === ',' && depth === 0) return i
  }
  return -1
}

/** An OrderedDict or Counter: (), (dict,) or ([[key, value], ...],) */
const makeDict: Reduce = (args, fail) => {
  expectArgs(args, 0, 1, 'a dict', fail)
  if (args.length === 0) return { kind: 'dict', entries: [] }
  const from = args[0]
  if (from.kind === 'dict') return { kind: 'dict', entries: [...from.entries] }
  if (from.kind !== 'list') throw fail(`Expected pairs for a dict but received ${describeItem(from)}`)
  const entries = from.items.map((pair): [PickleValue, PickleValue] => {
    if ((pair.kind !== 'list' && pair.kind !== 'tuple') || pair.items.length !== 2) {
      throw fail(`Expected a pair for a dict but received ${describeItem(pair)}`)
    }
    return [pair.items[0], pair.items[1]]
  })
  return { kind: 'dict', entries }
}

/** A set, as a list of its members in the order of the file: (list,). */
const makeSet: Reduce = (args, fail) => {
  expectArgs(args, 0, 1, 'a set', fail)
  const [from] = args
  if (from === undefined) return { kind: 'list', items: [] }
  if (from.kind !== 'list' && from.kind !== 'tuple') throw fail(`Expected a list for a set but received ${describeItem(from)}`)
  return { kind: 'list', items: [...from.items] }
}

const makeDevice: Reduce = (args, fail) => {
  expectArgs(args, 1, 2, 'torch.device', fail)
  const [type, index] = args
  if (type.kind !== 'string' || !/^[a-z_]+(:\d+)?$/.test(type.value)) {
    throw fail(`Expected a device such as cuda:0 but received ${describeItem(type)}`)
  }
  const suffix = index === undefined || index.kind === 'none' ? '' : `:${toCount(index, 'the index of a device', fail)}`
  return { kind: 'device', value: type.value + suffix }
}

const makeComplex: Reduce = (args, fail) => {
  expectArgs(args, 2, 2, 'complex', fail)
  const [re, im] = args
  if (re.kind !== 'float' || im.kind !== 'float') {
    throw fail(`Expected two floats for a complex number but received ${describeItem(re)} and ${describeItem(im)}`)
  }
  return { kind: 'complex', re: re.value, im: im.value }
}

const makeSize: Reduce = (args, fail) => {
  expectArgs(args, 1, 1, 'torch.Size', fail)
  if (args[0].kind !== 'tuple' && args[0].kind !== 'list') {
    throw fail(`Expected a tuple for torch.Size but received ${describeItem(args[0])}`)
  }
  return { kind: 'tuple', items: args[0].items }
}

/** `bytes` in protocol 2: text whose characters are the bytes. */
const encodeBytes: Reduce = (args, fail) => {
  expectArgs(args, 2, 2, '_codecs.encode', fail)
  const [text, encoding] = args
  if (text.kind !== 'string' || encoding.kind !== 'string' || encoding.value !== 'latin1') throw fail('Expected text in latin1 for bytes')
  return { kind: 'string', value: text.value, bytes: new Uint8Array(Buffer.from(text.value, 'latin1')) }
}

const getLayout: Reduce = (args, fail) => {
  expectArgs(args, 1, 1, 'a layout', fail)
  const name = args[0]
  if (name.kind !== 'string' || !name.value.startsWith('torch.') || !torchConstants.has(name.value.slice(6))) {
    throw fail(`Expected the name of a layout but received ${describeItem(name)}`)
  }
  return { kind: 'constant', name: name.value }
}

const tensorReducers = new Map<string, Reduce>([
  ['torch._utils._rebuild_tensor', rebuildTensor],
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  ['torch._utils._rebuild_tensor_v3', rebuildTensorV3],
  ['torch._utils._rebuild_qtensor', rebuildQuantized],
  ['torch._utils._rebuild_sparse_tensor', rebuildSparse],
  ['torch._utils._rebuild_sparse_csr_tensor', rebuildSparse],
  ['torch._utils._rebuild_meta_tensor_no_storage', rebuildMeta],
  ['torch._utils._rebuild_parameter', rebuildParameter],
  ['torch._utils._rebuild_parameter_with_state', rebuildParameter],
])

const reducers = new Map<string, Reduce>([
  ...tensorReducers,
  ['torch._tensor._rebuild_from_type_v2', rebuildFromType],
  ['torch.jit._pickle.build_intlist', typedList('int', ['int'])],
  ['torch.jit._pickle.build_doublelist', typedList('float', ['float'])],
  ['torch.jit._pickle.build_boollist', typedList('bool', ['bool'])],
  ['torch.jit._pickle.build_tensorlist', typedList('Tensor', ['tensor', 'none'])],
  ['torch.jit._pickle.restore_type_tag', restoreTypeTag],
  ['collections.OrderedDict', makeDict],
  ['collections.Counter', makeDict],
  ['builtins.set', makeSet],
  ['__builtin__.set', makeSet],
  ['torch.device', makeDevice],
  ['torch.Size', makeSize],
  ['builtins.complex', makeComplex],
  ['__builtin__.complex', makeComplex],
  ['_codecs.encode', encodeBytes],
  ['torch.serialization._get_layout', getLayout],
])
