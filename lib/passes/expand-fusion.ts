// The operators that this pass makes.
import '../ops/fused-pointwise.js'
import { allNodes, type Graph, type Node, type Value } from '../ir/graph.js'
import { schemaByFullName } from '../ir/schema.js'
import { BoolType, StringType } from '../ir/types.js'
import { invariant } from '../util/errors.js'
import { copyNodes } from './clone.js'
import { fusionStep } from './fusible.js'
import type { Pass } from './pass.js'

function subgraphOf(node: Node): Graph {
  const attribute = node.attributes.get('Subgraph')
  invariant(attribute?.kind === 'graph', 'prim::FusionGroup has no graph.')
  return attribute.graph
}

/** The program of a group for the kernel (native/cpu-avx/fused.h): its text, and the constants that follow the group's own inputs. */
export function fusionProgram(graph: Graph): { readonly text: string; readonly constants: readonly Value[] } {
  const names = new Map<Value, string>()
  graph.inputs.forEach((value, i) => names.set(value, `i${i}`))
  const constants: Value[] = []
  const nameOf = (value: Value): string => {
    let name = names.get(value)
    if (name === undefined) {
      name = `i${graph.inputs.length + constants.length}`
      constants.push(value)
      names.set(value, name)
    }
    return name
  }
  const steps: string[] = []
  for (const node of graph.nodes) {
    if (node.kind === 'prim::Constant') continue
    const step = fusionStep(node)
    invariant(step !== undefined, `${node.kind} cannot be a step of a group.`)
    steps.push([step.row, ...step.arguments.map(nameOf)].join(' '))
    names.set(node.output, `v${steps.length - 1}`)
  }
  return { text: `${steps.join(';')}>${graph.outputs.map(nameOf).join(' ')}`, constants }
}

/**
 * Fused groups become the kernel, and the operators as they were for arguments that the kernel does not take.
 *
 *     %y : Tensor = prim::FusionGroup_0(%x)    =>    %fits : bool = torchscript::fusion_fits(%program, %x)
 *                                                    %y : Tensor = prim::If(%fits)
 *                                                      block0(): ... torchscript::fused_pointwise(%program, %x)
 *                                                      block1(): the operators
 */
export const expandFusion: Pass = {
  name: 'expand-fusion',
  run(graph: Graph): boolean {
    const groups = [...allNodes(graph.block)].filter((node) => node.kind === 'prim::FusionGroup')
    for (const node of groups) expand(graph, node)
    return groups.length > 0
  },
}

function expand(graph: Graph, group: Node): void {
  const inner = subgraphOf(group)
  const { text, constants } = fusionProgram(inner)
  const program = graph.createConstant({ kind: 'string', value: text }, StringType).insertBefore(group).output
  const copies = constants.map((value) => graph.createConstant(value.node.constant!, value.type).insertBefore(group).output)
  const inputs = [program, ...group.inputs, ...copies]
  const fits = graph.create('torchscript::fusion_fits', inputs).insertBefore(group)
  fits.schema = schemaByFullName('torchscript::fusion_fits')
  fits.output.setType(BoolType)
  const branch = graph.create('prim::If', [fits.output], 0).insertBefore(group)
  const fused = graph.create('torchscript::fused_pointwise', inputs, group.outputs.length)
  fused.schema = schemaByFullName('torchscript::fused_pointwise')
  const [whole, apart] = [branch.addBlock(), branch.addBlock()]
  whole.append(fused)
  fused.outputs.forEach((output) => whole.addOutput(output))
  const values = new Map<Value, Value>(inner.inputs.map((value, i) => [value, group.inputs[i]]))
  copyNodes(inner.block, graph, values, (node) => apart.append(node))
  for (const output of inner.outputs) apart.addOutput(values.get(output)!)
  for (const node of [fits, branch, fused]) {
    node.range = group.range
    node.callStack = group.callStack
  }
  group.outputs.forEach((output, i) => {
    fused.outputs[i].setType(output.type)
    output.replaceAllUsesWith(branch.addOutput(output.type, output.debugName))
  })
  group.destroy()
}
