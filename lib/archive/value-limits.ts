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
  children: PickleValue[]
  next: number
}

const noChildren: PickleValue[] = []

const inner = new Set<PickleValue['kind']>(['list', 'tuple', 'dict', 'object', 'enum'])

function childrenOf(value: PickleValue): PickleValue[] {
  switch (value.kind) {
    case 'list':
    case 'tuple': return value.items
    case 'dict': return value.entries.flat()
    case 'object': return value.state === undefined ? noChildren : [value.state]
    case 'enum': return [value.value]
    default: return noChildren
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
    return { node, children: childrenOf(node), next: 0, depth: 0, unfolded: 1 }
  }
  const frames: Frame[] = [open(root)]
  while (frames.length > 0) {
    if (frames.length > maxDepth) throw fail(`values are nested deeper than ${maxDepth}`)
    const frame = frames[frames.length - 1]
    if (frame.next === frame.children.length) {
      frames.pop()
      // An object is met once by those who remember objects; its insides do not count again.
      const extent = { depth: frame.depth + 1, unfolded: frame.node.kind === 'object' ? 1 : frame.unfolded }
      if (frame.unfolded > maxUnfolded) throw fail(`shared values unfold to more than ${maxUnfolded}`)
      done.set(frame.node, extent)
      addChild(frames[frames.length - 1], extent, fail)
      continue
    }
    const child = frame.children[frame.next++] as StackValue
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
