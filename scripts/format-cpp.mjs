// Formats C++ sources by .clang-format where clang-format is installed; with --check it only compares and fails on differences.
// Generated files are left alone.
import { execFileSync, spawnSync } from 'node:child_process'

const files = execFileSync('git', ['ls-files', 'native/*.cc', 'native/*.h', 'test/native/*.cc'], { encoding: 'utf8' })
  .split('\n')
  .filter((f) => f !== '' && !f.startsWith('native/gen/'))
if (spawnSync('clang-format', ['--version']).status !== 0) {
  console.log(`clang-format is not installed: ${files.length} C++ files not formatted (Debian: apt-get install clang-format)`)
  process.exit(0)
}
const check = process.argv.includes('--check')
execFileSync('clang-format', [check ? '--dry-run' : '-i', ...(check ? ['--Werror'] : []), ...files], { stdio: 'inherit' })
console.log(`${files.length} C++ files ${check ? 'checked' : 'formatted'}`)
