import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { transformSync } from 'esbuild'
import t from 'tap'
import * as torch from '../../lib/index.js'

t.test('the blocks of the guide are a program that runs', async (t) => {
  const blocks = [...readFileSync('docs/guide.md', 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => match[1])
  t.ok(blocks.length > 8)
  const folder = resolve('.build/docs-guide')
  mkdirSync(folder, { recursive: true })
  const text = blocks.join('\n')
  writeFileSync(join(folder, 'guide.ts'), text)
  const { code } = transformSync(text, { loader: 'ts', format: 'esm', target: 'node20', sourcemap: 'inline', sourcefile: 'guide.ts' })
  writeFileSync(join(folder, 'guide.js'), code)

  const work = mkdtempSync(join(tmpdir(), 'guide-'))
  const shapes: [string, number[]][] = [
    ['fc1.weight', [128, 784]],
    ['fc1.bias', [128]],
    ['fc2.weight', [10, 128]],
    ['fc2.bias', [10]],
  ]
  torch.save(new Map(shapes.map(([name, shape]) => [name, torch.randn(shape).mul(0.05)])), join(work, 'weights.pth'))
  const { log } = console
  const cwd = process.cwd()
  const lines: string[] = []
  console.log = (...values: unknown[]) => lines.push(values.map((v) => (typeof v === 'string' ? v : JSON.stringify(v))).join(' '))
  process.chdir(work)
  try {
    await import(pathToFileURL(join(folder, 'guide.js')).href)
  } finally {
    process.chdir(cwd)
    console.log = log
  }
  // What the comments of the guide say, and that every comparison holds.
  for (const line of ['[2,10]', '[1,1,1,1]', '[-2,-2,-2]', '[2,10] 1', '[-2,0.5]', 'true', 'true ["cat", "dog"]'])
    t.ok(lines.includes(line), line)
})
