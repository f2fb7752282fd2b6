import t from 'tap'
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const platform = `${process.platform}-${process.arch}`
/** The name that scripts/prebuild.mjs gives: @electron/rebuild compiles a package that has none of this name. */
const addon = process.arch === 'arm64' ? 'node.napi.armv8.node' : 'node.napi.node'
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, unknown> & {
  scripts: Record<string, string>
  files: string[]
}
const npm = (cwd: string, ...args: string[]): string =>
  execFileSync('npm', args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, npm_config_loglevel: 'error' },
  })

t.test('no install script of any kind', (t) => {
  for (const name of ['install', 'preinstall', 'postinstall', 'prepare', 'prepublish']) t.notOk(name in manifest.scripts, name)
  t.equal(manifest.gypfile, false)
  t.same(Object.keys(manifest.dependencies as object), ['bindings'])
  t.end()
})

t.test('the packed package installs without scripts and runs', (t) => {
  const work = mkdtempSync(join(tmpdir(), 'torchscript-pack-'))
  t.teardown(() => rmSync(work, { recursive: true, force: true }))
  // The package as it is published: the addon lies in prebuilds/, nothing is in build/.
  const stage = join(work, 'stage')
  mkdirSync(stage)
  for (const entry of ['package.json', 'README.md', 'LICENSE', 'binding.gyp', 'dist', 'native', 'docs', 'scripts'])
    cpSync(entry, join(stage, entry), { recursive: true })
  mkdirSync(join(stage, 'prebuilds', platform), { recursive: true })
  cpSync('build/Release/torchscript.node', join(stage, 'prebuilds', platform, addon))
  writeFileSync(join(stage, 'prebuilds', platform, 'torchscript.cuda'), 'the CUDA kernels, where nvcc made them')
  const pack = (folder: string): string =>
    join(
      work,
      (JSON.parse(npm(folder, 'pack', '--json', '--ignore-scripts', '--pack-destination', work)) as { filename: string }[])[0].filename,
    )
  const tarball = pack(stage)
  const listing = execFileSync('tar', ['tzf', tarball], { encoding: 'utf8' }).split('\n')
  for (const file of [
    'package/dist/index.mjs',
    'package/dist/index.cjs',
    'package/dist/cli.mjs',
    `package/prebuilds/${platform}/${addon}`,
    `package/prebuilds/${platform}/torchscript.cuda`,
    'package/binding.gyp',
    'package/native/binding.cc',
    'package/native/kernel.h',
  ]) {
    t.ok(listing.includes(file), `${file} is packed`)
  }
  t.same(
    listing.filter((f) => /^package\/(test|examples|bench|node_modules|build|\.build)\//.test(f)),
    [],
  )

  const app = join(work, 'app')
  mkdirSync(app)
  writeFileSync(join(app, 'package.json'), '{"private":true}')
  const dependencies = ['bindings', 'file-uri-to-path'].map((name) => pack(resolve('node_modules', name)))
  npm(app, 'install', '--ignore-scripts', '--offline', '--no-audit', '--no-fund', tarball, ...dependencies)
  cpSync('examples/digits/mnist_cnn_traced.pt', join(app, 'model.pt'))
  const body = `
const model = torch.jit.load('model.pt')
const out = model.forward(torch.tensor(new Float32Array(784), { shape: [1, 1, 28, 28] }))
`
  writeFileSync(join(app, 'esm.mjs'), `import * as torch from 'torchscript-node'${body}console.log(JSON.stringify(out.shape))`)
  writeFileSync(join(app, 'common.cjs'), `const torch = require('torchscript-node')${body}console.log(JSON.stringify(out.shape))`)
  writeFileSync(
    join(app, 'worker.mjs'),
    `import { Worker, isMainThread, parentPort } from 'node:worker_threads'
import * as torch from 'torchscript-node'
if (isMainThread) {
  const one = () => new Promise((done, fail) => new Worker(new URL(import.meta.url)).once('message', done).once('error', fail))
  console.log(JSON.stringify([await one(), ...await Promise.all([one(), one()])]))
} else {${body}parentPort.postMessage(out.shape)
}`,
  )
  const node = (file: string): unknown => JSON.parse(execFileSync(process.execPath, [file], { cwd: app, encoding: 'utf8' }))
  t.same(node('esm.mjs'), [1, 10], 'from ESM')
  t.same(node('common.cjs'), [1, 10], 'from CommonJS')
  t.same(
    node('worker.mjs'),
    [
      [1, 10],
      [1, 10],
      [1, 10],
    ],
    'from a worker, and from two at once',
  )
  const bin = execFileSync(join(app, 'node_modules/.bin/torchscript'), ['run', 'model.pt', '--input', 'zeros:1,1,28,28', '--json'], {
    cwd: app,
    encoding: 'utf8',
  })
  t.same((JSON.parse(bin) as { shape: number[] }).shape, [1, 10], 'from the command line')
  const { path } = JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', "import { cuda } from 'torchscript-node'; console.log(JSON.stringify(cuda.kernelFile()))"], {
      cwd: app,
      encoding: 'utf8',
    }),
  ) as { path: string }
  t.equal(realpathSync(path), realpathSync(join(app, 'node_modules/torchscript-node/prebuilds', platform, 'torchscript.cuda')), 'the kernels are found')
  t.ok(
    existsSync(join(app, 'node_modules/torchscript-node/prebuilds', platform)) &&
      !existsSync(join(app, 'node_modules/torchscript-node/build')),
  )

  t.test('inside an asar archive the addon is found beside it', async (t) => {
    const { createPackageWithOptions } = await import('@electron/asar')
    const archive = join(work, 'app.asar')
    await createPackageWithOptions(app, archive, { unpack: '**/*.node' })
    const unpacked = join(work, 'app.asar.unpacked')
    const file = join(unpacked, 'node_modules/torchscript-node/prebuilds', platform, addon)
    t.ok(existsSync(file), 'the addon was unpacked')
    // Electron reads app.asar as a folder. Node does not, so a folder of that name stands in for the archive, without the addon.
    rmSync(archive)
    cpSync(app, archive, { recursive: true, filter: (source) => !source.endsWith('.node') })
    t.same(JSON.parse(execFileSync(process.execPath, [join(archive, 'esm.mjs')], { cwd: app, encoding: 'utf8' })), [1, 10])
    rmSync(unpacked, { recursive: true })
    const failed = (() => {
      try {
        execFileSync(process.execPath, [join(archive, 'esm.mjs')], { cwd: app, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] })
        return ''
      } catch (error) {
        return String((error as { stderr: string }).stderr)
      }
    })()
    t.match(failed, 'add "asarUnpack": ["**/node_modules/torchscript-node/**"]')
  })
  t.ok(readdirSync(work).length > 0)
  t.end()
})
