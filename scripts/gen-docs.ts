// npm run docs: writes docs/api/*.md, or into the folder of the first argument, from the declarations and comments that lib/index.ts exports.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import ts from 'typescript'

const folder = process.argv[2] ?? 'docs/api'
const { config } = ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path))
const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: ['lib/index.ts'] }, ts.sys, '.')
const program = ts.createProgram(['lib/index.ts'], options)
const checker = program.getTypeChecker()
const root = checker.getSymbolAtLocation(program.getSourceFile('lib/index.ts')!)!

const resolved = (symbol: ts.Symbol): ts.Symbol => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol)
const exportsOf = (symbol: ts.Symbol): [string, ts.Symbol][] =>
  checker
    .getExportsOfModule(symbol)
    .map((s): [string, ts.Symbol] => [s.name, resolved(s)])
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
const isNamespace = (symbol: ts.Symbol): boolean =>
  (symbol.flags & ts.SymbolFlags.Module) !== 0 && symbol.valueDeclaration?.kind === ts.SyntaxKind.SourceFile
const fileOf = (symbol: ts.Symbol): string => relative('.', symbol.declarations?.[0]?.getSourceFile().fileName ?? '')
const isGenerated = (symbol: ts.Symbol): boolean => fileOf(symbol).startsWith('lib/api/operators/')
const docOf = (symbol: ts.Symbol): string =>
  ts
    .displayPartsToString(symbol.getDocumentationComment(checker))
    .replace(/\s*\n\s*/g, ' ')
    .trim()

const flags =
  ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope | ts.TypeFormatFlags.OmitParameterModifiers
