import type { Fail, StackValue } from './pickle.js'
import type { PickleValue } from './values.js'

/** Nesting of containers and objects; a module nested in a module takes two levels. */
const maxDepth = 1000
/** How many values a walk meets that follows shared containers each time. */
const maxUnfolded = 1 << 26

interface Extent {
  depth: number
  unfolded: number
}

interface Frame extends Extent {
  node: PickleValue
  count: number
  next: number
}

const inner = new Set<PickleValue['kind']>(['list', 'tuple', 'dict', 'object', 'enum'])

function childCount(value: PickleValue): number {
  switch (value.kind) {
    case 'list':
    case 'tuple':
      return value.items.length
    case 'dict':
      return value.entries.length * 2
    case 'object':
      return value.state === undefined ? 0 : 1
    case 'enum':
      return 1
    default:
      return 0
  }
}

function childAt(value: PickleValue, i: number): StackValue {
  switch (value.kind) {
    case 'list':
    case 'tuple':
      return value.items[i]
    case 'dict':
      return value.entries[i >> 1][i & 1]
    case 'object':
      return value.state!
    case 'enum':
      return value.value
    default:
      return value
  }
}

/**
 * Refuses what would hurt those who walk the value later: nesting that overflows a recursive walk, containers that contain
 * themselves (cycles may exist through objects, which walkers remember), sharing that unfolds without end, and classes left
 * where values belong. Needs no recursion itself.
 */
export function checkShape(root: PickleValue, fail: Fail): void {
  const done = new Map<PickleValue, Extent | 'open'>()
  const open = (node: PickleValue): Frame => {
    done.set(node, 'open')
    return { node, count: childCount(node), next: 0, depth: 0, unfolded: 1 }
  }
  const frames: Frame[] = [open(root)]
  while (frames.length > 0) {
    if (frames.length > maxDepth) throw fail(`values are nested deeper than ${maxDepth}`)
    const frame = frames[frames.length - 1]
    if (frame.next === frame.count) {
      frames.pop()
      // An object is met once by those who remember objects; its insides do not count again.
      const extent = { depth: frame.depth + 1, unfolded: frame.node.kind === 'object' ? 1 : frame.unfolded }
      if (frame.unfolded > maxUnfolded) throw fail(`shared values unfold to more than ${maxUnfolded}`)
      done.set(frame.node, extent)
      addChild(frames[frames.length - 1], extent, fail)
      continue
    }
    const child = childAt(frame.node, frame.next++)
    if (child.kind === 'global') throw fail(`the class ${child.name} stands where a value is needed`)
    if (!inner.has(child.kind)) {
      addChild(frame, { depth: 1, unfolded: 1 }, fail)
      continue
    }
    const known = done.get(child)
    if (known === undefined) frames.push(open(child))
    else if (known !== 'open') addChild(frame, known, fail)
    else if (child.kind === 'object') addChild(frame, { depth: 1, unfolded: 1 }, fail)
    else throw fail(`a ${child.kind} contains itself`)
  }
}

function addChild(frame: Frame | undefined, child: Extent, fail: Fail): void {
  if (frame === undefined) return
  frame.depth = Math.max(frame.depth, child.depth)
  frame.unfolded += child.unfolded
  if (frame.depth > maxDepth) throw fail(`values are nested deeper than ${maxDepth}`)
}
