let isSkipping = false
/** Whether the functions of `nn.init` leave their tensors as they are. */
export const isSkippingInit = (): boolean => isSkipping

/** Runs `body`; in it, the functions of `nn.init` do nothing. */
export function withoutInit<T>(body: () => T): T {
  const before = isSkipping
  isSkipping = true
  try {
    return body()
  } finally {
    isSkipping = before
  }
}
