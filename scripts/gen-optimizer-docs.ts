// npm run docs: writes the lists of passes in docs/optimizing.md, or of the file of the first argument, from the pipelines and the first sentence
// of each pass's comment.
import { readFileSync, writeFileSync } from 'node:fs'

const file = process.argv[2] ?? 'docs/optimizing.md'
const read = (path: string): string => readFileSync(path, 'utf8')

interface Pipeline {
  readonly name: string
  readonly source: string
}
const pipelines: Readonly<Record<string, Pipeline>> = {
  simplify: { name: 'simplifyingPasses', source: 'lib/passes/frozen-pipeline.ts' },
  numerics: { name: 'numericPasses', source: 'lib/passes/frozen-pipeline.ts' },
  cleanup: { name: 'cleanupPasses', source: 'lib/passes/frozen-pipeline.ts' },
  lowering: { name: 'loweringPipeline', source: 'lib/passes/pipeline.ts' },
}

/** The passes that a pipeline names, in order; other pipelines in it are left out. */
function passesOf({ name, source }: Pipeline): string[] {
  const text = read(source)
  const start = text.indexOf(`export const ${name} =`)
  if (start < 0) throw new Error(`${source} has no ${name}`)
  const list = text.slice(text.indexOf('=> [', start) + 4, text.indexOf('\n]', start)).replace(/\/\/.*/g, '')
  return [...list.matchAll(/(?<![.\w])(\.\.\.)?([a-zA-Z]\w*)(?=\(|,|\]|$)/gm)]
    .map((match) => match[2])
    .filter((word) => imported(word, text) !== undefined)
    .filter((word, i, all) => all.indexOf(word) === i)
}

/** The file that a name comes from. */
function imported(name: string, text: string): string | undefined {
  for (const [, names, from] of text.matchAll(/^import \{([^}]*)\} from '\.\/([\w-]+)\.js'/gm))
    if (names.split(',').some((word) => word.trim() === name)) return `lib/passes/${from}.ts`
  return undefined
}

/** The first sentence of the comment in front of a pass, with the name that reports use. */
function described(name: string, pipeline: Pipeline): string {
  const path = imported(name, read(pipeline.source))!
  const text = read(path)
  const at = text.search(new RegExp(`^export (const|function) ${name}\\b`, 'm'))
  const comment = /\/\*\*((?:(?!\*\/)[^])*)\*\/\s*$/.exec(text.slice(0, at))?.[1]
  if (comment === undefined) throw new Error(`${name} of ${path} has no comment`)
  const words = comment
    .replace(/^\s*\* ?/gm, '')
    .split('\n\n')[0]
    .replace(/\s+/g, ' ')
    .trim()
  const sentence = /^.*?[.:](?= |$)/.exec(words)?.[0] ?? words
  return `| [${path.split('/').at(-1)!.replace('.ts', '')}](../${path}) | ${sentence.replace(/:$/, '.').replaceAll('|', '\\|')} |`
}

let text = read(file)
for (const [key, pipeline] of Object.entries(pipelines)) {
  const [open, close] = [`<!-- passes: ${key} -->`, '<!-- end -->']
  const start = text.indexOf(open)
  if (start < 0) throw new Error(`${file} has no ${open}`)
  const end = text.indexOf(close, start)
  const rows = passesOf(pipeline).map((name) => described(name, pipeline))
  text = `${text.slice(0, start + open.length)}\n| pass | what it does |\n|---|---|\n${rows.join('\n')}\n${text.slice(end)}`
}
writeFileSync(file, text)
console.log(`passes of ${Object.keys(pipelines).length} pipelines in ${file}`)
