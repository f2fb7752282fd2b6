// What a run is stamped with: the machine, and the limits that bench/kernels/probe.cc measures.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { resolve } from 'node:path'
import { isa } from '../../lib/index.js'
import type { Limits, Machine } from './results.js'

function version(): string {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  try {
    const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
    return `${version} (${commit})`
  } catch {
    return version
  }
}

export const describeMachine = (peers: Readonly<Record<string, string>>): Machine => ({
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
  memoryBytes: totalmem(),
  platform: `${process.platform} ${process.arch}`,
  isa: isa(),
  versions: { 'torchscript-node': version(), node: process.versions.node, ...peers },
})

const vectorFlags: Readonly<Record<string, readonly string[]>> = {
  avx512: ['-DVECTOR_BYTES=64', '-mavx512f'],
  avx2: ['-DVECTOR_BYTES=32', '-mavx2', '-mfma'],
  scalar: ['-DVECTOR_BYTES=16'],
}

/** Measures the machine with so many threads, on the vectors of an instruction set; a string says why not. Takes about a second. */
export function measureLimits(set: string, threads: number): Limits | string {
  const source = resolve('bench/kernels/probe.cc')
  const changed = Math.max(...[source, resolve('bench/kernels/limits.h')].map((file) => statSync(file).mtimeMs))
  const folder = resolve('build/bench')
  const program = resolve(folder, `probe-${set}`)
  try {
    if (!existsSync(program) || statSync(program).mtimeMs < changed) {
      mkdirSync(folder, { recursive: true })
      const flags = ['-std=c++20', '-O3', '-ffp-contract=fast', ...(vectorFlags[set] ?? []), source, '-o', program, '-lpthread']
      execFileSync(process.env.CXX ?? 'g++', flags, { stdio: ['ignore', 'ignore', 'pipe'] })
    }
    return JSON.parse(execFileSync(program, [String(threads)], { encoding: 'utf8' })) as Limits
  } catch (error) {
    return `bench/kernels/probe.cc was not built or did not run: ${(error as Error).message.split('\n')[0]}`
  }
}
