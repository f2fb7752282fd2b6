// The operator that this pass makes.
import '../ops/broadcast-size.js'
import { allNodes, type Graph, type Node, type Value } from '../ir/graph.js'
import { schemaByFullName } from '../ir/schema.js'
import { IntType, TensorType } from '../ir/types.js'
import { implementationOf } from '../ops/registry.js'
import { argumentAt, traitsOf } from '../ops/traits.js'
import { contractionOf, subscriptsOf } from './einsum-form.js'
import { changesShapes } from './known-ranks.js'
import type { Pass } from './pass.js'
import { numberOf } from './pattern.js'
import { rankOf } from './ranks.js'

/**
 * Sizes are asked of what a tensor is made of: what only its sizes are read of need not be there, and whoever looks for the readers of a value finds
 * those that want its numbers.
 *
 *     %s : Tensor = aten::matmul(%q, %k)                  %s : Tensor = aten::matmul(%q, %k)
 *     %p : Tensor = aten::softmax(%s, %-1, %none)    =>   %p : Tensor = aten::softmax(%s, %-1, %none)
 *     %n : int = aten::size(%p, %-2)                      %n : int = aten::size(%q, %-2)
 */
export const forwardSizes: Pass = {
  name: 'forward-sizes',
  run(graph: Graph): boolean {
    if (changesShapes(graph)) return false
    let changed = false
    for (const node of allNodes(graph.block)) {
      const dim = node.schema?.fullName === 'aten::size.int' ? numberOf(node.inputs[1]) : undefined
      if (dim === undefined) continue
      const size = new Sizes(graph, node).behind(node.inputs[0], dim, 0)
      if (size === undefined) continue
      node.output.replaceAllUsesWith(size())
      node.destroy()
      changed = true
    }
    return changed
  },
}

/** Makes the value that a size is. */
type Size = () => Value

/** Deeper than programs go between two tensors that are kept. */
const maxDepth = 24

class Sizes {
  constructor(
    private readonly graph: Graph,
    private readonly at: Node,
  ) {}

  /** A size of a tensor, as something else says it; undefined where nothing does. */
  behind(value: Value, dim: number, depth: number): Size | undefined {
    const { node } = value
    const { schema, inputs } = node
    if (schema === undefined || node.outputs.length !== 1 || depth > maxDepth) return undefined
    const { shapeOf } = traitsOf(schema)
    if (shapeOf !== undefined) return this.of(inputs[argumentAt(implementationOf(schema).functional, shapeOf)], dim, depth)
    const { definition, variant } = implementationOf(schema)
    if (variant !== 'functional') return undefined
    const isExpression = definition?.kind === 'pointwise' || (definition?.kind === 'kernel' && definition.fuses === 'pointwise')
    if (isExpression) {
      const tensors = inputs.filter((input) => input.type === TensorType)
      return tensors.length === 1 ? this.of(tensors[0], dim, depth) : this.broadcast(tensors, fromEnd(value, dim), depth)
    }
    switch (schema.fullName) {
      case 'aten::bmm':
      case 'aten::matmul': {
        const last = fromEnd(value, dim)
        if (last === undefined || last < -2) return undefined
        if (schema.name === 'aten::matmul' && inputs.some((input) => rankOf(input).least < 2)) return undefined
        return this.of(inputs[last + 2], last, depth)
      }
      case 'aten::einsum': {
        const subscripts = contractionOf(node) && subscriptsOf(node)
        if (subscripts === undefined) return undefined
        const [operands, result] = [subscripts.slice(0, -1), subscripts[subscripts.length - 1]]
        const wanted = result[dim < 0 ? dim + result.length : dim]
        const having = operands.flatMap((names, i) => (names.includes(wanted) ? [[i, names.indexOf(wanted)]] : []))
        return having.length === 1 ? this.of(inputs[1].node.inputs[having[0][0]], having[0][1], depth) : undefined
      }
      case 'aten::view':
      case 'aten::reshape':
      case 'aten::expand': {
        const list = inputs[1].node
        const item = list.kind === 'prim::ListConstruct' ? list.inputs.at(dim) : undefined
        return item !== undefined && isSize(item) ? () => item : undefined
      }
      default:
        return undefined
    }
  }

  private of(value: Value, dim: number, depth: number): Size {
    return this.behind(value, dim, depth + 1) ?? (() => this.operator('aten::size.int', [value, this.int(dim)]))
  }

  /** The size of a dimension, counted from the end, of tensors that are broadcast. */
  private broadcast(tensors: readonly Value[], dim: number | undefined, depth: number): Size | undefined {
    if (dim === undefined || tensors.some((tensor) => rankOf(tensor).least < -dim)) return undefined
    const sizes = tensors.map((tensor) => this.of(tensor, dim, depth))
    return sizes.length === 0
      ? undefined
      : () => sizes.map((size) => size()).reduce((a, b) => (a === b ? a : this.operator('torchscript::broadcast_size', [a, b])))
  }

  private operator(name: string, inputs: readonly Value[]): Value {
    const node = this.graph.create(name.split('.')[0], inputs).insertBefore(this.at)
    node.schema = schemaByFullName(name)
    node.range = this.at.range
    return node.output.setType(IntType)
  }
  private int(value: number): Value {
    return this.graph.createConstant({ kind: 'int', value: BigInt(value) }, IntType).insertBefore(this.at).output
  }
}

/** A dimension counted from the end. */
function fromEnd(value: Value, dim: number): number | undefined {
  if (dim < 0) return dim
  const { least, most } = rankOf(value)
  return least === most ? dim - least : undefined
}

/** Whether a number in a list of sizes is one, and does not stand for what is left. */
const isSize = (value: Value): boolean =>
  (numberOf(value) ?? -1) >= 0 || ['aten::size.int', 'torchscript::broadcast_size'].includes(value.node.schema?.fullName ?? '')
