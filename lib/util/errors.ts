/** Base of all errors this package throws. `code` is stable and meant for programs; the message for people. */
export class TorchScriptError extends Error {
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

/** A file that is malformed, truncated, hostile or not what was asked for. `member` names the part of the archive. */
export class ArchiveError extends TorchScriptError {
  readonly member: string | undefined
  constructor(message: string, member?: string, options?: ErrorOptions) {
    super('ERR_ARCHIVE', member === undefined ? message : `${message} (in ${member})`, options)
    this.member = member
  }
}

/** Source text that is not TorchScript or does not type-check; the message ends with a code frame. */
export class CompileError extends TorchScriptError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_COMPILE', message, options)
  }
}

/** A call with wrong arguments: *Expected X for `name` but received Z*. */
export class ArgumentError extends TorchScriptError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_ARGUMENT', message, options)
  }
}

/** An operator, overload, dtype or device that this package cannot run yet. */
export class UnsupportedError extends TorchScriptError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_UNSUPPORTED', message, options)
  }
}

/** An exception raised by a TorchScript program or by an operator while it ran; carries the TorchScript stack. */
export class ScriptRuntimeError extends TorchScriptError {
  /** Qualified Python name of the raised class, such as `builtins.ValueError`, where the program named one. */
  readonly pythonType: string | undefined
  constructor(message: string, pythonType?: string, options?: ErrorOptions) {
    super('ERR_SCRIPT', message, options)
    this.pythonType = pythonType
  }
}

/** A broken promise of our own code. */
export class InvariantError extends TorchScriptError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_INVARIANT', `${message} This is a defect of torchscript-node.`, options)
  }
}

/** Asserts what our own code guarantees. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message)
}

/** The end of an exhaustive switch. */
export function assertExhaustive(value: never, what: string): never {
  throw new InvariantError(`Unhandled ${what}: ${JSON.stringify(value)}.`)
}
