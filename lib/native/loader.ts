import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'
import { TorchScriptError } from '../util/errors.js'
import { ownFile } from '../util/own-files.js'
import type { NativeBinding } from './binding.js'

const packageName = 'torchscript-node'
const addonFile = 'torchscript.node'

/** What was found out while looking for the addon; the text of the error is made from it. */
export interface LoadFailure {
  readonly platform: string
  readonly arch: string
  /** `glibc 2.36`, `musl`, or undefined where the platform has no choice of C libraries. */
  readonly libc: string | undefined
  readonly nodeVersion: string
  /** Folder of the package, or undefined when it was not found (bundled without its package.json). */
  readonly root: string | undefined
  readonly tried: readonly { readonly path: string; readonly problem: string }[]
  /** Platforms that `prebuilds/` has files for. */
  readonly prebuilt: readonly string[]
}

/** The message for people: what was tried, what was found, what to do. */
export function explainFailure(failure: LoadFailure): string {
  const { platform, arch, libc, nodeVersion, root, tried, prebuilt } = failure
  const lines = [
    `The native addon of ${packageName} could not be loaded on ${platform}-${arch}${libc === undefined ? '' : ` (${libc})`} with Node.js ${nodeVersion}.`,
  ]
  if (root === undefined) {
    lines.push(`The folder of the package was not found. A bundler has probably copied its code: mark ${packageName} as external.`)
    return lines.join('\n')
  }
  lines.push('Tried:', ...tried.map(({ path, problem }) => `  ${path}: ${problem}`))
  lines.push(prebuilt.length === 0 ? 'No prebuilt addons are in this package.' : `Prebuilt addons in this package: ${prebuilt.join(', ')}.`)
  const isAsar = tried.some(({ path }) => path.includes('app.asar.unpacked'))
  if (isAsar)
    lines.push(
      `In Electron the addon must lie outside of the archive: add "asarUnpack": ["**/node_modules/${packageName}/**"] to the packager's settings.`,
    )
  const isSource = tried.some(({ problem }) => problem === 'no such file')
  const commands = ['  npm install --no-save node-gyp node-addon-api', `  cd ${root} && npm run build:native`]
  if (isSource && !isAsar) lines.push('Build it from source (needs a C++20 compiler, make and Python 3):', ...commands)
  if (!isSource) lines.push('Build it again for this system:', ...commands)
  return lines.join('\n')
}

/** The package's folder: the nearest one above the running file whose package.json is ours. */
function packageRoot(start: string): string | undefined {
  for (let folder = start; ; folder = dirname(folder)) {
    try {
      const { name } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name?: string }
      if (name === packageName) return folder
    } catch {
      // No package.json here.
    }
    if (dirname(folder) === folder) return undefined
  }
}

/** The version in the package's package.json; empty where a bundler has copied the code out of the package. */
export function packageVersion(): string {
  const root = ownFile === undefined ? undefined : packageRoot(dirname(ownFile))
  if (root === undefined) return ''
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version
}

/** Native files cannot be opened inside an asar archive; packagers put them beside it. */
export const outsideAsar = (path: string): string => path.replace(new RegExp(`app\\.asar(?=\\${sep}|$)`), 'app.asar.unpacked')

function libcOf(): string | undefined {
  if (process.platform !== 'linux') return undefined
  const report = process.report as unknown as { excludeNetwork?: boolean; getReport(): { header?: { glibcVersionRuntime?: string } } }
  report.excludeNetwork = true
  const version = report.getReport().header?.glibcVersionRuntime
  return version === undefined ? 'musl' : `glibc ${version}`
}

const listFiles = (folder: string): string[] => {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** Prebuilt files of this platform; those tagged with another C library are left out. */
function prebuiltFiles(folder: string): string[] {
  const files = listFiles(folder).filter((file) => file.endsWith('.node'))
  const tagged = files.some((file) => /\.(musl|glibc)\./.test(file))
  if (!tagged) return files
  const other = libcOf()?.startsWith('musl') ? '.glibc.' : '.musl.'
  return files.filter((file) => !file.includes(other))
}

function load(): NativeBinding {
  const require = createRequire(ownFile ?? process.execPath)
  const root = ownFile === undefined ? undefined : packageRoot(dirname(ownFile))
  const tried: { path: string; problem: string }[] = []
  const attempt = (path: string, open: () => NativeBinding): NativeBinding | undefined => {
    try {
      return open()
    } catch (error) {
      tried.push({ path, problem: (error as Error).message.split('\n')[0] })
      return undefined
    }
  }
  const prebuilds = root === undefined ? '' : outsideAsar(join(root, 'prebuilds'))
  if (root !== undefined) {
    const folder = join(prebuilds, `${process.platform}-${process.arch}`)
    const files = prebuiltFiles(folder)
    if (files.length === 0) tried.push({ path: folder, problem: 'no such file' })
    for (const file of files) {
      const binding = attempt(join(folder, file), () => require(join(folder, file)) as NativeBinding)
      if (binding !== undefined) {
        addonPath = join(folder, file)
        return binding
      }
    }
    const built = outsideAsar(join(root, 'build', 'Release', addonFile))
    if (!existsSync(built)) tried.push({ path: built, problem: 'no such file' })
    else {
      const bindings = require('bindings') as (options: { bindings: string; module_root: string }) => NativeBinding
      const binding = attempt(built, () => bindings({ bindings: addonFile, module_root: outsideAsar(root) }))
      if (binding !== undefined) {
        addonPath = built
        return binding
      }
    }
  }
  const prebuilt = root === undefined ? [] : listFiles(prebuilds)
  const { platform, arch, versions } = process
  throw new TorchScriptError(
    'ERR_ADDON',
    explainFailure({ platform, arch, libc: libcOf(), nodeVersion: `v${versions.node}`, root, tried, prebuilt }),
  )
}

let binding: NativeBinding | undefined
let addonPath: string | undefined

/** What tells one build of the addon from another. */
export function addonBuild(): string {
  nativeBinding()
  if (addonPath === undefined) return packageVersion()
  const { size, mtimeMs } = statSync(addonPath)
  return `${packageVersion()} ${size} ${mtimeMs}`
}

/** The addon, loaded on first use. */
export const nativeBinding = (): NativeBinding => (binding ??= load())
