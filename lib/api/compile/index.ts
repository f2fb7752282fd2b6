import { explain, type Explanation, optimizedGraphOf, setExplainer } from '../explain.js'
import { callerSource, type FoundSource, givenSource } from '../jit/find-source.js'
import { compiledFunctionOf, type ScriptFunction } from '../jit/script-function.js'
import { ScriptModule } from '../jit/script-module.js'
import { isTracing } from '../jit/trace.js'
import { Module } from '../nn/module.js'
import type { Tensor } from '../../tensor/tensor.js'
import { ArgumentError, TorchScriptError, UnsupportedError } from '../../util/errors.js'
import { scriptArguments } from './accepts.js'
import {
  type Callable,
  moduleVariant,
  Refusal,
  type ScriptVariant,
  scriptVariant,
  type Target,
  type TraceVariant,
  traceVariant,
} from './build.js'
import { type CompileOptions, type CompileSettings, settingsOf } from './options.js'
import { type Flat, flatten, Seen, signatureOf } from './structure.js'
import type { Variant } from './variant.js'
import { agree, copied, isRepeatable, keepingBuffers } from './verify.js'

export type { CompileBackend, CompileMode, CompileOptions, WeightStorage } from './options.js'

/** One compilation of a function or module. */
export interface Compilation {
  /** The arguments it is for: tensors by dtype and sizes (`*`: any), other values as they are. A script is for all: an empty text. */
  readonly signature: string
  /** `script`: from the source. `trace`: from a call. `module`: from a TorchScript module or function. `eager`: the function runs as it is. */
  readonly origin: 'script' | 'trace' | 'module' | 'eager'
  /** Whether parameters are constants of the graph, so that they are folded and packed. */
  readonly frozen: boolean
  /** Why it is no script, or not frozen; empty where it is both. */
  readonly reason: string
}

type Result<F extends Callable> = ReturnType<F>

/** What `torch.compile` gives: call it like the function. */
export interface Compiled<F extends Callable, T> {
  (...args: Parameters<F>): Result<F>
  forward(...args: Parameters<F>): Result<F>
  /** Computes on a native worker: the event loop goes on meanwhile. The first call of a signature compiles before it returns. */
  forwardAsync(...args: Parameters<F>): Promise<Awaited<Result<F>>>
  /** What was compiled. */
  readonly original: T
  /** Calls it and gives the optimised graph that ran; empty where the function ran as it is. */
  graphFor(...args: Parameters<F>): string
  /** Calls it and says which kernels ran for the nodes of the graph; as `torch.explain`. Throws where the function ran as it is. */
  explain(...args: Parameters<F>): Explanation
  /** What has been compiled so far. */
  compilations(): Compilation[]
  /** Forgets all compilations. */
  reset(): void
}

/** A compiled module. Training mode and state are the module's own. */
export interface CompiledModule<M extends Module | ScriptModule> extends Compiled<M['forward'], M> {
  train(mode?: boolean): this
  eval(): this
  parameters(): Tensor[]
  stateDict(): Map<string, Tensor>
}
export type CompiledFunction<F extends Callable> = Compiled<F, F>

const isTarget = (target: unknown): target is Target =>
  target instanceof Module || target instanceof ScriptModule || typeof target === 'function'

/**
 * Compiles a module or function: by its TypeScript source where that is TorchScript, else by a trace of the first call with arguments of a kind.
 * Modules in evaluation mode are frozen; what comes out computes the same as the original, also after parameters, fields or the mode of the module
 * have changed. Nothing is compiled before the first call. As torch.compile; docs/optimizing.md says when it compiles again.
 */
export function compile<M extends Module | ScriptModule>(target: M, options?: CompileOptions): CompiledModule<M>
export function compile<F extends Callable>(target: F, options?: CompileOptions): CompiledFunction<F>
export function compile(target: unknown, options: CompileOptions = {}): unknown {
  if (!isTarget(target)) {
    const given = typeof target === 'object' && target !== null ? target.constructor.name : String(target)
    throw new ArgumentError(`Expected a function, an nn.Module or a TorchScript module for \`target\` but received ${given}`)
  }
  const settings = settingsOf(options)
  const { source, scope } = options
  const found = source === undefined ? callerSource() : givenSource(source)
  return new Compiler(target, settings, found, scope).face()
}

interface Ran {
  readonly value: unknown
  readonly variant: Variant
}

