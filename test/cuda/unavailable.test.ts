import t from 'tap'

process.env.TORCHSCRIPT_CUDA_DRIVER = '/nowhere/libcuda.so.1'

t.test('without a driver CUDA is not available, and everything says why', async (t) => {
  const torch = await import('../../lib/index.js')
  t.equal(torch.cuda.isAvailable(), false)
  t.equal(torch.cuda.deviceCount(), 0)
  t.match(torch.cuda.unavailableReason(), /^the NVIDIA driver library \/nowhere\/libcuda.so.1 could not be opened \(.*\); CUDA needs an NVIDIA GPU/)
  t.throws(() => torch.ones([2]).to('cuda'), /CUDA is not available: the NVIDIA driver library/)
  t.throws(() => torch.ones([2]).cuda(), /CUDA is not available: the NVIDIA driver library/)
  t.throws(() => torch.tensor([1], { device: 'cuda' }), /CUDA is not available: the NVIDIA driver library/)
  t.throws(() => torch.cuda.synchronize(), /CUDA is not available/)
  t.same(torch.ones([2]).add(1).toArray(), [2, 2], 'the CPU does not care')
})
