/**
 * The surface of the native addon (native/binding.cc), as TypeScript sees it. Values cross by the plan's types: int is a number
 * or a bigint (out: a number when it is a safe integer, else a bigint), None is null (in: undefined too), List and Tuple are
 * arrays, Dict is a Map (in: plain objects with string keys too), NamedTuple an object with its field names (in: arrays too), Device a
 * string, complex `{ re, im }`, Enum `{ className, name, value }` (in: without className too). `Any` goes by what the value is: a number
 * with an integer value is an int, other numbers are floats.
 */

/** Memory shared by tensors. Keeps its ArrayBuffer alive. */
export interface StorageHandle {
  readonly byteLength: number
  /** Tensors that are made on the handle from now on are on a CUDA device. */
  moveTo(device: number): void
  /** Lets go of the memory, which tensors on it keep. */
  dispose(): void
}

/** Quantization of a tensor; per-channel schemes have arrays with one entry for each index along `axis`. */
export interface QuantInfo {
  /** 0 per tensor affine, 1 per channel affine, 4 per channel affine with float zero points. */
  readonly scheme: 0 | 1 | 4
  readonly scale: number | readonly number[] | Float64Array
  readonly zeroPoint: number | readonly number[] | Float64Array
  readonly axis?: number
}

export interface TensorInfo {
  /** PyTorch's scalar type code (lib/tensor/dtype.ts). */
  readonly dtype: number
  readonly sizes: number[]
  readonly strides: number[]
  /** First element, in elements from the start of the storage. */
  readonly offset: number
  readonly isContiguous: boolean
  readonly storageBytes: number
  readonly requiresGrad: boolean
  /** -1 for the CPU, else the index of a CUDA device. */
  readonly device: number
  readonly quant: QuantInfo | null
}

/** A tensor of the executor. Every method throws ERR_ARGUMENT after dispose(). */
export interface TensorHandle {
  info(): TensorInfo
  /**
   * The memory of the whole storage without a copy where the platform allows it; writes are seen by the executor. With `forReading` the
   * caller promises not to write, and nothing made from a weight is made again.
   */
  data(forReading?: boolean): ArrayBuffer
  /** The same number for tensors that share their memory, never given to another memory. */
  readonly storageId: number
  /** Says that JavaScript wrote the memory: what was made from its old contents (packed weights, folded constants) is made again. data() says so too, for weights. */
  touch(): void
  /** Byte offset of the storage's first byte in what data() gives: not 0 where the storage is a region of an ArrayBuffer. */
  readonly dataOffset: number
  /** True when data() gave a copy, because the platform does not allow sharing. */
  readonly dataIsCopy: boolean
  /** A contiguous tensor with memory of its own. */
  contiguousCopy(): TensorHandle
  /** The tensor on a device (-1: the CPU), or itself when it is there. */
  copyTo(device: number): TensorHandle
  setRequiresGrad(value: boolean): void
  /** Gives back memory that can be read again from the file that the tensor is mapped from; nothing for other tensors, and for written files. */
  releasePages(): void
  /** The storage of a tensor whose elements are computed when they are read, as results are under setDerives; null for all others. */
  derivedStorage(): StorageHandle | null
  /** The same number for handles of the same tensor, while one of them is alive. */
  readonly identity: number
  dispose(): void
  readonly isDisposed: boolean
}

/** A TorchScript object (module or class instance) of a program. */
export interface ObjectHandle {
  /** Qualified class name as in the plan. */
  readonly className: string
  /** Index into the plan's class table. */
  readonly classIndex: number
}

/**
 * A value that an object reaches: None is null, int a bigint, float a number, a string that is no UTF-8 its bytes; what is counted is an
 * entry of the snapshot.
 */
export type SnapshotChild =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | { readonly device: string }
  | { readonly re: number; readonly im: number }
  | { readonly ref: number }

/** Types are texts as Python annotations spell them, where the executor knows them. */
export type SnapshotEntry =
  | { readonly kind: 'tensor'; readonly tensor: TensorHandle }
  | { readonly kind: 'list'; readonly elementType?: string; readonly items: readonly SnapshotChild[] }
  | { readonly kind: 'tuple'; readonly items: readonly SnapshotChild[] }
  /** Keys and values in turn. */
  | { readonly kind: 'dict'; readonly keyType?: string; readonly valueType?: string; readonly items: readonly SnapshotChild[] }
  | { readonly kind: 'enum'; readonly className: string; readonly value: SnapshotChild }
  /** `classIndex` is -1 for custom classes. `state` is what `__getstate__` returned; objects without it have slots. */
  | {
      readonly kind: 'object'
      readonly className: string
      readonly classIndex: number
      readonly slots?: readonly SnapshotChild[]
      readonly state?: SnapshotChild
    }

