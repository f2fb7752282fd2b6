// The emulated device of this process is a Hopper chip.
process.env.TORCHSCRIPT_EMULATED_CAPABILITY = '90'
delete process.env.TORCHSCRIPT_CUDA_WGMMA
