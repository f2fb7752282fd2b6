import { parseFile } from '../../script/python/parser.js'

const definitions = new WeakMap<object, string[]>()

/** Adds methods in TorchScript's Python syntax to a module, for when it is scripted. Throws CompileError on what does not parse. */
export function addDefinition(module: object, source: string): void {
  parseFile(source, '<define>')
  const known = definitions.get(module)
  if (known === undefined) definitions.set(module, [source])
  else known.push(source)
}
export const definitionsOf = (module: object): readonly string[] => definitions.get(module) ?? []
