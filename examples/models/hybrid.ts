// A traced encoder inside a scripted module: the trace needs no types, the script keeps the loop.
import * as torch from 'torchscript-node'
const { nn, jit } = torch

export class Encoder extends nn.Module {
  conv = new nn.Conv1d(4, 8, 3, { padding: 1 })
  norm = new nn.LayerNorm(8)

  forward(x: torch.Tensor): torch.Tensor {
    return torch.relu(this.norm.forward(this.conv.forward(x).transpose(1, 2)))
  }
}

export class Refiner extends nn.Module {
  encoder = jit.trace(new Encoder().eval(), [torch.randn([1, 4, 10])])
  back = new nn.Linear(8, 4)

  forward(x: torch.Tensor, steps: torch.int = 2): torch.Tensor {
    for (let i = 0; i < steps; i++) {
      x = x.add(this.back.forward(this.encoder.forward(x)).transpose(1, 2))
    }
    return x
  }
}

export function main(): torch.jit.ScriptModule {
  torch.manualSeed(0)
  const model = new Refiner().eval()
  const scripted = jit.script(model)
  const x = torch.randn([2, 4, 25])
  console.log(scripted.code)
  console.log('same for three steps:', torch.allclose(model.forward(x, 3), scripted.forward(x, 3)))
  return scripted
}