/** One compiled target: finds or makes what a call runs. */
class Compiler {
  /** The whole function, for all arguments it takes; null where there cannot be one. */
  private whole: ScriptVariant | null | undefined
  private whyNoScript = ''
  private isChecked = false
  /** Compilations by signature, the one used last at the end. */
  private readonly variants = new Map<string, Variant | TraceVariant>()
  /** What ran last by signature: the one at the end of `variants`. */
  private last: { readonly seen: Seen; readonly variant: Variant | TraceVariant } | undefined
  /** Signatures without sizes whose traces hold for some sizes only. */
  private readonly bySize = new Set<string>()
  private misses = 0
  private hits = 0

  constructor(
    private readonly target: Target,
    private readonly settings: CompileSettings,
    private readonly source: FoundSource | undefined,
    private readonly scope: Readonly<Record<string, unknown>> | undefined,
  ) {}

  face(): unknown {
    const { target } = this
    const call = (...args: unknown[]): unknown => this.call(args)
    const members: Record<string, unknown> = {
      forward: call,
      forwardAsync: (...args: unknown[]) => this.callAsync(args),
      original: target,
      graphFor: (...args: unknown[]) => this.graphFor(args),
      explain: (...args: unknown[]) => this.explain(args),
      compilations: () => this.compilations(),
      reset: () => this.reset(),
    }
    if (target instanceof Module || target instanceof ScriptModule)
      Object.assign(members, {
        train: (mode = true) => (target.train(mode), call),
        eval: () => (target.eval(), call),
        parameters: () => target.parameters(),
        stateDict: () => target.stateDict(),
      })
    for (const [name, value] of Object.entries(members)) Object.defineProperty(call, name, { value })
    const { name } = target instanceof Module || target instanceof ScriptModule ? target.constructor : (target as Callable)
    Object.defineProperty(call, 'name', { value: name })
    setExplainer(call, (args) => this.explain(args))
    return call
  }

  private original(args: readonly unknown[]): unknown {
    const { target } = this
    return target instanceof Module || target instanceof ScriptModule ? target.forward(...args) : target(...args)
  }

  call(args: readonly unknown[]): unknown {
    return this.run(args).value
  }

  private run(args: readonly unknown[]): Ran {
    // A trace takes what the function does apart.
    if (this.settings.backend === 'eager' || isTracing()) return { value: this.original(args), variant: eager('') }
    const whole = this.wholeFor(args)
    if (whole !== undefined) return { value: whole.variant.call.run(whole.args), variant: whole.variant }
    const flat = flatten(args)
    const variant = this.variantFor(flat)
    if (variant !== undefined) return { value: 'run' in variant ? variant.run(flat) : this.original(args), variant }
    return this.uncompiled(args, flat)
  }

  async callAsync(args: readonly unknown[]): Promise<unknown> {
    if (this.settings.backend === 'eager' || isTracing()) return this.original(args)
    const whole = this.wholeFor(args)
    if (whole !== undefined) return whole.variant.call.runAsync(whole.args)
    const flat = flatten(args)
    const variant = this.variantFor(flat)
    if (variant === undefined) return this.uncompiled(args, flat).value
    return 'run' in variant ? variant.runAsync(flat) : this.original(args)
  }

  // The whole function

  private wholeFor(args: readonly unknown[]): { readonly variant: ScriptVariant; readonly args: readonly unknown[] } | undefined {
    const { whole } = this
    if (whole !== null && whole !== undefined && !whole.holds()) this.reset()
    if (this.whole === undefined) this.whole = this.makeWhole()
    if (this.whole === null) return undefined
    if (this.whole.origin === 'module') return { variant: this.whole, args }
    const { parameters } = this.whole.call.fn
    const accepted = scriptArguments(parameters.slice(1), args)
    if (accepted === undefined) return undefined
    if (!this.isChecked) {
      if (!this.check(this.whole, args, accepted)) {
        this.whole = null
        this.whyNoScript = 'its source gives other results than the function'
        return undefined
      }
      this.isChecked = true
    }
    return { variant: this.whole, args: accepted }
  }

  /** Whether a script gives what the function gives; see Note [Scripts are checked]. */
  private check(script: ScriptVariant, args: readonly unknown[], accepted: readonly unknown[]): boolean {
    if (!isRepeatable(script.call.fn)) return true
    const want = keepingBuffers(this.target, () => this.original(copied(args) as unknown[]))
    const got = keepingBuffers(this.target, () => {
      try {
        return script.call.run(copied(accepted) as unknown[])
      } catch (error) {
        if (error instanceof TorchScriptError) return error
        throw error
      }
    })
    return agree(got, want, this.settings.weights === undefined ? undefined : 0.1)
  }

