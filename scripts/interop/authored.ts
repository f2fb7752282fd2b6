import type { ScriptFunction } from '../../lib/api/jit/script-function.js'
import type { ScriptModule } from '../../lib/api/jit/script-module.js'
import { attributeCases } from './authored/attributes.js'
import { controlFlowCases } from './authored/control-flow.js'
import { dtypeCases } from './authored/dtypes.js'
import { exampleCases } from './authored/examples.js'
import { frozenCases } from './authored/frozen.js'
import { layerCases } from './authored/layers.js'
import { loadedCases } from './authored/loaded.js'
import { methodCases } from './authored/methods.js'
import { scriptedCases } from './authored/scripted.js'
import { sharingCases } from './authored/sharing.js'
import { sourceCases } from './authored/sources.js'

/** A module that is made here, and one call of it. */
export interface AuthoredCase {
  readonly name: string
  make(): AuthoredModule
}

export interface AuthoredModule {
  readonly module: ScriptModule | ScriptFunction
  /** Positional arguments. */
  readonly inputs: readonly unknown[]
  /** Default: forward. */
  readonly method?: string
  readonly extraFiles?: Readonly<Record<string, string | Uint8Array>>
  /** Tolerances of the whole case; default: those of torch.testing for each dtype. */
  readonly rtol?: number
  readonly atol?: number
}

/** Every archive that we author for PyTorch. A new kind of archive is a new file of cases in `authored/`, listed here. */
export const authoredCases: readonly AuthoredCase[] = [
  ...loadedCases,
  ...layerCases,
  ...dtypeCases,
  ...frozenCases,
  ...sharingCases,
  ...scriptedCases,
  ...sourceCases,
  ...controlFlowCases,
  ...attributeCases,
  ...methodCases,
  ...exampleCases,
]
