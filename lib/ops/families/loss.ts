import { composed, type ComposedDefinition } from '../op.js'

/** `reduction` of PyTorch's losses: 0 none, 1 mean, 2 sum; the body leaves the elementwise loss in `loss`. */
const reduce = `
  if reduction == 1:
    return torch.mean(loss)
  if reduction == 2:
    return torch.sum(loss)
  return loss
`

/** An elementwise loss with a `reduction` argument: the signature's line and the lines that compute `loss`. */
export const loss = (name: string | readonly string[], signature: string, body: string): ComposedDefinition =>
  composed(name, `\ndef ${signature} -> Tensor:\n${body.replace(/^\n/, '').trimEnd()}${reduce}`)
