import { kernel } from './op.js'

export default kernel(['aten::multilabel_margin_loss', 'aten::multilabel_margin_loss_forward'], 'multilabel_margin_loss')
