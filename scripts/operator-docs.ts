export const docOf = (_: string): string | undefined => undefined
