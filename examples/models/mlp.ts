// A multilayer perceptron, traced: 784 pixels in, 10 logits out.
import * as torch from 'torchscript-node'
const { nn, jit } = torch

export class MLP extends nn.Module {
  fc1 = new nn.Linear(784, 128)
  fc2 = new nn.Linear(128, 10)

  forward(x: torch.Tensor): torch.Tensor {
    return this.fc2.forward(torch.relu(this.fc1.forward(x)))
  }
}

export function main(): torch.jit.ScriptModule {
  torch.manualSeed(0)
  const model = new MLP().eval()
  const traced = jit.trace(model, [torch.randn([1, 784])])
  const batch = torch.randn([32, 784])
  console.log(traced.code)
  console.log('largest difference', model.forward(batch).sub(traced.forward(batch)).abs().max().item())
  return traced
}
