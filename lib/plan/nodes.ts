import type { Node, Value } from '../ir/graph.js'
import type { ClassType, ScriptFunction, Type } from '../ir/types.js'
import { BoolType, listOf } from '../ir/types.js'
import { UnsupportedError, InvariantError } from '../util/errors.js'
import { Op } from './format.js'
import type { FunctionLowering } from './lower.js'

type Lowering = (f: FunctionLowering, node: Node) => void

/** The class of a value that is an object, through Optional. */
function classOf(value: Value): ClassType {
  const type = value.type.kind === 'Optional' ? value.type.element : value.type
  if (type.kind !== 'Class') throw new InvariantError(`${value.node.kind} gives a ${type.kind} where an object is needed.`)
  return type
}

function slotOf(type: ClassType, name: string): number {
  const slot = type.slot(name)
  if (slot < 0) throw new InvariantError(`Class ${type.qualifiedName} has no attribute "${name}".`)
  return slot
}

/** The function that a prim::CallFunction or prim::fork names. */
function functionOf(value: Value): ScriptFunction {
  if (value.type.kind === 'Function') return value.type.fn
  const constant = value.node.constant
  if (constant?.kind === 'function') return constant.fn
  throw new InvariantError(`A call's function is a ${value.node.kind}.`)
}

function constantInt(value: Value): number | undefined {
  const constant = value.node.constant
  return constant?.kind === 'int' ? Number(constant.value) : undefined
}

const intAttribute = (node: Node, name: string): number => {
  const attribute = node.attributes.get(name)
  if (attribute?.kind !== 'int') throw new InvariantError(`${node.kind} has no attribute "${name}".`)
  return attribute.value
}

function callMethod(f: FunctionLowering, node: Node, type: ClassType, name: string, args: number[], to: number): void {
  f.mark(node)
  if (type.isInterface) {
    f.emit(Op.CALL_METHOD, f.tables.methodName(name), args.length, ...args, to)
    return
  }
  const method = type.methods.get(name)
  if (method === undefined) throw new InvariantError(`Class ${type.qualifiedName} has no method "${name}".`)
  f.emit(Op.CALL, f.tables.function(method), args.length, ...args, to)
}

/** Where a call's one result goes; nodes without outputs throw it away. */
function withResult(f: FunctionLowering, node: Node, emit: (to: number) => void): void {
  if (node.outputs.length > 0) return emit(f.result(node.output))
  const register = f.scratch()
  emit(register)
  f.emit(Op.DROP, 1, register)
  f.endScratch(register)
}

/** A call of a plan function that stands for an operator: several results come as a tuple. */
function callComposed(f: FunctionLowering, node: Node, fn: ScriptFunction, args: number[]): void {
  const index = f.tables.function(fn)
  if (node.outputs.length === 1) {
    f.emit(Op.CALL, index, args.length, ...args, f.result(node.output))
    return
  }
  const register = f.scratch()
  f.emit(Op.CALL, index, args.length, ...args, register)
  if (node.outputs.length === 0) f.emit(Op.DROP, 1, register)
  else f.emit(Op.TUPLE_UNPACK, ~register, node.outputs.length, ...node.outputs.map((output) => f.result(output)))
  f.endScratch(register)
}

/** Anything that is an operator to the executor. */
function operator(f: FunctionLowering, node: Node): void {
  f.mark(node)
  const { schema } = node
  const call = schema === undefined ? undefined : f.tables.implementation(schema)
  if (call?.kind === 'composed') {
    if (call.variant === 'functional') return callComposed(f, node, call.fn, f.operands(node.inputs))
    return composedVariant(f, node, call.fn, call.variant)
  }
  const index = call?.operator ?? f.tables.operatorByName(node.kind, node.outputs.length)
  f.emit(
    Op.OP,
    index,
    node.inputs.length,
    ...f.operands(node.inputs),
    node.outputs.length,
    ...node.outputs.map((output) => f.result(output)),
  )
}

/** In-place and out forms of an operator that is a function: call it, then write its results to where they belong. */
function composedVariant(f: FunctionLowering, node: Node, fn: ScriptFunction, variant: 'inplace' | 'out'): void {
  const count = variant === 'inplace' ? 1 : node.schema!.returns.length
  const inputs = variant === 'inplace' ? node.inputs : node.inputs.slice(0, node.inputs.length - count)
  const targets = variant === 'inplace' ? [node.inputs[0]] : node.inputs.slice(-count)
  const results = targets.map(() => f.scratch())
  const called = f.scratch()
  f.emit(Op.CALL, f.tables.function(fn), inputs.length, ...inputs.map((input) => f.plain(input)), called)
  if (count === 1) f.emit(Op.MOVE, results[0], ~called)
  else f.emit(Op.TUPLE_UNPACK, ~called, count, ...results)
  targets.forEach((target, i) => {
    const to = node.outputs[i] === undefined ? called : f.result(node.outputs[i])
    f.emit(
      Op.OP,
      f.tables.writeOperator(variant),
      2,
      ...(variant === 'inplace' ? [f.plain(target), ~results[i]] : [~results[i], f.plain(target)]),
      1,
      to,
    )
  })
  if (node.outputs.length < targets.length) f.emit(Op.DROP, 1, called)
  for (const register of [...results, called]) f.endScratch(register)
}