const isOurs = (node: ts.Declaration): boolean => !node.getSourceFile().fileName.includes('node_modules')
/** Without places of files, which depend on the machine. */
const plain = (text: string): string => text.replace(/import\("[^"]*"\)\./g, '').replace(/\s+/g, ' ')
/** A declaration as it is written, without its body. */
function written(node: ts.Declaration): string {
  const text = node.getSourceFile().text
  const start = node.getStart()
  const body = (node as ts.FunctionLikeDeclaration).body
  return text
    .slice(start, body?.getStart() ?? node.getEnd())
    .replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '')
    .replace(/^(?:export |declare |override |async )+/, '')
    .replace(/\s+/g, ' ')
    .replace(/\s*[;{]?\s*$/, '')
}

/** The signatures of a function or method; of its overloads where it has some. */
function signatures(name: string, symbol: ts.Symbol): string[] {
  const declarations = (symbol.declarations ?? []).filter(isOurs)
  const type = checker.getTypeOfSymbol(symbol)
  return type
    .getCallSignatures()
    .map((signature) => `${name}${plain(checker.signatureToString(signature, declarations[0], flags, ts.SignatureKind.Call))}`)
}

const isHidden = (symbol: ts.Symbol): boolean =>
  symbol.name.startsWith('__') ||
  symbol.name.startsWith('#') ||
  symbol.name === 'prototype' ||
  (symbol.declarations ?? []).every(
    (node) => !isOurs(node) || (ts.getCombinedModifierFlags(node) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !== 0,
  )

const fence = (lines: readonly string[]): string[] => (lines.length === 0 ? [] : ['```ts', ...lines, '```', ''])
const cell = (text: string): string => text.replaceAll('|', '\\|')

/** What a class extends: `extends Base`, also where a function makes the base of the class that is its first argument. */
function extended(clause: ts.HeritageClause): string {
  const made = clause.types.map(({ expression }) => (ts.isCallExpression(expression) ? expression.arguments.at(0)?.getText() : undefined))
  return made[0] === undefined ? clause.getText().replace(/\s+/g, ' ') : `extends ${made[0]}`
}

/** A class: its constructor and the members that it declares itself. */
function classSection(name: string, symbol: ts.Symbol): string[] {
  const declaration = symbol.declarations?.find(ts.isClassDeclaration)
  const heritage = declaration?.heritageClauses?.map(extended).join(' ')
  const constructors = checker.getTypeOfSymbol(symbol).getConstructSignatures()
  const made = constructors
    .map((signature) => plain(checker.signatureToString(signature, declaration, flags, ts.SignatureKind.Call)).replace(/: [^:()]*$/, ''))
    .map((text) => `new ${name}${text}`)
  const lines = [...fence([`class ${name}${heritage ? ` ${heritage}` : ''}`, ...new Set(made)])]
  const own = [...(symbol.members?.values() ?? [])].filter((member) => !isHidden(member) && !isGenerated(member))
  const rows = own.flatMap((member) => {
    const isMethod = (member.flags & ts.SymbolFlags.Method) !== 0
    const type = checker.getTypeOfSymbol(member)
    const texts = isMethod ? signatures(member.name, member) : [`${member.name}: ${plain(checker.typeToString(type, declaration, flags))}`]
    return texts.map((text) => `| \`${cell(text)}\` | ${cell(docOf(member))} |`)
  })
  if (rows.length > 0) lines.push('| member | |', '|---|---|', ...rows, '')
  return lines
}

function section(name: string, symbol: ts.Symbol): string[] {
  const head = [`### ${name}`, '', ...(docOf(symbol) ? [docOf(symbol), ''] : [])]
  if (symbol.flags & ts.SymbolFlags.Class) return [...head, ...classSection(name, symbol)]
  if (symbol.flags & ts.SymbolFlags.Interface) {
    const members = [...(symbol.members?.values() ?? [])].filter((member) => !isHidden(member))
    const rows = members.map(
      (member) => `| \`${cell(member.declarations?.[0] ? written(member.declarations[0]) : member.name)}\` | ${cell(docOf(member))} |`,
    )
    return [...head, ...(rows.length > 0 ? ['| field | |', '|---|---|', ...rows, ''] : [])]
  }
  if (symbol.flags & (ts.SymbolFlags.TypeAlias | ts.SymbolFlags.Enum) && !(symbol.flags & ts.SymbolFlags.Value))
    return [...head, ...fence([written(symbol.declarations![0])])]
  const texts = signatures(name, symbol)
  if (texts.length > 0) return [...head, ...fence(texts)]
  return [...head, ...fence([`${name}: ${plain(checker.typeToString(checker.getTypeOfSymbol(symbol), undefined, flags))}`])]
}

/** One row for each operator: the name here, the schema, what it computes. */
function operatorRows(entries: readonly [string, ts.Symbol][], prefix: string): string[] {
  return entries.flatMap(([name, symbol]) => {
    const declaration = symbol.declarations?.[0]
    if (declaration === undefined || !(symbol.flags & ts.SymbolFlags.Value)) return []
    const [what, ...schemas] = docOf(symbol).split(/\s+- (?=`)/)
    return [`| \`${prefix}${name}\` | ${schemas.map(cell).join('<br>')} | ${cell(what)} |`]
  })
}

interface Page {
  readonly file: string
  readonly title: string
  readonly text: string
  readonly entries: readonly [string, ts.Symbol][]
}

function page({ file, title, text, entries }: Page): string {
  const lines = [`# ${title}`, '', text, '', ...entries.flatMap(([name, symbol]) => section(name, symbol))]
  writeFileSync(join(folder, file), `${lines.join('\n').trimEnd()}\n`)
  return `- [${title}](${file}): ${text}`
}

/** The page of a namespace, and those of the namespaces in it. */
function namespacePages(name: string, symbol: ts.Symbol): string[] {
  const inside = exportsOf(symbol)
  return [
    page({
      file: `${name.replaceAll('.', '-')}.md`,
      title: `torch.${name}`,
      text: `The functions of \`${name}\`.`,
      entries: inside.filter(([, s]) => !isNamespace(s)),
    }),
    ...inside.filter(([, s]) => isNamespace(s)).flatMap(([inner, s]) => namespacePages(`${name}.${inner}`, s)),
  ]
}

mkdirSync(folder, { recursive: true })
const top = exportsOf(root)
const namespaces = new Map(top.filter(([, symbol]) => isNamespace(symbol)))
const nn = exportsOf(namespaces.get('nn')!)
const own = top.filter(([, symbol]) => !isNamespace(symbol) && !isGenerated(symbol))
const operators = top.filter(([, symbol]) => !isNamespace(symbol) && isGenerated(symbol))

const index = [
  page({
    file: 'torch.md',
    title: 'torch',
    text: 'Tensors, files, settings, errors. The operators are on a page of their own.',
    entries: own,
  }),
  page({ file: 'jit.md', title: 'torch.jit', text: 'Trace, script, freeze, save and load.', entries: exportsOf(namespaces.get('jit')!) }),
  page({ file: 'nn.md', title: 'torch.nn', text: 'Modules, containers and layers.', entries: nn.filter(([, s]) => !isNamespace(s)) }),
  ...nn.filter(([, symbol]) => isNamespace(symbol)).flatMap(([name, symbol]) => namespacePages(`nn.${name}`, symbol)),
]
const rest = [...namespaces].filter(([name]) => name !== 'jit' && name !== 'nn')
const rows = [...operatorRows(operators, ''), ...rest.flatMap(([name, symbol]) => operatorRows(exportsOf(symbol), `${name}.`))]
const operatorText = `${rows.length} functions \`torch.*\`, each an operator of PyTorch. Where the first argument is a tensor, it is a method too: \`a.add(b)\`. Arguments with defaults may be given in an object at the end.`
writeFileSync(
  join(folder, 'operators.md'),
  ['# Operators', '', operatorText, '', '| function | schema | |', '|---|---|---|', ...rows, ''].join('\n'),
)
index.push(`- [Operators](operators.md): ${rows.length} functions with their schemas.`)
const head = ['# API reference', '', 'Written by `npm run docs` from the declarations; do not edit.', '']
writeFileSync(join(folder, 'README.md'), [...head, ...index, ''].join('\n'))
console.log(`${index.length} pages in ${folder}, ${rows.length} operators`)
