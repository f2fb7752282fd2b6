import { composed } from './op.js'

/** `out` says the dtype, and is resized. */
const written = (name: string, parameters: string, values: string) =>
  composed(
    `aten::${name}`,
    `
def written(${parameters}, *, out: Tensor) -> Tensor:
  values = ${values}
  return out.resize_(values.size()).copy_(values)
`,
  )

export default [
  written('zeros.out', 'size: List[int]', 'torch.zeros(size, dtype=out.dtype)'),
  written('ones.out', 'size: List[int]', 'torch.ones(size, dtype=out.dtype)'),
  written('full.out', 'size: List[int], fill_value: number', 'torch.full(size, fill_value, dtype=out.dtype)'),
  written('eye.out', 'n: int', 'torch.eye(n, dtype=out.dtype)'),
  written('eye.m_out', 'n: int, m: int', 'torch.eye(n, m, dtype=out.dtype)'),
  written('arange.out', 'end: number', 'torch.arange(end, dtype=out.dtype)'),
  written('arange.start_out', 'start: number, end: number, step: number=1', 'torch.arange(start, end, step, dtype=out.dtype)'),
  written('linspace.out', 'start: number, end: number, steps: int', 'torch.linspace(start, end, steps, dtype=out.dtype)'),
  written(
    'logspace.out',
    'start: number, end: number, steps: int, base: float=10.0',
    'torch.logspace(start, end, steps, base, dtype=out.dtype)',
  ),
]
