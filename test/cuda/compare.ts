import type { Test } from 'tap'
import * as torch from '../../lib/index.js'

type Tree = torch.Tensor | readonly Tree[] | number | boolean | null

const flat = (tensor: torch.Tensor): unknown[] => (tensor.toArray() as unknown[]).flat?.(16) ?? [tensor.toArray()]
const numberOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? NaN : Number(value)

/** Largest |a - b| / max(1, |b|) of two tensors; NaN equals NaN. Infinity where they differ in kind. */
export function distance(a: torch.Tensor, b: torch.Tensor): number {
  const x = flat(a.dim() === 0 ? a.reshape([1]) : a)
  const y = flat(b.dim() === 0 ? b.reshape([1]) : b)
  if (x.length !== y.length) return Infinity
  let most = 0
  for (let i = 0; i < x.length; i++) {
    const [p, q] = [x[i], y[i]]
    if (typeof p === 'object' && p !== null && typeof q === 'object' && q !== null) {
      const [c, d] = [p as torch.Complex, q as torch.Complex]
      for (const [u, v] of [
        [c.re, d.re],
        [c.im, d.im],
      ])
        if (!Object.is(u, v) && !(u === v)) most = Math.max(most, Math.abs(u - v) / Math.max(1, Math.abs(v)) || Infinity)
      continue
    }
    const [u, v] = [numberOf(p), numberOf(q)]
    if (Object.is(u, v) || u === v) continue
    const d = Math.abs(u - v) / Math.max(1, Math.abs(v))
    most = Math.max(most, Number.isNaN(d) ? Infinity : d)
  }
  return most
}

/** A value with every tensor in it moved. */
export function moved<T>(value: T, device: string): T {
  if (value instanceof torch.Tensor) return value.to(device) as T
  return (Array.isArray(value) ? value.map((item) => moved(item as unknown, device)) : value) as T
}

/**
 * Calls `run` on the CPU and on the device with the same arguments, and compares shapes, dtypes, devices and values: |difference| at most
 * `tolerance` of the value, or of 1 where that is more.
 */
export function sameOnDevice(t: Test, name: string, run: (...args: never[]) => unknown, args: readonly unknown[], tolerance = 0): void {
  const call = run as (...given: unknown[]) => unknown
  const expected = call(...args) as Tree
  const received = call(...moved(args, 'cuda')) as Tree
  const check = (a: Tree, b: Tree, where: string): void => {
    if (!(b instanceof torch.Tensor)) {
      if (Array.isArray(b)) {
        t.equal((a as Tree[]).length, b.length, `${where} length`)
        b.forEach((item, i) => check((a as Tree[])[i], item as Tree, `${where}[${i}]`))
      } else t.same(a, b, where)
      return
    }
    if (!(a instanceof torch.Tensor)) return void t.fail(`${where} is a tensor`)
    t.equal(a.device, 'cuda:0', `${where} is on the device`)
    t.equal(a.dtype, b.dtype, `${where} dtype`)
    t.same(a.shape, b.shape, `${where} shape`)
    const d = distance(a, b)
    t.ok(d <= tolerance, `${where}: distance ${d} is at most ${tolerance}`)
  }
  check(received, expected, name)
}
