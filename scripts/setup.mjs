// Everything a fresh clone needs, in order: packages, the native addon, the compiled TypeScript. Each step says why it runs, and
// is skipped when its result is there and newer than its inputs (node-gyp's make does that for the addon).
import { execSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const run = (command) => {
  console.log(`> ${command}`)
  execSync(command, { stdio: 'inherit' })
}
if (!existsSync('node_modules/esbuild')) run('npm ci --no-audit --no-fund')
run('node scripts/build-native.mjs')
run('node scripts/build-ts.mjs')
