import type { Block, SourceRange, Value } from '../../ir/graph.js'
import { Graph, GraphBuilder } from '../../ir/graph.js'
import type { ConstantValue, Parameter, Type } from '../../ir/types.js'
import { BoolType, FloatType, IntType, NoneType, isSubtype, sameType, typeAnnotation } from '../../ir/types.js'
import type { Expr, FunctionDef, Lambda, Stmt } from '../ast.js'
import { resolveType } from '../type-resolver.js'
import type { CompilationUnit } from '../compilation-unit.js'
import { constantType, convertToType, insertOperator, unifyTypes } from '../schema-matching.js'
import { compileError } from '../source.js'
import { asValue, emitCondition, emitExpr, emitValue } from './expressions.js'
import { emitAssignment, emitAugmented, emitDelete } from './assignments.js'
import { emitFor, emitWhile } from './loops.js'
import { enterContext } from './calls.js'
import type { Dialect } from './dialect.js'
import type { Condition, Meaning, Refinements } from './values.js'
import { Environment, fail, noRefinements, valueMeaning } from './values.js'

/** Whether control leaves the statement list before its end: never, on some paths, or on all. */
export type Exit = 'no' | 'maybe' | 'yes'

/** Thrown when a return inside a loop needs the return type before it is known; the function is emitted again with it. */
class NeedReturnType extends Error {
  constructor(
    /** The function, or the local function inlined into it. */
    readonly of: FunctionDef | Lambda,
    readonly type: Type,
  ) {
    super('return type needed')
  }
}

/**
 * Note [Early exits]
 * Graphs have no jumps, so `return`, `break` and `continue` inside branches and loops become flags: pseudo variables in the
 * environment that name what happened. After a statement that may exit, the rest of its block goes into the false branch of a test of
 * the flags. A branch that exits needs no values for variables of the rest: prim::Uninitialized fills them.
 */
const flags = { break: '%broken', continue: '%continued' } as const

/** One branch of an `if`, emitted: its variables, how it ends, and what holds for the paths that reach its end. */
interface Path {
  readonly env: Environment
  readonly exit: Exit
  readonly narrowed: Refinements
  /** It ends in an exception. */
  readonly raised: boolean
}

/** Emits one function body. */
export class Emitter {
  readonly graph = new Graph()
  readonly b = new GraphBuilder(this.graph)
  env = new Environment()
  private returnType: Type | undefined
  /** Depth of loops around the current statement; 0 at function level. */
  private loopDepth = 0
  private branchDepth = 0
  private declaredReturn: Type | undefined
  /** The function whose return statements are being emitted, and the pseudo variables of its returns. */
  private frame: { readonly of: FunctionDef | Lambda; readonly returned: string; readonly value: string }
  private inlined = 0
  private inlineDepth = 0

  constructor(
    readonly unit: CompilationUnit,
    readonly def: FunctionDef,
    declaredReturn: Type | undefined,
    private readonly knownReturns: ReadonlyMap<FunctionDef | Lambda, Type> = new Map(),
    /** Meaning of free names, for nested functions. */
    enclosing?: Environment,
    readonly dialect?: Dialect,
  ) {
    this.declaredReturn = declaredReturn
    this.returnType = declaredReturn ?? knownReturns.get(def)
    this.frame = { of: def, returned: '%returned', value: '%value' }
    if (dialect !== undefined) this.b.widensInts = true
    if (enclosing !== undefined) this.env = new Environment(enclosing)
  }

  /** Compiles a function to a graph and its return type. */
  static compile(
    unit: CompilationUnit,
    def: FunctionDef,
    parameters: readonly Parameter[],
    declared: Type | undefined,
    dialect?: Dialect,
  ): { graph: Graph; returnType: Type } {
    const known = new Map<FunctionDef | Lambda, Type>()
    for (let attempt = 0; ; attempt++) {
      const emitter = new Emitter(unit, def, declared, known, undefined, dialect)
      try {
        return emitter.run(parameters)
      } catch (error) {
        if (!(error instanceof NeedReturnType) || attempt > 64) throw error
        known.set(error.of, error.type)
      }
    }
  }

