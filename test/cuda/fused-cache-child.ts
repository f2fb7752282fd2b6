// One fused group on the emulated device; prints its values. FUSED_CACHE: a folder for its kernel.
import './emulated.js'
import * as torch from '../../lib/index.js'
import { nativeBinding } from '../../lib/native/loader.js'
import { runGroup } from './fused-groups.js'

if (process.env.FUSED_CACHE !== undefined) nativeBinding().cuda.keepKernels(process.env.FUSED_CACHE)
const text = `graph(%x : Tensor):
  %one : int = prim::Constant[value=1]()
  %a : Tensor = aten::mul(%x, %x)
  %b : Tensor = aten::sub(%a, %x, %one)
  %out : Tensor[] = prim::ListConstruct(%b)
  return (%out)`
const { received } = runGroup(text, [torch.tensor([1, 2, 3.5, -4])])
console.log(`values ${String(received[0].toArray())}`)
