const encoder = new TextEncoder()

/** Appends little-endian fields to a growing array of bytes. */
export class ByteWriter {
  private buffer = new Uint8Array(1024)
  private view = new DataView(this.buffer.buffer)
  length = 0

  private reserve(count: number): number {
    const at = this.length
    this.length = at + count
    if (this.length > this.buffer.length) {
      const larger = new Uint8Array(Math.max(this.length, this.buffer.length * 2))
      larger.set(this.buffer)
      this.buffer = larger
      this.view = new DataView(larger.buffer)
    }
    return at
  }
  u8(value: number): this {
    const at = this.reserve(1)
    this.buffer[at] = value
    return this
  }
  u32(value: number): this {
    const at = this.reserve(4)
    this.view.setUint32(at, value, true)
    return this
  }
  i32s(values: readonly number[]): this {
    this.u32(values.length)
    let at = this.reserve(4 * values.length)
    for (const value of values) {
      this.view.setInt32(at, value, true)
      at += 4
    }
    return this
  }
  i64(value: bigint): this {
    const at = this.reserve(8)
    this.view.setBigInt64(at, value, true)
    return this
  }
  f64(value: number): this {
    const at = this.reserve(8)
    this.view.setFloat64(at, value, true)
    return this
  }
  raw(bytes: Uint8Array): this {
    const at = this.reserve(bytes.length)
    this.buffer.set(bytes, at)
    return this
  }
  str(text: string | Uint8Array): this {
    const bytes = typeof text === 'string' ? encoder.encode(text) : text
    return this.u32(bytes.length).raw(bytes)
  }
  vec<T>(items: readonly T[], write: (item: T) => void): this {
    this.u32(items.length)
    for (const item of items) write(item)
    return this
  }
  finish(): Uint8Array {
    return this.buffer.slice(0, this.length)
  }
}
