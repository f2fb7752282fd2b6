import type { SourceRange } from '../../ir/graph.js'
import type { Expr, Stmt } from '../ast.js'

const mutators = new Set(['push', 'pop', 'shift', 'unshift', 'splice', 'set', 'delete', 'clear', 'reverse', 'sort'])
/** Members that tell a size without changing anything. */
const sizes = new Set(['length', 'size', 'shape', 'dim', 'numel', 'ndim'])

interface Effects {
  /** Variables assigned, or changed by a method. */
  readonly names: Set<string>
  /** Variables handed to functions, which may change what is in them. */
  readonly passed: Set<string>
  /** Fields of the object may change. */
  self: boolean
}

/** What statements may change, nested ones included. */
function effectsOf(tree: unknown, effects: Effects): Effects {
  if (Array.isArray(tree)) {
    for (const item of tree) effectsOf(item, effects)
    return effects
  }
  if (tree === null || typeof tree !== 'object') return effects
  const node = tree as Expr | Stmt
  const root = (expr: Expr): void => {
    if (expr.kind === 'Name') {
      if (expr.name === 'self') effects.self = true
      else effects.names.add(expr.name)
    } else if (expr.kind === 'Attribute' || expr.kind === 'Subscript' || expr.kind === 'Starred') root(expr.value)
    else if (expr.kind === 'Tuple') expr.items.forEach(root)
  }
  if (node.kind === 'Assign') node.targets.forEach(root)
  else if (node.kind === 'AugAssign' || node.kind === 'For') root(node.target)
  else if (node.kind === 'Lambda') node.assigns.forEach((name) => effects.names.add(name))
  else if (node.kind === 'Call') {
    if (node.fn.kind === 'Name') for (const arg of node.args) if (arg.kind === 'Name') effects.passed.add(arg.name)
    if (node.fn.kind === 'Attribute') {
      if (mutators.has(node.fn.name)) root(node.fn.value)
      if (node.fn.value.kind === 'Name' && node.fn.value.name === 'self') effects.self = true
    }
  }
  for (const [key, value] of Object.entries(node)) if (key !== 'range') effectsOf(value, effects)
  return effects
}

/** Whether an expression has the same value in every round. */
function isStable(expr: Expr, effects: Effects): boolean {
  switch (expr.kind) {
    case 'Int':
      return true
    case 'Name':
      return expr.name === 'self' ? !effects.self : !effects.names.has(expr.name)
    case 'Attribute':
      return isStable(expr.value, effects) && !(expr.value.kind === 'Name' && effects.passed.has(expr.value.name))
    case 'Subscript':
      return isStable(expr.value, effects) && expr.items.every((item) => isStable(item, effects))
    case 'Unary':
      return isStable(expr.value, effects)
    case 'Binary':
      return isStable(expr.left, effects) && isStable(expr.right, effects)
    case 'Call': {
      const { fn } = expr
      if (fn.kind !== 'Attribute') return false
      const isPure = sizes.has(fn.name) || (fn.value.kind === 'Name' && fn.value.name === 'Math')
      return isPure && isStable(fn.value, effects) && expr.args.every((arg) => isStable(arg, effects))
    }
    default:
      return false
  }
}

/** The step of `i++`, `i -= 2` ...; undefined for anything else. */
function stepOf(update: readonly Stmt[], name: string): bigint | undefined {
  const [stmt] = update
  if (update.length !== 1 || stmt.kind !== 'AugAssign' || stmt.target.kind !== 'Name' || stmt.target.name !== name) return undefined
  if (stmt.value.kind !== 'Int' || stmt.value.value === 0n || (stmt.op !== '+' && stmt.op !== '-')) return undefined
  return stmt.op === '+' ? stmt.value.value : -stmt.value.value
}

/**
 * `for (let i = a; i < b; i += s)` as a loop over `range(a, b, s)`, which runs faster than a while loop. Only where nothing in the body
 * changes `i` or what the bound is made of; undefined elsewhere.
 */
export function rangeLoop(
  init: readonly Stmt[],
  condition: Expr,
  update: readonly Stmt[],
  body: readonly Stmt[],
  range: SourceRange,
  /** Variables that local functions assign. */
  assigned: ReadonlySet<string>,
): Stmt | undefined {
  const [start] = init
  if (init.length !== 1 || start.kind !== 'Assign' || start.targets[0].kind !== 'Name' || start.value.kind === 'Float') return undefined
  if (start.annotation?.kind === 'Name' && start.annotation.name === 'float') return undefined
  const [target] = start.targets
  const step = stepOf(update, target.name)
  if (step === undefined || condition.kind !== 'Compare' || condition.ops.length !== 1) return undefined
  const [op] = condition.ops
  const [left, bound] = condition.operands
  if (left.kind !== 'Name' || left.name !== target.name) return undefined
  if (step > 0n ? op !== '<' && op !== '<=' : op !== '>' && op !== '>=') return undefined
  const effects = effectsOf(body, { names: new Set(assigned), passed: new Set(), self: false })
  if (effects.names.has(target.name) || !isStable(bound, effects)) return undefined
  const one: Expr = { kind: 'Int', value: 1n, range: bound.range }
  const stop: Expr =
    op === '<=' || op === '>=' ? { kind: 'Binary', op: op === '<=' ? '+' : '-', left: bound, right: one, range: bound.range } : bound
  const isSimple = start.value.kind === 'Int' && start.value.value === 0n && step === 1n
  const args = isSimple ? [stop] : [start.value, stop, ...(step === 1n ? [] : [{ ...one, value: step } as Expr])]
  const iter: Expr = {
    kind: 'Call',
    fn: { kind: 'Name', name: '.range', range: condition.range },
    args,
    kwargs: [],
    range: condition.range,
  }
  return { kind: 'For', target, iter, body, range }
}
