import type { Node } from '../ir/graph.js'

/** What a pass decided about a node, for `explain`. */
export interface PassNote {
  readonly pass: string
  /** The node that the decision is about: the new one where nodes were fused, the one that stays as it is where they were not. */
  readonly node: Node
  /** `made`: what the node is for, where no others were fused. */
  readonly kind: 'fused' | 'kept' | 'made'
  readonly reason: string
}

let collector: PassNote[] | undefined

/** Whether somebody collects notes: only then is it worth finding out why something was not done. */
export const collectsNotes = (): boolean => collector !== undefined

/** Notes a decision; does nothing while nobody collects. */
export function notePass(pass: string, node: Node, kind: PassNote['kind'], reason: string): void {
  collector?.push({ pass, node, kind, reason })
}

/** Runs `body` and collects what passes note meanwhile. */
export function collectNotes(body: () => void): PassNote[] {
  const saved = collector
  const notes: PassNote[] = []
  collector = notes
  try {
    body()
  } finally {
    collector = saved
  }
  return notes
}
