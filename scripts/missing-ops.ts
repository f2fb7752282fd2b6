// node .build/scripts/missing-ops.js <kit...> [--filter text]
//
// Operators that the programs of conformance kits name and that nothing here can run, most wanted first: in how many cases, and how
// many cases lack this one only. Nothing is run: branches that no case takes count too. Functions that do not compile are listed after.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { openScriptArchive } from '../lib/archive/script-archive.js'
import { inspectProgram } from '../lib/runtime/load-program.js'
import { casesOf, kitsOf } from './conformance/kits.js'

const { values: options, positionals } = parseArgs({ allowPositionals: true, options: { filter: { type: 'string' } } })
if (positionals.length === 0) {
  console.log('Usage: node .build/scripts/missing-ops.js <kit, packed kit or folder of kits>... [--filter text]')
  process.exit(2)
}
const wanted = new Map<string, { cases: number; alone: number; example: string }>()
const broken = new Map<string, { cases: number; example: string }>()
let total = 0
let complete = 0
for (const kit of positionals.flatMap(kitsOf)) {
  for await (const { name, model, release } of casesOf(kit, (n) => options.filter === undefined || n.includes(options.filter))) {
    total++
    try {
      // Read whole, so that the file can go at once.
      const { missingOperators, brokenFunctions } = inspectProgram(openScriptArchive(readFileSync(model)))
      if (missingOperators.length === 0 && brokenFunctions.length === 0) complete++
      for (const operator of missingOperators) {
        const row = wanted.get(operator) ?? { cases: 0, alone: 0, example: name }
        row.cases++
        if (missingOperators.length === 1) row.alone++
        wanted.set(operator, row)
      }
      for (const { name: fn, error } of brokenFunctions) {
        const key = error.split('\n')[0].slice(0, 160)
        const row = broken.get(key) ?? { cases: 0, example: `${name} ${fn}` }
        row.cases++
        broken.set(key, row)
      }
    } catch (error) {
      console.log(`${name}: ${(error as Error).message.split('\n')[0]}`)
    }
    release()
  }
}
console.log(`${complete} of ${total} programs name nothing that is missing.`)
for (const [name, { cases, alone, example }] of [...wanted].sort(([, a], [, b]) => b.cases - a.cases)) {
  console.log(`${String(cases).padStart(5)} cases, ${String(alone).padStart(4)} lack it only  ${name}  (${example})`)
}
for (const [error, { cases, example }] of [...broken].sort(([, a], [, b]) => b.cases - a.cases))
  console.log(`${String(cases).padStart(5)} broken functions: ${error}  (${example})`)
