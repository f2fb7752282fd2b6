import { quote } from '../ir/printer.js'
import type { ClassType, EnumType } from '../ir/types.js'
import { constantType } from '../script/schema-matching.js'
import type { ArchiveNames, Definition } from './code-names.js'
import { type ConstantTable, isAttributeName, type NameNumbers, printConstant, printFunction } from './python-printer.js'

/**
 * The source files of an archive, as `python_print.cpp` writes them: a file for each package, holding its classes, interfaces, named tuples,
 * enums and functions in the order in which they were first named. Printing one names others, so the list grows while it is printed.
 */

const names = (list: readonly string[]): string => list.map((name) => `"${name}", `).join('')

class ClassPrinter {
  private readonly names: ArchiveNames
  private readonly constants: ConstantTable

  constructor(archiveNames: ArchiveNames, constants: ConstantTable) {
    this.names = archiveNames
    this.constants = constants
  }

  definition(definition: Definition, name: string, numbers: NameNumbers): string {
    switch (definition.kind) {
      case 'class':
        return definition.type.isInterface ? this.interface(definition.type, name) : this.class(definition.type, name, numbers)
      case 'enum':
        return this.enum(definition.type, name)
      case 'namedTuple': {
        const { elements, named } = definition.type
        const fields = elements.map((element, i) => `  ${named!.fields[i]} : ${this.names.type(element)}\n`)
        return `class ${name}(NamedTuple):\n${fields.join('')}`
      }
      case 'function':
        return printFunction(definition.fn, { name, constants: this.constants, names: this.names, numbers })
    }
  }

  private class(type: ClassType, name: string, numbers: NameNumbers): string {
    const lines = [`class ${name}${type.isModule ? '(Module)' : ''}:\n`]
    if (type.isModule) {
      const listed = (isListed: 'isParameter' | 'isBuffer'): string => names(type.attributes.filter((a) => a[isListed]).map((a) => a.name))
      lines.push(`  __parameters__ = [${listed('isParameter')}]\n`, `  __buffers__ = [${listed('isBuffer')}]\n`)
      if (type.forwardPreHooks.length > 0) lines.push(`  __forward_pre_hooks__ = [${names(type.forwardPreHooks)}]\n`)
      if (type.forwardHooks.length > 0) lines.push(`  __forward_hooks__ = [${names(type.forwardHooks)}]\n`)
    }
    type.attributes.forEach((attribute, i) => {
      const text = this.names.type(attribute.type)
      if (isAttributeName(attribute.name)) return lines.push(`  ${attribute.name} : ${text}\n`)
      if (i === 0) lines.push('  __annotations__ = []\n')
      return lines.push(`  __annotations__[${quote(attribute.name)}] = ${text}\n`)
    })
    for (const [constant, value] of type.constants) {
      // Code has its value in place of its name.
      if (!isAttributeName(constant)) continue
      const valueType = constantType(value)
      lines.push(`  ${constant} : Final[${this.names.type(valueType)}] = ${printConstant(value, valueType, this.constants, this.names)}\n`)
    }
    for (const method of type.methods.values())
      lines.push(printFunction(method, { level: 1, constants: this.constants, names: this.names, numbers }))
    if (lines.length === 1) lines.push('  pass\n')
    return lines.join('')
  }

  private interface(type: ClassType, name: string): string {
    const methods = [...type.methods.values()].map((method) => {
      const parameters = method.parameters.slice(1).map((p) => `, ${p.name}: ${this.names.type(p.type)}`)
      return `  def ${method.name}(self${parameters.join('')}) -> ${this.names.type(method.returnType)}:\n    pass\n`
    })
    return `class ${name}(${type.flavor === 'moduleInterface' ? 'ModuleInterface' : 'Interface'}):\n${methods.join('')}`
  }

  private enum(type: EnumType, name: string): string {
    const value = (member: EnumType['members'][number]): string => printConstant(member.value, type.valueType, this.constants, this.names)
    return `class ${name}(Enum):\n${type.members.map((member) => `  ${member.name} = ${value(member)}\n`).join('')}`
  }
}

/** Prints everything that `archiveNames` holds and what that needs: text by package, such as `__torch__.torch.nn.modules.linear`. */
export function printFiles(archiveNames: ArchiveNames, constants: ConstantTable): Map<string, string> {
  const printer = new ClassPrinter(archiveNames, constants)
  const files = new Map<string, string>()
  const numbersOf = new Map<string, NameNumbers>()
  for (let i = 0; ; i++) {
    if (i === archiveNames.definitions.length) archiveNames.defineMentioned()
    if (i === archiveNames.definitions.length) return files
    const definition = archiveNames.definitions[i]
    const full = archiveNames.nameOf(definition)
    const dot = full.lastIndexOf('.')
    const module = full.slice(0, dot)
    let numbers = numbersOf.get(module)
    if (numbers === undefined) numbersOf.set(module, (numbers = new Map()))
    const text = printer.definition(definition, full.slice(dot + 1), numbers)
    files.set(module, (files.get(module) ?? '') + text)
  }
}
