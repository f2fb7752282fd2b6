import { kernel } from './op.js'

export default kernel(['aten::ctc_loss.IntList', 'aten::ctc_loss.Tensor'], 'ctc_loss')