  run(parameters: readonly Parameter[]): { graph: Graph; returnType: Type } {
    for (const parameter of parameters)
      this.env.set(parameter.name, valueMeaning(this.graph.block.addInput(parameter.type, nameHint(parameter.name))))
    return this.finish(this.statements(this.def.body))
  }
  private finish(exit: Exit): { graph: Graph; returnType: Type } {
    this.b.range = this.def.range
    const value = this.returned(exit, this.def.range)
    this.graph.block.addOutput(value)
    return { graph: this.graph, returnType: this.declaredReturn ?? this.returnType ?? value.type }
  }
  /** What the function of the frame returns, at the end of its body. */
  private returned(exit: Exit, range: SourceRange): Value {
    let result = this.lookup(this.frame.value)
    if (exit !== 'yes') {
      // Falling off the end returns None.
      if (this.declaredReturn !== undefined && this.declaredReturn !== NoneType) {
        throw compileError('Function was not annotated as having type None, but does not return along all paths', range)
      }
      const none = this.convertReturn(this.none(), range)
      if (exit === 'no' || result === undefined) result = valueMeaning(none)
      else if (result.kind === 'value') {
        const returned = result.value
        const flag = (this.lookup(this.frame.returned) as { value: Value }).value
        result = valueMeaning(
          this.emitIf(
            flag,
            () => returned,
            () => none,
            range,
          ),
        )
      }
    }
    if (result === undefined) {
      // Every path raises.
      const type = this.declaredReturn ?? NoneType
      result = valueMeaning(type === NoneType ? this.none() : this.uninitialized(type))
    }
    return (result as { value: Value }).value
  }

  /** Emits the body of a local function in place of a call. */
  inline(lambda: Lambda, args: readonly Meaning[], range: SourceRange): Meaning {
    if (this.inlineDepth > 32) throw compileError('Local functions cannot call themselves. Write a function at the top of the file', range)
    const saved = {
      env: this.env,
      declared: this.declaredReturn,
      type: this.returnType,
      frame: this.frame,
      loops: this.loopDepth,
      branches: this.branchDepth,
    }
    const id = ++this.inlined
    this.env = new Environment(saved.env)
    this.inlineDepth++
    try {
      this.bindParameters(lambda, args, range)
      if (!Array.isArray(lambda.body)) return emitExpr(this, lambda.body as Expr, lambda.returns && this.type(lambda.returns))
      this.declaredReturn = lambda.returns === undefined ? undefined : this.type(lambda.returns)
      this.returnType = this.declaredReturn ?? this.knownReturns.get(lambda)
      this.frame = { of: lambda, returned: `%returned${id}`, value: `%value${id}` }
      this.loopDepth = 0
      this.branchDepth = 0
      for (const flag of [flags.break, flags.continue]) this.env.set(flag, valueMeaning(this.bool(false)))
      const value = this.returned(this.statements(lambda.body as readonly Stmt[]), lambda.range)
      const inner = this.env
      this.env = saved.env
      // What it assigned of the variables around it stays.
      for (const name of lambda.assigns) {
        const meaning = inner.find(name)
        if (meaning !== undefined && meaning !== saved.env.find(name)) this.assign(name, meaning, range)
      }
      return valueMeaning(value)
    } finally {
      this.inlineDepth--
      this.env = saved.env
      this.declaredReturn = saved.declared
      this.returnType = saved.type
      this.frame = saved.frame
      this.loopDepth = saved.loops
      this.branchDepth = saved.branches
    }
  }
  private bindParameters(lambda: Lambda, args: readonly Meaning[], range: SourceRange): void {
    const { parameters } = lambda
    if (args.length > parameters.length)
      throw compileError(`Expected ${parameters.length} argument${parameters.length === 1 ? '' : 's'} but received ${args.length}`, range)
    parameters.forEach(({ name, annotation, default: fallback }, i) => {
      let meaning = args[i]
      if (meaning === undefined) {
        if (fallback === undefined) throw compileError(`Expected a value for the argument '${name}'`, range)
        meaning = emitExpr(this, fallback)
      }
      if (annotation !== undefined) {
        const type = this.type(annotation)
        const at: Expr = { kind: 'None', range }
        const value = convertToType(this.b, asValue(this, meaning, at, type), type, true)
        if (!isSubtype(value.type, type))
          throw compileError(
            `Expected a value of type '${typeAnnotation(type)}' for argument '${name}' but instead found type '${typeAnnotation(value.type)}'`,
            range,
          )
        meaning = valueMeaning(sameType(value.type, type) ? value : this.widened(value, type))
      }
      this.env.set(name, meaning)
    })
  }
  /** A value with a wider type. */
  widened(value: Value, type: Type): Value {
    if (value.node.constant?.kind === 'none') return this.constant({ kind: 'none' }, type)
    return this.b.add('prim::unchecked_cast', [value]).output.setType(type)
  }

