import type { FunctionSchema } from '../ir/schema.js'
import type { ScriptFunction } from '../ir/types.js'
import { CompilationUnit } from './compilation-unit.js'

/**
 * Operators whose meaning changed: archives of a version below `bump` get the old meaning, as a TorchScript function.
 * Source: PyTorch's operator version map and upgraders (caffe2/serialize/versions.h).
 */
const upgraders: readonly { readonly names: readonly string[]; readonly bump: number; readonly source: string }[] = [
  {
    // Division of integers truncated until version 4.
    names: ['aten::div.Tensor'],
    bump: 4,
    source: `
def div_0_3(self: Tensor, other: Tensor) -> Tensor:
  if self.is_floating_point() or other.is_floating_point():
    return torch.true_divide(self, other)
  return torch.divide(self, other, rounding_mode='trunc')
`,
  },
  {
    names: ['aten::div.Scalar'],
    bump: 4,
    source: `
def div_Scalar_0_3(self: Tensor, other: number) -> Tensor:
  if self.is_floating_point() or isinstance(other, float):
    return torch.true_divide(self, other)
  return torch.divide(self, other, rounding_mode='trunc')
`,
  },
  {
    names: ['aten::div_.Tensor'],
    bump: 4,
    source: `
def div__0_3(self: Tensor, other: Tensor) -> Tensor:
  if self.is_floating_point() or other.is_floating_point():
    return self.true_divide_(other)
  return self.divide_(other, rounding_mode='trunc')
`,
  },
  {
    names: ['aten::div_.Scalar'],
    bump: 4,
    source: `
def div__Scalar_0_3(self: Tensor, other: number) -> Tensor:
  if self.is_floating_point() or isinstance(other, float):
    return self.true_divide_(other)
  return self.divide_(other, rounding_mode='trunc')
`,
  },
  {
    // Without a dtype, full gave the default float type until version 5.
    names: ['aten::full'],
    bump: 5,
    source: `
def full_0_4(size: List[int], fill_value: number, *, dtype: Optional[int], layout: Optional[int], device: Optional[Device], pin_memory: Optional[bool]) -> Tensor:
  if dtype is None:
    return torch.full(size, float(fill_value), dtype=dtype, layout=layout, device=device, pin_memory=pin_memory)
  return torch.full(size, fill_value, dtype=dtype, layout=layout, device=device, pin_memory=pin_memory)
`,
  },
]

const compiled = new Map<string, ScriptFunction>()

/** The function with the meaning that an operator had in archives of `version`; undefined when it has not changed since. */
export function upgraderFor(schema: FunctionSchema, version: number): ScriptFunction | undefined {
  const row = upgraders.find((u) => u.bump > version && u.names.includes(schema.fullName))
  if (row === undefined) return undefined
  let fn = compiled.get(schema.fullName)
  if (fn === undefined) {
    ;[fn] = new CompilationUnit().define(row.source, '<upgrader>')
    compiled.set(schema.fullName, fn)
  }
  return fn
}
