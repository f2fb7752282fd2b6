import { ArchiveError } from '../util/errors.js'
import { describeSource, fileKind } from './file-kind.js'
import { loadLegacy } from './legacy.js'
import { checkLoadOptions, type LoadOptions, unpickleMember } from './records.js'
import { describeZip, openPyTorchZip } from './script-archive.js'
import { type ByteSource, openSource, type SourceInput } from './source.js'
import type { PickleValue } from './values.js'
import type { ZipArchive } from './zip.js'

/** Which loader a file is for: `script` for torch.jit.load, the others for loadObject. */
export type ArchiveType = 'script' | 'checkpoint' | 'legacy'

/** Looks at a file without loading it; fails for files that PyTorch did not write. */
export const archiveType = (file: SourceInput): ArchiveType => inspect(openSource(file)).type

/** Loads what torch.save wrote, in the zip format or the legacy one: a state dict or other plain data. */
export function loadObject(file: SourceInput, options: LoadOptions = {}): PickleValue {
  checkLoadOptions(options)
  const source = openSource(file)
  const inspected = inspect(source)
  switch (inspected.type) {
    case 'script':
      throw new ArchiveError(`${expected} a TorchScript archive. Load it with torch.jit.load`)
    case 'checkpoint':
      return unpickleMember(inspected.zip, 'data.pkl', 'data/', false, options)
    case 'legacy':
      return loadLegacy(source, options)
  }
}

function inspect(source: ByteSource): { type: 'script' | 'checkpoint'; zip: ZipArchive } | { type: 'legacy' } {
  switch (fileKind(source)) {
    case 'zip': {
      const zip = openPyTorchZip(source)
      if (!zip.has('data.pkl')) throw new ArchiveError(`${expected} ${describeZip(zip)}`)
      return { type: zip.has('constants.pkl') ? 'script' : 'checkpoint', zip }
    }
    case 'pickle':
      return { type: 'legacy' }
    case 'tar':
      throw new ArchiveError(
        `${expected} a tar file. The tar format of PyTorch before 0.1.10 is not supported; save the file again with a current PyTorch`,
      )
    case 'other':
      throw new ArchiveError(`${expected} ${describeSource(source)}`)
  }
}

const expected = 'Expected a file that torch.save wrote but received'
