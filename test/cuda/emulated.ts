// Makes this process use the emulated CUDA driver (test/cuda/emulation, docs/cuda.md), which `npm test` builds. Import it before the package.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

const library = resolve('build/emulated/libcuda_emulated.so')
if (!existsSync(library)) execFileSync(process.execPath, ['scripts/build-emulated.mjs'], { stdio: 'inherit' })
process.env.TORCHSCRIPT_CUDA_DRIVER = library
// Each tensor's memory ends where its elements end, so that accesses beyond are found.
process.env.TORCHSCRIPT_CUDA_ALLOCATOR ??= 'exact'
