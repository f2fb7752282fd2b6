import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { readTar } from './tar.js'

/** One case with its files on disk. */
export interface Case {
  /** `<kit>/<group>/<case>` */
  readonly name: string
  /** The archive, `<folder>/<case>.pt`; further files of the case lie beside it. */
  readonly model: string
  readonly io: string
  /** Removes files that were written for the run. */
  release(): void
}

const compressed = /\.tar\.(xz|zst)$/

/** Folders of unpacked kits and packed kits that an argument stands for. */
export function kitsOf(path: string): string[] {
  if (!existsSync(path)) throw new Error(`Expected a kit, a folder of kits or a packed kit but received ${path}, which does not exist`)
  if (compressed.test(path)) return [path]
  if (!statSync(path).isDirectory()) throw new Error(`Expected a folder or a .tar.xz or .tar.zst file but received ${path}`)
  const entries = readdirSync(path, { withFileTypes: true })
  const packed = entries.filter((entry) => compressed.test(entry.name)).map((entry) => join(path, entry.name))
  if (packed.length > 0) return packed
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => join(path, entry.name))
  const isKit = folders.some((folder) => readdirSync(folder).some((file) => file.endsWith('.io.pt')))
  return isKit ? [path] : folders
}

/** The cases of one kit whose names pass. */
export function casesOf(kit: string, wanted: (name: string) => boolean): AsyncGenerator<Case> {
  return compressed.test(kit) ? packedCases(kit, wanted) : unpackedCases(kit, wanted)
}

async function* unpackedCases(kit: string, wanted: (name: string) => boolean): AsyncGenerator<Case> {
  for (const group of readdirSync(kit, { withFileTypes: true })) {
    if (!group.isDirectory()) continue
    const folder = join(kit, group.name)
    for (const file of readdirSync(folder).sort()) {
      if (!file.endsWith('.io.pt')) continue
      const base = file.slice(0, -'.io.pt'.length)
      const name = `${basename(kit)}/${group.name}/${base}`
      if (wanted(name)) yield { name, model: join(folder, `${base}.pt`), io: join(folder, file), release: () => {} }
    }
  }
}

const suffix = /\.(io\.pt|legacy\.pth|ptl|pth|pt)$/

/** Streams a packed kit: the files of a case stand together in it, and are on disk only while the case runs. */
async function* packedCases(kit: string, wanted: (name: string) => boolean): AsyncGenerator<Case> {
  const [program, ...args] = kit.endsWith('.xz') ? ['xz', '-dc', kit] : ['zstd', '-dcq', '--long=27', kit]
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const failed = new Promise<never>((_, reject) =>
    child.on('error', (error) => reject(new Error(`Cannot run ${program}, which unpacks ${kit}: ${error.message}`))),
  )
  failed.catch(() => {})
  // Asked for now: the program may be gone before the last file is used.
  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()))
  const root = mkdtempSync(join(tmpdir(), 'conformance-'))
  let files: string[] = []
  let current: string | undefined
  const finish = (): Case | undefined => {
    const mine = files
    const name = current
    files = []
    if (name === undefined || !mine.some((file) => file.endsWith('.io.pt'))) return undefined
    const path = join(root, name)
    return { name, model: `${path}.pt`, io: `${path}.io.pt`, release: () => mine.forEach((file) => rmSync(file, { force: true })) }
  }
  try {
    for await (const { name, bytes } of readTar(child.stdout, (file) => suffix.test(file) && wanted(file.replace(suffix, '')))) {
      const base = name.replace(suffix, '')
      if (base !== current) {
        const ready = finish()
        current = base
        if (ready !== undefined) yield ready
      }
      const path = join(root, name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, bytes)
      files.push(path)
    }
    const last = finish()
    if (last !== undefined) yield last
    await Promise.race([failed, closed])
    if (child.exitCode !== 0) throw new Error(`${program} failed on ${kit} with code ${child.exitCode}`)
  } finally {
    child.kill()
    // Cases still running keep their files: each removes its own.
    process.once('exit', () => rmSync(root, { recursive: true, force: true }))
  }
}