function forkedFunction(node: Node): ScriptFunction {
  const attribute = node.attributes.get('Subgraph')
  if (attribute?.kind !== 'graph') throw new InvariantError('prim::fork has no graph.')
  const { graph } = attribute
  return {
    qualifiedName: 'prim::fork',
    name: 'fork',
    parameters: graph.inputs.map((input, i) => ({ name: input.debugName ?? `input_${i}`, type: input.type })),
    returnType: graph.outputs[0].type,
    graph,
  }
}

/** Elements of a module container by a dynamic index or key: a list or dict of its submodules, then an ordinary lookup. */
function moduleContainerIndex(f: FunctionLowering, node: Node): void {
  f.mark(node)
  const [container, key] = node.inputs
  const type = classOf(container)
  const modules = type.attributes.filter((a) => a.type.kind === 'Class' && (a.type.isModule || a.type.isInterface))
  const registers = modules.map((attribute) => {
    const register = f.scratch()
    f.emit(Op.GET_ATTR, register, f.plain(container), type.slot(attribute.name))
    return register
  })
  const table = f.scratch()
  const elementType: Type = node.output.type
  if (key.type.kind === 'Simple' && key.type.name === 'str') {
    const names = modules.map((attribute) => {
      const register = f.scratch()
      f.emit(Op.CONST, register, f.tables.constant({ kind: 'string', value: attribute.name }))
      return register
    })
    f.emit(
      Op.DICT,
      table,
      f.tables.type(key.type),
      f.tables.type(elementType),
      modules.length,
      ...names.flatMap((name, i) => [~name, ~registers[i]]),
    )
    f.emit(Op.OP, f.tables.operatorByName('aten::__getitem__.Dict_str', 1), 2, ~table, f.plain(key), 1, f.result(node.output))
    names.forEach((register) => f.endScratch(register))
  } else {
    f.emit(Op.LIST, table, f.tables.type(elementType), modules.length, ...registers.map((register) => ~register))
    f.emit(Op.OP, f.tables.operatorByName('aten::__getitem__.t', 1), 2, ~table, f.plain(key), 1, f.result(node.output))
  }
  for (const register of [...registers, table]) f.endScratch(register)
}

