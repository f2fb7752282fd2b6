// A module with methods besides forward: one returns a tuple and takes a mask that may be missing.
import * as torch from 'torchscript-node'
const { nn, jit } = torch

export class Scorer extends nn.Module {
  static exports = ['encode', 'score']
  embed = new nn.Linear(8, 8)

  encode(x: torch.Tensor, mask: torch.Tensor | null = null): [torch.Tensor, torch.Tensor] {
    const y = torch.tanh(this.embed.forward(x))
    if (mask !== null) {
      const masked = y.mul(mask)
      return [masked, masked.sum(1)]
    }
    return [y, y.sum(1)]
  }

  score(x: torch.Tensor): torch.Tensor {
    const [, total] = this.encode(x)
    return torch.sigmoid(total)
  }

  forward(x: torch.Tensor): torch.Tensor {
    return this.score(x)
  }
}

export function main(): torch.jit.ScriptModule {
  torch.manualSeed(0)
  const model = new Scorer().eval()
  const scripted = jit.script(model)
  const x = torch.randn([3, 8])
  const mask = torch.ones([3, 8])
  const [y, total] = scripted.encode(x, mask)
  console.log('shapes', y.shape, total.shape)
  console.log('same as without a mask:', torch.equal(total, scripted.encode(x)[1]))
  return scripted
}