  // Small constructors

  none(): Value {
    return this.b.constant({ kind: 'none' }, NoneType)
  }
  bool(value: boolean): Value {
    return this.b.constant({ kind: 'bool', value }, BoolType)
  }
  int(value: number | bigint): Value {
    return this.b.constant({ kind: 'int', value: BigInt(value) }, IntType)
  }
  constant(value: ConstantValue, type: Type = constantType(value)): Value {
    return this.b.constant(value, type)
  }
  uninitialized(type: Type): Value {
    const node = this.b.add('prim::Uninitialized')
    return node.output.setType(type)
  }
  lookup(name: string): Meaning | undefined {
    return this.env.find(name)
  }
  type(expr: Expr): Type {
    return resolveType(expr, (name) => this.dialect?.type(name) ?? this.unit.namedType(name))
  }
  /** Runs `emit` with the source position of `range` on new nodes. */
  at<T>(range: SourceRange, emit: () => T): T {
    const saved = this.b.range
    this.b.range = range
    try {
      return emit()
    } finally {
      this.b.range = saved
    }
  }

  // Statements

  /** Emits statements; after one that may exit, the rest runs only where it did not. */
  statements(list: readonly Stmt[]): Exit {
    for (let i = 0; i < list.length; i++) {
      const exit = this.at(list[i].range, () => this.statement(list[i]))
      if (exit === 'yes') return 'yes'
      if (exit === 'maybe') {
        const rest = list.slice(i + 1)
        // At the end of a block they go on to hold for what follows the statement around it.
        if (rest.length === 0) return 'maybe'
        const narrowed = this.survivors
        this.survivors = noRefinements
        return this.guarded(rest, narrowed)
      }
    }
    return 'no'
  }
  /** The statements after one that may have exited; `narrowed` holds for the paths that reach them. */
  private guarded(rest: readonly Stmt[], narrowed: Refinements): Exit {
    const condition: Condition = { value: this.exited(), whenTrue: noRefinements, whenFalse: narrowed }
    const range = rest[0].range
    const exit = this.branches(
      condition,
      () => 'yes',
      () => this.statements(rest),
      range,
    )
    return exit === 'yes' ? 'yes' : 'maybe'
  }
  /** Whether any exit flag is set. */
  exited(): Value {
    const set = [this.frame.returned, flags.break, flags.continue]
      .map((name) => this.lookup(name))
      .filter((m) => m?.kind === 'value')
      .map((m) => (m as { value: Value }).value)
      .filter((v) => !(v.node.constant?.kind === 'bool' && !v.node.constant.value))
    if (set.length === 0) return this.bool(false)
    return set.reduce((a, b) => insertOperator(this.b, 'aten::__or__.bool', [a, b]))
  }

