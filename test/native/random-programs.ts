/** mulberry32 */
export function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let x = Math.imul(state ^ (state >>> 15), 1 | state)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) % below
  }
}

/** A straight-line program on three 3x3 matrices: kernels, views, writes into views, constants. Some of its tensors are results. */
export function randomProgram(pick: (below: number) => number): string {
  const lines = [
    '%zero : int = prim::Constant[value=0]()',
    '%one : int = prim::Constant[value=1]()',
    '%two : int = prim::Constant[value=2]()',
    '%three : int = prim::Constant[value=3]()',
    '%none : NoneType = prim::Constant()',
    '%false : bool = prim::Constant[value=0]()',
    '%half : float = prim::Constant[value=0.5]()',
    '%row : float[] = prim::ListConstruct(%half, %half, %half)',
    '%rows : float[][] = prim::ListConstruct(%row, %row, %row)',
  ]
  const matrices = ['%a', '%b', '%c']
  const vectors: string[] = []
  let count = 0
  const any = (list: string[]): string => list[pick(list.length)]
  const make = (list: string[], expression: string): string => {
    const name = `%v${count++}`
    lines.push(`${name} : Tensor = ${expression}`)
    list.push(name)
    return name
  }
  for (let i = 0; i < 14; i++) {
    const index = any(['%zero', '%one', '%two'])
    switch (pick(20)) {
      case 0:
        make(matrices, `aten::add(${any(matrices)}, ${any(matrices)}, %one)`)
        break
      case 1:
        make(matrices, `aten::mul(${any(matrices)}, ${any(matrices)})`)
        break
      case 2:
        make(matrices, `aten::matmul(${any(matrices)}, ${any(matrices)})`)
        break
      case 3:
        make(matrices, `aten::relu(${any(matrices)})`)
        break
      case 4:
        make(matrices, `aten::transpose(${any(matrices)}, %zero, %one)`)
        break
      case 5:
        make(matrices, `aten::tensor(%rows, %none, %none, %false)`)
        break
      case 6:
        make(vectors, `aten::select(${any(matrices)}, ${any(['%zero', '%one'])}, ${index})`)
        break
      case 7:
        make(matrices, `aten::add_(${any(matrices)}, ${any(matrices)}, %one)`)
        break
      case 8:
        make(matrices, `aten::mul_(${any(matrices)}, ${any(matrices)})`)
        break
      case 9:
        make(matrices, `aten::copy_(${any(matrices)}, ${any(matrices)}, %false)`)
        break
      case 10:
        if (vectors.length > 0) make(vectors, `aten::add_(${any(vectors)}, ${any(vectors)}, %one)`)
        break
      case 11:
        if (vectors.length > 0) make(matrices, `aten::add_(${any(matrices)}, ${any(vectors)}, %one)`)
        break
      case 12:
        make(matrices, `aten::clone(${any(matrices)}, %none)`)
        break
      case 13: {
        // Windows that overlap, of one matrix or of two that may share memory.
        const dim = any(['%zero', '%one'])
        const upper = make([], `aten::slice(${any(matrices)}, ${dim}, %zero, %two, %one)`)
        const lower = make([], `aten::slice(${any(matrices)}, ${dim}, %one, %three, %one)`)
        make([], `${any(['aten::mul_', 'aten::div_'])}(${upper}, ${any([lower, '%half'])})`)
        break
      }
      case 14: {
        const part = make([], `aten::slice(${any(matrices)}, %zero, %one, %three, %one)`)
        const row = make([], `aten::slice(${any(matrices)}, %zero, ${any(['%zero', '%one'])}, ${any(['%two', '%one'])}, %two)`)
        lines.push(`%l${i} : Tensor[] = prim::ListConstruct(${part}, ${row})`)
        const joined = make([], `aten::cat(%l${i}, %zero)`)
        const wide = make([], `aten::slice(${joined}, %zero, %zero, %two, %one)`)
        make(matrices, `aten::matmul(${make([], `aten::slice(${any(matrices)}, %one, %zero, %two, %one)`)}, ${wide})`)
        break
      }
      case 15:
        make(matrices, `aten::zeros_like(${any(matrices)}, %none, %none, %none, %none, %none)`)
        break
      case 16:
        make(matrices, `aten::fill_(${any(matrices)}, %half)`)
        break
      case 17: {
        const size = `%n${i}`
        lines.push(`${size} : int = aten::size(${any(matrices)}, %zero)`)
        make(matrices, `aten::mul(${any(matrices)}, ${make([], `prim::NumToTensor(${size})`)})`)
        break
      }
      case 18:
        if (vectors.length > 0) make(vectors, `aten::copy_(${any(vectors)}, ${any(vectors)}, %false)`)
        break
      case 19:
        make(matrices, `aten::relu_(${any(matrices)})`)
        break
    }
  }
  const results = Array.from({ length: 1 + pick(3) }, () => any(matrices))
  lines.push(`%r : Tensor[] = prim::ListConstruct(${results.join(', ')})`)
  return `graph(%a : Tensor, %b : Tensor, %c : Tensor):\n  ${lines.join('\n  ')}\n  return (%r)`
}
