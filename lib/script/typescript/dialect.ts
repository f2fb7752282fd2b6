import type { Value } from '../../ir/graph.js'
import type { Type } from '../../ir/types.js'
import {
  BoolType,
  FloatType,
  IntType,
  NoneType,
  NumberType,
  StringType,
  TensorType,
  isNumeric,
  typeAnnotation,
  unionMembers,
  unionOf,
} from '../../ir/types.js'
import type { BinaryOperator, CompareOperator, Expr } from '../ast.js'
import type { CompilationUnit } from '../compilation-unit.js'
import { emitAttribute, tensorAttributes } from '../emitter/attributes.js'
import { applyCall, callOperator } from '../emitter/calls.js'
import type { Dialect } from '../emitter/dialect.js'
import type { Emitter } from '../emitter/emitter.js'
import { asValue, emitBinary, emitExpr } from '../emitter/expressions.js'
import type { Condition, Meaning } from '../emitter/values.js'
import { fail, noRefinements, valueMeaning } from '../emitter/values.js'
import { lookupTable } from '../tables.js'
import { keywordsOf } from './expression-parser.js'
import { hintFor } from './hints.js'
import { callMember, constantMember } from './members.js'
import { codeOfArgument, dtypeCodeOf, mathConstants, operatorName, snakeCase } from './names.js'

/** What the names of a source file mean: functions, classes and constants of the file, and what it imports. */
export interface FileNames {
  meaning(name: string): Meaning | undefined
  type(name: string): Type | undefined
}

/** Operators by their names in JavaScript programs, where the rules differ for what they take. */
const methodNames: Partial<Record<string, string>> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '%': 'remainder',
  '**': 'pow',
  '&': 'bitwiseAnd',
  '|': 'bitwiseOr',
  '^': 'bitwiseXor',
  '<': 'lt',
  '>': 'gt',
  '<=': 'le',
  '>=': 'ge',
  '==': 'eq',
  '!=': 'ne',
}

/** Builtins of programs, whatever file they are in. */
const globals = lookupTable<Meaning>({
  torch: { kind: 'namespace', path: 'torch' },
  jit: { kind: 'namespace', path: 'torch.jit' },
  nn: { kind: 'namespace', path: 'torch.nn' },
  F: { kind: 'namespace', path: 'torch.nn.functional' },
  functional: { kind: 'namespace', path: 'torch.nn.functional' },
  linalg: { kind: 'namespace', path: 'torch.linalg' },
  Math: { kind: 'namespace', path: 'Math' },
  console: { kind: 'namespace', path: 'console' },
  Number: { kind: 'namespace', path: 'Number' },
  Array: { kind: 'namespace', path: 'Array' },
  Object: { kind: 'namespace', path: 'Object' },
  Infinity: { kind: 'constant', value: { kind: 'float', value: Infinity }, type: FloatType },
  NaN: { kind: 'constant', value: { kind: 'float', value: NaN }, type: FloatType },
  ...Object.fromEntries(['int', 'float', 'range', 'enumerate', 'zip'].map((name): [string, Meaning] => [name, { kind: 'special', name }])),
  String: { kind: 'special', name: 'str' },
  Boolean: { kind: 'special', name: 'bool' },
  BigInt: { kind: 'special', name: 'int' },
  parseInt: { kind: 'special', name: 'int' },
  parseFloat: { kind: 'special', name: 'float' },
  isNaN: { kind: 'operator', name: 'aten::isnan' },
  isFinite: { kind: 'operator', name: 'aten::isfinite' },
})
/** Names of the API below `torch.jit` that are builtins of the compiler. */
const jitNames = lookupTable<string>({
  isScripting: 'torch.jit.is_scripting',
  isTracing: 'torch.jit.is_tracing',
  isinstance: 'torch.jit.isinstance',
  isInstance: 'torch.jit.isinstance',
  annotate: 'torch.jit.annotate',
  fork: 'torch.jit.fork',
  wait: 'torch.jit.wait',
})

/** The rules of TypeScript. */
export class TypeScriptDialect implements Dialect {
  constructor(
    readonly unit: CompilationUnit,
    private readonly names: FileNames,
  ) {}

