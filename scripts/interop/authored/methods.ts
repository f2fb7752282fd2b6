import * as torch from '../../../lib/index.js'
import type { Tensor } from '../../../lib/index.js'
import { manualSeed } from '../../../lib/api/settings.js'
import type { AuthoredCase } from '../authored.js'
import { op, randn } from './tools.js'

type int = number
const { nn, jit } = torch

class Coder extends nn.Module {
  static exports = ['decode', 'shapes']
  down = new nn.Linear(6, 3)
  up = new nn.Linear(3, 6)
  encode(x: Tensor): Tensor {
    return torch.tanh(this.down.forward(x))
  }
  decode(z: Tensor): Tensor {
    return this.up.forward(z)
  }
  shapes(x: Tensor, extra: int = 1): [int, int] {
    return [x.size(0) + extra, x.dim()]
  }
  override forward(x: Tensor): Tensor {
    return this.decode(this.encode(x))
  }
}

class Plain extends nn.Module {
  fc = new nn.Linear(4, 4)
  override forward(x: Tensor): Tensor {
    return this.fc.forward(x)
  }
}
class Keeper extends nn.Module {
  inner = new Plain()
  override forward(x: Tensor): Tensor {
    return this.inner.forward(x).add(1)
  }
}

function scale(x: Tensor, by: int = 3): Tensor {
  if (by > 2) return x.mul(by)
  return x
}

const at = (name: string, make: AuthoredCase['make']): AuthoredCase => ({
  name: `methods/${name}`,
  make() {
    manualSeed(1)
    return make()
  },
})

/** Methods besides forward, functions, hooks, extra files, modules changed after they were made. */
export const methodCases: readonly AuthoredCase[] = [
  at('forward', () => ({ module: jit.script(new Coder()), inputs: [randn(2, 6)] })),
  at('exported', () => ({ module: jit.script(new Coder()), inputs: [randn(2, 3)], method: 'decode' })),
  at('exported_with_default', () => ({ module: jit.script(new Coder()), inputs: [randn(2, 6)], method: 'shapes' })),
  at('called_by_forward', () => ({ module: jit.script(new Coder()), inputs: [randn(2, 6)], method: 'encode' })),
  at('traced_methods', () => ({
    module: jit.traceModule(new Coder(), { forward: [randn(2, 6)], encode: [randn(2, 6)], decode: [randn(2, 3)] }),
    inputs: [randn(5, 6)],
    method: 'encode',
  })),
  at('scripted_function', () => ({ module: jit.script(scale), inputs: [randn(3)] })),
  at('traced_function', () => ({
    module: jit.trace((a: Tensor, b: Tensor) => [a.matmul(b), a.reshape([a.size(0), -1])], [randn(2, 3), randn(3, 4)]),
    inputs: [randn(5, 3), randn(3, 2)],
  })),
  at('traced_dict', () => ({
    module: jit.trace((a: Tensor) => ({ left: a.neg(), right: a.exp() }), [randn(2)], { strict: false }),
    inputs: [randn(3)],
  })),
  at('traced_inputs_in_containers', () => ({
    module: jit.trace((pair: Tensor[]) => pair[0].add(pair[1]), [[randn(2), randn(2)]]),
    inputs: [[randn(4), randn(4)]],
  })),
  at('script_inside_trace', () => {
    const scripted = jit.script(scale)
    return { module: jit.trace((x: Tensor) => op('neg', scripted(x, 5)), [randn(3)]), inputs: [randn(4)] }
  }),
  at('unit_function', () => ({
    module: new jit.CompilationUnit('def relu2(x: Tensor, n: int = 2) -> Tensor:\n  for i in range(n):\n    x = x.relu() - i\n  return x\n')
      .relu2,
    inputs: [randn(4), 3],
  })),
  at('defined_method', () => {
    const module = jit.script(new Plain())
    module.define('def twice(self, x: Tensor) -> Tensor:\n  return self.forward(self.forward(x))\n')
    return { module, inputs: [randn(2, 4)], method: 'twice' }
  }),
  at('hooks_traced', () => {
    const model = new Keeper()
    model.inner.registerForwardPreHook((_, [x]) => [(x as Tensor).mul(2)])
    model.inner.registerForwardHook((_, __, y) => (y as Tensor).neg())
    return { module: jit.trace(model, [randn(2, 4)]), inputs: [randn(3, 4)] }
  }),
  at('extra_files', () => ({
    module: jit.script(new Plain()),
    inputs: [randn(3, 4)],
    extraFiles: { 'classes.json': '["é", "b"]', 'deep/er.bin': Buffer.from([0, 255, 10]) },
  })),
  at('saved_twice', () => ({ module: jit.load(jit.save(jit.load(jit.save(jit.script(new Coder()))))), inputs: [randn(2, 6)] })),
  at('converted', () => ({
    module: jit.script(new Plain().to('float64')),
    inputs: [torch.randn([2, 4], { dtype: 'float64' })],
  })),
  at('frozen_script', () => ({ module: jit.freeze(jit.script(new Keeper().eval())), inputs: [randn(2, 4)] })),
  at('frozen_with_preserved_method', () => ({
    module: jit.freeze(jit.script(new Coder().eval()), { preservedAttrs: ['encode', 'up'] }),
    inputs: [randn(2, 6)],
    method: 'encode',
  })),
  at('for_inference_script', () => ({ module: jit.optimizeForInference(jit.script(new Keeper().eval())), inputs: [randn(2, 4)] })),
]
