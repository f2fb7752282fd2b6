// Builds the addon for this platform and puts it into prebuilds/<platform>-<arch>/, where the loader looks first.
// prebuildify compiles against the Node-API, so one file serves every Node from 20 on.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)
const env = { ...process.env }
if (!env.CXX && spawnSync('ccache', ['--version'], { stdio: 'ignore' }).status === 0)
  Object.assign(env, { CXX: 'ccache g++', CC: 'ccache gcc' })
const prefix = dirname(dirname(process.execPath))
if (existsSync(join(prefix, 'include/node/node_api.h'))) env.npm_config_nodedir ??= prefix
// The C++ library goes into the file, without the parts that nobody calls: systems older than the one that builds have an older one.
if (process.platform === 'linux') env.LDFLAGS ??= '-static-libstdc++ -Wl,--exclude-libs,ALL -Wl,--gc-sections'
// The addon file keeps the name that build/Release has, so that the loader looks for one name.
execFileSync(process.execPath, [require.resolve('prebuildify/bin.js'), '--napi', '--strip', '--name', 'torchscript'], {
  stdio: 'inherit',
  env,
})
if (process.platform === 'linux')
  execFileSync('scripts/addon-needs.sh', [`prebuilds/linux-${process.arch}/torchscript.node`], { stdio: 'inherit' })
