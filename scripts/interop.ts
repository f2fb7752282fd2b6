// npm run interop -- [--kits folder] [--python path] [--filter text] [--all] [--keep folder]
//
// Archives that we write, in PyTorch. Every kit case that we load is saved again, and PyTorch runs the original and our copy; the cases of
// scripts/interop/authored.ts are made here, and PyTorch must compute what we compute. Without --kits only the latter. Without --python a
// virtual environment with PyTorch is made in .venv-interop. Exit code 1 below 98 % of the copies, or when an authored case fails.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import * as torch from '../lib/index.js'
import { casesOf, kitsOf } from './conformance/kits.js'
import { type AuthoredCase, authoredCases } from './interop/authored.js'
import { Checker, pythonPath, type Verdict } from './interop/python.js'

const { values: options } = parseArgs({
  options: {
    kits: { type: 'string' },
    python: { type: 'string' },
    filter: { type: 'string' },
    keep: { type: 'string' },
    all: { type: 'boolean' },
    help: { type: 'boolean' },
  },
})
if (options.help) {
  console.log('Usage: npm run interop -- [--kits folder] [--python path] [--filter text] [--keep folder for the archives] [--all]')
  process.exit(0)
}
/** The kits whose copies count; others of the folder are left out. */
const kitNames = ['formats', 'language', 'modules', 'quantized']
const neededShare = 0.98

const folder = options.keep ?? mkdtempSync(join(tmpdir(), 'torchscript-interop-'))
const checker = new Checker(pythonPath(options.python))
const wanted = (name: string): boolean => options.filter === undefined || name.includes(options.filter)
const firstLine = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n')[0]

const verdicts: (Verdict & { group: string })[] = []
const notLoaded: string[] = []

function pathFor(name: string): string {
  const path = join(folder, `${name}.pt`)
  mkdirSync(dirname(path), { recursive: true })
  return path
}

async function checkKit(kit: string): Promise<void> {
  for await (const job of casesOf(kit, wanted)) {
    const [group] = job.name.split('/')
    const copy = pathFor(job.name)
    const verdict = await copyAndCheck(job, copy)
    if (verdict !== undefined) verdicts.push({ ...verdict, group })
    if (options.keep === undefined) rmSync(copy, { force: true })
    job.release()
  }
}

async function copyAndCheck(job: { name: string; model: string; io: string }, copy: string): Promise<Verdict | undefined> {
  let module
  try {
    module = torch.jit.load(job.model, { mapLocation: 'cpu' })
  } catch (error) {
    notLoaded.push(`${job.name}: ${firstLine(error)}`)
    return undefined
  }
  try {
    module.save(copy)
  } catch (error) {
    return { name: job.name, ok: false, reason: `not saved: ${firstLine(error)}` }
  } finally {
    module.dispose()
  }
  return checker.check({ name: job.name, original: job.model, copy, io: job.io })
}

/** A copy of an argument: calls may change theirs. */
function copied(value: unknown): unknown {
  if (value instanceof torch.Tensor) return (torch.load(torch.save({ value })) as Map<string, unknown>).get('value')
  if (Array.isArray(value)) return value.map(copied)
  if (value instanceof Map) return new Map([...value].map(([k, v]) => [k, copied(v)]))
  return value
}

async function checkAuthored(job: AuthoredCase): Promise<Verdict> {
  const name = `authored/${job.name}`
  try {
    torch.manualSeed(0)
    const { module, inputs, method = 'forward', extraFiles = {}, rtol, atol } = job.make()
    const copy = pathFor(name)
    torch.jit.save(module, copy, { extraFiles })
    torch.manualSeed(0)
    const isModule = module instanceof torch.jit.ScriptModule
    const args = copied(inputs) as unknown[]
    const calls = [{ method, inputs: copied(inputs), expected: isModule ? module.run(method, ...args) : module(...args) }]
    const expected = `${copy}.io`
    const files = Object.fromEntries(Object.entries(extraFiles).map(([k, v]) => [k, Buffer.from(v as Uint8Array).toString('latin1')]))
    const tolerances = rtol === undefined ? {} : { rtol, atol: atol ?? rtol }
    torch.save({ calls, state: isModule ? module.stateDict() : {}, files, ...tolerances }, expected)
    return await checker.check({ name, copy, expected })
  } catch (error) {
    return { name, ok: false, reason: `not made: ${firstLine(error)}` }
  }
}

function printFailures(): void {
  const byReason = new Map<string, Verdict[]>()
  for (const verdict of verdicts) {
    if (verdict.ok) continue
    const text = verdict.skipped === undefined ? (verdict.reason ?? 'unknown') : 'PyTorch does not run the original'
    const key = text.replace(/\d+/g, 'N').slice(0, 90)
    byReason.set(key, [...(byReason.get(key) ?? []), verdict])
  }
  for (const [reason, failed] of [...byReason].sort(([, a], [, b]) => b.length - a.length)) {
    console.log(`\n${failed.length} x ${reason}`)
    for (const { name, reason: text, skipped } of options.all ? failed : failed.slice(0, 6)) console.log(`  ${name}: ${text ?? skipped}`)
  }
  if (notLoaded.length > 0) {
    console.log(`\n${notLoaded.length} not loaded by us`)
    for (const line of options.all ? notLoaded : notLoaded.slice(0, 6)) console.log(`  ${line}`)
  }
}

const started = performance.now()
if (options.kits !== undefined) {
  const all = kitsOf(options.kits)
  const kits = all.length === 1 ? all : all.filter((kit) => kitNames.some((name) => basename(kit).startsWith(name)))
  for (const kit of kits) await checkKit(kit)
}
for (const job of authoredCases) if (wanted(`authored/${job.name}`)) verdicts.push({ ...(await checkAuthored(job)), group: 'authored' })
checker.stop()
if (options.keep === undefined) rmSync(folder, { recursive: true, force: true })

if (verdicts.length === 0) throw new Error(`Expected archives to check but ${JSON.stringify(options.filter ?? '')} is in the name of none`)
printFailures()
console.log('')
let isBelow = false
for (const group of [...new Set(verdicts.map((verdict) => verdict.group))]) {
  const mine = verdicts.filter((verdict) => verdict.group === group)
  const counted = mine.filter((verdict) => verdict.skipped === undefined)
  const passed = counted.filter((verdict) => verdict.ok).length
  const share = counted.length === 0 ? 1 : passed / counted.length
  const skipped = mine.length > counted.length ? `, ${mine.length - counted.length} that PyTorch itself does not run` : ''
  console.log(`${group}: ${passed} of ${counted.length} (${(100 * share).toFixed(1)} %)${skipped}`)
  if (share < (group === 'authored' ? 1 : neededShare)) isBelow = true
}
console.log(`${((performance.now() - started) / 1000).toFixed(1)} s`)
process.exit(isBelow ? 1 : 0)
