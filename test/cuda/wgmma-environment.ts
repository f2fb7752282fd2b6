// The emulated device of this process is a Hopper chip.
process.env.TORCHSCRIPT_EMULATED_CAPABILITY = '90'
process.env.TORCHSCRIPT_CUDA_WGMMA = '1'
