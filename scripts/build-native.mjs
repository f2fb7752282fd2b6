// Builds the addon from source into build/Release with node-gyp. Incremental: configures again only
// when the list of sources or binding.gyp has changed. Uses ccache when it is installed.
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)
const gyp = (() => {
  try {
    require.resolve('node-addon-api')
    return require.resolve('node-gyp/bin/node-gyp.js')
  } catch {
    console.error(
      'Expected the packages node-gyp and node-addon-api but they are not installed: npm install --no-save node-gyp node-addon-api',
    )
    process.exit(1)
  }
})()
const env = { ...process.env }
if (!env.CXX && spawnSync('ccache', ['--version'], { stdio: 'ignore' }).status === 0) {
  env.CXX = 'ccache g++'
  env.CC = 'ccache gcc'
}
// Node's own headers, where they are installed beside it: node-gyp downloads them otherwise.
const prefix = dirname(dirname(process.execPath))
if (existsSync(join(prefix, 'include/node/node_api.h'))) env.npm_config_nodedir ??= prefix
const run = (...args) => execFileSync(process.execPath, [gyp, ...args], { stdio: 'inherit', env })

const folders = ['native/core', 'native/binding', 'native/cpu-avx', 'native/cuda']
const sources = folders.map((f) => execFileSync(process.execPath, ['scripts/list-sources.mjs', f, '--recursive'])).join('')
const stamp = createHash('sha256').update(sources).update(readFileSync('binding.gyp')).digest('hex')
const stampFile = 'build/.sources'
const configured = existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp
if (!configured) {
  run('configure')
  mkdirSync('build', { recursive: true })
  writeFileSync(stampFile, stamp)
}
run('build', '-j', String(availableParallelism()))
