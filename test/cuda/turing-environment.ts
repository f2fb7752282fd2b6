// The emulated device of this process is a Turing chip.
process.env.TORCHSCRIPT_EMULATED_CAPABILITY = '75'
