import { registerSchema } from '../ir/schema.js'
import { composed } from './op.js'

/* What passes make of a batch norm; files do not hold it. */

/** The shape in which a vector of `channels` numbers stands beside the channels of images. */
registerSchema('torchscript::channel_shape(Tensor images, int channels) -> int[]')

/** What batch_norm multiplies each channel by, rounded as its kernel rounds it (native/cpu-avx/norm_batch.cc). */
registerSchema('torchscript::batch_norm_scale(Tensor variance, Tensor? weight, float eps) -> Tensor')

export default [
  composed(
    'torchscript::channel_shape',
    `
def channel_shape(images: Tensor, channels: int) -> List[int]:
  if images.dim() < 2:
    raise RuntimeError('Expected at least 2 dimensions for input tensor but received ' + str(images.dim()))
  if images.size(1) != channels:
    raise RuntimeError('running_mean should contain ' + str(images.size(1)) + ' elements not ' + str(channels))
  return [channels] + [1] * (images.dim() - 2)
`,
    { readsFormOnly: true },
  ),
  composed(
    'torchscript::batch_norm_scale',
    `
def batch_norm_scale(variance: Tensor, weight: Optional[Tensor], eps: float) -> Tensor:
  deviation = torch.sqrt(variance.to(torch.float64) + eps)
  if weight is None:
    return torch.reciprocal(deviation).to(variance.dtype)
  return (weight.to(torch.float64) / deviation).to(variance.dtype)
`,
    { dtypeFrom: ['variance'] },
  ),
]
