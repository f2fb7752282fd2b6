// A model whose way depends on its data. A trace would keep the branch of the example; a script keeps both.
import * as torch from 'torchscript-node'
const { nn, jit } = torch

export class Branch extends nn.Module {
  positive = new nn.Linear(4, 4)
  negative = new nn.Linear(4, 4)

  forward(x: torch.Tensor): torch.Tensor {
    if (x.sum().item() > 0) {
      return this.positive.forward(x)
    } else {
      return this.negative.forward(x)
    }
  }
}

export function main(): torch.jit.ScriptModule {
  torch.manualSeed(0)
  const model = new Branch().eval()
  const scripted = jit.script(model)
  console.log(scripted.code)
  for (const x of [torch.ones([2, 4]), torch.ones([2, 4]).neg()]) {
    console.log('same on both sides of the branch:', torch.equal(model.forward(x), scripted.forward(x)))
  }
  return scripted
}
