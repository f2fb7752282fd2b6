// A convolutional network for 28x28 images, traced, then frozen: the convolutions and their batch norms become one.
import * as torch from 'torchscript-node'
const { nn, jit } = torch

export class CNN extends nn.Module {
  conv1 = new nn.Conv2d(1, 16, 3, { padding: 1 })
  bn1 = new nn.BatchNorm2d(16)
  conv2 = new nn.Conv2d(16, 32, 3, { padding: 1 })
  bn2 = new nn.BatchNorm2d(32)
  pool = new nn.MaxPool2d(2)
  fc = new nn.Linear(32 * 7 * 7, 10)

  forward(x: torch.Tensor): torch.Tensor {
    let y = this.pool.forward(torch.relu(this.bn1.forward(this.conv1.forward(x))))
    y = this.pool.forward(torch.relu(this.bn2.forward(this.conv2.forward(y))))
    return this.fc.forward(torch.flatten(y, 1))
  }
}

export function main(): torch.jit.ScriptModule {
  torch.manualSeed(0)
  const model = new CNN().eval()
  const traced = jit.trace(model, [torch.randn([1, 1, 28, 28])])
  const frozen = jit.optimizeForInference(traced)
  const images = torch.randn([8, 1, 28, 28])
  console.log(frozen.graph)
  console.log('largest difference', model.forward(images).sub(frozen.forward(images)).abs().max().item())
  return frozen
}
