/** Options of layers in the order that PyTorch has them by position, for layers that several files make. */
export const convLayerNames = ['stride', 'padding', 'dilation', 'groups', 'bias', 'paddingMode', 'dtype'] as const
export const convTransposeLayerNames = ['stride', 'padding', 'outputPadding', 'groups', 'bias', 'dilation', 'paddingMode', 'dtype'] as const
export const linearNames = ['bias', 'dtype'] as const
export const batchNormLayerNames = ['eps', 'momentum', 'affine', 'trackRunningStats', 'dtype', 'bias'] as const