  private statement(stmt: Stmt): Exit {
    switch (stmt.kind) {
      case 'Expr':
        emitExpr(this, stmt.value)
        return this.raises(stmt.value) ? 'yes' : 'no'
      case 'Assign':
        emitAssignment(this, stmt)
        return 'no'
      case 'AugAssign':
        emitAugmented(this, stmt)
        return 'no'
      case 'Declare':
        if (stmt.target.kind === 'Name') this.declare(stmt.target.name, this.type(stmt.annotation))
        return 'no'
      case 'Return':
        return this.emitReturn(stmt.value === undefined ? this.none() : emitValue(this, stmt.value, this.returnType), stmt.range)
      case 'If':
        return this.emitIfStatement(stmt)
      case 'While':
        return emitWhile(this, stmt)
      case 'For':
        return emitFor(this, stmt)
      case 'Break':
      case 'Continue':
        if (this.loopDepth === 0) throw compileError(`${stmt.kind.toLowerCase()} statement outside of a loop`, stmt.range)
        this.env.set(stmt.kind === 'Break' ? flags.break : flags.continue, valueMeaning(this.bool(true)))
        return 'yes'
      case 'Pass':
        return 'no'
      case 'Assert':
        return this.emitAssert(stmt)
      case 'Raise':
        this.emitRaise(stmt)
        return 'yes'
      case 'With':
        return this.emitWith(stmt)
      case 'Delete':
        stmt.targets.forEach((target) => emitDelete(this, target))
        return 'no'
      case 'FunctionDef':
        this.env.set(stmt.name, { kind: 'forked', def: stmt })
        return 'no'
      case 'ClassDef':
        throw compileError("class definitions in functions aren't supported", stmt.range)
    }
  }
  /** `ops.prim.RaiseException(...)` ends its path. */
  private raises(expr: Expr): boolean {
    return expr.kind === 'Call' && expr.fn.kind === 'Attribute' && expr.fn.name === 'RaiseException'
  }

  private convertReturn(value: Value, range: SourceRange): Value {
    if (this.declaredReturn === undefined) {
      const joined = this.returnType === undefined ? value.type : unifyTypes(this.returnType, value.type)
      if (joined === undefined) {
        throw compileError(
          `Previous return statement returned a value of type ${typeAnnotation(this.returnType!)} but this return statement returns a value of type ${typeAnnotation(value.type)}`,
          range,
        )
      }
      // Returns emitted before with the narrower type are emitted again.
      if (this.returnType !== undefined && joined !== this.returnType && !isSubtype(joined, this.returnType))
        throw new NeedReturnType(this.frame.of, joined)
      if (this.returnType === undefined && (this.loopDepth > 0 || this.branchDepth > 0)) throw new NeedReturnType(this.frame.of, joined)
      this.returnType = joined
      return value
    }
    const converted = convertToType(this.b, value, this.declaredReturn, true)
    if (!isSubtype(converted.type, this.declaredReturn)) {
      throw compileError(
        `Return value was annotated as having type ${typeAnnotation(this.declaredReturn)} but is actually of type ${typeAnnotation(value.type)}`,
        range,
      )
    }
    return converted
  }
  private emitReturn(value: Value, range: SourceRange): Exit {
    const converted = this.convertReturn(value, range)
    this.env.set(this.frame.value, valueMeaning(converted))
    this.env.set(this.frame.returned, valueMeaning(this.bool(true)))
    return 'yes'
  }

  /** A variable that has a type but no value yet. */
  private declare(name: string, type: Type): void {
    this.env.set(name, valueMeaning(this.uninitialized(type)))
  }

  private emitAssert(stmt: Stmt & { kind: 'Assert' }): Exit {
    const condition = emitCondition(this, stmt.condition)
    const raise = (): Exit => {
      const message = stmt.message === undefined ? this.constant({ kind: 'string', value: '' }) : emitValue(this, stmt.message)
      const text = insertOperator(this.b, 'aten::add.str', [
        this.constant({ kind: 'string', value: 'AssertionError: ' }),
        insertOperator(this.b, 'aten::str', [message]),
      ])
      this.raise(text, undefined)
      return 'yes'
    }
    return this.branches(condition, () => 'no', raise, stmt.range)
  }
  private raise(message: Value, className: Value | undefined): void {
    const node = this.b.add('prim::RaiseException', className === undefined ? [message, this.none()] : [message, className], 0)
    node.schema = this.unit.schema('prim::RaiseException')
  }
  private emitRaise(stmt: Stmt & { kind: 'Raise' }): void {
    const { value } = stmt
    if (value === undefined) fail('raise needs an exception', stmt)
    const isCall = value.kind === 'Call'
    const name = (isCall ? value.fn : value) as Expr
    const className = name.kind === 'Name' ? `builtins.${name.name}` : name.kind === 'Attribute' ? name.name : 'builtins.Exception'
    const args = isCall ? value.args.map((a) => emitValue(this, a)) : []
    const text =
      args.length === 0
        ? this.constant({ kind: 'string', value: '' })
        : args[0].type === this.unit.stringType
          ? args[0]
          : insertOperator(this.b, 'aten::str', [args[0]])
    this.raise(text, this.constant({ kind: 'string', value: className }))
  }

