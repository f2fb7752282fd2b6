import { allNodes, type Graph } from '../ir/graph.js'
import { schemaByFullName } from '../ir/schema.js'
import type { Type } from '../ir/types.js'
import { BoolType, ComplexType, FloatType, IntType } from '../ir/types.js'
import type { ConstantReader, Pass } from './pass.js'

const kinds = new Set(['add', 'sub', 'mul', 'div', 'add_', 'sub_', 'mul_', 'div_'].map((name) => `aten::${name}.Tensor`))
const types: Record<string, Type> = { bool: BoolType, int: IntType, float: FloatType, complex: ComplexType }

/**
 * Constant 0-dim tensors as second operands of add, sub, mul and div become numbers. A trace records `x * 0.5` with a 0-dim
 * float64 tensor and loses that it was a Python number, which takes part in type promotion in another way. PyTorch's
 * default executor does the same to exactly these operators and to no others.
 *
 *     %c : Tensor = prim::Constant[value={0.5}]()      %c : float = prim::Constant[value=0.5]()
 *     %y : Tensor = aten::mul(%x, %c)            =>    %y : Tensor = aten::mul(%x, %c)     # mul.Scalar
 */
export const canonicalizeConstants = (reader: ConstantReader): Pass => ({
  name: 'canonicalize-constants',
  run(graph: Graph): boolean {
    let changed = false
    for (const node of allNodes(graph.block)) {
      if (node.schema === undefined || !kinds.has(node.schema.fullName)) continue
      const constant = node.inputs[1].node.constant
      if (constant?.kind !== 'tensor') continue
      const scalar = reader.scalar(constant.tensor)
      const schema = schemaByFullName(`${node.schema.name}.Scalar`)
      if (scalar === undefined || schema === undefined || schema.arguments.length !== node.schema.arguments.length) continue
      const replacement = graph.createConstant(scalar, types[scalar.kind]).insertBefore(node)
      replacement.range = node.range
      node.replaceInput(1, replacement.output)
      node.schema = schema
      changed = true
    }
    return changed
  },
})
