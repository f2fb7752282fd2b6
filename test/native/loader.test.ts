import t from 'tap'
import { explainFailure, nativeBinding, outsideAsar } from '../../lib/native/loader.js'

const base = {
  platform: 'linux',
  arch: 'x64',
  libc: 'glibc 2.36',
  nodeVersion: 'v20.11.0',
  root: '/app/node_modules/torchscript-node',
  prebuilt: [],
}

t.test('loads the addon', (t) => {
  t.type(nativeBinding().getNumThreads(), 'number')
  t.end()
})

t.test('says what was tried and how to build', (t) => {
  const text = explainFailure({
    ...base,
    tried: [
      { path: '/app/node_modules/torchscript-node/prebuilds/linux-x64', problem: 'no such file' },
      { path: '/app/node_modules/torchscript-node/build/Release/torchscript.node', problem: 'no such file' },
    ],
    prebuilt: ['darwin-arm64'],
  })
  t.equal(
    text,
    `The native addon of torchscript-node could not be loaded on linux-x64 (glibc 2.36) with Node.js v20.11.0.
Tried:
  /app/node_modules/torchscript-node/prebuilds/linux-x64: no such file
  /app/node_modules/torchscript-node/build/Release/torchscript.node: no such file
Prebuilt addons in this package: darwin-arm64.
Build it from source (needs a C++20 compiler, make and Python 3):
  npm install --no-save node-gyp node-addon-api
  cd /app/node_modules/torchscript-node && npm run build:native`,
  )
  t.end()
})

t.test('says why a file that is there does not load', (t) => {
  const text = explainFailure({
    ...base,
    libc: 'musl',
    tried: [
      {
        path: '/app/node_modules/torchscript-node/prebuilds/linux-x64/torchscript.node',
        problem: 'Error relocating: __memcpy_chk: symbol not found',
      },
    ],
    prebuilt: ['linux-x64'],
  })
  t.equal(
    text,
    `The native addon of torchscript-node could not be loaded on linux-x64 (musl) with Node.js v20.11.0.
Tried:
  /app/node_modules/torchscript-node/prebuilds/linux-x64/torchscript.node: Error relocating: __memcpy_chk: symbol not found
Prebuilt addons in this package: linux-x64.
Build it again for this system:
  npm install --no-save node-gyp node-addon-api
  cd /app/node_modules/torchscript-node && npm run build:native`,
  )
  t.end()
})

t.test('knows asar archives and bundles', (t) => {
  t.equal(
    outsideAsar('/opt/x/resources/app.asar/node_modules/torchscript-node'),
    '/opt/x/resources/app.asar.unpacked/node_modules/torchscript-node',
  )
  t.equal(outsideAsar('/opt/x/resources/app.asar.unpacked/y'), '/opt/x/resources/app.asar.unpacked/y')
  const text = explainFailure({
    ...base,
    libc: undefined,
    platform: 'win32',
    tried: [{ path: 'C:\\x\\resources\\app.asar.unpacked\\prebuilds\\win32-x64', problem: 'no such file' }],
  })
  t.equal(
    text,
    `The native addon of torchscript-node could not be loaded on win32-x64 with Node.js v20.11.0.
Tried:
  C:\\x\\resources\\app.asar.unpacked\\prebuilds\\win32-x64: no such file
No prebuilt addons are in this package.
In Electron the addon must lie outside of the archive: add "asarUnpack": ["**/node_modules/torchscript-node/**"] to the packager's settings.`,
  )
  t.equal(
    explainFailure({ ...base, root: undefined, tried: [] }),
    `The native addon of torchscript-node could not be loaded on linux-x64 (glibc 2.36) with Node.js v20.11.0.
The folder of the package was not found. A bundler has probably copied its code: mark torchscript-node as external.`,
  )
  t.end()
})
