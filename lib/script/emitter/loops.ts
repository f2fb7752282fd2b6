import type { Value } from '../../ir/graph.js'
import type { Type } from '../../ir/types.js'
import { IntType, StringType, TensorType, dictOf, listOf, typeAnnotation, unionMembers } from '../../ir/types.js'
import type { Expr, Stmt } from '../ast.js'
import { insertOperator } from '../schema-matching.js'
import { assignTo } from './assignments.js'
import { callMethod, callOperator } from './calls.js'
import type { Emitter, Exit } from './emitter.js'
import { asValue, emitCondition, emitExpr, emitValue, tupleItems } from './expressions.js'
import type { Meaning } from './values.js'
import { Environment, describe, fail, valueMeaning } from './values.js'

const maxTrips = 9223372036854775807n

/** Names that statements assign, nested statements included. */
export function assignedNames(list: readonly Stmt[], out = new Set<string>()): Set<string> {
  const target = (expr: Expr): void => {
    if (expr.kind === 'Name') out.add(expr.name)
    else if (expr.kind === 'Tuple' || expr.kind === 'List') expr.items.forEach(target)
    else if (expr.kind === 'Starred') target(expr.value)
  }
  for (const stmt of list) {
    switch (stmt.kind) {
      case 'Assign':
        stmt.targets.forEach(target)
        break
      case 'AugAssign':
      case 'Declare':
        target(stmt.target)
        break
      case 'If':
        assignedNames(stmt.then, out)
        assignedNames(stmt.otherwise, out)
        break
      case 'For':
        target(stmt.target)
        assignedNames(stmt.body, out)
        break
      case 'While':
        assignedNames(stmt.body, out)
        break
      case 'With':
        stmt.items.forEach((item) => item.target && target(item.target))
        assignedNames(stmt.body, out)
        break
    }
  }
  return out
}

/** Whether the statements of a loop body return from the function, or break the loop itself. */
function exitsOf(list: readonly Stmt[], inner = false): { returns: boolean; breaks: boolean } {
  let returns = false
  let breaks = false
  for (const stmt of list) {
    if (stmt.kind === 'Return') returns = true
    else if (stmt.kind === 'Break' && !inner) breaks = true
    const bodies = stmt.kind === 'If' ? [stmt.then, stmt.otherwise] : stmt.kind === 'With' ? [stmt.body] : []
    const loops = stmt.kind === 'For' || stmt.kind === 'While' ? [stmt.body] : []
    for (const [body, nested] of [...bodies.map((b) => [b, inner] as const), ...loops.map((b) => [b, true] as const)]) {
      const found = exitsOf(body, nested)
      returns ||= found.returns
      breaks ||= found.breaks
    }
  }
  return { returns, breaks }
}

/** Names that local functions in statements assign, wherever they are written. */
function assignedByLambdas(tree: unknown, out: Set<string>): void {
  if (Array.isArray(tree)) for (const item of tree) assignedByLambdas(item, out)
  else if (tree !== null && typeof tree === 'object') {
    if ('kind' in tree && tree.kind === 'Lambda' && 'assigns' in tree) (tree.assigns as readonly string[]).forEach((name) => out.add(name))
    for (const [key, value] of Object.entries(tree)) if (key !== 'range') assignedByLambdas(value, out)
  }
}
/** Names that the rounds of a loop may assign. */
function namesOfLoop(e: Emitter, list: readonly Stmt[]): Set<string> {
  const names = assignedNames(list)
  // Calls of local functions are inlined, so any of them may be in the body.
  if (e.dialect !== undefined) assignedByLambdas(e.def.body, names)
  return names
}

export function emitWhile(e: Emitter, stmt: Stmt & { kind: 'While' }): Exit {
  const first = stmt.testLast === true ? undefined : emitCondition(e, stmt.condition)
  const { update = [] } = stmt
  const body = (): Exit => {
    if (first !== undefined) e.refine(first.whenTrue)
    const exit = e.statements(stmt.body)
    if (update.length > 0) e.afterRound(exit, update, stmt.range)
    return exit
  }
  const again = (): Value => emitCondition(e, stmt.condition).value
  const names = namesOfLoop(e, [...stmt.body, ...update])
  return e.loop(e.int(maxTrips), first?.value ?? e.bool(true), names, body, again, exitsOf(stmt.body), stmt.range)
}

/** Something to loop over: how many rounds, and what the target is in round `i`. A known count is unrolled. */
interface Iteration {
  readonly length: Value | undefined
  readonly item: (index: Value) => Meaning
  /** Elements of a tuple or module container, which differ in type. */
  readonly unrolled?: readonly Meaning[]
}

