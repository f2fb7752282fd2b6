import type { ScriptFunction as CompiledFunction } from '../../ir/types.js'
import { BoolType, ClassType } from '../../ir/types.js'
import type { Graph } from '../../ir/graph.js'
import { cloneGraph } from '../../passes/clone.js'
import { Program } from '../../runtime/program.js'
import type { ProgramSource } from '../../runtime/compile.js'
import { InvariantError } from '../../util/errors.js'
import { rootModule, type ScriptModule } from './script-module.js'

/** The class of modules that stand for a function, as PyTorch calls it. */
export const placeholderName = '__torch__.PlaceholderModule'

/** A class whose only method computes what a function computes. */
export function placeholderClass(fn: CompiledFunction, graph: (type: ClassType) => Graph): { type: ClassType; forward: CompiledFunction } {
  const type = new ClassType(placeholderName, 'module')
  type.attributes.push({ name: 'training', type: BoolType, isParameter: false, isBuffer: false })
  const forward: CompiledFunction = {
    qualifiedName: `${type.qualifiedName}.forward`,
    name: 'forward',
    parameters: [{ name: 'self', type }, ...fn.parameters],
    returnType: fn.returnType,
    get graph() {
      return graph(type)
    },
  }
  type.methods.set('forward', forward)
  return { type, forward }
}

/** Gives a graph of its own one more parameter before the others. */
export function withSelf(graph: Graph, type: ClassType): Graph {
  graph.block.addInput(type, 'self')
  const { outputs } = graph.block.paramNode
  outputs.unshift(outputs.pop()!)
  outputs.forEach((output, i) => (output.offset = i))
  return graph
}

/** A function as the `forward` of a module without attributes. */
export function functionModule(fn: CompiledFunction): ScriptModule {
  let made: Graph | undefined
  const { type } = placeholderClass(fn, (own) => (made ??= withSelf(cloneGraph(fn.graph), own)))
  const source: ProgramSource = {
    root: { kind: 'object', className: type.qualifiedName, attributes: new Map([['training', { kind: 'bool', value: false }]]) },
    classes: {
      classType(name) {
        if (name === type.qualifiedName) return type
        throw new InvariantError(`A function names the class ${name} of no object of its own.`)
      },
      parseType: () => undefined,
      enumType: () => undefined,
    },
  }
  return rootModule(new Program(source))
}
