import { allNodes, type Graph, type Node, type Value } from '../ir/graph.js'
import type { ConstantValue, ScriptFunction, Type } from '../ir/types.js'
import { BoolType, ClassType } from '../ir/types.js'
import { UnsupportedError } from '../util/errors.js'
import { AliasAnalysis, memoryOf, type ObjectChanges } from './alias-analysis.js'
import { cloneGraphDeep } from './clone.js'
import { typeOfConstant } from './evaluator.js'
import { calledFunction, inlineCallsOf } from './inline.js'

/** A module or object with its attributes, as freezing sees it. */
export interface FreezeObject {
  readonly type: ClassType
  readonly slots: ReadonlyMap<string, FreezeSlot>
}
/** What an attribute holds: a module, or a value with its form as a constant if it has one. */
export type FreezeSlot =
  { readonly kind: 'module'; readonly module: FreezeObject } | { readonly kind: 'value'; readonly constant: ConstantValue | undefined }

export interface FreezeTarget {
  readonly object: FreezeObject
  readonly method: ScriptFunction
}

export interface FreezeOptions {
  /** Methods that stay. */
  readonly methods: readonly FreezeTarget[]
  /** Attributes that stay attributes, which may be modules. */
  readonly attributes: readonly { readonly object: FreezeObject; readonly name: string }[]
  /** Simplifies a graph after attributes became constants in it. */
  simplify(graph: Graph): void
  /** Works on a graph in which all constants are in place. */
  finish(graph: Graph): void
}

/** A frozen module: which attributes are left, with new classes. */
export interface Frozen {
  /** Class of each object that is left; the root is always among them. */
  readonly classes: ReadonlyMap<FreezeObject, ClassType>
}

interface Method {
  readonly target: FreezeTarget
  readonly graph: Graph
}

/**
 * Turns attributes that no method changes into constants and inlines all calls, after PyTorch's freeze_module.cpp. What is left of the objects are
 * the attributes that change and those asked for. The graphs are copies; values and memory are shared with the module that was given.
 */
export function freezeModule(root: FreezeObject, options: FreezeOptions): Frozen {
  return new Freezer(root, options).run()
}

class Freezer {
  private readonly methods: Method[]
  /** Attributes that a method may change or that are to stay. */
  private readonly kept = new Map<FreezeObject, Set<string>>()
  /** Objects of which everything stays, methods too: they go where calls cannot be followed. */
  private readonly whole = new Set<FreezeObject>()

  constructor(
    private readonly root: FreezeObject,
    private readonly options: FreezeOptions,
  ) {
    this.methods = options.methods.map((target) => ({ target, graph: cloneGraphDeep(target.method.graph) }))
    for (const { object, name } of options.attributes) {
      this.keep(object, name)
      const slot = object.slots.get(name)
      if (slot?.kind === 'module') this.keepWhole(slot.module)
    }
  }

  run(): Frozen {
    for (const { graph, target } of this.methods) this.inline(graph, target.object)
    for (let round = 0; round < 10; round++) if (!this.round()) break
    for (const { graph } of this.methods) this.options.finish(graph)
    return this.rebuild()
  }

  // Which object a value is

  /** Objects of the module-typed values of a graph that are always the same object. */
  private objects(graph: Graph, self: FreezeObject): (value: Value) => FreezeObject | undefined {
    const known = new Map<Value, FreezeObject | undefined>([[graph.inputs[0], self]])
    const passedIn = new Map<Value, Value>()
    for (const node of everyNode(graph)) subgraphOf(node)?.inputs.forEach((input, i) => passedIn.set(input, node.inputs[i]))
    const objectOf = (value: Value): FreezeObject | undefined => {
      if (known.has(value)) return known.get(value)
      known.set(value, undefined)
      const { node } = value
      let found: FreezeObject | undefined
      if (node.kind === 'prim::GetAttr') {
        const holder = objectOf(node.inputs[0])
        const slot = holder?.slots.get(node.stringAttribute('name'))
        if (slot?.kind === 'module' && !this.isKept(holder!, node.stringAttribute('name'), true)) found = slot.module
      } else if (isUnwrap(node)) found = objectOf(node.inputs[0])
      else if (passedIn.has(value)) found = objectOf(passedIn.get(value)!)
      known.set(value, found)
      return found
    }
    return objectOf
  }

