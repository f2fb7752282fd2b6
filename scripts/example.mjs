// npm run example -- models/mlp: runs `main` of an example written in TypeScript; without a name it lists them.
import { existsSync, readdirSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const root = '.build/examples'
const names = readdirSync(root, { recursive: true })
  .filter((file) => file.endsWith('.js'))
  .map((file) => file.slice(0, -3).replaceAll('\\', '/'))
  .sort()
const name = process.argv[2]
const file = `${root}/${name}.js`
if (name === undefined || !existsSync(file)) {
  console.log(`Usage: npm run example -- <name>, where the name is one of ${names.join(', ')}`)
  process.exit(name === undefined ? 0 : 2)
}
const { main } = await import(pathToFileURL(file).href)
main()
