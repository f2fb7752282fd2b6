import { readFileSync, writeFileSync } from 'node:fs'
import type { PathLike } from 'node:fs'
import { readNpy, readNpz, writeNpy } from '../archive/npy.js'
import type { NpyArray } from '../archive/npy.js'