/** Everything that an object reaches, each counted value once. */
export interface NativeSnapshot {
  readonly root: SnapshotChild
  readonly entries: readonly SnapshotEntry[]
}

/** Put last among the arguments of run(): keyword arguments. */
export interface KeywordArguments {
  readonly __kwargs__: Readonly<Record<string, unknown>>
}

/** How one recorded signature of a function runs; for `explain` and for tests. */
export interface SignatureReport {
  readonly function: string
  readonly inputs: string
  /** `recorded`: replays a fixed schedule. `dynamic`: always runs operator by operator, for the reason given. */
  readonly state: 'recorded' | 'dynamic'
  readonly reason: string
  readonly steps: number
  /** Memory of intermediates and workspaces. */
  readonly arenaBytes: number
  /** Memory of the results, which each run allocates. */
  readonly outputBytes: number
  /** Most bytes of intermediates and workspaces that are alive at one step: no arena can be smaller. */
  readonly liveBytes: number
  readonly constantBytes: number
  readonly replays: number
  /** As `arenaBytes`, on the device. */
  readonly deviceArenaBytes: number
  /** CUDA graphs that a call launches, the nodes in them, and the memory of the arguments and results that they own. */
  readonly graphs: number
  readonly graphNodes: number
  readonly graphBytes: number
  /** Memory of the CPU that graphs copy arguments from and results to. */
  readonly pinnedBytes: number
  /** Why there are no graphs, or which steps they do not have; empty otherwise. */
  readonly graphReason: string
}

export interface ProgramHandle {
  /** Runs a function on the calling thread. For methods the object comes first. */
  run(functionIndex: number, args: readonly unknown[]): unknown
  /**
   * As run(), with every argument of the function in the call itself and no keywords. A tensor argument may be an ArrayBuffer with an entry in
   * `smallResults.places`: after the call `smallResults.changed` says which of them need a handle.
   */
  call(functionIndex: number, ...args: unknown[]): unknown
  /**
   * As call(). A function that returns a tensor may give a number in place of a handle: a small contiguous tensor that nobody else has. The
   * number is layout * 256 + place; the elements begin at byte 64 * place of `smallResults.memory` as it is when this returns.
   */
  invoke(functionIndex: number, ...args: unknown[]): unknown
  /** A method of an object as a function that takes the other arguments and gives what `invoke` gives. */
  bind(functionIndex: number, self: ObjectHandle): (...args: unknown[]) => unknown
  /** Runs a function on a native worker; arguments are converted before this returns. */
  runAsync(functionIndex: number, args: readonly unknown[]): Promise<unknown>
  /** The root module, or null. */
  root(): ObjectHandle | null
  getAttr(object: ObjectHandle, slot: number): unknown
  /** Writes an attribute; the value is converted by the declared type of the slot. */
  setAttr(object: ObjectHandle, slot: number, value: unknown): void
  /** An object and all that it reaches, as data; runs `__getstate__` where a class has it. */
  snapshot(object: ObjectHandle): NativeSnapshot
  /** What the recorder did with each signature seen so far. */
  signatures(): SignatureReport[]
  /**
   * Parameters, buffers and constants, and the packed forms that kernels have made of them. `awayBytes` of the former are not in memory: they are
   * computed when somebody but a kernel that packs them reads them.
   */
  memory(): { readonly weightBytes: number; readonly packedBytes: number; readonly awayBytes: number }
  /** Moves all tensors to a device (-1: the CPU), in place; floating-point ones of objects are cast when a dtype code is given. */
  moveTo(device: number, dtype?: number): void
  /** Recording and replaying of schedules; on by default. */
  setRecording(enabled: boolean): void
  /** Whether recordings time the kernels of other providers, as far as there are any, and keep the fastest. */
  setAutotune(enabled: boolean): void
  /**
   * Whether runs (not those of `runAsync`) may give the tensors that an earlier run gave, with new contents. A bound method that gives the tensor that it
   * gave last gives -1 in its place.
   */
  setKeepsResults(enabled: boolean): void
  /** How many steps in a row on a device are launched as one graph; 0: none. */
  setLeastGraph(steps: number): void
  /** A digest of the program's weights as they were when this, `writePacks` or `readPacks` was called first. */
  weightsDigest(): string
  /** Writes the packed forms of the weights to a file. */
  writePacks(path: string): void
  /** Takes packed forms from such a file, which is mapped: how many there are for weights of this program, or why the file cannot be used. */
  readPacks(path: string): number | string
  /** Whether large results of operators on weights are computed when they are read first, and are weights themselves; for programs of passes. */
  setDerives(enabled: boolean): void
  /** Grows when an attribute or the memory of a tensor that the program was loaded with is written. */
  stateVersion(): number
  dispose(): void
}

