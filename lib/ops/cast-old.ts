import { composed } from './op.js'

/** Casts of old archives: `aten::_cast_Float` and its like. */
const dtypes = {
  Byte: 'uint8',
  Char: 'int8',
  Short: 'int16',
  Int: 'int32',
  Long: 'int64',
  Half: 'float16',
  Float: 'float32',
  Double: 'float64',
}

export default Object.entries(dtypes).map(([name, dtype]) =>
  composed(
    `aten::_cast_${name}`,
    `
def _cast_${name}(self: Tensor, non_blocking: bool=False) -> Tensor:
  return self.to(torch.${dtype})
`,
  ),
)
