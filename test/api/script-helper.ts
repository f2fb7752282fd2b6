import * as torch from '../../lib/index.js'
import type { Tensor } from '../../lib/index.js'

const OFFSET = 10
/** A function that another file imports. */
export function addOffset(x: Tensor, n: torch.int = 1): Tensor {
  return x.add(OFFSET * n)
}

/** A module of another file than the one that compiles it. */
export class Offset extends torch.nn.Module {
  count: torch.int = 0
  constructor(readonly steps: torch.int) {
    super()
  }
  forward(x: Tensor): Tensor {
    for (let i = 0; i < this.steps; i++) x = addOffset(x)
    this.count += 1
    return x
  }
}