  private keep(object: FreezeObject, name: string): void {
    let names = this.kept.get(object)
    if (names === undefined) this.kept.set(object, (names = new Set()))
    names.add(name)
  }
  private readonly replaced = new Map<FreezeObject, Set<string>>()
  /** `asModule`: whether another module may be put there; that a module stays as an attribute does not matter then. */
  private isKept(object: FreezeObject, name: string, asModule: boolean): boolean {
    return (asModule ? this.replaced : this.kept).get(object)?.has(name) === true
  }

  private keepWhole(object: FreezeObject): void {
    if (this.whole.has(object)) return
    this.whole.add(object)
    for (const [name, slot] of object.slots) {
      this.keep(object, name)
      if (slot.kind === 'module') this.keepWhole(slot.module)
    }
  }

  // Rounds

  private inline(graph: Graph, self: FreezeObject): void {
    this.findReplacedModules(graph)
    const pass = inlineCallsOf((call) => {
      if (call.kind === 'prim::CallMethod') {
        const object = this.objects(graph, self)(call.inputs[0])
        if (object !== undefined) return object.type.methods.get(call.stringAttribute('name')) ?? calledFunction(call)
      }
      return calledFunction(call)
    })
    pass.run(graph)
    for (const node of everyNode(graph)) {
      const subgraph = subgraphOf(node)
      if (subgraph !== undefined) {
        this.findReplacedModules(subgraph)
        pass.run(subgraph)
      }
      if (node.kind === 'prim::ModuleContainerIndex')
        throw new UnsupportedError('Freezing modules containing prim::ModuleContainerIndex is not supported.')
    }
  }

  /** Modules behind an interface may be replaced by a method: then calls through them stay. */
  private findReplacedModules(graph: Graph): void {
    const seen = new Set<ScriptFunction>()
    const visit = (inner: Graph): void => {
      for (const node of allNodes(inner.block)) {
        if (node.kind === 'prim::SetAttr') {
          const { type } = node.inputs[0]
          const name = node.stringAttribute('name')
          for (const object of this.everyObject()) {
            if (type.kind !== 'Class' || object.type.qualifiedName !== type.qualifiedName || object.slots.get(name)?.kind !== 'module')
              continue
            const names = this.replaced.get(object) ?? new Set()
            this.replaced.set(object, names.add(name))
            this.keep(object, name)
            const slot = object.slots.get(name)
            if (slot?.kind === 'module') this.keepWhole(slot.module)
          }
        }
        const fn = calledFunction(node)
        if (fn === undefined || seen.has(fn)) continue
        seen.add(fn)
        try {
          visit(fn.graph)
        } catch {
          // It raises when it is called.
        }
      }
    }
    visit(graph)
  }

  private *everyObject(): Generator<FreezeObject> {
    const seen = new Set<FreezeObject>([this.root])
    for (const object of seen) {
      yield object
      for (const slot of object.slots.values()) if (slot.kind === 'module') seen.add(slot.module)
    }
  }

