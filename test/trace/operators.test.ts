import t from 'tap'
import { readFileSync } from 'node:fs'
import * as torch from '../../lib/index.js'

const { nn, jit } = torch
const functional = nn.functional

/* The models of test/fixtures/make/trace.py, traced here: their operators are those of PyTorch's traces. */

class BasicBlock extends nn.Module {
  conv1: torch.nn.Conv2d
  bn1: torch.nn.BatchNorm2d
  conv2: torch.nn.Conv2d
  bn2: torch.nn.BatchNorm2d
  downsample: torch.nn.Sequential | null
  constructor(inputs: number, width: number, stride: number) {
    super()
    this.conv1 = new nn.Conv2d(inputs, width, 3, { stride, padding: 1, bias: false })
    this.bn1 = new nn.BatchNorm2d(width)
    this.conv2 = new nn.Conv2d(width, width, 3, { stride: 1, padding: 1, bias: false })
    this.bn2 = new nn.BatchNorm2d(width)
    const isPlain = stride === 1 && inputs === width
    this.downsample = isPlain
      ? null
      : new nn.Sequential(new nn.Conv2d(inputs, width, 1, { stride, bias: false }), new nn.BatchNorm2d(width))
  }
  override forward(x: torch.Tensor): torch.Tensor {
    const identity = this.downsample === null ? x : (this.downsample.forward(x) as torch.Tensor)
    const y = functional.relu(this.bn1.forward(this.conv1.forward(x)))
    return functional.relu(this.bn2.forward(this.conv2.forward(y)).add(identity))
  }
}

class ResNet18 extends nn.Module {
  conv1 = new nn.Conv2d(3, 64, 7, { stride: 2, padding: 3, bias: false })
  bn1 = new nn.BatchNorm2d(64)
  maxpool = new nn.MaxPool2d(3, { stride: 2, padding: 1 })
  layers: torch.nn.Sequential
  avgpool = new nn.AdaptiveAvgPool2d([1, 1])
  fc = new nn.Linear(512, 1000)
  constructor() {
    super()
    const widths = [
      [64, 64, 1],
      [64, 128, 2],
      [128, 256, 2],
      [256, 512, 2],
    ] as const
    this.layers = new nn.Sequential(...widths.map(([i, w, s]) => new nn.Sequential(new BasicBlock(i, w, s), new BasicBlock(w, w, 1))))
  }
  override forward(x: torch.Tensor): torch.Tensor {
    const y = this.maxpool.forward(functional.relu(this.bn1.forward(this.conv1.forward(x)))) as torch.Tensor
    return this.fc.forward(torch.flatten(this.avgpool.forward(this.layers.forward(y)), 1))
  }
}

class Tagger extends nn.Module {
  embedding = new nn.Embedding(50, 16)
  lstm = new nn.LSTM(16, 24, { numLayers: 2, batchFirst: true, bidirectional: true })
  head = new nn.Linear(48, 5)
  override forward(tokens: torch.Tensor): torch.Tensor {
    const [y] = this.lstm.forward(this.embedding.forward(tokens))
    return functional.logSoftmax(this.head.forward(y), -1)
  }
}

class Encoder extends nn.Module {
  encoder = new nn.TransformerEncoder(new nn.TransformerEncoderLayer(32, 4, { dimFeedforward: 64, batchFirst: true }), 2)
  override forward(x: torch.Tensor): torch.Tensor {
    return this.encoder.forward(x).mean(1)
  }
}

function operatorsOf(graph: string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const [, name] of graph.matchAll(/ = (aten::\w+)/g)) counts[name] = (counts[name] ?? 0) + 1
  return counts
}
const expected = JSON.parse(readFileSync('test/fixtures/trace/operators.json', 'utf8')) as Record<string, Record<string, number>>

/** How often each operator is here and not there. */
function difference(a: Record<string, number>, b: Record<string, number>): Record<string, number> {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort()
  return Object.fromEntries(names.flatMap((name) => ((a[name] ?? 0) === (b[name] ?? 0) ? [] : [[name, (a[name] ?? 0) - (b[name] ?? 0)]])))
}

t.test('ResNet-18', (t) => {
  torch.manualSeed(0)
  const model = new ResNet18().eval()
  const traced = jit.trace(model, [torch.randn([1, 3, 64, 64])])
  t.same(operatorsOf(traced.inlinedGraph), expected.resnet18)
  const x = torch.randn([3, 3, 96, 64])
  t.ok(torch.allclose(traced.forward(x), model.forward(x), 1e-4, 1e-5), 'other sizes')
  t.end()
})

t.test('an LSTM', (t) => {
  torch.manualSeed(0)
  const model = new Tagger().eval()
  const tokens = torch.randint(0, 50, [2, 9])
  const traced = jit.trace(model, [tokens])
  t.same(operatorsOf(traced.inlinedGraph), expected.tagger)
  const other = torch.randint(0, 50, [5, 4])
  t.ok(torch.allclose(traced.forward(other), model.forward(other)), 'other sizes')
  t.end()
})

t.test('a transformer encoder', (t) => {
  torch.manualSeed(0)
  const model = new Encoder().eval()
  const traced = jit.trace(model, [torch.randn([2, 7, 32])])
  // PyTorch's sizes are tensors in a trace: arithmetic on them (batch * heads, width / heads) is aten::mul and aten::div, and each use as a
  // number is an aten::Int. Ours are ints, and the products are sizes of -1.
  t.same(difference(operatorsOf(traced.inlinedGraph), expected.encoder), {
    'aten::Int': -20,
    'aten::div': -2,
    'aten::mul': -8,
    'aten::size': -6,
  })
  const x = torch.randn([3, 5, 32])
  t.ok(torch.allclose(traced.forward(x), model.forward(x), 1e-4, 1e-5), 'other sizes')
  t.end()
})
