import * as torch from '../../../lib/index.js'
import type { AuthoredCase } from '../authored.js'
import { randn } from './tools.js'

/** Archives of PyTorch with what our programs changed in them. */
export const loadedCases: readonly AuthoredCase[] = [
  {
    name: 'loaded/kinds',
    make: () => ({ module: torch.jit.load('test/fixtures/save/kinds.pt'), inputs: [randn(2, 3), 2, randn(3)] }),
  },
  {
    name: 'loaded/kinds_after_a_run',
    make() {
      const module = torch.jit.load('test/fixtures/save/kinds.pt')
      module.forward(randn(2, 3))
      module.setAttribute('maybe', 5)
      module.setAttribute('names', ['é', 'b', 'c'])
      return { module, inputs: [randn(2, 3)] }
    },
  },
  {
    name: 'loaded/named_tuple_of_a_method',
    make: () => ({ module: torch.jit.load('test/fixtures/save/kinds.pt'), inputs: [4], method: 'point_of' }),
  },
  {
    name: 'loaded/text_of_a_method',
    make: () => ({ module: torch.jit.load('test/fixtures/save/kinds.pt'), inputs: ['ü'], method: 'text' }),
  },
  {
    name: 'loaded/everything',
    make: () => ({ module: torch.jit.load('test/fixtures/api/everything.pt'), inputs: [randn(3), 2] }),
  },
  {
    name: 'loaded/frozen',
    make: () => ({ module: torch.jit.load('test/fixtures/api/frozen.pt'), inputs: [randn(2, 3)] }),
  },
]
