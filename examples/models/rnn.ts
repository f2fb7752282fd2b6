// A recurrent network whose loop over time is written out, scripted, and run with sequences of two lengths.
import * as torch from 'torchscript-node'
const { nn, jit } = torch

export class RNN extends nn.Module {
  cell = new nn.GRUCell(8, 16)
  head = new nn.Linear(16, 3)

  forward(x: torch.Tensor): torch.Tensor {
    let h = torch.zeros([x.size(1), 16])
    for (let t = 0; t < x.size(0); t++) {
      h = this.cell.forward(x.select(0, t), h)
    }
    return this.head.forward(h)
  }
}

export function main(): torch.jit.ScriptModule {
  torch.manualSeed(0)
  const model = new RNN().eval()
  const scripted = jit.script(model)
  for (const length of [5, 12]) {
    const x = torch.randn([length, 2, 8])
    console.log(`length ${length}:`, torch.allclose(model.forward(x), scripted.forward(x)))
  }
  return scripted
}
