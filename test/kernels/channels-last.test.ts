import t from 'tap'
import * as torch from '../../lib/index.js'

/* Channels-last images: the same numbers as of contiguous ones, in the order in memory that PyTorch gives them. */

const source = `
def cat(x: Tensor) -> Tensor:
  return torch.cat([x, x[:, 1:3], x.relu()], 1)
def cat_rows(x: Tensor) -> Tensor:
  return torch.cat([x, x[:, :, 1:3]], -2)
def nearest(x: Tensor) -> Tensor:
  return torch.upsample_nearest2d(x, [7, 12], None)
def nearest_exact(x: Tensor) -> Tensor:
  return torch._upsample_nearest_exact2d(x, [7, 12], None)
def bilinear(x: Tensor) -> Tensor:
  return torch.upsample_bilinear2d(x, [9, 5], False, None)
def bicubic(x: Tensor) -> Tensor:
  return torch.upsample_bicubic2d(x, [9, 11], True, None)
def antialias(x: Tensor) -> Tensor:
  return torch._upsample_bilinear2d_aa(x, [3, 4], False, None)
def half(x: Tensor) -> Tensor:
  return torch.upsample_bilinear2d(x.to(torch.float16), [9, 5], False, None)
def bytes(x: Tensor) -> Tensor:
  return torch.upsample_bilinear2d((x * 50 + 100).to(torch.uint8), [9, 5], False, None)
def batch_norm(x: Tensor) -> Tensor:
  n = torch.arange(x.size(1)) + 1.5
  return torch.batch_norm(x, n, -n, n * 0.3, n * n, False, 0.1, 1e-5, True)
def batch_norm_plain(x: Tensor) -> Tensor:
  n = (torch.arange(x.size(1)) + 1.5).to(torch.float64)
  return torch.batch_norm(x.to(torch.float64), None, None, n * 0.3, n * n, False, 0.1, 1e-5, True)
def batch_norm_half(x: Tensor) -> Tensor:
  n = torch.arange(x.size(1)) + 1.5
  return torch.batch_norm(x.to(torch.float16), n.half(), None, n.half(), (n * n).half(), False, 0.1, 1e-5, True)
def pad(x: Tensor) -> Tensor:
  return torch.constant_pad_nd(x, [1, 2, -1, 3], 0.5)
def pad_channels(x: Tensor) -> Tensor:
  return torch.constant_pad_nd(x, [0, 0, 0, 0, 1, 2], 0.5)
def reflect(x: Tensor) -> Tensor:
  return torch.reflection_pad2d(x, [1, 2, 3, 1])
def replicate(x: Tensor) -> Tensor:
  return torch.replication_pad2d(x, [1, 2, 3, 1])
`
const unit = new torch.jit.CompilationUnit(source) as unknown as Record<string, (x: torch.Tensor) => torch.Tensor>

for (const [, name] of source.matchAll(/def (\w+)/g)) {
  t.test(name, (t) => {
    torch.manualSeed(3)
    const x = torch.randn([2, 5, 6, 7])
    const want = unit[name](x)
    const got = unit[name](x.contiguous({ memoryFormat: 'channels_last' }))
    t.same(got.shape, want.shape)
    t.same(got.toArray(), want.toArray())
    const [, c, , w] = got.shape
    t.same(got.stride().slice(1), [1, w * c, c], 'channels inside')
    t.end()
  })
}

t.test('joins of both layouts are contiguous', (t) => {
  const x = torch.randn([2, 5, 6, 7])
  const last = x.contiguous({ memoryFormat: 'channels_last' })
  const got = torch.cat([last, x], 1)
  t.same(got.stride(), [420, 42, 7, 1])
  t.same(got.toArray(), torch.cat([x, x], 1).toArray())
  t.end()
})
