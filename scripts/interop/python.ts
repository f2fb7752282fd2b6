import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** One archive for PyTorch to check (the fields are those of check.py). */
export interface Job {
  readonly name: string
  readonly copy: string
  readonly original?: string
  readonly io?: string
  readonly expected?: string
}

export interface Verdict {
  readonly name: string
  readonly ok: boolean
  readonly reason?: string
  /** Why PyTorch cannot run the original either. */
  readonly skipped?: string
}

const venv = '.venv-interop'
/** Milliseconds for one archive. */
const limit = 120_000

/** The Python to use: the given one, or that of a virtual environment with PyTorch, which is made when it is not there. */
export function pythonPath(given: string | undefined): string {
  if (given !== undefined) return given
  const python = join(venv, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')
  const done = join(venv, 'installed')
  if (!existsSync(done)) {
    console.log(`Making ${venv} with the packages of scripts/interop/requirements.txt`)
    const run = (command: string, args: string[]): unknown => execFileSync(command, args, { stdio: 'inherit' })
    run('python3', ['-m', 'venv', venv])
    run(python, ['-m', 'pip', 'install', '--quiet', '-r', 'scripts/interop/requirements.txt'])
    writeFileSync(done, '')
  }
  return python
}

/** A Python process that checks one job after the other. When it dies, the job fails and the next gets a new process. */
export class Checker {
  private child: ChildProcessWithoutNullStreams | undefined
  private answer: ((verdict: Verdict) => void) | undefined
  private errors = ''

  constructor(private readonly python: string) {}

  check(job: Job): Promise<Verdict> {
    const child = (this.child ??= this.start())
    return new Promise((resolve) => {
      this.errors = ''
      const died = (code: number | null, signal: string | null): void => {
        this.child = undefined
        const last = this.errors.trim().split('\n').at(-1) ?? ''
        this.settle({ name: job.name, ok: false, reason: `Python died: ${signal ?? `exit code ${code}`} ${last}` })
      }
      child.removeAllListeners('exit')
      child.on('exit', died)
      const timer = setTimeout(() => child.kill('SIGKILL'), limit)
      this.answer = (verdict) => {
        clearTimeout(timer)
        resolve(verdict)
      }
      child.stdin.write(`${JSON.stringify(job)}\n`)
    })
  }

  stop(): void {
    this.child?.removeAllListeners('exit')
    this.child?.stdin.end()
    this.child = undefined
  }

  private settle(verdict: Verdict): void {
    const { answer } = this
    this.answer = undefined
    answer?.(verdict)
  }

  private start(): ChildProcessWithoutNullStreams {
    const child = spawn(this.python, ['scripts/interop/check.py'], { stdio: 'pipe' })
    child.on('error', (error) => this.settle({ name: '', ok: false, reason: `Cannot run ${this.python}: ${error.message}` }))
    child.stdin.on('error', () => {})
    child.stderr.on('data', (chunk: Buffer) => (this.errors = (this.errors + chunk.toString()).slice(-2000)))
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('{')) this.settle(JSON.parse(line) as Verdict)
    })
    return child
  }
}
