import { isUtf8 } from 'node:buffer'
import { ArchiveError } from '../util/errors.js'
import { resolveGlobal } from './globals.js'
import { describeItem } from './tensors.js'
import {
  type DictValue,
  type ListValue,
  noneValue,
  type ObjectValue,
  type PickleValue,
  type StorageValue,
  type StringValue,
} from './values.js'
import { checkShape } from './value-limits.js'
import type { DType } from '../tensor/dtype.js'

/*
 * A machine for pickle protocol 2 as torch.jit.save and torch.save write it. It runs no code of the file: GLOBAL looks a
 * name up in a fixed table (globals.ts), REDUCE and BUILD call what the table says.
 */

/** Makes the error, for the caller to throw, that reports a malformed pickle. */
export type Fail = (message: string) => ArchiveError

/** A class or function that the pickle names. It is no value by itself: only REDUCE, NEWOBJ and persistent ids take it. */
export interface GlobalRef {
  readonly kind: 'global'
  /** Dotted full name. */
  readonly name: string
  /** Element type, if this is a storage class. */
  readonly storage?: DType
  /** What REDUCE does; `args` are the items of the argument tuple. */
  readonly reduce?: (args: StackValue[], fail: Fail) => PickleValue
  /** A TorchScript class or enum of the archive's own code. */
  readonly isScriptClass?: boolean
}

export type StackValue = PickleValue | GlobalRef

export interface UnpickleOptions {
  /** Name of the pickle for messages. */
  member: string
  /** Whether classes of the archive's code (`__torch__...`) may occur. */
  scriptClasses: boolean
  /** Turns a persistent id into a storage. */
  loadStorage?: (id: StackValue, fail: Fail) => StorageValue
  /** A prefix of a longer file: running out of bytes throws NeedMoreBytes. */
  isPrefix?: boolean
}

/** Running off the end of a window of a longer file. */
export class NeedMoreBytes extends Error {}

/**
 * What one pickle may cost, in bytes of memory or as much work: one byte of a pickle can make a container of a hundred, or
 * have one of a million items looked at again. Honest pickles, vocabularies of millions of words included, stay below.
 */
const budget = 2 ** 29
const cost = { opcode: 8, number: 48, string: 64, container: 96, entry: 80, memo: 48, argument: 16 }
/** Nesting of MARKs, of which one level of a container takes one or two. */
const maxMarks = 4096

const smallInts: PickleValue[] = Array.from({ length: 256 }, (_, i) => ({ kind: 'int', value: BigInt(i) }))
const trueValue: PickleValue = { kind: 'bool', value: true }
const falseValue: PickleValue = { kind: 'bool', value: false }
const emptyTuple: PickleValue = { kind: 'tuple', items: [] }

/** Unpickles one value. `end` is the offset behind its STOP. */
export function unpickle(bytes: Uint8Array, options: UnpickleOptions): { value: PickleValue; end: number } {
  const machine = new Machine(bytes, options)
  return { value: machine.run(), end: machine.position }
}

class Machine {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #options: UnpickleOptions
  /** Entries with consecutive ids, as all picklers number them; others, which are legal, lie in the map. */
  readonly #memo: StackValue[] = []
  readonly #sparseMemo = new Map<number, StackValue>()
  readonly #globals = new Map<string, StackValue>()
  readonly #marks: StackValue[][] = []
  #stack: StackValue[] = []
  #opcodeAt = 0
  #budget = budget
  position = 0

