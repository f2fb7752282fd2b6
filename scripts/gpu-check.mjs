// `npm run gpu:check`: compiles the TypeScript and starts bench/gpu/check.ts, which builds the rest. Where packages are missing what was compiled before
// is used: a machine with a GPU may have no package registry.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const check = '.build/bench/gpu/check.js'
if (existsSync('node_modules/esbuild')) execFileSync(process.execPath, ['scripts/build-ts.mjs'], { stdio: 'inherit' })
else if (!existsSync(check)) {
  console.error('Expected node_modules (npm ci), or .build, dist and build/Release from a machine of the same kind, but found neither.')
  process.exit(1)
}
process.exitCode = spawnSync(process.execPath, [check, ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1
