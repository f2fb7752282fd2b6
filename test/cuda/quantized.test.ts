import './emulated.js'
import t from 'tap'
import * as torch from '../../lib/index.js'
import { distance } from './compare.js'

t.test('quantized convolutions and linear layers on Tensor Cores', (t) => {
  const [input, output] = torch.load('test/fixtures/cuda/quantized.io.pt') as [torch.Tensor, torch.Tensor]
  const module = torch.jit.load('test/fixtures/cuda/quantized.pt').to('cuda')
  const received = module.forward(input.to('cuda')) as torch.Tensor
  t.equal(received.device, 'cuda:0')
  t.equal(distance(received.cpu(), output), 0)
  t.equal(distance((module.forward(input.to('cuda')) as torch.Tensor).cpu(), output), 0, 'with packed weights')
  t.end()
})
