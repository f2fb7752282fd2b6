import { kernel } from './op.js'

export default [kernel('aten::random', 'random'), kernel('aten::random.to', 'random_to'), kernel('aten::random.from', 'random_from')]
