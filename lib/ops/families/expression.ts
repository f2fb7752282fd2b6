/**
 * The expression language of pointwise operators (docs/pointwise.md): precedence climbing over C's operators. One expression
 * is emitted as vector code for the CPU, and is what fused groups and GPU kernels are made from.
 */
export type Expression =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'unary'; readonly op: '-' | '!' | '~'; readonly a: Expression }
  | { readonly kind: 'binary'; readonly op: BinaryOp; readonly a: Expression; readonly b: Expression }
  | { readonly kind: 'choose'; readonly condition: Expression; readonly a: Expression; readonly b: Expression }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }

export type BinaryOp = '+' | '-' | '*' | '/' | '<' | '<=' | '>' | '>=' | '==' | '!=' | '&&' | '||' | '&' | '|' | '^' | '<<' | '>>'

const precedence: Record<string, number> = {
  '||': 1,
  '&&': 2,
  '|': 3,
  '^': 4,
  '&': 5,
  '==': 6,
  '!=': 6,
  '<': 7,
  '<=': 7,
  '>': 7,
  '>=': 7,
  '<<': 8,
  '>>': 8,
  '+': 9,
  '-': 9,
  '*': 10,
  '/': 10,
}

const token = /\s*(?:((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)|([A-Za-z_]\w*)|(<<|>>|<=|>=|==|!=|&&|\|\||[-+*/<>!~&|^?:(),]))/y

export function parseExpression(text: string): Expression {
  const tokens: string[] = []
  token.lastIndex = 0
  while (text.slice(token.lastIndex).trim() !== '') {
    const at = token.lastIndex
    const match = token.exec(text)
    if (match === null) throw new Error(`Expected an expression for \`expr\` but received '${text}' (at '${text.slice(at)}')`)
    tokens.push(match[1] ?? match[2] ?? match[3])
  }
  let at = 0
  const peek = () => tokens[at]
  const expect = (what: string) => {
    if (tokens[at++] !== what) throw new Error(`Expected '${what}' in expression '${text}' but received '${tokens[at - 1] ?? 'its end'}'`)
  }
  function primary(): Expression {
    const t = tokens[at++]
    if (t === undefined) throw new Error(`Expected an operand in expression '${text}' but received its end`)
    if (t === '-' || t === '!' || t === '~') return { kind: 'unary', op: t, a: primary() }
    if (t === '(') {
      const inner = choose()
      expect(')')
      return inner
    }
    if (/^[.\d]/.test(t)) return { kind: 'number', value: Number(t) }
    if (!/^\w/.test(t)) throw new Error(`Expected an operand in expression '${text}' but received '${t}'`)
    if (peek() !== '(') return { kind: 'name', name: t }
    at++
    const args: Expression[] = []
    while (peek() !== ')') {
      args.push(choose())
      if (peek() !== ')') expect(',')
    }
    at++
    return { kind: 'call', name: t, args }
  }
  function binary(least: number): Expression {
    let a = primary()
    for (;;) {
      const op = peek()
      const p = op === undefined ? undefined : precedence[op]
      if (p === undefined || p < least) return a
      at++
      a = { kind: 'binary', op: op as BinaryOp, a, b: binary(p + 1) }
    }
  }
  function choose(): Expression {
    const condition = binary(1)
    if (peek() !== '?') return condition
    at++
    const a = choose()
    expect(':')
    return { kind: 'choose', condition, a, b: choose() }
  }
  const result = choose()
  if (at !== tokens.length) throw new Error(`Expected the end of expression '${text}' but received '${tokens[at]}'`)
  return result
}

/** Names that an expression reads: operands and parameters (constants excluded). */
export function namesOf(e: Expression, into = new Set<string>()): Set<string> {
  switch (e.kind) {
    case 'number':
      break
    case 'name':
      if (!(e.name in constants)) into.add(e.name)
      break
    case 'unary':
      namesOf(e.a, into)
      break
    case 'binary':
      namesOf(e.a, into)
      namesOf(e.b, into)
      break
    case 'choose':
      namesOf(e.condition, into)
      namesOf(e.a, into)
      namesOf(e.b, into)
      break
    case 'call':
      for (const a of e.args) namesOf(a, into)
      break
  }
  return into
}

/** Named constants; `lowest` and `highest` are the dtype's own. */
export const constants: Readonly<Record<string, string>> = {
  inf: 'infinity<V>()',
  nan: 'not_a_number<V>()',
  pi: 'constant<V>(3.14159265358979323846)',
  lowest: 'lowest<V>()',
  highest: 'highest<V>()',
}
