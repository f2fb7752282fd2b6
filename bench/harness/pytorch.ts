// PyTorch as an engine: bench/peers/torch_peer.py in a process of its own, one for each mode.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { createInterface } from 'node:readline'
import { resolve } from 'node:path'
import type { Engine } from './interleave.js'
import type { Pair } from './pair.js'

export const torchModes = ['eager', 'jit', 'frozen', 'compile'] as const
export type TorchMode = (typeof torchModes)[number]

interface Answer {
  ready?: boolean
  version?: string
  ms?: number
  difference?: number
  name?: string
  peakBytes?: number
  baseBytes?: number
  afterBytes?: number
  skipped?: string
  error?: string
}

/** A child that answers commands; it is started when first asked, and again after it was stopped. */
export class TorchPeer {
  readonly #python: string
  /** Seconds that one command may take. */
  readonly #limit: number
  #child: ChildProcessWithoutNullStreams | undefined
  #waiting: ((answer: Answer) => void) | undefined
  #errors = ''
  version = ''

  constructor(python: string, limit: number) {
    this.#python = python
    this.#limit = limit
  }

  #answer(answer: Answer): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.(answer)
  }

  async #wait(limit: number): Promise<Answer> {
    const answered = new Promise<Answer>((done) => (this.#waiting = done))
    const timer = setTimeout(() => {
      this.stop()
      this.#answer({ skipped: `took longer than ${limit} s` })
    }, 1000 * limit)
    try {
      return await answered
    } finally {
      clearTimeout(timer)
    }
  }

  /** Starts the child; a string says why it cannot be. */
  async start(): Promise<string | undefined> {
    if (this.#child !== undefined) return undefined
    const child = spawn(this.#python, [resolve('bench/peers/torch_peer.py')])
    this.#child = child
    this.#errors = ''
    child.stderr.on('data', (chunk: Buffer) => (this.#errors = (this.#errors + chunk.toString()).slice(-4000)))
    const gone = (reason: string): void => {
      if (this.#child === child) this.#child = undefined
      this.#answer({ error: reason })
    }
    child.on('error', (error) => gone(error.message))
    child.on('exit', (code, signal) => gone(this.#errors.trim().split('\n').at(-1) || `it ended with ${code ?? signal}`))
    child.stdin.on('error', () => undefined)
    createInterface({ input: child.stdout }).on('line', (line) => this.#answer(JSON.parse(line) as Answer))
    const answer = await this.#wait(120)
    this.version = answer.version ?? this.version
    return answer.error ?? answer.skipped
  }

  async ask(command: string, fields: Record<string, unknown> = {}): Promise<Answer> {
    const failed = await this.start()
    if (failed !== undefined) return { error: failed }
    this.#child!.stdin.write(`${JSON.stringify({ command, ...fields })}\n`)
    return this.#wait(this.#limit)
  }

  stop(): void {
    const child = this.#child
    this.#child = undefined
    child?.removeAllListeners('exit')
    child?.kill('SIGKILL')
  }
}

/** The engine on so many threads of the CPU, or in a dtype and batch on a CUDA device; or why there is none. */
export async function openTorch(
  peer: TorchPeer,
  mode: TorchMode,
  pair: Pair,
  where: { readonly threads: number } | { readonly dtype: string; readonly batch: number },
): Promise<Engine | string> {
  const loaded = await peer.ask('threads' in where ? 'load' : 'load_device', { name: pair.name, folder: pair.folder, mode, ...where })
  if (loaded.difference === undefined) return loaded.skipped ?? loaded.error ?? 'no answer'
  return {
    name: `torch ${mode}`,
    difference: loaded.difference,
    async run(count) {
      const { ms, error, skipped } = await peer.ask('run', { count })
      if (ms === undefined) throw new Error(`torch ${mode}: ${error ?? skipped ?? 'no answer'}`)
      return ms
    },
    close: () => undefined,
  }
}
