// Formats C++ sources by .clang-format where clang-format is installed: those that are named, or else those that differ from HEAD; `--all` takes all.
// With --check it only compares and fails on differences. Generated files are left alone.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const args = process.argv.slice(2)
const options = args.filter((arg) => arg.startsWith('--'))
const wrong = options.find((option) => option !== '--all' && option !== '--check')
if (wrong !== undefined) throw new Error(`Expected --all, --check or files but received ${wrong}`)
const named = args.filter((arg) => !arg.startsWith('--'))
const git = (...words) => execFileSync('git', words, { encoding: 'utf8' }).split('\n').filter((file) => existsSync(file))
const sources = ['native/*.cc', 'native/*.h', 'test/native/*.cc']
const listed = () =>
  options.includes('--all')
    ? git('ls-files', ...sources)
    : [...git('diff', '--name-only', 'HEAD', '--', ...sources), ...git('ls-files', '--others', '--exclude-standard', '--', ...sources)]
const files = (named.length > 0 ? named : listed()).filter((file) => !file.startsWith('native/gen/'))

if (spawnSync('clang-format', ['--version']).status !== 0) {
  console.log(`clang-format is not installed: ${files.length} C++ files not formatted (Debian: apt-get install clang-format)`)
  process.exit(0)
}
const check = options.includes('--check')
if (files.length > 0) execFileSync('clang-format', [check ? '--dry-run' : '-i', ...(check ? ['--Werror'] : []), ...files], { stdio: 'inherit' })
console.log(`${files.length} C++ files ${check ? 'checked' : 'formatted'}`)
