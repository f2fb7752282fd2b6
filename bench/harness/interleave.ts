// Times several engines in turn, so that what else the machine does hits all of them.
import { timesOf, type Times } from './statistics.js'

export interface Engine {
  readonly name: string
  /** Calls the model so often and gives the milliseconds of all calls together. */
  run(count: number): number | Promise<number>
  /** Largest amount by which a value is off beyond a relative 1e-3. */
  readonly difference: number
  close(): void | Promise<void>
}

export interface InterleaveOptions {
  readonly seconds: number
  /** Pause before each engine's turn: threads of the one before may still poll for work. Milliseconds. */
  readonly settle: number
  /** Rounds at least, whatever the time. */
  readonly rounds: number
}

export const now = (): number => Number(process.hrtime.bigint()) / 1e6
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))

/** Calls of one burst: about a millisecond's, so that the clock's own cost does not count. */
export const burstFor = (ms: number): number => Math.max(1, Math.min(200, Math.floor(1 / Math.max(1e-3, ms))))

/**
 * One burst of each engine a round, in an order that rotates; a burst of several calls has one untimed call before it. An engine that fails takes no
 * further turns and has no times.
 */
export async function interleave(
  engines: readonly Engine[],
  options: InterleaveOptions,
): Promise<{ times: Record<string, Times>; failed: Record<string, string> }> {
  const bursts = engines.map(() => 1)
  const samples = engines.map((): number[] => [])
  const failed: Record<string, string> = {}
  const turn = async (at: number, body: (engine: Engine) => Promise<void>): Promise<void> => {
    const engine = engines[at]
    if (engine.name in failed) return
    try {
      await body(engine)
    } catch (error) {
      failed[engine.name] = (error as Error).message
    }
  }
  for (let at = 0; at < engines.length; at++) {
    await turn(at, async (engine) => {
      await engine.run(2)
      bursts[at] = burstFor(await engine.run(1))
    })
  }
  const until = now() + 1000 * options.seconds
  for (let round = 0; now() < until || round < options.rounds; round++) {
    for (let i = 0; i < engines.length; i++) {
      const at = (i + round) % engines.length
      if (options.settle > 0) await pause(options.settle)
      await turn(at, async (engine) => {
        if (bursts[at] > 1) await engine.run(1)
        samples[at].push((await engine.run(bursts[at])) / bursts[at])
      })
    }
  }
  const times = engines.flatMap((engine, i) => (engine.name in failed ? [] : [[engine.name, timesOf(samples[i], bursts[i])] as const]))
  return { times: Object.fromEntries(times), failed }
}
