import type { ComposedDefinition } from '../ops/op.js'
import type { ScriptFunction } from '../ir/types.js'
import { CompilationUnit } from '../script/compilation-unit.js'

const compiled = new WeakMap<ComposedDefinition, ScriptFunction>()

/** The function of a composed operator, compiled on first use and kept for the process. */
export function composedFunction(definition: ComposedDefinition): ScriptFunction {
  let fn = compiled.get(definition)
  if (fn === undefined) {
    const unit = new CompilationUnit()
    ;[fn] = unit.define(definition.source)
    compiled.set(definition, fn)
  }
  return fn
}