  /** Finds what changes, puts constants for all that does not, and simplifies. Fewer branches may change less. */
  private round(): boolean {
    const changing = new Map<FreezeObject, Set<string>>()
    const add = (object: FreezeObject, name: string): void => {
      const names = changing.get(object) ?? new Set()
      changing.set(object, names.add(name))
    }
    const memories = new Set<unknown>()
    for (const { graph, target } of this.methods) {
      const visited = new Set<FreezeObject>()
      const visit = (object: FreezeObject, changes: ObjectChanges): void => {
        if (visited.has(object) && !changes.anything) return
        visited.add(object)
        if (changes.anything) this.keepWhole(object)
        for (const [name, slot] of object.slots) {
          if (slot.kind === 'module') {
            if (changes.maySet(name)) this.keepWhole(slot.module)
            if (!this.whole.has(slot.module) || !changes.anything) visit(slot.module, changes.of(name))
          } else if (changes.mayChange(name)) {
            add(object, name)
            memoriesOf(slot.constant, memories)
          }
        }
      }
      visit(target.object, new AliasAnalysis(graph, { ownsSelf: true }).changesOf(graph.inputs[0]))
    }
    const isFixed = (object: FreezeObject, name: string, slot: FreezeSlot): slot is { kind: 'value'; constant: ConstantValue } => {
      if (slot.kind !== 'value' || slot.constant === undefined || changing.get(object)?.has(name) || this.isKept(object, name, false))
        return false
      const mine = new Set<unknown>()
      memoriesOf(slot.constant, mine)
      return ![...mine].some((memory) => memories.has(memory))
    }
    let changed = false
    for (const { graph, target } of this.methods) {
      const objectOf = this.objects(graph, target.object)
      for (const node of everyNode(graph)) {
        if (node.kind === 'prim::GetAttr') {
          const object = objectOf(node.inputs[0])
          const name = node.stringAttribute('name')
          const slot = object?.slots.get(name)
          if (object === undefined || slot === undefined || !isFixed(object, name, slot)) continue
          const constant = node.graph.createConstant(slot.constant, typeOfConstant(slot.constant, node.output.type)).insertBefore(node)
          constant.output.debugName = debugName(node)
          node.output.replaceAllUsesWith(constant.output)
          node.destroy()
          changed = true
        } else if (node.kind === 'aten::__is__' || node.kind === 'aten::__isnot__') {
          // A module is never None.
          const [a, b] = node.inputs
          if (b.node.constant?.kind !== 'none' || objectOf(a) === undefined) continue
          const answer = node.graph.createConstant({ kind: 'bool', value: node.kind === 'aten::__isnot__' }, BoolType).insertBefore(node)
          node.output.replaceAllUsesWith(answer.output)
          node.destroy()
          changed = true
        }
      }
      for (const each of [graph, ...subgraphs(graph)]) this.options.simplify(each)
    }
    return changed
  }

  // The module that is left

  private rebuild(): Frozen {
    const classes = new Map<FreezeObject, ClassType>()
    const attributes = new Map<FreezeObject, Set<string>>()
    const leave = (object: FreezeObject, name: string): void => {
      const names = attributes.get(object) ?? new Set()
      attributes.set(object, names.add(name))
      const slot = object.slots.get(name)
      if (slot?.kind === 'module') leaveObject(slot.module)
    }
    const leaveObject = (object: FreezeObject): void => {
      if (attributes.has(object)) return
      attributes.set(object, new Set())
      if (this.whole.has(object)) for (const name of object.slots.keys()) leave(object, name)
    }
    leaveObject(this.root)
    for (const { object, name } of this.options.attributes) {
      leaveObject(object)
      leave(object, name)
      this.leavePath(object, leave)
    }
    for (const { graph, target } of this.methods) {
      leaveObject(target.object)
      this.leavePath(target.object, leave)
      const objectOf = this.objects(graph, target.object)
      for (const value of everyValue(graph)) {
        const object = objectOf(value)
        if (object === undefined) continue
        for (const { user, offset } of value.uses) {
          if (user.kind === 'prim::GetAttr' || (user.kind === 'prim::SetAttr' && offset === 0)) leave(object, user.stringAttribute('name'))
          // A module that goes anywhere else is used in ways that cannot be seen.
          else if (!isUnwrap(user) && subgraphOf(user) === undefined) this.keepWhole(object)
        }
      }
    }
    for (const object of this.whole) if (attributes.has(object)) for (const name of object.slots.keys()) leave(object, name)
    const names = new Names([...this.whole].map((object) => object.type.qualifiedName))
    for (const [object, left] of attributes) {
      // Code that was not looked into knows the object by its class.
      if (this.whole.has(object)) {
        classes.set(object, object.type)
        continue
      }
      const type = new ClassType(names.unique(object.type.qualifiedName), object.type.flavor)
      classes.set(object, type)
      for (const attribute of object.type.attributes) if (left.has(attribute.name)) type.attributes.push({ ...attribute })
    }
    for (const [object, type] of classes) {
      if (type === object.type) continue
      for (const attribute of type.attributes) {
        const slot = object.slots.get(attribute.name)
        if (slot?.kind !== 'module' || this.isKept(object, attribute.name, true)) continue
        attribute.type =
          attribute.type.kind === 'Optional' ? { kind: 'Optional', element: classes.get(slot.module)! } : classes.get(slot.module)!
      }
    }
    for (const { graph, target } of this.methods) this.defineMethod(graph, target, classes)
    return { classes }
  }

