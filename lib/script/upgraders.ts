import type { FunctionSchema } from '../ir/schema.js'
import type { ScriptFunction } from '../ir/types.js'
import { CompilationUnit } from './compilation-unit.js'
import { lookupTable } from './tables.js'

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
    names: ['aten::div.out'],
    bump: 4,
    source: `
def div_out_0_3(self: Tensor, other: Tensor, *, out: Tensor) -> Tensor:
  if self.is_floating_point() or other.is_floating_point() or out.is_floating_point():
    return torch.true_divide(self, other, out=out)
  return torch.divide(self, other, rounding_mode='trunc', out=out)
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

const options =
  'dtype: Optional[int] = None, layout: Optional[int] = None, device: Optional[Device] = None, pin_memory: Optional[bool] = None'
const passed = 'dtype=dtype, layout=layout, device=device, pin_memory=pin_memory'
/** Operators that once took fewer arguments than any overload takes now: a missing number of steps meant 100. */
const oldSignatures = lookupTable<{ readonly bump: number; readonly source: string } | undefined>({
  'aten::linspace': {
    bump: 8,
    source: `
def linspace_0_7(start: number, end: number, steps: Optional[int] = None, *, ${options}) -> Tensor:
  if steps is None:
    return torch.linspace(start, end, 100, ${passed})
  return torch.linspace(start, end, steps, ${passed})
`,
  },
  'aten::logspace': {
    bump: 9,
    source: `
def logspace_0_8(start: number, end: number, steps: Optional[int] = None, base: float = 10.0, *, ${options}) -> Tensor:
  if steps is None:
    return torch.logspace(start, end, 100, base, ${passed})
  return torch.logspace(start, end, steps, base, ${passed})
`,
  },
})

const compiled = new Map<string, ScriptFunction>()
function compile(key: string, source: string): ScriptFunction {
  let fn = compiled.get(key)
  if (fn === undefined) {
    ;[fn] = new CompilationUnit().define(source, '<upgrader>')
    compiled.set(key, fn)
  }
  return fn
}

/** The function of an operator whose older signature accepted more calls; undefined for archives as new as its change. */
export function oldSignatureOf(name: string, version: number): ScriptFunction | undefined {
  const row = oldSignatures[name]
  return row === undefined || row.bump <= version ? undefined : compile(name, row.source)
}

/** The function with the meaning that an operator had in archives of `version`; undefined when it has not changed since. */
export function upgraderFor(schema: FunctionSchema, version: number): ScriptFunction | undefined {
  const row = upgraders.find((u) => u.bump > version && u.names.includes(schema.fullName))
  return row === undefined ? undefined : compile(schema.fullName, row.source)
}
