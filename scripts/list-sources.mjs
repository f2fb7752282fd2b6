// Prints the C++ sources of one native room, one per line, for binding.gyp.
// Usage: node scripts/list-sources.mjs <folder> [--recursive]
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const [folder, flag] = process.argv.slice(2)
const list = (dir) =>
  existsSync(dir)
    ? readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
        const path = join(dir, entry.name)
        if (entry.isDirectory()) return flag === '--recursive' ? list(path) : []
        return entry.name.endsWith('.cc') ? [path] : []
      })
    : []
for (const path of list(folder).sort()) console.log(path)
