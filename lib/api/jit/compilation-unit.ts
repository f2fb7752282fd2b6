import type { ScriptFunction as CompiledFunction } from '../../ir/types.js'
import { Program } from '../../runtime/program.js'
import { CompilationUnit as Unit } from '../../script/compilation-unit.js'
import { ArgumentError } from '../../util/errors.js'
import { scriptFunction, type ScriptFunction } from './script-function.js'
import { wrapObjects } from './script-module.js'
import { describe } from './values-of.js'

/** Functions written in TorchScript's Python syntax. Each is a property: `unit.relu2(x)`. As torch.jit.CompilationUnit. */
export class CompilationUnit {
  readonly #unit = new Unit()
  readonly #functions = new Map<string, CompiledFunction>()
  readonly #callable = new Map<string, ScriptFunction>();
  // Functions come from the source.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  [name: string]: any

  constructor(source?: string) {
    if (source !== undefined) this.define(source)
    return new Proxy(this, {
      get: (target, name) => {
        if (typeof name === 'string' && !(name in target)) return target.findFunction(name)
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
      has: (target, name) => name in target || (typeof name === 'string' && target.#functions.has(name)),
    })
  }

  /** Compiles more functions and classes; they see those before them. */
  define(source: string): void {
    if (typeof source !== 'string') throw new ArgumentError(`Expected source text for \`source\` but received ${describe(source)}`)
    const functions = this.#unit.define(source)
    for (const fn of functions) {
      void fn.graph
      this.#functions.set(fn.name, fn)
    }
    // One program has them all: objects that one function gives, another takes.
    const program = new Program({ classes: this.#unit, functions: [...this.#functions.values()] })
    wrapObjects(program)
    this.#callable.clear()
    for (const [name, fn] of this.#functions) this.#callable.set(name, scriptFunction(program, fn))
  }
  /** A function by name; undefined when there is none. */
  findFunction(name: string): ScriptFunction | undefined {
    return this.#callable.get(name)
  }
  getFunctions(): ScriptFunction[] {
    return [...this.#callable.values()]
  }
}
