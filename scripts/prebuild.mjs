// Builds the addon for this platform and puts it into prebuilds/<platform>-<arch>/, where the loader looks first.
// prebuildify compiles against the Node-API, so one file serves every Node from 20 on.
import { execFileSync, spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const env = { ...process.env }
if (!env.CXX && spawnSync('ccache', ['--version'], { stdio: 'ignore' }).status === 0)
  Object.assign(env, { CXX: 'ccache g++', CC: 'ccache gcc' })
// The addon file keeps the name that build/Release has, so that the loader looks for one name.
execFileSync(process.execPath, [require.resolve('prebuildify/bin.js'), '--napi', '--strip', '--name', 'torchscript'], {
  stdio: 'inherit',
  env,
})
