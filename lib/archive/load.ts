import { ArchiveError } from '../util/errors.js'
import { describeSource, fileKind } from './file-kind.js'
import { loadLegacy } from './legacy.js'
import { checkLoadOptions, type LoadOptions, unpickleMember } from './records.js'
import { describeZip, openPyTorchZip } from './script-archive.js'
import { type ByteSource, openSource, type SourceInput } from './source.js'
import type { PickleValue } from './values.js'

/** Which loader a file is for: `script` for torch.jit.load, the others for loadObject. */
export type ArchiveType = 'script' | 'checkpoint' | 'legacy'

/** Looks at a file without loading it; fails for files that PyTorch did not write. */
export function archiveType(file: SourceInput): ArchiveType {
  const source = openSource(file)
  switch (fileKind(source)) {
    case 'zip': return zipType(source)
    case 'pickle': return 'legacy'
    case 'tar': throw new ArchiveError('Expected a file that torch.save wrote but received a tar file. The tar format of PyTorch before 0.1.10 is not supported; save the file again with a current PyTorch')
    default: throw new ArchiveError(`Expected a file that torch.save wrote but received ${describeSource(source)}`)
  }
}

function zipType(source: ByteSource): ArchiveType {
  const zip = openPyTorchZip(source)
  if (!zip.has('data.pkl')) throw new ArchiveError(`Expected a file that torch.save wrote but received ${describeZip(zip)}`)
  return zip.has('constants.pkl') ? 'script' : 'checkpoint'
}

/** Loads what torch.save wrote, in the zip format or the legacy one: a state dict or other plain data. */
export function loadObject(file: SourceInput, options: LoadOptions = {}): PickleValue {
  checkLoadOptions(options)
  const source = openSource(file)
  switch (archiveType(source)) {
    case 'script': throw new ArchiveError('Expected a file that torch.save wrote but received a TorchScript archive. Load it with torch.jit.load')
    case 'checkpoint': return unpickleMember(openPyTorchZip(source), 'data.pkl', 'data/', false, options)
    case 'legacy': return loadLegacy(source, options)
  }
}
