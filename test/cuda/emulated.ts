// Makes this process use the emulated CUDA driver (test/cuda/emulation, docs/cuda.md), which `npm test` builds. Import it before the package.
// With TORCHSCRIPT_TEST_GPU=1 the tests run on the machine's GPU instead, as `npm run gpu:check` has them.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

/** False on a GPU: what only the emulated driver can show is not tested there. */
export const emulated = process.env.TORCHSCRIPT_TEST_GPU !== '1'
/** For tests of what only the emulated driver has: `t.test('...', onlyEmulated, ...)`. */
export const onlyEmulated = { skip: emulated ? false : 'needs the emulated driver' }
const library = resolve('build/emulated/libcuda_emulated.so')
if (emulated) {
  if (!existsSync(library)) execFileSync(process.execPath, ['scripts/build-emulated.mjs'], { stdio: 'inherit' })
  process.env.TORCHSCRIPT_CUDA_DRIVER = library
  // Each tensor's memory ends where its elements end, so that accesses beyond are found.
  process.env.TORCHSCRIPT_CUDA_ALLOCATOR ??= 'exact'
}