export interface NativeProfileTensor {
  readonly dtype: number
  readonly shape: readonly number[]
  /** Memory that the tensor's window touches. */
  readonly bytes: number
}
/** An argument; lists of tensors are flat, and what is neither tensor, int nor bool is null. */
export type NativeProfileOperand = NativeProfileTensor | number | boolean | null

/** One operator that ran. */
export interface NativeProfileEvent {
  /** Schema name of the operator, or the kernel row. */
  readonly name: string
  /** The kernel row; empty for operators of the executor itself. */
  readonly row: string
  /** Inner kernel last noted by the operator, such as `gemm_f32_avx512_14x32`. */
  readonly inner: string
  /** `file:line` of the TorchScript that called it, when known. */
  readonly location: string
  /** Nanoseconds of the monotonic clock. */
  readonly start: number
  readonly nanoseconds: number
  readonly thread: number
  /** Step of the recorded schedule, or -1. */
  readonly step: number
  readonly inputs: readonly NativeProfileOperand[]
  readonly outputs: readonly NativeProfileTensor[]
}

export interface MemoryStats {
  /** Bytes of storages allocated by the executor that are alive. */
  readonly liveBytes: number
  /** Bytes kept for reuse. */
  readonly cachedBytes: number
  readonly peakBytes: number
  readonly packedBytes: number
}

/** Errors thrown by the addon are plain Errors with these fields; lib/native turns them into the classes of lib/util/errors.ts. */
export interface NativeErrorFields {
  readonly code: 'ERR_SCRIPT' | 'ERR_ARGUMENT' | 'ERR_UNSUPPORTED' | 'ERR_PLAN'
  /** ERR_SCRIPT: what Python would raise, such as `RuntimeError` or `builtins.ValueError`. */
  readonly pythonType?: string
  /** ERR_SCRIPT: the message without the TorchScript traceback that `message` carries. */
  readonly scriptMessage?: string
  /** ERR_SCRIPT: the rendered TorchScript traceback, or an empty string. */
  readonly scriptStack?: string
}

/** What a CUDA device is. Clocks in kHz, sizes in bytes. */
export interface CudaDeviceProperties {
  readonly name: string
  /** Compute capability. */
  readonly major: number
  readonly minor: number
  readonly totalMemory: number
  readonly multiProcessorCount: number
  readonly warpSize: number
  readonly maxThreadsPerBlock: number
  readonly sharedMemoryPerBlock: number
  readonly sharedMemoryPerBlockOptin: number
  readonly l2CacheSize: number
  readonly clockRate: number
  readonly memoryClockRate: number
  /** In bits. */
  readonly memoryBusWidth: number
}

/** CUDA graphs of this process. */
export interface CudaGraphStats {
  /** Made so far, and those that are there now. */
  readonly captured: number
  readonly alive: number
  readonly launches: number
  /** Kernels and copies in all launches. */
  readonly launchedNodes: number
  /** How often a result was read on the CPU where its graph had copied it already. */
  readonly pinnedReads: number
}
/** Memory of a CUDA device, in bytes. */
export interface CudaMemoryStats {
  /** In use by tensors and schedules. */
  readonly liveBytes: number
  /** Freed and kept for reuse. */
  readonly cachedBytes: number
  /** The most that was in use. */
  readonly peakBytes: number
  /** Of the device, as its driver says. */
  readonly freeBytes: number
  readonly totalBytes: number
  /** How often memory was asked of the driver. */
  readonly allocations: number
  /** Memory of the CPU that copies from and to the device pass through. */
  readonly pinnedBytes: number
  /** Of `liveBytes`: what all recorded signatures of the device share. */
  readonly arenaBytes: number
}

