// Runs graphs of pointwise operators fused on the device and one by one on the CPU.
import { parseGraph } from '../../lib/ir/parser.js'
import { nativeBinding } from '../../lib/native/loader.js'
import { Program } from '../../lib/runtime/program.js'
import { Tensor } from '../../lib/tensor/tensor.js'
import { oneByOne } from '../passes/random-groups.js'

export interface Ran {
  readonly received: readonly Tensor[]
  readonly expected: readonly Tensor[]
  /** Calls whose fused group ran as one kernel. */
  readonly fused: number
}

/** What a list of tensors, the graph's result, is on the device and on the CPU. The second call replays what the first one has recorded. */
export function runGroup(text: string, inputs: readonly unknown[], rounds = 2): Ran {
  const graph = parseGraph(text)
  const fn = {
    qualifiedName: 'test',
    name: 'test',
    parameters: graph.inputs.map((v, i) => ({ name: `x${i}`, type: v.type })),
    returnType: graph.outputs[0].type,
    graph,
  }
  const program = new Program({
    classes: {
      classType: (n: string): never => {
        throw new Error(n)
      },
      parseType: () => undefined,
      enumType: () => undefined,
    },
    functions: [fn],
  })
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