  name(name: string): Meaning | undefined {
    return this.names.meaning(name) ?? globals[name]
  }
  type(name: string): Type | undefined {
    return this.names.type(name)
  }
  hint(message: string): string | undefined {
    return hintFor(message)
  }

  // Members

  attribute(e: Emitter, meaning: Meaning, name: string, at: Expr): Meaning | undefined {
    if (meaning.kind === 'namespace') return this.member(meaning.path, name, at)
    if (meaning.kind === 'meanings' || meaning.kind === 'constant')
      return this.attribute(e, valueMeaning(asValue(e, meaning, at)), name, at)
    if (meaning.kind !== 'value') return undefined
    const { value } = meaning
    if (value.type === TensorType) return this.tensorMember(e, value, name, at)
    return constantMember(e, value, name, at)
  }
  private tensorMember(e: Emitter, value: Value, name: string, at: Expr): Meaning | undefined {
    if (name === 'data')
      fail('The memory of a tensor cannot be read in TorchScript. Write `x.detach()` for the tensor without its history', at)
    if (name === 'toArray')
      fail('`toArray` gives JavaScript arrays, which TorchScript has not. Work with the tensor, or call `x.item()` on one element', at)
    if (name === 'dispose') fail('Tensors of TorchScript are freed when nothing uses them. Remove the call', at)
    const snake = snakeCase(name)
    if (name in tensorAttributes || snake in tensorAttributes) return undefined
    const operator = operatorName(name)
    return operator === undefined ? undefined : { kind: 'operator', name: `aten::${operator}`, self: value }
  }
  /** What the package exports under a name. */
  packageName(name: string): Meaning | undefined {
    if (name in globals) return globals[name]
    if (name === 'slice' || name === 'ellipsis' || name === 'kwargs' || /^[A-Z]/.test(name)) return undefined
    const operator = operatorName(name)
    return operator === undefined ? undefined : { kind: 'operator', name: `aten::${operator}` }
  }
  /** A member of a builtin namespace. */
  member(path: string, name: string, at: Expr): Meaning | undefined {
    switch (path) {
      case 'Math':
        if (name in mathConstants) return { kind: 'constant', value: { kind: 'float', value: mathConstants[name] }, type: FloatType }
        return fail(`Math.${name} has no counterpart in TorchScript`, at)
      case 'Number':
        if (name === 'POSITIVE_INFINITY') return globals.Infinity
        if (name === 'NEGATIVE_INFINITY') return { kind: 'constant', value: { kind: 'float', value: -Infinity }, type: FloatType }
        if (name === 'EPSILON') return { kind: 'constant', value: { kind: 'float', value: Number.EPSILON }, type: FloatType }
        if (name === 'MAX_SAFE_INTEGER')
          return { kind: 'constant', value: { kind: 'int', value: BigInt(Number.MAX_SAFE_INTEGER) }, type: IntType }
        if (name === 'isNaN') return globals.isNaN
        if (name === 'isFinite') return globals.isFinite
        if (name === 'parseFloat') return globals.parseFloat
        if (name === 'parseInt') return globals.parseInt
        return fail(`Number.${name} has no counterpart in TorchScript`, at)
      case 'console':
        if (name === 'log') return { kind: 'special', name: 'print' }
        return fail(`console.${name} isn't supported. Write console.log`, at)
      case 'torch.jit':
        if (name in jitNames) return { kind: 'special', name: jitNames[name] }
        return fail(`torch.jit.${name} cannot be called in TorchScript`, at)
      case 'torch':
        if (name === 'functional') return globals.functional
        if (name in globals && name !== 'torch' && (globals[name].kind !== 'special' || name === 'range')) return globals[name]
        break
    }
    if (path !== 'torch' && !path.startsWith('torch.')) return undefined
    const snake = snakeCase(name)
    const own = this.unit.meaningOf(`${path}.${snake}`)
    if (own !== undefined && own.kind !== 'operator') return own
    const prefix = /^torch\.(fft|linalg|special)$/.exec(path)
    const operator = operatorName(prefix === null ? name : `${prefix[1]}_${snake}`)
    if (operator !== undefined) return { kind: 'operator', name: `aten::${operator}` }
    if (path === 'torch.nn' || path === 'torch') return fail(`${path}.${name} has no counterpart in TorchScript`, at)
    return own
  }