function iterate(e: Emitter, meaning: Meaning, at: Expr): Iteration {
  if (meaning.kind === 'iterable') {
    if (meaning.name === 'range') {
      const bounds = meaning.args.map((a) => asValue(e, a, at))
      for (const b of bounds)
        if (b.type !== IntType)
          fail(`all inputs of range must be ints, found ${typeAnnotation(b.type)} in argument ${bounds.indexOf(b)}`, at)
      if (bounds.length === 1) return { length: bounds[0], item: valueMeaning }
      const [start, stop, step] = [bounds[0], bounds[1], bounds[2] ?? e.int(1)]
      const length = insertOperator(e.b, 'aten::__range_length', [start, stop, step])
      return { length, item: (i) => valueMeaning(insertOperator(e.b, 'aten::__derive_index', [i, start, step])) }
    }
    const start = meaning.name === 'enumerate' ? (meaning.args[1] === undefined ? undefined : asValue(e, meaning.args[1], at)) : undefined
    const parts = (meaning.name === 'enumerate' ? meaning.args.slice(0, 1) : meaning.args).map((a) => iterate(e, a, at))
    const counted = (i: Value): Meaning => valueMeaning(start === undefined ? i : insertOperator(e.b, 'aten::add.int', [i, start]))
    if (parts.every((p) => p.unrolled !== undefined)) {
      const n = Math.min(...parts.map((p) => p.unrolled!.length))
      const unrolled = Array.from({ length: n }, (_, i): Meaning => ({
        kind: 'meanings',
        items: [...(meaning.name === 'enumerate' ? [counted(e.int(i))] : []), ...parts.map((p) => p.unrolled![i])],
      }))
      return { length: undefined, item: valueMeaning, unrolled }
    }
    const unrolledPart = parts.find((p) => p.unrolled !== undefined)
    if (unrolledPart !== undefined) {
      // A container of known length beside lists: unroll, and index the lists.
      const items = unrolledPart.unrolled!.map((_, i): Meaning => ({
        kind: 'meanings',
        items: parts.map((p) => p.unrolled?.[i] ?? p.item(e.int(i))),
      }))
      return { length: undefined, item: valueMeaning, unrolled: items }
    }
    const lengths = parts.map((p) => p.length!)
    const length = lengths.length === 1 ? lengths[0] : shortest(e, lengths)
    return {
      length,
      item: (i) => ({ kind: 'meanings', items: [...(meaning.name === 'enumerate' ? [counted(i)] : []), ...parts.map((p) => p.item(i))] }),
    }
  }
  if (meaning.kind === 'meanings') return { length: undefined, item: valueMeaning, unrolled: meaning.items }
  if (meaning.kind === 'enum') {
    const members = meaning.type.members.map((m) =>
      e.constant({ kind: 'enum', className: meaning.type.qualifiedName, value: m.value }, meaning.type),
    )
    return { length: undefined, item: valueMeaning, unrolled: members.map(valueMeaning) }
  }
  const value = asValue(e, meaning, at)
  const { type } = value
  const len = (): Value => callOperator(e, 'aten::len', [value], [], at.range)
  const getItem = (i: Value): Meaning => valueMeaning(callOperator(e, 'aten::__getitem__', [value, i], [], at.range))
  if (type.kind === 'List' || type === StringType) return { length: len(), item: getItem }
  if (type === TensorType)
    return { length: len(), item: (i) => valueMeaning(callOperator(e, 'aten::select', [value, e.int(0), i], [], at.range)) }
  if (type.kind === 'Dict') {
    const entries = e.dialect === undefined ? 'aten::keys' : 'aten::items'
    return iterate(e, valueMeaning(callOperator(e, entries, [value], [], at.range)), at)
  }
  if (type.kind === 'Tuple') return { length: undefined, item: valueMeaning, unrolled: tupleItems(e, value).map(valueMeaning) }
  if (type.kind === 'Class') {
    if (type.isModule) {
      const modules = type.attributes.filter((a) => a.type.kind === 'Class' && (a.type.isModule || a.type.isInterface))
      const items = modules.map((a) =>
        valueMeaning(e.b.add('prim::GetAttr', [value]).setAttribute('name', { kind: 'string', value: a.name }).output.setType(a.type)),
      )
      return { length: undefined, item: valueMeaning, unrolled: items }
    }
    if (type.methods.has('__len__') && type.methods.has('__getitem__')) {
      return {
        length: callMethod(e, value, '__len__', [], [], at.range),
        item: (i) => valueMeaning(callMethod(e, value, '__getitem__', [i], [], at.range)),
      }
    }
  }
  return fail(`'${meaning.kind === 'value' ? typeAnnotation(type) : describe(meaning)}' object is not iterable`, at)
}
function shortest(e: Emitter, lengths: readonly Value[]): Value {
  const list = e.b.add('prim::ListConstruct', [...lengths]).output.setType(listOf(IntType))
  return insertOperator(e.b, 'prim::min.self_int', [list])
}

