// Runs convolutions with a batch norm from files, as they are and optimised; prints how far results differ.
import * as torch from '../../lib/index.js'

const files = JSON.parse(process.argv[2]) as { file: string; shape: number[] }[]
const found = files.map(({ file, shape }) => {
  const count = shape.reduce((a, b) => a * b, 1)
  const x = torch.linspace(-2, 2, count).sin().reshape(shape)
  const plain = torch.jit.load(file)
  plain.setRecording(false)
  const want = plain.forward(x) as torch.Tensor
  const frozen = torch.jit.optimizeForInference(torch.jit.load(file))
  const first = frozen.forward(x) as torch.Tensor
  const { events, result } = torch.profiler.profile(() => frozen.forward(x) as torch.Tensor)
  const scale = want.abs().max().item() as number
  const differences = [first, result].map((got) => (got.sub(want).abs().max().item() as number) / scale)
  return { file, difference: Math.max(...differences), kernels: events.map((event) => event.kernel) }
})
process.stdout.write(JSON.stringify(found))