  // Calls

  call(e: Emitter, expr: Expr & { kind: 'Call' }, hint: Type | undefined): Meaning {
    const { fn } = expr
    let callee: Meaning
    if (fn.kind === 'Attribute') {
      // `this.constructor.SIZE` and the like have no calls; everything else is a member of what the left side means.
      const base = emitExpr(e, fn.value)
      const done = callMember(e, base, fn.name, expr, hint)
      if (done !== undefined) return done
      if (base.kind === 'value' && base.value.type.kind === 'Class' && fn.name === 'call') {
        e.unit.demandMethod(base.value.type, 'call')
        if (!base.value.type.methods.has('call')) return applyCall(e, base, this.plainArguments(expr), hint)
      }
      callee = e.at(fn.range, () => emitAttribute(e, base, fn.name, fn))
    } else callee = emitExpr(e, fn)
    if (callee.kind === 'special') return this.special(e, callee, expr, hint)
    // Functions of this package take options as operators do.
    const library = callee.kind === 'function' && callee.fn.qualifiedName.startsWith('__torch__.torch.nn.functional.')
    const name = callee.kind === 'operator' ? callee.name : library ? 'torch.nn.functional' : undefined
    const rewritten = name === undefined ? this.plainArguments(expr) : this.operatorArguments(name, expr)
    return applyCall(e, callee, rewritten, hint)
  }
  /** Calls of what programs define take no type arguments. */
  private plainArguments(expr: Expr & { kind: 'Call' }): Expr & { kind: 'Call' } {
    return { ...expr, args: expr.args.filter((a) => !isTypeArgument(a)) }
  }
  private special(e: Emitter, callee: Meaning & { kind: 'special' }, expr: Expr & { kind: 'Call' }, hint: Type | undefined): Meaning {
    const types = expr.args.filter(isTypeArgument)
    const rest = this.plainArguments(expr)
    if (callee.name === 'torch.jit.annotate') {
      const [type, value] = types.length > 0 ? [typeOfArgument(types[0]), rest.args[0]] : rest.args
      if (type === undefined || value === undefined) return fail('annotate takes a type and a value: `jit.annotate<int[]>([])`', expr)
      return applyCall(e, callee, { ...expr, args: [type, value] }, hint)
    }
    if (callee.name === 'torch.jit.isinstance' && types.length > 0)
      return applyCall(e, callee, { ...expr, args: [rest.args[0], typeOfArgument(types[0])] }, hint)
    if (callee.name === 'int' && rest.args.length === 2) return applyCall(e, callee, { ...rest, args: rest.args.slice(0, 1) }, hint)
    return applyCall(e, callee, rest, hint)
  }
  /** An object at the end holds keyword arguments; names of dtypes, layouts and memory formats become their codes. */
  operatorArguments(operator: string, expr: Expr & { kind: 'Call' }): Expr & { kind: 'Call' } {
    const plain = this.plainArguments(expr)
    const last = plain.args.at(-1)
    const record = last?.kind === 'Dict' && last.record === true ? last : undefined
    const kwargs = [...plain.kwargs, ...(record === undefined ? [] : keywordsOf(record))].map((k) => {
      const name = snakeCase(k.name)
      return { ...k, name, value: codeExpr(k.value, name) }
    })
    const args = (record === undefined ? plain.args : plain.args.slice(0, -1)).map((a, i) =>
      codeExpr(a, i === 0 && (operator === 'aten::to' || operator === 'aten::type') ? 'dtype' : undefined),
    )
    return { ...plain, args, kwargs }
  }

  // Operators