  private makeWhole(): ScriptVariant | null {
    const { target, settings } = this
    if (target instanceof ScriptModule || compiledFunctionOf(target) !== undefined)
      return moduleVariant(target as ScriptModule | ScriptFunction, settings)
    try {
      return scriptVariant(target as Module | Callable, { source: this.source, scope: this.scope }, settings)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      this.whyNoScript = error.message
      return null
    }
  }

  // By signature

  /** What runs for some arguments; undefined where that is not known yet. */
  private variantFor(flat: Flat): Variant | TraceVariant | undefined {
    const { last } = this
    if (last?.seen.matches(flat) === true && last.variant.holds()) {
      this.hits++
      return last.variant
    }
    const found = this.known(flat)
    if (found === undefined) return this.make(flat)
    if (found.variant.holds()) {
      this.hits++
      this.last = { seen: new Seen(flat, found.withSizes), variant: found.variant }
      // The one used last goes to the end.
      this.variants.delete(found.key)
      this.variants.set(found.key, found.variant)
      return found.variant
    }
    this.reset()
    return this.make(flat)
  }

  private known(flat: Flat): { readonly key: string; readonly withSizes: boolean; readonly variant: Variant | TraceVariant } | undefined {
    const general = this.settings.dynamic === false ? undefined : signatureOf(flat, false)
    const withSizes = general === undefined || this.bySize.has(general)
    const key = withSizes ? signatureOf(flat, true) : general
    const variant = this.variants.get(key)
    return variant && { key, withSizes, variant }
  }

  private make(flat: Flat): Variant | TraceVariant | undefined {
    this.misses++
    if (this.misses > 4 * this.settings.cacheSizeLimit && this.hits < this.misses) {
      this.refused = 'calls hardly ever have the same signature'
      return undefined
    }
    let made: TraceVariant
    try {
      made = traceVariant(this.target as Module | Callable, flat, this.settings)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      this.refused = error.message
      return undefined
    }
    const general = signatureOf(flat, false)
    if (made.isForSizes && this.settings.dynamic !== false) this.bySize.add(general)
    this.keep(made.isForSizes || this.settings.dynamic === false ? signatureOf(flat, true) : general, made)
    return made
  }
  private refused = ''

  private keep(key: string, variant: Variant | TraceVariant): void {
    this.last = undefined
    const { cacheSizeLimit } = this.settings
    this.variants.set(key, variant)
    for (const oldest of this.variants.keys()) {
      if (this.variants.size <= cacheSizeLimit) break
      this.variants.delete(oldest)
    }
    if (this.bySize.size > 16 * cacheSizeLimit) this.bySize.clear()
  }

  /** Runs the function as it is, and does so from now on for such arguments if it does not throw. */
  private uncompiled(args: readonly unknown[], flat: Flat): Ran {
    const reason = `${this.notScripted}; not traced: ${this.refused}`
    if (this.settings.fullgraph) throw new UnsupportedError(`The function cannot be compiled as a whole: ${reason}`)
    const variant = eager(reason)
    const value = this.original(args)
    this.keep(signatureOf(flat, this.settings.dynamic === false), variant)
    return { value, variant }
  }

  private get notScripted(): string {
    return `not scripted: ${this.whyNoScript === '' ? 'the arguments are none of the declared types' : this.whyNoScript}`
  }

  // What users ask

  graphFor(args: readonly unknown[]): string {
    const { module } = this.run(args).variant
    return module === undefined ? '' : optimizedGraphOf(module)
  }

  explain(args: readonly unknown[]): Explanation {
    const { variant } = this.run(args)
    if (variant.module === undefined)
      throw new UnsupportedError(
        `There is nothing to explain: the function runs as it is${variant.reason === '' ? '' : `, ${variant.reason}`}`,
      )
    return explain(variant.module, variant.origin === 'trace' ? flatten(args).tensors : this.wholeFor(args)!.args)
  }

  compilations(): Compilation[] {
    const report = (signature: string, { origin, frozen, reason }: Variant): Compilation => {
      const why = origin === 'trace' ? [this.notScripted, reason].filter((text) => text !== '').join('; ') : reason
      return { signature, origin, frozen, reason: why }
    }
    const whole = this.whole === null || this.whole === undefined ? [] : [report('', this.whole)]
    return [...whole, ...[...this.variants].map(([signature, variant]) => report(signature, variant))]
  }

  reset(): void {
    this.whole = undefined
    this.whyNoScript = ''
    this.isChecked = false
    this.variants.clear()
    this.last = undefined
    this.bySize.clear()
  }
}

const eager = (reason: string): Variant => ({ origin: 'eager', frozen: false, reason, module: undefined, holds: () => true })
