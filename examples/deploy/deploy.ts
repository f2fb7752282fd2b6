// A deployment from end to end: a PyTorch state dict becomes a TypeScript model, the model a trace - or a script, where a trace would not hold -,
// which is frozen, optimised, checked on real digits, timed, saved and loaded again.
import { statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as torch from 'torchscript-node'
const { nn, jit } = torch

export class SimpleCNN extends nn.Module {
  conv1 = new nn.Conv2d(1, 32, 3, { padding: 1 })
  conv2 = new nn.Conv2d(32, 64, 3, { padding: 1 })
  pool = new nn.MaxPool2d(2, 2)
  fc1 = new nn.Linear(64 * 7 * 7, 128)
  fc2 = new nn.Linear(128, 10)
  drop = new nn.Dropout(0.25)

  forward(x: torch.Tensor): torch.Tensor {
    let y = this.pool.forward(torch.relu(this.conv1.forward(x)))
    y = this.pool.forward(torch.relu(this.conv2.forward(y)))
    y = torch.relu(this.fc1.forward(y.view(-1, 64 * 7 * 7)))
    return this.fc2.forward(this.drop.forward(y))
  }
}

/** A trace when it holds for other inputs than its example, else a script. */
function convert(model: torch.nn.Module, example: torch.Tensor, others: torch.Tensor[]): torch.jit.ScriptModule {
  const traced = jit.trace(model, [example])
  const holds = others.every((x) => {
    const [ours, expected] = [traced.forward(x), model.forward(x)] as torch.Tensor[]
    return ours.shape.join() === expected.shape.join() && torch.allclose(ours, expected, 1e-4, 1e-5)
  })
  if (holds) return traced
  console.log('the trace does not hold for other inputs: scripting')
  return jit.script(model) as torch.jit.ScriptModule
}

function medianMilliseconds(run: () => void): number {
  const times = Array.from({ length: 15 }, () => {
    const start = performance.now()
    run()
    return performance.now() - start
  })
  return times.sort((a, b) => a - b)[7]
}

export function main(folder = 'examples/digits'): { accuracy: number; largestDifference: number; bytes: number } {
  const model = new SimpleCNN().eval()
  model.loadStateDict(torch.load(`${folder}/mnist_cnn_state_dict.pth`) as Map<string, torch.Tensor>)
  const { images, labels } = torch.loadNpz(`${folder}/mnist_test.npz`)
  const expected = torch.loadNpy(`${folder}/mnist_expected_logits.npy`)
  const digits = images.to('float32').div(255).sub(0.1307).div(0.3081).unsqueeze(1)

  const converted = convert(model, digits.narrow(0, 0, 1), [digits.narrow(0, 1, 3)])
  const optimised = jit.optimizeForInference(converted)

  const path = join(tmpdir(), `digits-${process.pid}.pt`)
  jit.save(optimised, path, { extraFiles: { 'classes.json': JSON.stringify([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) } })
  const extraFiles = { 'classes.json': '' }
  const loaded = jit.load(path, { extraFiles })
  const { size: bytes } = statSync(path)

  const logits = loaded.forward(digits) as torch.Tensor
  const accuracy = logits.argmax(1).eq(labels).to('float64').mean().item()
  const largestDifference = logits.sub(expected).abs().max().item()
  const one = digits.narrow(0, 0, 1)
  console.log(`classes ${extraFiles['classes.json']}`)
  console.log(`accuracy ${(100 * accuracy).toFixed(2)} %, largest difference from PyTorch's logits ${largestDifference.toExponential(1)}`)
  console.log(
    `file ${(bytes / 2 ** 20).toFixed(2)} MiB; a digit takes ${medianMilliseconds(() => loaded.forward(one)).toFixed(2)} ms (in TypeScript, eager: ${medianMilliseconds(() => model.forward(one)).toFixed(2)} ms)`,
  )
  return { accuracy, largestDifference, bytes }
}
