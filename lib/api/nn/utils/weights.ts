import { Tensor } from '../../../tensor/tensor.js'
import { ArgumentError } from '../../../util/errors.js'
import { fieldToName } from '../attributes.js'
import { copyInto, detached, op, opWith, plainShape } from '../eager.js'
import { normalize } from '../functional/normalization.js'
import { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from '../layers/conv.js'
import type { Module } from '../module.js'
import { type Rest, settle } from '../options.js'
import { Parameter } from '../parameter.js'
import { attachWeight, detachWeight, hookedWeight, type HookedWeight } from '../reparametrized.js'

/** `nn.utils.weightNorm` and `nn.utils.spectralNorm`: weights that a hook computes before each forward. */

const fieldsOf = (module: Module): Record<string, Tensor> => module as unknown as Record<string, Tensor>

/** A field that is neither parameter nor buffer. */
function setPlain(module: Module, field: string, value: Tensor): void {
  Object.defineProperty(module, field, { value, writable: true, configurable: true, enumerable: true })
}
/** The parameter of a name, which none of `kind` may have already. */
function parameterFor(module: Module, name: string, kind: 'weightNorm' | 'spectralNorm', word: string): Parameter {
  if (hookedWeight(module, kind, name) !== undefined)
    throw new ArgumentError(`Cannot register two ${word} hooks on the same parameter ${name}`)
  const parameter = module.ownParameters().get(name)
  if (parameter === undefined)
    throw new ArgumentError(`Expected the name of a parameter of ${module.toString()} for \`name\` but received '${name}'`)
  return parameter
}

export interface WeightNormHookOptions {
  /** Of the parameter. Default: `weight`. */
  name?: string
  /** The dimension whose slices have a norm each; null for one norm of the whole tensor. Default: 0. */
  dim?: number | null
}

/**
 * Replaces a parameter by its magnitude, `weight_g`, and its direction, `weight_v`: the weight is computed from them before each forward.
 * `parametrizations.weightNorm` is its successor.
 */
export function weightNorm<T extends Module>(module: T, ...rest: Rest<WeightNormHookOptions, readonly ['name', 'dim']>): T {
  const { name: tensorName = 'weight', dim: given = 0 } = settle<WeightNormHookOptions>(['name', 'dim'], rest)
  const name = fieldToName(module, tensorName)
  const dim = given ?? -1
  const weight = parameterFor(module, name, 'weightNorm', 'weight_norm')
  const field = module.fieldOf(name)
  const value = (owner: Module): Tensor => op('_weight_norm', fieldsOf(owner)[`${name}_v`], fieldsOf(owner)[`${name}_g`], dim)
  const g = op('norm_except_dim', weight, 2, dim)
  module.removeField(field)
  module.registerParameter(`${name}_g`, new Parameter(g))
  module.registerParameter(`${name}_v`, new Parameter(weight))
  const hooked: HookedWeight = {
    kind: 'weightNorm',
    name,
    compute: (owner) => setPlain(owner, field, value(owner)),
    remove(owner) {
      const made = value(owner)
      for (const gone of [field, `${name}_g`, `${name}_v`]) owner.removeField(gone)
      owner.registerParameter(field, new Parameter(made))
    },
  }
  hooked.compute(module, module.training)
  attachWeight(module, hooked)
  return module
}

/** Makes the weight a parameter again. */
export function removeWeightNorm<T extends Module>(module: T, name = 'weight'): T {
  if (!detachWeight(module, 'weightNorm', fieldToName(module, name)))
    throw new ArgumentError(`weight_norm of '${name}' not found in ${module.toString()}`)
  return module
}

/** The dimension of the outputs in a layer's weight. */
export const outputDimOf = (module: Module): number =>
  module instanceof ConvTranspose1d || module instanceof ConvTranspose2d || module instanceof ConvTranspose3d ? 1 : 0

/** A weight as a matrix with a row for each output. */
export function spectralMatrix(weight: Tensor, dim: number): Tensor {
  const others = plainShape(weight).flatMap((_, i) => (i === dim ? [] : [i]))
  const rows = dim === 0 ? weight : op('permute', weight, [dim, ...others])
  return op('flatten', rows, 1, -1)
}

export interface SpectralNormHookOptions {
  /** Of the parameter. Default: `weight`. */
  name?: string
  nPowerIterations?: number
  eps?: number
  /** The dimension of the outputs. Default: 0, but 1 for transposed convolutions. */
  dim?: number | null
}
const spectralNames = ['name', 'nPowerIterations', 'eps', 'dim'] as const

/**
 * Divides a parameter, which becomes `weight_orig`, by an estimate of its largest singular value before each forward. In training the
 * estimate gets better each time. `parametrizations.spectralNorm` is its successor.
 */
export function spectralNorm<T extends Module>(module: T, ...rest: Rest<SpectralNormHookOptions, typeof spectralNames>): T {
  const {
    name: tensorName = 'weight',
    nPowerIterations = 1,
    eps = 1e-12,
    dim: given,
  } = settle<SpectralNormHookOptions>(spectralNames, rest)
  const name = fieldToName(module, tensorName)
  const dim = given ?? outputDimOf(module)
  if (!(nPowerIterations > 0))
    throw new ArgumentError(`Expected n_power_iterations to be positive, but got n_power_iterations=${nPowerIterations}`)
  const weight = parameterFor(module, name, 'spectralNorm', 'spectral_norm')
  const field = module.fieldOf(name)
  const [height, width] = plainShape(spectralMatrix(weight, dim))
  const [u, v] = [height, width].map((length) => normalize(op('normal_', op('new_empty', weight, [length]), 0, 1), 2, 0, eps))

  const value = (owner: Module, training: boolean): Tensor => {
    const original = fieldsOf(owner)[`${name}_orig`]
    let [left, right] = [fieldsOf(owner)[`${name}_u`], fieldsOf(owner)[`${name}_v`]]
    const matrix = spectralMatrix(original, dim)
    if (training) {
      for (let i = 0; i < nPowerIterations; i++) {
        copyInto(right, normalize(op('mv', op('t', matrix), left), 2, 0, eps))
        copyInto(left, normalize(op('mv', matrix, right), 2, 0, eps))
      }
      // The next forward writes into the buffers.
      ;[left, right] = [left, right].map((tensor) => opWith('clone', [tensor], { memory_format: 'contiguous_format' }))
    }
    return op('div', original, op('dot', left, op('mv', matrix, right)))
  }
  module.removeField(field)
  module.registerParameter(`${name}_orig`, weight)
  setPlain(module, field, detached(weight))
  module.registerBuffer(`${name}_u`, u)
  module.registerBuffer(`${name}_v`, v)
  attachWeight(module, {
    kind: 'spectralNorm',
    name,
    compute: (owner, training) => setPlain(owner, field, value(owner, training)),
    remove(owner) {
      const made = value(owner, false)
      for (const gone of [field, `${name}_u`, `${name}_v`, `${name}_orig`]) owner.removeField(gone)
      owner.registerParameter(field, new Parameter(made))
    },
  })
  return module
}

/** Makes the weight a parameter again. */
export function removeSpectralNorm<T extends Module>(module: T, name = 'weight'): T {
  if (!detachWeight(module, 'spectralNorm', fieldToName(module, name)))
    throw new ArgumentError(`spectral_norm of '${name}' not found in ${module.toString()}`)
  return module
}