  private emitWith(stmt: Stmt & { kind: 'With' }): Exit {
    const objects: Value[] = []
    for (const item of stmt.items) {
      const object = emitValue(this, item.value)
      const entered = enterContext(this, object, item.value.range)
      if (item.target !== undefined) {
        if (item.target.kind !== 'Name') fail('Only names can follow `as` in a with statement', item.target)
        this.assign(item.target.name, valueMeaning(entered), item.target.range)
      }
      objects.push(object)
    }
    const exit = this.statements(stmt.body)
    for (const object of objects.reverse()) this.b.add('prim::Exit', [object])
    return exit
  }

  /** Statements at the end of a round of a loop: they run where the round was not left, so after `continue` too. */
  afterRound(exit: Exit, update: readonly Stmt[], range: SourceRange): void {
    this.env.set(flags.continue, valueMeaning(this.bool(false)))
    if (exit === 'no') return void this.statements(update)
    const left = this.exited()
    if (left.node.constant?.kind === 'bool' && !left.node.constant.value) return void this.statements(update)
    const condition: Condition = { value: left, whenTrue: noRefinements, whenFalse: noRefinements }
    this.branches(
      condition,
      () => 'no',
      () => this.statements(update),
      range,
    )
  }

  // Variables

  /** Assigns a variable; in a branch or loop the type must fit the variable of the scope around it. */
  assign(name: string, meaning: Meaning, range: SourceRange): void {
    const outer = this.env.outerVariable(name)
    if (outer?.kind === 'value' && meaning.kind === 'value') {
      const type = outer.value.type
      const value = convertToType(this.b, meaning.value, type, true)
      if (!isSubtype(value.type, type) && !this.mayChangeType(name)) {
        throw compileError(
          `Variable '${name}' previously had type ${typeAnnotation(type)} but is now being assigned to a value of type ${typeAnnotation(value.type)}`,
          range,
        )
      }
      this.name(value, name)
      this.env.set(name, valueMeaning(value))
      return
    }
    if (meaning.kind === 'value') this.name(meaning.value, name)
    this.env.set(name, meaning)
  }
  /** Both branches of an `if` may give a variable another type; inside a loop body the type stays. */
  private mayChangeType(name: string): boolean {
    return !this.carried.some((names) => names.has(name))
  }
  readonly carried: ReadonlySet<string>[] = []
  private name(value: Value, name: string): void {
    if (value.node.kind !== 'prim::Param' && value.debugName === undefined) value.debugName = nameHint(name)
  }

  // Branches

  private emitIfStatement(stmt: Stmt & { kind: 'If' }): Exit {
    const condition = emitCondition(this, stmt.condition)
    if (condition.known !== undefined) {
      this.refine(condition.known ? condition.whenTrue : condition.whenFalse)
      return this.statements(condition.known ? stmt.then : stmt.otherwise)
    }
    return this.branches(
      condition,
      () => this.statements(stmt.then),
      () => this.statements(stmt.otherwise),
      stmt.range,
    )
  }

  /** Narrows variables in the current scope. */
  refine(refinements: Refinements): void {
    for (const [name, type] of refinements) {
      const meaning = this.lookup(name)
      if (meaning?.kind !== 'value' || meaning.value.type === type) continue
      const cast = type === NoneType ? this.none() : this.b.add('prim::unchecked_cast', [meaning.value]).output.setType(type)
      this.env.refine(name, cast)
    }
  }

