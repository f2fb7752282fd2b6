import t from 'tap'
import { CNN } from '../../../examples/models/cnn.js'
import * as torch from '../../../lib/index.js'

const { nn } = torch

/** Nodes of an operator. */
const of = (explanation: torch.Explanation, kind: string): torch.NodeExplanation[] => explanation.nodes.filter((node) => node.kind === kind)

t.test('each node has its kernels, or a reason', (t) => {
  const explanation = torch.compile(new CNN().eval()).explain(torch.randn([2, 1, 28, 28]))
  const [first, second] = of(explanation, 'torchscript::convolution_epilogue')
  t.equal(first.kernels.length, 1)
  t.match(first.kernels[0], {
    row: 'convolution_epilogue',
    inputs: ['float32[2, 1, 28, 28]', 'float32[16, 1, 3, 3]', 'float32[16]'],
    outputs: ['float32[2, 16, 28, 28]'],
  })
  t.same(first.notes, [{ pass: 'fuse-epilogues', kind: 'fused', reason: 'does relu on its results in registers' }])
  t.match(second.kernels[0].outputs, ['float32[2, 32, 14, 14]'])
  const [linear] = of(explanation, 'aten::linear')
  t.same(linear.notes, [{ pass: 'fuse-epilogues', kind: 'kept', reason: 'its result is returned' }])
  t.match(linear.kernels, [{ row: 'linear' }])
  for (const node of explanation.nodes) t.equal(node.kernels.length === 0, node.idle !== '', node.text)
  t.equal(explanation.signature?.state, 'recorded')
  t.equal(explanation.signature?.steps, explanation.nodes.flatMap((node) => node.kernels).length, 'all steps have a node')
  t.equal(explanation.isa, torch.isa())
  t.match(String(explanation), /^\(float32\[2, 1, 28, 28\]\) on \w+, \d+ threads?: \d+ steps, arena /)
  t.match(explanation.graph, /^graph\(/)
  t.end()
})

t.test('kernels of composed operators belong to the node that calls them', (t) => {
  const fn = torch.jit.trace(
    (x: torch.Tensor) => torch.instanceNorm(x.neg(), null, null, null, null, true, 0.1, 1e-5, true),
    [torch.randn([2, 3, 5])],
  )
  const explanation = torch.explain(fn, [torch.randn([2, 3, 5])])
  const kernels = explanation.nodes.flatMap((node) => node.kernels.map(() => node.kind))
  t.ok(kernels.length >= 2)
  t.same([...new Set(kernels)], ['aten::neg', 'aten::instance_norm'])
  t.end()
})

t.test('why layers were not fused', (t) => {
  const weight = torch.randn([4, 4])
  const reasonOf = (fn: (x: torch.Tensor) => unknown): string => {
    const module = torch.jit.trace(fn as () => torch.Tensor, [torch.randn([2, 4])])
    const [node] = torch.explain(module, [torch.randn([2, 4])]).nodes.filter((n) => n.kind === 'aten::linear')
    return node.notes.map((note) => note.reason).join()
  }
  t.match(
    reasonOf((x) => {
      const y = torch.linear(x, weight)
      return [y.relu(), y.neg()]
    }),
    'its result is read 2 times',
  )
  t.match(
    reasonOf((x) => torch.linear(x, weight).softmax(1)),
    /^aten::softmax after it is nothing that can be done in registers/,
  )
  t.equal(
    reasonOf((x) => torch.linear(x, x)),
    'its weight or bias is no constant, or its arguments are not known',
  )
  t.end()
})

t.test('a group shows what is in it and its kernel', (t) => {
  const fn = torch.jit.trace((x: torch.Tensor) => x.add(1).mul(2).sin().softmax(-1), [torch.randn([64, 64])])
  const [group] = of(torch.explain(fn, [torch.randn([64, 64])]), 'prim::FusionGroup')
  t.match(group.text, /= prim::FusionGroup_0\(%x\)$/)
  t.match(group.inner, [/aten::add/, /aten::mul/, /aten::sin/])
  t.match(group.kernels, [{ row: 'fused_pointwise' }])
  t.match(group.notes, [{ pass: 'fuse-pointwise', kind: 'fused', reason: 'one pass over memory instead of 3' }])
  t.end()
})

t.test('methods, functions, dynamic signatures', (t) => {
  class Two extends nn.Module {
    static exports = ['twice']
    forward(x: torch.Tensor): torch.Tensor {
      return x.neg()
    }
    twice(x: torch.Tensor): torch.Tensor {
      return x.mul(2)
    }
  }
  const module = torch.jit.script(new Two().eval())
  t.match(torch.explain(module, [torch.ones([2])], { method: 'twice' }).nodes.at(-1), { kind: 'aten::mul', kernels: [{ row: 'mul' }] })
  t.throws(() => torch.explain(module, [torch.ones([2])], { method: 'thrice' }), {
    message: "Expected a method of __torch__.Two for `method` but received 'thrice'; it has forward, twice",
  })
  const dynamic = torch.jit.script((x: torch.Tensor): torch.Tensor => torch.nonzero(x).neg())
  const explanation = torch.explain(dynamic, [torch.ones([2])])
  t.equal(explanation.signature?.state, 'dynamic')
  t.match(String(explanation), /runs operator by operator: /)
  t.match(of(explanation, 'aten::nonzero')[0].kernels, [{ row: 'nonzero', outputs: ['int64[2, 1]'] }])
  const eager = torch.compile((x: torch.Tensor) => x.sum().item(), { backend: 'eager' })
  t.throws(() => torch.explain(eager, [torch.ones([2])]), { message: 'There is nothing to explain: the function runs as it is' })
  t.throws(() => torch.explain(new Two(), [torch.ones([2])]), {
    message: 'Expected a TorchScript module or function, or a result of torch.compile, for `target` but received Two',
  })
  const compiled = torch.compile((x: torch.Tensor, n: number) => ({ y: x.mul(n) }))
  t.match(torch.explain(compiled, [torch.ones([2]), 3]).nodes.at(-1), { kernels: [] })
  t.match(of(torch.explain(compiled, [torch.ones([2]), 3]), 'aten::mul')[0].kernels, [{ row: 'mul' }])
  t.end()
})

t.test('explaining changes nothing', (t) => {
  const model = torch.jit.load('examples/speech/silero_vad.pt')
  const twin = torch.jit.load('examples/speech/silero_vad.pt')
  const chunk = torch.randn([1, 512])
  void torch.explain(model, [chunk, 16000])
  t.ok(torch.equal(model.forward(chunk, 16000) as torch.Tensor, twin.forward(chunk, 16000) as torch.Tensor), "the state is the copy's")
  t.end()
})
