import * as torch from '../../../lib/index.js'
import type { Tensor } from '../../../lib/index.js'
import { manualSeed } from '../../../lib/api/settings.js'
import type { AuthoredCase } from '../authored.js'
import { randn } from './tools.js'

type int = number
type float = number
const { nn } = torch

class While extends nn.Module {
  override forward(x: Tensor, limit: float): [Tensor, int] {
    let steps: int = 0
    while (x.abs().sum().item() < limit && steps < 50) {
      x = x.mul(1.5)
      steps++
    }
    return [x, steps]
  }
}

class BreakContinue extends nn.Module {
  override forward(x: Tensor): Tensor {
    let total = torch.zeros([x.size(1)])
    for (let i = 0; i < x.size(0); i++) {
      if (i % 2 === 1) continue
      if (i > 4) break
      total = total.add(x.select(0, i))
    }
    return total
  }
}

class EarlyReturn extends nn.Module {
  override forward(x: Tensor, mode: int): Tensor {
    for (let i = 0; i < 5; i++) {
      if (i === mode) return x.mul(i)
      x = x.add(1)
    }
    if (mode < 0) return x.neg()
    return x
  }
}

class Ternary extends nn.Module {
  override forward(x: Tensor, flag: boolean): Tensor {
    const scale: float = flag ? 2.5 : -1
    return flag && x.dim() === 2 ? x.mul(scale) : x.sub(scale)
  }
}

class Lists extends nn.Module {
  override forward(x: Tensor): Tensor[] {
    const parts: Tensor[] = []
    for (const piece of x.chunk(2, 1)) parts.push(piece.neg())
    parts.push(torch.cat(parts, 0))
    return parts
  }
}

class Numbers extends nn.Module {
  override forward(values: int[], by: int): [int[], int, float] {
    const out: int[] = []
    let sum: int = 0
    for (const v of values) {
      out.push(Math.floor(v / by) + (v % by))
      sum += v
    }
    return [out, sum, sum / by]
  }
}

class Dicts extends nn.Module {
  override forward(x: Tensor): Map<string, Tensor> {
    const out: Map<string, Tensor> = new Map()
    out.set('same', x)
    out.set('neg', x.neg())
    if (out.has('neg')) out.set('twice', out.get('neg')!.mul(2))
    return out
  }
}

class Optionals extends nn.Module {
  override forward(x: Tensor, bias: Tensor | null = null, scale: float | null = null): Tensor {
    let y = x
    if (bias !== null) y = y.add(bias)
    if (scale !== null) y = y.mul(scale)
    return y
  }
}

class Tuples extends nn.Module {
  pair(x: Tensor): [Tensor, int] {
    return [x.add(1), x.size(0)]
  }
  override forward(x: Tensor): [Tensor, [int, string]] {
    const [y, n] = this.pair(x)
    return [y, [n, 'rows']]
  }
}

class Printing extends nn.Module {
  override forward(x: Tensor): Tensor {
    console.log('dim', x.dim())
    if (x.dim() !== 2) throw new Error('expected a matrix')
    return x.sum(0)
  }
}

class NestedLoops extends nn.Module {
  override forward(x: Tensor): Tensor {
    let y = torch.zerosLike(x)
    for (let i = 0; i < x.size(0); i++) {
      for (let j = 0; j < x.size(1); j++) {
        if (i === j) y = y.add(x.select(0, i).select(0, j))
        else if (i > j) y = y.sub(1)
      }
    }
    return y
  }
}

class InPlace extends nn.Module {
  override forward(x: Tensor): Tensor {
    const y = x.clone()
    y.select(0, 0).fill_(7)
    y.add_(1)
    y.narrow(1, 0, 1).mul_(-1)
    return y
  }
}

class Strings extends nn.Module {
  override forward(name: string, values: float[]): string {
    let text = `<${name.toUpperCase()}>`
    for (const v of values) text += ` ${v}`
    return text
  }
}

class BigNumbers extends nn.Module {
  override forward(a: bigint): bigint {
    return a + 9007199254740993n
  }
}

function helper(x: Tensor, power: int = 2): Tensor {
  return x.pow(power)
}
class Helper extends nn.Module {
  override forward(x: Tensor): Tensor {
    const square = helper(x)
    return square.add(helper(x, 3))
  }
}

class Forked extends nn.Module {
  fc = new nn.Linear(4, 4)
  override forward(x: Tensor): Tensor {
    const task = torch.jit.fork(helper, x)
    const y = this.fc.forward(x)
    return y.add(torch.jit.wait(task))
  }
}

interface Spot {
  at: Tensor
  count: int
}
class Records extends nn.Module {
  override forward(x: Tensor): Tensor {
    const spot: Spot = { at: x.add(1), count: 3 }
    return spot.at.mul(spot.count)
  }
}

class Special extends nn.Module {
  override forward(x: Tensor): [Tensor, float, float] {
    return [x.maskedFill(x.gt(0), -Infinity), Infinity, NaN]
  }
}

const scripted = (name: string, make: () => torch.nn.Module, ...calls: (() => unknown[])[]): AuthoredCase[] =>
  calls.map((inputs, i) => ({
    name: `control_flow/${name}${calls.length > 1 ? `_${i + 1}` : ''}`,
    make() {
      manualSeed(1)
      return { module: torch.jit.script(make().eval()), inputs: inputs() }
    },
  }))
const matrix = (): unknown[] => [randn(4, 4)]

/** Statements and types of the language, in modules written in TypeScript. */
export const controlFlowCases: readonly AuthoredCase[] = [
  ...scripted(
    'while',
    () => new While(),
    () => [randn(2, 2), 30],
  ),
  ...scripted(
    'break_continue',
    () => new BreakContinue(),
    () => [randn(8, 3)],
  ),
  ...scripted(
    'early_return',
    () => new EarlyReturn(),
    () => [randn(3), 2],
    () => [randn(3), -1],
    () => [randn(3), 9],
  ),
  ...scripted(
    'ternary',
    () => new Ternary(),
    () => [randn(2, 2), true],
    () => [randn(2, 2), false],
  ),
  ...scripted('lists', () => new Lists(), matrix),
  ...scripted(
    'numbers',
    () => new Numbers(),
    () => [[7, -7, 12, 0], 3],
    () => [[7, -7, 12, 0], -3],
  ),
  ...scripted('dicts', () => new Dicts(), matrix),
  ...scripted(
    'optionals',
    () => new Optionals(),
    () => [randn(3)],
    () => [randn(3), randn(3)],
    () => [randn(3), null, 2.5],
  ),
  ...scripted('tuples', () => new Tuples(), matrix),
  ...scripted('printing_and_throwing', () => new Printing(), matrix),
  ...scripted(
    'nested_loops',
    () => new NestedLoops(),
    () => [randn(3, 3)],
  ),
  ...scripted('in_place', () => new InPlace(), matrix),
  ...scripted(
    'strings',
    () => new Strings(),
    () => ['né', [1.5, -2.25]],
  ),
  ...scripted(
    'big_numbers',
    () => new BigNumbers(),
    () => [12n],
  ),
  ...scripted('helpers', () => new Helper(), matrix),
  ...scripted('fork_and_wait', () => new Forked(), matrix),
  ...scripted('records', () => new Records(), matrix),
  ...scripted('special_numbers', () => new Special(), matrix),
]
