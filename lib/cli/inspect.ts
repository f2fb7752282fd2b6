import { inspectArchive } from '../api/inspect.js'

const size = (bytes: number): string => (bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e3).toFixed(1)} kB`)

/** `torchscript inspect`. Exit code 1 when an operator is not supported. */
export function inspectCommand(file: string, options: { graph?: boolean; code?: boolean; json?: boolean; device?: string }): number {
  const found = inspectArchive(file)
  const missing = found.operators.filter((o) => !o.supported)
  if (options.json) {
    process.stdout.write(`${JSON.stringify(found, null, 2)}\n`)
    return missing.length === 0 ? 0 : 1
  }
  const lines = [
    `${found.className}, archive version ${found.version}`,
    `${found.modules} modules, ${found.parameters.toLocaleString('en')} numbers in ${size(found.parameterBytes)}`,
    '',
    ...found.methods.map((m) => m.signature),
    '',
    `${found.operators.length} operators:`,
    ...found.operators.map((o) => `  ${String(o.count).padStart(6)}  ${o.name}${o.supported ? '' : '   NOT SUPPORTED'}`),
    ...found.errors.map((e) => `\n${e.function} does not compile, and fails when it is called:\n${e.message}`),
    '',
    missing.length === 0 ? 'All operators are supported.' : `Not supported: ${missing.map((o) => o.name).join(', ')}`,
  ]
  const lacking = options.device?.startsWith('cuda') ? found.operators.filter((o) => o.withoutCuda.length > 0) : []
  if (options.device?.startsWith('cuda'))
    lines.push(
      ...(lacking.length === 0
        ? ['All of them have CUDA kernels.']
        : ['Without a CUDA kernel:', ...lacking.map((o) => `  ${String(o.count).padStart(6)}  ${o.name} (${o.withoutCuda.join(', ')})`)]),
    )
  for (const method of found.methods) {
    if (options.code) lines.push('', method.code.trimEnd())
    if (options.graph) lines.push('', `${method.name}:`, method.graph.trimEnd())
  }
  process.stdout.write(`${lines.join('\n')}\n`)
  return missing.length === 0 && lacking.length === 0 ? 0 : 1
}
