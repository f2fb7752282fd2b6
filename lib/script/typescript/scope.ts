import type { Expr } from '../ast.js'

export interface Variable {
  /** The name in the syntax tree: unique in its function, because variables of blocks may share a name. */
  readonly name: string
  readonly isConst: boolean
  /** A declared type that each assignment converts to: `int` and `float`. */
  readonly annotation?: Expr
}

/** The variables of a block, inside those of the blocks around it. */
export class Scope {
  private readonly variables = new Map<string, Variable>()
  /** Names of the tree in use in the function. */
  private readonly used: Set<string>
  /** Variables that some local function of the function assigns. */
  readonly assignedByLocal: Set<string>
  /** Variables around a local function that it assigns; undefined for blocks. */
  readonly assigns: Set<string> | undefined

  constructor(
    private readonly parent?: Scope,
    isFunction = false,
  ) {
    this.used = parent?.used ?? new Set()
    this.assignedByLocal = parent?.assignedByLocal ?? new Set()
    this.assigns = isFunction ? new Set() : undefined
  }

  declare(spelled: string, isConst: boolean, annotation?: Expr): Variable {
    let name = spelled
    for (let n = 1; this.used.has(name); n++) name = `${spelled}.${n}`
    this.used.add(name)
    const variable = { name, isConst, annotation }
    this.variables.set(spelled, variable)
    return variable
  }
  hasOwn(spelled: string): boolean {
    return this.variables.has(spelled)
  }
  find(spelled: string): Variable | undefined {
    return this.variables.get(spelled) ?? this.parent?.find(spelled)
  }
  /** Notes an assignment with every local function between it and the declaration. */
  noteAssignment(spelled: string): void {
    if (this.variables.has(spelled)) return
    const variable = this.find(spelled)
    if (variable !== undefined && this.assigns !== undefined) {
      this.assigns.add(variable.name)
      this.assignedByLocal.add(variable.name)
    }
    this.parent?.noteAssignment(spelled)
  }
  /** A name that no program can spell. */
  temporary(): string {
    let n = 0
    while (this.used.has(`.${n}`)) n++
    this.used.add(`.${n}`)
    return `.${n}`
  }
}