  /** Emits a prim::If of two statement bodies and joins the variables they assign. */
  branches(condition: Condition, then: () => Exit, otherwise: () => Exit, range: SourceRange): Exit {
    const node = this.b.add('prim::If', [condition.value], 0)
    this.survivors = noRefinements
    const run = (block: Block, refinements: Refinements, body: () => Exit): Path => {
      const env = new Environment(this.env)
      const saved = this.env
      this.env = env
      this.branchDepth++
      const exit = this.b.within(block, () => {
        this.refine(refinements)
        return body()
      })
      this.branchDepth--
      this.env = saved
      const narrowed = this.survivors
      this.survivors = noRefinements
      return { env, exit, narrowed, raised: exit === 'yes' && !env.assigned().some((n) => n.startsWith('%')) }
    }
    const a = run(node.addBlock(), condition.whenTrue, then)
    const b = run(node.addBlock(), condition.whenFalse, otherwise)
    const names = new Set([...a.env.assigned(), ...b.env.assigned()])
    // What one path narrows and the other assigns lives on with the type both have.
    for (const name of [...a.env.refined(), ...b.env.refined()])
      if (a.env.assigned().includes(name) || b.env.assigned().includes(name)) names.add(name)
    for (const name of names) this.join(node.blocks, name, a, b, range)
    // A test that ends one path narrows what follows it.
    if ((a.exit === 'yes') !== (b.exit === 'yes')) this.narrowRest(a.exit === 'yes' ? b : a, a.raised || b.raised)
    if (a.exit === 'yes' && b.exit === 'yes') return 'yes'
    if (a.exit === 'no' && b.exit === 'no') return 'no'
    // A path that raises never reaches the rest.
    if ((a.raised && b.exit === 'no') || (b.raised && a.exit === 'no')) return 'no'
    return 'maybe'
  }

  /** Types that variables have at the end of the only path that goes on; they hold for what follows. */
  private survivors: Refinements = noRefinements
  private narrowRest(path: Path, otherRaised: boolean): void {
    const narrowed = new Map<string, Type>()
    for (const name of [...path.env.refined(), ...path.env.assigned(), ...path.narrowed.keys()]) {
      const [there, here] = [path.env.find(name), this.lookup(name)]
      if (name.startsWith('%') || there?.kind !== 'value' || here?.kind !== 'value') continue
      const type = path.narrowed.get(name) ?? there.value.type
      if (!sameType(type, here.value.type) && isSubtype(type, here.value.type)) narrowed.set(name, type)
    }
    if (path.exit === 'no' && otherRaised) this.refine(narrowed)
    else this.survivors = narrowed
  }

