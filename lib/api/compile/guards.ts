import type { TensorHandle } from '../../native/binding.js'
import { Tensor } from '../../tensor/tensor.js'
import { type AnyModule, Module } from '../nn/module.js'

interface Field {
  readonly object: Record<string, unknown>
  readonly name: string
  readonly value: unknown
  /** Of a tensor: the memory may be another while the object stays the same. */
  readonly handle: TensorHandle | undefined
}

/**
 * What the fields of modules held when they were compiled: numbers, flags and strings by value; tensors, submodules and other objects by
 * identity, not by what is in them. Hooks are guarded too.
 */
export class FieldGuard {
  private readonly fields: Field[] = []
  private readonly hooks: { readonly list: readonly unknown[]; readonly items: readonly unknown[] }[] = []

  private readonly seen = new Set<Module>()

  constructor(...modules: readonly AnyModule[]) {
    for (const module of modules) this.add(module)
  }

  /** Guards a module and those below it as they are now, unless they are guarded already. */
  add(root: AnyModule): void {
    if (!(root instanceof Module) || this.seen.has(root)) return
    for (const module of root.modules()) {
      if (!(module instanceof Module) || this.seen.has(module)) continue
      this.seen.add(module)
      const { pre, post } = module.forwardHooks()
      for (const list of [pre, post]) this.hooks.push({ list, items: [...list] })
      const object = module as unknown as Record<string, unknown>
      for (const [name, value] of Object.entries(object))
        this.fields.push({ object, name, value, handle: value instanceof Tensor ? Tensor.handleOf(value) : undefined })
    }
  }
  get modules(): readonly Module[] {
    return [...this.seen]
  }

  /** Writes back what the fields held. */
  restore(): void {
    for (const { object, name, value } of this.fields) if (!Object.is(object[name], value)) object[name] = value
  }

  holds(): boolean {
    for (const { object, name, value, handle } of this.fields) {
      const now = object[name]
      if (!Object.is(now, value)) return false
      if (handle !== undefined && Tensor.handleOf(now as Tensor) !== handle) return false
    }
    return this.hooks.every(({ list, items }) => list.length === items.length && items.every((hook, i) => hook === list[i]))
  }
}