  constructor(bytes: Uint8Array, options: UnpickleOptions) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#options = options
  }

  readonly #fail: Fail = (message) =>
    new ArchiveError(`The pickle is malformed at byte ${this.#opcodeAt}: ${message}`, this.#options.member)

  run(): PickleValue {
    if (this.#bytes.length === 0 && !this.#options.isPrefix) throw this.#fail('it is empty')
    if (this.#byte() !== 0x80) throw this.#fail('it does not start with PROTO')
    const protocol = this.#byte()
    if (protocol > 2) {
      throw this.#fail(`Expected pickle protocol 2 but received ${protocol}. Save the file again with the default pickle_protocol`)
    }
    for (;;) {
      this.#spend(cost.opcode)
      this.#opcodeAt = this.position
      const opcode = this.#byte()
      if (opcode === 0x2e) break
      this.#step(opcode)
    }
    const value = this.#popValue('the result')
    if (this.#stack.length > 0 || this.#marks.length > 0) throw this.#fail('values are left over at STOP')
    checkShape(value, this.#fail)
    return value
  }

  #step(opcode: number): void {
    switch (opcode) {
      case 0x28: // MARK
        if (this.#marks.length >= maxMarks) throw this.#fail(`more than ${maxMarks} marks are open`)
        this.#marks.push(this.#stack)
        this.#stack = []
        return
      case 0x4e:
        return this.#push(noneValue) // NONE
      case 0x88:
        return this.#push(trueValue) // NEWTRUE
      case 0x89:
        return this.#push(falseValue) // NEWFALSE
      case 0x4b:
        return this.#push(smallInts[this.#byte()]) // BININT1
      case 0x4d:
        return this.#pushNumber({ kind: 'int', value: BigInt(this.#view.getUint16(this.#take(2), true)) }) // BININT2
      case 0x4a:
        return this.#pushNumber({ kind: 'int', value: BigInt(this.#view.getInt32(this.#take(4), true)) }) // BININT
      case 0x8a:
        return this.#pushLong(this.#byte()) // LONG1
      case 0x8b:
        return this.#pushLong(this.#uint32()) // LONG4
      case 0x47:
        return this.#pushNumber({ kind: 'float', value: this.#view.getFloat64(this.#take(8), false) }) // BINFLOAT
      case 0x58:
        return this.#pushString(this.#uint32()) // BINUNICODE
      case 0x55:
        return this.#pushString(this.#byte()) // SHORT_BINSTRING: a Python 2 str, text in old state dicts
      case 0x54:
        return this.#pushString(this.#uint32()) // BINSTRING
      case 0x5d:
        return this.#pushContainer({ kind: 'list', items: [] }) // EMPTY_LIST
      case 0x7d:
        return this.#pushContainer({ kind: 'dict', entries: [] }) // EMPTY_DICT
      case 0x29:
        return this.#push(emptyTuple) // EMPTY_TUPLE
      case 0x6c:
        return this.#pushContainer({ kind: 'list', items: this.#popMark() as PickleValue[] }) // LIST
      case 0x64:
        return this.#pushContainer({ kind: 'dict', entries: this.#pairs(this.#popMark()) }) // DICT
      case 0x74:
        return this.#pushContainer({ kind: 'tuple', items: this.#popMark() as PickleValue[] }) // TUPLE
      case 0x85:
        return this.#pushContainer({ kind: 'tuple', items: this.#popMany(1) }) // TUPLE1
      case 0x86:
        return this.#pushContainer({ kind: 'tuple', items: this.#popMany(2) }) // TUPLE2
      case 0x87:
        return this.#pushContainer({ kind: 'tuple', items: this.#popMany(3) }) // TUPLE3
      case 0x61:
        return this.#append(this.#popMany(1)) // APPEND
      case 0x65:
        return this.#append(this.#popMark() as PickleValue[]) // APPENDS
      case 0x73:
        return this.#setItems(this.#popMany(2)) // SETITEM
      case 0x75:
        return this.#setItems(this.#popMark()) // SETITEMS
      case 0x30: // POP
        this.#pop('POP')
        return
      case 0x31: // POP_MARK
        this.#popMark()
        return
      case 0x71:
        return this.#put(this.#byte()) // BINPUT
      case 0x72:
        return this.#put(this.#uint32()) // LONG_BINPUT
      case 0x68:
        return this.#get(this.#byte()) // BINGET
      case 0x6a:
        return this.#get(this.#uint32()) // LONG_BINGET
      case 0x63:
        return this.#global() // GLOBAL
      case 0x51:
        return this.#persistentId() // BINPERSID
      case 0x52:
        return this.#reduce() // REDUCE
      case 0x81:
        return this.#newObject() // NEWOBJ
      case 0x62:
        return this.#build() // BUILD
      default:
        throw this.#fail(`the opcode 0x${opcode.toString(16).padStart(2, '0')} is none that PyTorch writes`)
    }
  }

  #spend(amount: number): void {
    this.#budget -= amount
    if (this.#budget < 0) throw this.#fail('its values take too much memory')
  }

  #pushNumber(value: PickleValue): void {
    this.#spend(cost.number)
    this.#stack.push(value)
  }

  #pushContainer(value: PickleValue): void {
    this.#spend(cost.container)
    this.#stack.push(value)
  }

  #push(value: StackValue): void {
    this.#stack.push(value)
  }

  #pop(what: string): StackValue {
    const value = this.#stack.pop()
    if (value === undefined) throw this.#fail(`there is no value for ${what}`)
    return value
  }

  #popValue(what: string): PickleValue {
    const value = this.#pop(what)
    if (value.kind === 'global') throw this.#fail(`the class ${value.name} stands where a value is needed`)
    return value
  }

  /** Classes may be items of tuples (persistent ids hold them), so they are typed away here; checkShape finds what is left. */
  #popMany(count: number): PickleValue[] {
    if (this.#stack.length < count) throw this.#fail(`${count} values are needed and there are ${this.#stack.length}`)
    return this.#stack.splice(this.#stack.length - count, count) as PickleValue[]
  }

  #popMark(): StackValue[] {
    const below = this.#marks.pop()
    if (below === undefined) throw this.#fail('there is no mark')
    const items = this.#stack
    this.#stack = below
    return items
  }

  #byte(): number {
    return this.#bytes[this.#take(1)]
  }

  #uint32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  #take(length: number): number {
    const at = this.position
    if (at + length > this.#bytes.length) {
      if (this.#options.isPrefix) throw new NeedMoreBytes()
      throw this.#fail(`${length} bytes are needed and ${this.#bytes.length - at} are left`)
    }
    this.position = at + length
    return at
  }

  #slice(length: number): Uint8Array {
    const at = this.#take(length)
    return this.#bytes.subarray(at, at + length)
  }

  #pushLong(length: number): void {
    if (length > 1024) throw this.#fail(`an int of ${length} bytes is too large`)
    const bytes = this.#slice(length)
    let value = length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
    if (length > 0 && bytes[length - 1] >= 0x80) value -= 1n << BigInt(8 * length)
    if (this.#options.scriptClasses && BigInt.asIntN(64, value) !== value) throw this.#fail(`the int ${value} does not fit in 64 bits`)
    this.#pushNumber({ kind: 'int', value })
  }

  #pushString(length: number): void {
    const bytes = this.#slice(length)
    this.#spend(cost.string + 2 * length)
    this.#stack.push(stringOf(bytes))
  }

  #pairs(items: StackValue[]): [PickleValue, PickleValue][] {
    if (items.length % 2 !== 0) throw this.#fail('a dict has a key without a value')
    this.#spend((cost.entry * items.length) / 2)
    const entries: [PickleValue, PickleValue][] = []
    for (let i = 0; i < items.length; i += 2) entries.push([items[i], items[i + 1]] as [PickleValue, PickleValue])
    return entries
  }

  #append(items: PickleValue[]): void {
    const list = this.#top('APPEND')
    if (list.kind !== 'list') throw this.#fail(`items are appended to ${describeItem(list)}`)
    const target = (list as ListValue).items
    for (const item of items) target.push(item)
  }

  #setItems(items: StackValue[]): void {
    const dict = this.#top('SETITEM')
    if (dict.kind !== 'dict') throw this.#fail(`items are set in ${describeItem(dict)}`)
    const target = (dict as DictValue).entries
    for (const entry of this.#pairs(items)) target.push(entry)
  }

  #top(what: string): StackValue {
    const value = this.#stack[this.#stack.length - 1]
    if (value === undefined) throw this.#fail(`there is no value for ${what}`)
    return value
  }

  #put(id: number): void {
    this.#spend(cost.memo)
    const value = this.#top('BINPUT')
    if (id < this.#memo.length) this.#memo[id] = value
    else if (id === this.#memo.length) this.#memo.push(value)
    else this.#sparseMemo.set(id, value)
  }

  #get(id: number): void {
    const value = id < this.#memo.length ? this.#memo[id] : this.#sparseMemo.get(id)
    if (value === undefined) throw this.#fail(`the memo has no entry ${id}`)
    this.#push(value)
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.position)
    if (end < 0) {
      if (this.#options.isPrefix) throw new NeedMoreBytes()
      throw this.#fail('a name has no end')
    }
    if (end - this.position > 4096) throw this.#fail(`a name of ${end - this.position} bytes is too long`)
    const text = Buffer.from(this.#slice(end - this.position)).toString('utf8')
    this.position++
    return text
  }

  #global(): void {
    const module = this.#line()
    const name = this.#line()
    const key = `${module} ${name}`
    let value = this.#globals.get(key)
    if (value === undefined) {
      value = resolveGlobal(module, name, this.#options.scriptClasses, (message) => new ArchiveError(message, this.#options.member))
      this.#globals.set(key, value)
    }
    this.#push(value)
  }

  #persistentId(): void {
    const load = this.#options.loadStorage
    if (load === undefined) throw this.#fail('it refers to a storage, and there are none here')
    this.#push(load(this.#pop('BINPERSID'), this.#fail))
  }

  #reduce(): void {
    const args = this.#pop('REDUCE')
    const callee = this.#pop('REDUCE')
    if (callee.kind !== 'global') throw this.#fail(`${describeItem(callee)} is called`)
    if (callee.isScriptClass) {
      // An enum value: the only use of a script class without NEWOBJ.
      if (args.kind === 'global') throw this.#fail(`the class ${args.name} stands where a value is needed`)
      return this.#push({ kind: 'enum', className: callee.name, value: args })
    }
    if (callee.reduce === undefined) throw this.#fail(`${callee.name} is called`)
    if (args.kind !== 'tuple') throw this.#fail(`Expected a tuple of arguments for ${callee.name} but received ${describeItem(args)}`)
    for (const arg of args.items) this.#spend(cost.container + cost.argument * sizeOf(arg))
    this.#push(callee.reduce(args.items, this.#fail))
  }

  #newObject(): void {
    const args = this.#pop('NEWOBJ')
    const type = this.#pop('NEWOBJ')
    if (type.kind !== 'global' || !type.isScriptClass) throw this.#fail(`${describeItem(type)} is instantiated`)
    if (args.kind !== 'tuple' || args.items.length > 0) {
      throw this.#fail(`Expected no arguments for a new ${type.name} but received ${describeItem(args)}`)
    }
    this.#pushContainer({ kind: 'object', className: type.name })
  }

  #build(): void {
    const state = this.#popValue('BUILD')
    const target = this.#top('BUILD')
    if (target.kind === 'dict') return // The attributes of an OrderedDict: `_metadata` of a state dict.
    if (target.kind !== 'object') throw this.#fail(`a state is given to ${describeItem(target)}`)
    if (target.state !== undefined) throw this.#fail(`an object of ${target.className} gets a second state`)
    this.#spend(cost.entry * sizeOf(state))
    const object = target as ObjectValue
    object.state = state
    if (state.kind === 'dict' && state.keyType === undefined && state.entries.every(([key]) => key.kind === 'string')) {
      object.attributes = new Map(state.entries.map(([key, value]) => [(key as StringValue).value, value]))
    }
  }
}

/** How many parts a function that gets the value may look at. */
function sizeOf(value: StackValue): number {
  switch (value.kind) {
    case 'list':
    case 'tuple':
      return value.items.length
    case 'dict':
      return value.entries.length
    case 'string':
      return value.value.length
    default:
      return 1
  }
}

function stringOf(bytes: Uint8Array): StringValue {
  const value = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  return isUtf8(bytes) ? { kind: 'string', value } : { kind: 'string', value, bytes: bytes.slice() }
}