  private join(
    blocks: readonly Block[],
    name: string,
    a: { env: Environment; exit: Exit },
    b: { env: Environment; exit: Exit },
    range: SourceRange,
  ): void {
    const flag = name.startsWith('%') && !name.startsWith('%value')
    const find = (side: { env: Environment; exit: Exit }, block: Block): Meaning | undefined => {
      const meaning = side.env.find(name)
      return meaning ?? (flag ? valueMeaning(this.b.within(block, () => this.bool(false))) : undefined)
    }
    const left = find(a, blocks[0])
    const right = find(b, blocks[1])
    if (left !== undefined && left === right) return
    const isValue = (m: Meaning | undefined): m is Meaning & { kind: 'value' } => m?.kind === 'value'
    // A variable of one branch only lives on where the other branch does not reach the rest.
    const fill = (side: { exit: Exit }, mine: Meaning | undefined, other: Meaning | undefined, block: Block): Value | undefined => {
      if (isValue(mine)) return mine.value
      if (isValue(other) && (side.exit !== 'no' || name.startsWith('%value')))
        return this.b.within(block, () => this.uninitialized(other.value.type))
      return undefined
    }
    let x = fill(a, left, right, blocks[0])
    let y = fill(b, right, left, blocks[1])
    // A path that returned or raised does not decide types; one that broke out of the loop still gives its values to it.
    if (!name.startsWith('%') && x !== undefined && y !== undefined && !sameType(x.type, y.type)) {
      const gone = (side: { env: Environment; exit: Exit }): boolean =>
        side.exit === 'yes' && !side.env.assigned().some((n) => n === flags.break || n === flags.continue)
      if (gone(a) && b.exit !== 'yes') x = this.b.within(blocks[0], () => this.uninitialized(y!.type))
      else if (gone(b) && a.exit !== 'yes') y = this.b.within(blocks[1], () => this.uninitialized(x!.type))
    }
    if (x === undefined || y === undefined) {
      const only = isValue(left) || isValue(right) ? undefined : (left ?? right)
      if (only !== undefined && left !== undefined && right !== undefined) this.env.set(name, only)
      else {
        this.env.delete(name)
        this.missing.set(name, `${name} is not defined in the ${x === undefined ? 'true' : 'false'} branch`)
      }
      return
    }
    let type = name.startsWith('%value') ? (this.returnType ?? this.unify(x.type, y.type)) : this.unify(x.type, y.type)
    if (type === undefined) {
      // The value of a path that left is never read.
      if (a.exit === 'yes') x = this.b.within(blocks[0], () => this.uninitialized(y!.type))
      else if (b.exit === 'yes') y = this.b.within(blocks[1], () => this.uninitialized(x!.type))
      else {
        type = unifyTypes(x.type, y.type, true)
        if (type === undefined || !this.allowsUnion(x.type, y.type)) {
          throw compileError(
            `Type mismatch: ${name} is set to type ${typeAnnotation(x.type)} in the true branch and type ${typeAnnotation(y.type)} in the false branch`,
            range,
          )
        }
      }
      type ??= unifyTypes(x.type, y.type)!
    }
    const node = blocks[0].owner!
    blocks[0].addOutput(this.b.within(blocks[0], () => convertToType(this.b, x, type, this.b.widensInts)))
    blocks[1].addOutput(this.b.within(blocks[1], () => convertToType(this.b, y, type, this.b.widensInts)))
    const output = node.addOutput(type, name.startsWith('%') ? undefined : nameHint(name))
    this.env.set(name, valueMeaning(output))
  }
  /** The type that two branches agree on. Where the language has one type of numbers, an int and a float make a float. */
  private unify(a: Type, b: Type): Type | undefined {
    const isNumber = (type: Type): boolean => type === IntType || type === FloatType
    return unifyTypes(a, b) ?? (this.b.widensInts && isNumber(a) && isNumber(b) ? FloatType : undefined)
  }
  private allowsUnion(a: Type, b: Type): boolean {
    return a.kind === 'Union' || b.kind === 'Union'
  }
  /** Why a name that some branch defined is not there. */
  readonly missing = new Map<string, string>()

  /** A prim::If with one result. */
  emitIf(
    condition: Value,
    then: () => Value,
    otherwise: () => Value,
    range: SourceRange,
    refine?: Condition,
    mismatch = (a: string, b: string): string => `Type mismatch: the branches of the expression have the types ${a} and ${b}`,
  ): Value {
    const node = this.b.add('prim::If', [condition], 0)
    const run = (emit: () => Value, refinements: Refinements | undefined): Value => {
      const saved = this.env
      this.env = new Environment(saved)
      const value = this.b.within(node.addBlock(), () => {
        if (refinements !== undefined) this.refine(refinements)
        return emit()
      })
      this.env = saved
      return value
    }
    const x = run(then, refine?.whenTrue)
    const y = run(otherwise, refine?.whenFalse)
    const type = this.unify(x.type, y.type)
    if (type === undefined) {
      throw compileError(mismatch(typeAnnotation(x.type), typeAnnotation(y.type)), range)
    }
    node.blocks[0].addOutput(this.b.within(node.blocks[0], () => convertToType(this.b, x, type, this.b.widensInts)))
    node.blocks[1].addOutput(this.b.within(node.blocks[1], () => convertToType(this.b, y, type, this.b.widensInts)))
    return node.addOutput(type)
  }

  // Loops (loops.ts emits the headers)