  binary(e: Emitter, op: BinaryOperator | CompareOperator, left: Value, right: Value, at: Expr): Value | undefined {
    const types = [left.type, right.type]
    const isTensor = types.includes(TensorType)
    const method = methodNames[op]
    if (isTensor && method !== undefined) {
      const first = left.type === TensorType ? 'a' : undefined
      const instead =
        op === '==' || op === '!='
          ? '`a.eq(b)` for each element, or `torch.equal(a, b)` for the whole'
          : first === undefined
            ? `\`torch.${method}(b, a)\` or turn the operands around`
            : `\`a.${method}(b)\``
      return fail(`Operator ${op === '==' || op === '!=' ? `${op}=` : op} isn't defined for tensors in TypeScript. Write ${instead}`, at)
    }
    if (op === '==' || op === '!=') return this.equality(e, op, left, right, at)
    if (types.some((t) => t.kind === 'List' || t.kind === 'Dict' || t.kind === 'Tuple'))
      return fail(
        `Operator ${op} isn't defined for ${typeAnnotation(left.type)} and ${typeAnnotation(right.type)}. Write \`[...a, ...b]\` to join lists`,
        at,
      )
    if (types.includes(StringType) && !types.every((t) => t === StringType))
      return fail(
        `Operator ${op} isn't defined for ${typeAnnotation(left.type)} and ${typeAnnotation(right.type)}. Write a template: \`\${a}\${b}\``,
        at,
      )
    return undefined
  }
  private equality(e: Emitter, op: '==' | '!=', left: Value, right: Value, at: Expr): Value | undefined {
    const code = (tested: Value, other: Value): Value => {
      // `x.dtype === 'float32'`: dtypes are ints.
      const constant = other.node.constant
      const found = tested.type === IntType && constant?.kind === 'string' ? dtypeCodeOf(constant.value, true) : undefined
      return found === undefined ? other : e.int(found)
    }
    const [a, b] = [code(right, left), code(left, right)]
    if (a !== left || b !== right) return emitBinary(e, op, a, b, at)
    for (const { type } of [left, right]) {
      if (type.kind === 'List' || type.kind === 'Dict' || type.kind === 'Tuple')
        return fail(`=== of ${typeAnnotation(type)} compares identity in TypeScript and elements in TorchScript. Compare the elements`, at)
    }
    return undefined
  }

  checkSubscript(base: Value, at: Expr): void {
    if (base.type === TensorType)
      fail(
        'Tensors are not indexed with [] in TypeScript. Write `x.index(i, slice(1, null), ellipsis)`, `x.select(0, i)` or `x.set(i, value)`',
        at,
      )
  }

  truth(e: Emitter, value: Value, at: Expr): Condition | undefined {
    const { type } = value
    if (type === TensorType)
      return fail('Tensors are always true in TypeScript. Write `x.item()` or a comparison such as `x.gt(0).item()`', at)
    if (type.kind === 'List') return fail('Arrays are always true in TypeScript. Write `xs.length > 0`', at)
    if (type.kind === 'Dict') return fail('Maps are always true in TypeScript. Write `map.size > 0`', at)
    if (type === NumberType)
      return { value: callOperator(e, 'aten::Bool', [value], [], at.range), whenTrue: noRefinements, whenFalse: noRefinements }
    const members = unionMembers(type)
    if (!members.includes(NoneType)) return undefined
    const some = members.filter((m) => m !== NoneType)
    if (some.some((m) => isNumeric(m) || m === BoolType || m === StringType))
      return fail(`A value of type ${typeAnnotation(type)} may be false for two reasons. Write \`x !== null\``, at)
    if (some.length === 0) return { value: e.bool(false), whenTrue: noRefinements, whenFalse: noRefinements, known: false }
    const test = callOperator(e, 'aten::__isnot__', [value, e.none()], [], at.range)
    if (at.kind !== 'Name') return { value: test, whenTrue: noRefinements, whenFalse: noRefinements }
    return { value: test, whenTrue: new Map([[at.name, unionOf(some)]]), whenFalse: new Map([[at.name, NoneType as Type]]) }
  }
}

const isTypeArgument = (arg: Expr): boolean => arg.kind === 'Call' && arg.fn.kind === 'Name' && arg.fn.name === '.type'
const typeOfArgument = (arg: Expr): Expr => (arg as Expr & { kind: 'Call' }).args[0]
/** A string argument as the code that it stands for. */
function codeExpr(value: Expr, argument: string | undefined): Expr {
  if (value.kind !== 'String') return value
  const code = codeOfArgument(argument, value.value)
  return code === undefined ? value : { kind: 'Int', value: BigInt(code), range: value.range }
}
