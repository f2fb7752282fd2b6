// Runs graphs of pointwise operators fused on the device and one by one on the CPU.
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { parseGraph } from '../../lib/ir/parser.js'
import { nativeBinding } from '../../lib/native/loader.js'
import { Tensor } from '../../lib/tensor/tensor.js'
import { oneByOne } from '../passes/random-groups.js'
import { programOf } from '../passes/support.js'

export interface Ran {
  readonly received: readonly Tensor[]
  readonly expected: readonly Tensor[]
  /** Calls whose fused group ran as one kernel. */
  readonly fused: number
}

/** What a list of tensors, the graph's result, is on the device and on the CPU. The second call replays what the first one has recorded. */
export function runGroup(text: string, inputs: readonly unknown[], rounds = 2): Ran {
  const graph = parseGraph(text)
  const [program, fn] = programOf(graph)
  const native = nativeBinding()
  const moved = inputs.map((input) => (input instanceof Tensor ? input.to('cuda') : input))
  let received: readonly Tensor[] = []
  let fused = 0
  try {
    const expected = oneByOne(graph, inputs)
    for (let round = 0; round < rounds; round++) {
      native.setTrace(true)
      try {
        received = program.call(fn, moved) as Tensor[]
      } finally {
        if (native.takeTrace().some((line) => line.includes('fused_pointwise_cuda'))) fused++
        native.setTrace(false)
      }
    }
    return { received, expected, fused }
  } finally {
    program.dispose()
  }
}

export function refusedOnCpu(text: string, inputs: readonly unknown[]): boolean {
  try {
    oneByOne(parseGraph(text), inputs)
    return false
  } catch {
    return true
  }
}

/** ptxas, where it is on PATH, takes the kernels of a folder, those for sm_75 and the others. */
export function assemble(t: Test, folder: string): void {
  const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'))
  t.ok(texts.length > 0)
  if (spawnSync('ptxas', ['--version']).status !== 0) {
    t.comment(`ptxas is not on PATH: skipped, ${texts.length} kernels are not assembled`)
    return
  }
  const all = join(folder, 'all.ptx')
  for (const [target, archs] of [
    ['sm_75', ['sm_75', 'sm_90']],
    ['sm_80', ['sm_80', 'sm_90']],
  ] as const) {
    const those = texts.filter((text) => text.includes(`.target ${target}`))
    if (those.length === 0) continue
    writeFileSync(all, those.map((text, i) => (i === 0 ? text : text.slice(text.indexOf('.visible')))).join('\n'))
    for (const arch of archs) {
      execFileSync('ptxas', ['-O0', `-arch=${arch}`, all, '-o', join(folder, 'all.cubin')], { stdio: ['ignore', 'pipe', 'pipe'] })
      t.pass(`${those.length} kernels for ${arch}`)
    }
  }
}