/** CUDA devices; where a device may be left out, it is the current one of the thread. */
export interface CudaFace {
  /** Opens the driver on first use; 0 where there is none. */
  deviceCount(): number
  /** Why deviceCount() is 0; empty when it is not. */
  unavailableReason(): string
  /** The CUDA version that the driver supports, such as `12.4`. */
  driverVersion(): string
  /** The file of compiled kernels, their names, and why there is none. */
  kernelFile(): { path: string; reason: string; kernels: string[] }
  properties(device?: number): CudaDeviceProperties
  memoryStats(device?: number): CudaMemoryStats
  graphStats(): CudaGraphStats
  currentDevice(): number
  setCurrentDevice(device: number): void
  synchronize(device?: number): void
  emptyCache(device?: number): void
  resetPeak(device?: number): void
  /** Whether operators without a CUDA kernel run on the CPU. */
  setFallback(enabled: boolean): void
  /** Whether float32 products, and float32 convolutions, may round their operands to TF32. */
  allowTf32(products: boolean, convolutions: boolean): void
  /** A folder for kernels that are compiled at run time; empty: none. */
  keepKernels(folder: string): void
  /** Names of the operators that did so since the last call. */
  takeFallenBack(): string[]
}

export interface NativeBinding {
  readonly cuda: CudaFace
  /** Decodes a plan (docs/plan-format.md). `tensors` is the plan's tensor table. */
  loadProgram(plan: Uint8Array, tensors: readonly TensorHandle[]): ProgramHandle

  /** A region of an ArrayBuffer as a storage, without a copy. `isWeight`: parameters, buffers and constants. */
  storageFromBuffer(buffer: ArrayBuffer, byteOffset: number, byteLength: number, isWeight: boolean): StorageHandle
  /** A tensor on a storage; offset in elements. The window must lie inside the storage. */
  tensorOnStorage(
    storage: StorageHandle,
    dtype: number,
    sizes: readonly number[],
    strides: readonly number[],
    offset: number,
    quant?: QuantInfo | null,
  ): TensorHandle
  /** storageFromBuffer and tensorOnStorage in one call, for inputs. */
  tensorFromBuffer(
    buffer: ArrayBuffer,
    byteOffset: number,
    dtype: number,
    sizes: readonly number[],
    strides?: readonly number[] | null,
    /** Of the storage; default: the rest of the buffer. */
    byteLength?: number,
  ): TensorHandle
  readonly smallResults: {
    /** The ArrayBuffer that holds the last small result of `invoke`. */
    readonly memory: ArrayBuffer
    /** For the arguments of `call` and `invoke` that are given as ArrayBuffers, by index (below 16): the tensor's byte offset and its layout. */
    readonly places: Float64Array
    /** After a call: index of an argument and the handle that its tensor must have from now on, in turn. The caller clears it. */
    changed: (number | TensorHandle)[] | undefined
  }
  /** The number of a layout for `places`: contiguous tensors with elements. -1 where a handle is needed. */
  layoutOf(dtype: number, sizes: readonly number[]): number
  /** The layout of small results by its number: contiguous tensors. */
  resultLayout(index: number): { readonly dtype: number; readonly sizes: readonly number[] } | undefined
  /** Uninitialised memory, contiguous. */
  emptyTensor(dtype: number, sizes: readonly number[]): TensorHandle
  /** The file as copy-on-write memory: nothing is read before it is touched. */
  mapFile(path: string): ArrayBuffer

  setNumThreads(threads: number): void
  getNumThreads(): number
  /** `scalar`, `avx2` or `avx512`. Throws when TORCHSCRIPT_ISA asks for what cannot be. */
  isa(): string
  /** Full names of the builtins and the names of the kernel rows that are linked in. */
  nativeOperators(): { builtins: string[]; kernels: string[]; cudaKernels: string[] }
  /** Seeds the generator as torch.manual_seed does. */
  seed(seed: number | bigint): void

  /** Names of the kernels that run from now on: `row` or `row: inner kernel`. */
  setTrace(enabled: boolean): void
  takeTrace(): string[]
  setProfile(enabled: boolean): void
  takeProfile(): { events: NativeProfileEvent[]; dropped: number }
  memoryStats(): MemoryStats
  /** Receives what programs print; without one it goes to the process's standard output. Warnings likewise (standard error). */
  setPrintHandler(handler: ((line: string) => void) | null): void
  setWarnHandler(handler: ((message: string) => void) | null): void
}