export function emitFor(e: Emitter, stmt: Stmt & { kind: 'For' }): Exit {
  const iteration = iterate(e, emitExpr(e, stmt.iter), stmt.iter)
  const exits = exitsOf(stmt.body)
  if (iteration.unrolled !== undefined) {
    if (exits.breaks || hasContinue(stmt.body)) {
      fail(
        'Because we emit iteration over modulelists or tuples as unrolled loops, we do not support break or continue inside the body of these loops',
        stmt,
      )
    }
    let exit: Exit = 'no'
    for (const item of iteration.unrolled) {
      assignTo(e, stmt.target, item, stmt.iter)
      exit = e.statements(stmt.body)
      if (exit === 'yes') return 'yes'
      if (exit === 'maybe') fail('Because we emit iteration over tuples and modules as unrolled code, return is not supported there', stmt)
    }
    return exit
  }
  const names = namesOfLoop(e, stmt.body)
  const body = (trip: Value): Exit => {
    assignTo(e, stmt.target, iteration.item(trip), stmt.iter)
    return e.statements(stmt.body)
  }
  const targets = assignedNames([{ kind: 'For', target: stmt.target, iter: stmt.iter, body: [], range: stmt.range }])
  for (const name of targets) if (e.lookup(name)?.kind === 'value') names.add(name)
  return e.loop(iteration.length!, e.bool(true), names, body, () => e.bool(true), exits, stmt.range)
}
function hasContinue(list: readonly Stmt[]): boolean {
  return list.some(
    (s) =>
      s.kind === 'Continue' ||
      (s.kind === 'If' && (hasContinue(s.then) || hasContinue(s.otherwise))) ||
      (s.kind === 'With' && hasContinue(s.body)),
  )
}

/** List and dict comprehensions: an empty container filled in a loop. */
export function emitComprehension(e: Emitter, expr: Expr & { kind: 'ListComp' | 'DictComp' }, hint: Type | undefined): Value {
  const saved = e.env
  e.env = new Environment(saved)
  try {
    const iteration = iterate(e, emitExpr(e, expr.iter), expr.iter)
    const isList = expr.kind === 'ListComp'
    const wanted = hint === undefined ? undefined : unionMembers(hint).find((m) => m.kind === (isList ? 'List' : 'Dict'))
    const container = e.b.add(isList ? 'prim::ListConstruct' : 'prim::DictConstruct', [])
    container.output.setType(wanted ?? (isList ? listOf(TensorType) : dictOf(StringType, TensorType)))
    const put = (): void => {
      if (expr.kind === 'ListComp') {
        const element = wanted?.kind === 'List' ? wanted.element : undefined
        const value = emitValue(e, expr.element, element)
        if (wanted === undefined) container.output.setType(listOf(value.type))
        callOperator(e, 'aten::append', [container.output, value], [], expr.range)
      } else {
        const key = emitValue(e, expr.key)
        const value = emitValue(e, expr.value)
        if (wanted === undefined) container.output.setType(dictOf(key.type, value.type))
        callOperator(e, 'aten::_set_item', [container.output, key, value], [], expr.range)
      }
    }
    const fill = (index: number): void => {
      if (index >= expr.conditions.length) return put()
      const condition = emitCondition(e, expr.conditions[index])
      e.branches(
        condition,
        () => (fill(index + 1), 'no'),
        () => 'no',
        expr.range,
      )
    }
    const round = (item: Meaning): Exit => {
      assignTo(e, expr.target, item, expr.iter)
      fill(0)
      return 'no'
    }
    if (iteration.unrolled !== undefined) iteration.unrolled.forEach(round)
    else
      e.loop(
        iteration.length!,
        e.bool(true),
        new Set(),
        (trip) => round(iteration.item(trip)),
        () => e.bool(true),
        { returns: false, breaks: false },
        expr.range,
      )
    return container.output
  } finally {
    e.env = saved
  }
}
