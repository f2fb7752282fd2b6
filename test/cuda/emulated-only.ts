// For test files about the emulated driver itself, or about devices that it pretends to be: they are left out on a GPU. Import it first.
import { emulated } from './emulated.js'

if (!emulated) {
  console.log('TAP version 14\n1..0 # SKIP needs the emulated driver')
  process.exit(0)
}
