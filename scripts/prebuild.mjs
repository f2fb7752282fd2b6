// Builds the addon for this platform and puts it into prebuilds/<platform>-<arch>/, where the loader looks first.
// prebuildify compiles against the Node-API, so one file serves every Node from 20 on.
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { builtKernels } from './cuda-sources.mjs'

const require = createRequire(import.meta.url)
const env = { ...process.env }
if (!env.CXX && spawnSync('ccache', ['--version'], { stdio: 'ignore' }).status === 0)
  Object.assign(env, { CXX: 'ccache g++', CC: 'ccache gcc' })
const prefix = dirname(dirname(process.execPath))
if (existsSync(join(prefix, 'include/node/node_api.h'))) env.npm_config_nodedir ??= prefix
// The C++ library goes into the file, without the parts that nobody calls: systems older than the one that builds have an older one.
if (process.platform === 'linux') env.LDFLAGS ??= '-static-libstdc++ -Wl,--exclude-libs,ALL -Wl,--gc-sections'
// The name is the one that @electron/rebuild looks for before it compiles a package itself. Further arguments are prebuildify's: --tag-libc on
// a system with musl.
const tool = require.resolve('prebuildify/bin.js')
const options = ['--napi', '--strip', '--name', 'node.napi', '--tag-armv', ...process.argv.slice(2)]
execFileSync(process.execPath, [tool, ...options], { stdio: 'inherit', env })
const folder = `prebuilds/${process.platform}-${process.arch}`
// The CUDA kernels lie beside the addon. They are code of the GPU alone: one file serves every system of this processor.
if (process.platform !== 'darwin') {
  execFileSync(process.execPath, ['scripts/build-cuda.mjs'], { stdio: 'inherit' })
  if (existsSync(builtKernels)) copyFileSync(builtKernels, join(folder, 'torchscript.cuda'))
  else console.log(`${folder} has no torchscript.cuda: CUDA devices cannot be used with it.`)
}
if (process.platform === 'linux') {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.node'))) execFileSync('scripts/addon-needs.sh', [`${folder}/${file}`], { stdio: 'inherit' })
}