/** How each kind of node becomes code; '' is every kind that is not here. */
export const lowerings: ReadonlyMap<string, Lowering> = new Map<string, Lowering>([
  ['', operator],
  [
    'prim::Constant',
    (f, node) => {
      const constant = node.constant!
      const index = constant.kind === 'function' ? f.tables.functionConstant(constant.fn) : f.tables.constant(constant, node.output.type)
      f.emit(Op.CONST, f.result(node.output), index)
    },
  ],
  ['prim::Uninitialized', (f, node) => f.emit(Op.UNINITIALIZED, f.result(node.output))],
  [
    'prim::GetAttr',
    (f, node) => {
      const [object] = node.inputs
      f.mark(node)
      f.emit(Op.GET_ATTR, f.result(node.output), f.plain(object), slotOf(classOf(object), node.stringAttribute('name')))
    },
  ],
  [
    'prim::SetAttr',
    (f, node) => {
      const [object, value] = node.inputs
      f.mark(node)
      f.emit(
        Op.SET_ATTR,
        f.plain(object),
        slotOf(classOf(object), node.stringAttribute('name')),
        object === value ? f.plain(value) : f.operand(value),
      )
    },
  ],
  [
    'prim::CallMethod',
    (f, node) => {
      const args = f.operands(node.inputs)
      withResult(f, node, (to) => callMethod(f, node, classOf(node.inputs[0]), node.stringAttribute('name'), args, to))
    },
  ],
  [
    'prim::CallFunction',
    (f, node) => {
      const [callee, ...inputs] = node.inputs
      f.mark(node)
      withResult(f, node, (to) => f.emit(Op.CALL, f.tables.function(functionOf(callee)), inputs.length, ...f.operands(inputs), to))
    },
  ],
  [
    'prim::Enter',
    (f, node) => {
      const [object] = node.inputs
      const type = classOf(object)
      // An error from here on calls it by the object's class.
      const exit = type.methods.get('__exit__')
      if (exit !== undefined && !type.isInterface) f.tables.function(exit)
      f.emit(Op.ENTER, f.plain(object))
      withResult(f, node, (to) => callMethod(f, node, type, '__enter__', f.operands(node.inputs), to))
    },
  ],
  [
    'prim::Exit',
    (f, node) => {
      const [object, ...rest] = node.inputs
      const type = classOf(object)
      const method = type.methods.get('__exit__')
      const missing = Math.max(0, (method?.parameters.length ?? 4) - 1 - rest.length)
      const nones = Array.from({ length: missing }, () => f.scratch())
      for (const register of nones) f.emit(Op.CONST, register, f.tables.constant({ kind: 'none' }))
      const args = [...f.operands(node.inputs), ...nones.map((register) => ~register)]
      f.emit(Op.EXIT)
      withResult(f, node, (to) => callMethod(f, node, type, '__exit__', args, to))
      for (const register of nones) f.endScratch(register)
    },
  ],
  [
    'prim::TupleConstruct',
    (f, node) => {
      const { type } = node.output
      const named = type.kind === 'Tuple' && type.named !== undefined
      f.emit(Op.TUPLE, f.result(node.output), named ? f.tables.type(type) : -1, node.inputs.length, ...f.operands(node.inputs))
    },
  ],
  [
    'prim::TupleUnpack',
    (f, node) => {
      f.mark(node)
      f.emit(Op.TUPLE_UNPACK, f.operand(node.inputs[0]), node.outputs.length, ...f.results(node))
    },
  ],
  [
    'prim::TupleIndex',
    (f, node) => {
      f.mark(node)
      const [tuple, key] = node.inputs
      let index = constantInt(key)
      if (index === undefined) return operator(f, node)
      if (index < 0 && tuple.type.kind === 'Tuple') index += tuple.type.elements.length
      f.emit(Op.TUPLE_INDEX, f.result(node.output), f.plain(tuple), index)
    },
  ],
  [
    'prim::TupleSlice',
    (f, node) => {
      f.mark(node)
      f.emit(Op.TUPLE_SLICE, f.result(node.output), f.plain(node.inputs[0]), intAttribute(node, 'beg'), intAttribute(node, 'end'))
    },
  ],
  [
    'prim::ListConstruct',
    (f, node) => {
      const { type } = node.output
      const element: Type = type.kind === 'List' ? type.element : listOf(BoolType)
      f.emit(Op.LIST, f.result(node.output), f.tables.type(element), node.inputs.length, ...f.operands(node.inputs))
    },
  ],
  [
    'prim::ListUnpack',
    (f, node) => {
      f.mark(node)
      f.emit(Op.LIST_UNPACK, f.operand(node.inputs[0]), node.outputs.length, ...f.results(node))
    },
  ],
  [
    'prim::DictConstruct',
    (f, node) => {
      f.mark(node)
      const { type } = node.output
      if (type.kind !== 'Dict') throw new InvariantError('prim::DictConstruct does not give a dict.')
      f.emit(
        Op.DICT,
        f.result(node.output),
        f.tables.type(type.key),
        f.tables.type(type.value),
        node.inputs.length / 2,
        ...f.operands(node.inputs),
      )
    },
  ],
  [
    'prim::CreateObject',
    (f, node) => {
      const type = classOf(node.output)
      if (type.flavor === 'custom') throw new UnsupportedError(`Objects of ${type.qualifiedName} cannot be made by a program.`)
      f.emit(Op.NEW_OBJECT, f.result(node.output), f.tables.class(type))
    },
  ],
  [
    'prim::isinstance',
    (f, node) => {
      const attribute = node.attributes.get('types')
      if (attribute?.kind !== 'types') throw new InvariantError('prim::isinstance has no types.')
      const types = attribute.types.map((type) => f.tables.type(type))
      f.emit(Op.ISINSTANCE, f.result(node.output), f.plain(node.inputs[0]), types.length, ...types)
    },
  ],
  [
    'prim::RaiseException',
    (f, node) => {
      const [message, type] = node.inputs
      f.mark(node)
      const isNamed = type !== undefined && type.type.kind === 'Simple' && type.type.name === 'str'
      f.emit(Op.RAISE, f.plain(message), isNamed ? f.plain(type) : -1)
    },
  ],
  [
    'prim::fork',
    (f, node) => {
      f.mark(node)
      f.emit(Op.FORK, f.result(node.output), f.tables.function(forkedFunction(node)), node.inputs.length, ...f.operands(node.inputs))
    },
  ],
  [
    'aten::wait',
    (f, node) => {
      f.mark(node)
      f.emit(Op.WAIT, f.result(node.output), f.operand(node.inputs[0]))
    },
  ],
  [
    'prim::unchecked_cast',
    (f, node) => {
      f.emit(Op.UNCHECKED_CAST, f.result(node.output), f.operand(node.inputs[0]), f.tables.type(node.output.type))
    },
  ],
  ['prim::EnumName', (f, node) => f.emit(Op.ENUM_NAME, f.result(node.output), f.plain(node.inputs[0]))],
  ['prim::EnumValue', (f, node) => f.emit(Op.ENUM_VALUE, f.result(node.output), f.plain(node.inputs[0]))],
  ['prim::ModuleContainerIndex', moduleContainerIndex],
])
