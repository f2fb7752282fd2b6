// A flag among the arguments switches dropout on, whatever mode the module is in.
import * as torch from 'torchscript-node'
const { nn, jit } = torch

export class MonteCarlo extends nn.Module {
  fc1 = new nn.Linear(16, 32)
  fc2 = new nn.Linear(32, 2)

  forward(x: torch.Tensor, withDropout: boolean = false): torch.Tensor {
    let h = torch.relu(this.fc1.forward(x))
    if (withDropout) {
      h = torch.dropout(h, 0.5, true)
    }
    return this.fc2.forward(h)
  }
}

export function main(): torch.jit.ScriptModule {
  torch.manualSeed(0)
  const model = new MonteCarlo().eval()
  const scripted = jit.script(model)
  const x = torch.randn([4, 16])
  console.log('plain', torch.equal(scripted.forward(x), scripted.forward(x)))
  console.log('with dropout', torch.equal(scripted.forward(x, true), scripted.forward(x, true)))
  return scripted
}