  /** What a preserved method or attribute below the root is reached by. */
  private leavePath(to: FreezeObject, leave: (object: FreezeObject, name: string) => void): void {
    const visit = (object: FreezeObject, seen: ReadonlySet<FreezeObject>): boolean => {
      if (object === to) return true
      for (const [name, slot] of object.slots) {
        if (slot.kind !== 'module' || seen.has(slot.module) || !visit(slot.module, new Set([...seen, slot.module]))) continue
        leave(object, name)
        return true
      }
      return false
    }
    visit(this.root, new Set([this.root]))
  }

  private defineMethod(graph: Graph, target: FreezeTarget, classes: ReadonlyMap<FreezeObject, ClassType>): void {
    const type = classes.get(target.object)!
    if (type === target.object.type) return
    const objectOf = this.objects(graph, target.object)
    const retype = (value: Value): void => {
      const object = objectOf(value)
      const now = object && classes.get(object)
      if (now === undefined || (value.type.kind !== 'Class' && value.type.kind !== 'Optional')) return
      const wrapped: Type = value.type.kind === 'Optional' ? { kind: 'Optional', element: now } : now
      value.setType(wrapped)
    }
    // Types are read off the graph while it is walked: know all objects first.
    const values = [...everyValue(graph)]
    values.forEach((value) => void objectOf(value))
    values.forEach(retype)
    const { method } = target
    const [self, ...rest] = method.parameters
    type.methods.set(method.name, {
      qualifiedName: `${type.qualifiedName}.${method.name}`,
      name: method.name,
      parameters: [{ ...self, type }, ...rest],
      returnType: method.returnType,
      graph,
    })
  }
}

const isUnwrap = (node: Node): boolean =>
  node.kind === 'prim::unchecked_cast' || node.kind === 'prim::unchecked_unwrap_optional' || node.kind === 'aten::_unwrap_optional'

const subgraphOf = (node: Node): Graph | undefined => {
  const attribute = node.attributes.get('Subgraph')
  return attribute?.kind === 'graph' ? attribute.graph : undefined
}

/** The graphs of forks in a graph, and of forks in those. */
function* subgraphs(graph: Graph): Generator<Graph> {
  for (const node of allNodes(graph.block)) {
    const subgraph = subgraphOf(node)
    if (subgraph === undefined) continue
    yield subgraph
    yield* subgraphs(subgraph)
  }
}

/** Nodes of a graph and of the graphs of its forks. */
function* everyNode(graph: Graph): Generator<Node> {
  for (const node of allNodes(graph.block)) {
    yield node
    const subgraph = subgraphOf(node)
    if (subgraph !== undefined) yield* everyNode(subgraph)
  }
}

function* everyValue(graph: Graph): Generator<Value> {
  for (const each of [graph, ...subgraphs(graph)]) {
    yield* each.inputs
    for (const node of allNodes(each.block)) yield* node.outputs
  }
}

/** The storages of the tensors in a constant. */
function memoriesOf(constant: ConstantValue | undefined, out: Set<unknown>): void {
  switch (constant?.kind) {
    case 'tensor':
      out.add(memoryOf(constant.tensor))
      break
    case 'list':
    case 'tuple':
      for (const item of constant.items) memoriesOf(item, out)
      break
    case 'dict':
      for (const [, value] of constant.entries) memoriesOf(value, out)
      break
  }
}

/** `self.layer1.0.weight` for the constant that was that attribute. */
function debugName(node: Node): string {
  const parts = [node.stringAttribute('name')]
  for (let at = node.inputs[0].node; at.kind === 'prim::GetAttr'; at = at.inputs[0].node) parts.unshift(at.stringAttribute('name'))
  return ['self', ...parts].join('.')
}

/** Names of classes; a name that is taken is told apart as PyTorch does it, by a part `___torch_mangle_N`. */
class Names {
  private readonly taken: Set<string>
  private next = 0
  constructor(taken: readonly string[]) {
    this.taken = new Set(taken)
  }
  unique(name: string): string {
    let unique = name
    while (this.taken.has(unique)) {
      const parts = name.split('.').filter((part) => !part.startsWith('___torch_mangle_'))
      parts.splice(-1, 0, `___torch_mangle_${this.next++}`)
      unique = parts.join('.')
    }
    this.taken.add(unique)
    return unique
  }
}