  /**
   * Emits a prim::Loop. `names` are the variables that the body assigns; those that exist before are carried. `head` emits the start of the body
   * and `again` the condition of the next round.
   */
  loop(
    limit: Value,
    start: Value,
    names: ReadonlySet<string>,
    body: (trip: Value) => Exit,
    again: () => Value,
    exits: { returns: boolean; breaks: boolean },
    range: SourceRange,
  ): Exit {
    if (exits.returns) {
      const { returned, value } = this.frame
      if (this.lookup(returned) === undefined) this.env.set(returned, valueMeaning(this.bool(false)))
      if (this.lookup(value) === undefined && this.returnType !== undefined)
        this.env.set(value, valueMeaning(this.uninitialized(this.returnType)))
    }
    const all = new Set(names)
    if (exits.returns) for (const name of [this.frame.returned, this.frame.value]) all.add(name)
    const carried = [...all].filter((name) => this.lookup(name)?.kind === 'value')
    const node = this.b.add('prim::Loop', [limit, start, ...carried.map((n) => (this.lookup(n) as { value: Value }).value)], 0)
    const block = node.addBlock()
    const trip = block.addInput(IntType)
    const env = new Environment(this.env)
    const saved = this.env
    this.env = env
    // Types of carried variables are those before the loop.
    const inputs = carried.map((name, i) => block.addInput(node.inputs[i + 2].type, name.startsWith('%') ? undefined : nameHint(name)))
    const frame = new Environment(env)
    carried.forEach((name, i) => env.set(name, valueMeaning(inputs[i])))
    this.env = frame
    this.loopDepth++
    this.carried.push(new Set(carried))
    const outputs = this.b.within(block, () => {
      for (const name of [flags.break, flags.continue]) env.set(name, valueMeaning(this.bool(false)))
      const exit = body(trip)
      let next: Value
      const left = (): Value => {
        const set = [this.frame.returned, flags.break]
          .map((n) => this.lookup(n))
          .filter((m) => m?.kind === 'value')
          .map((m) => (m as { value: Value }).value)
        const real = set.filter((v) => !(v.node.constant?.kind === 'bool' && !v.node.constant.value))
        return real.length === 0 ? this.bool(false) : real.reduce((a, c) => insertOperator(this.b, 'aten::__or__.bool', [a, c]))
      }
      if (exit === 'no' || (!exits.returns && !exits.breaks)) next = again()
      else {
        const gone = left()
        next = this.emitIf(gone, () => this.bool(false), again, range)
      }
      const values = carried.map((name, i) => {
        const value = (this.lookup(name) as { value: Value }).value
        const type = inputs[i].type
        const converted = convertToType(this.b, value, type, true)
        if (!isSubtype(converted.type, type)) {
          throw compileError(
            `Variable '${name}' previously had type ${typeAnnotation(type)} but is now being assigned to a value of type ${typeAnnotation(value.type)}`,
            range,
          )
        }
        return converted
      })
      return [next, ...values]
    })
    this.carried.pop()
    this.loopDepth--
    // A loop may run no round at all: nothing its body found out holds after it.
    this.survivors = noRefinements
    this.env = saved
    outputs.forEach((value) => block.addOutput(value))
    carried.forEach((name, i) =>
      this.env.set(name, valueMeaning(node.addOutput(inputs[i].type, name.startsWith('%') ? undefined : nameHint(name)))),
    )
    return exits.returns ? 'maybe' : 'no'
  }
  /** Resolves a default value, which must be a constant expression. */
  static defaultValue(unit: CompilationUnit, expr: Expr, type: Type | undefined): ConstantValue {
    const value = unit.constantExpression(expr)
    if (value.kind === 'int' && type?.kind === 'Simple' && type.name === 'float') return { kind: 'float', value: Number(value.value) }
    return value
  }
}

/** A name for values of the graph; temporaries such as `_3` have none. */
export function nameHint(name: string): string | undefined {
  // A variable that shares its name with another of the function has a number behind a dot.
  const plain = name.replace(/\.\d+$/, '').replaceAll('$', '_')
  return plain === '' || /^_\d*$/.test(plain) || plain.startsWith('%') ? undefined : plain
}
