/**
 * The bounds below which singular values count as zero, as statements of TorchScript over the matrix `name` and the optional `atol` and `rtol`:
 * they define `absolute` and `relative`, of which the larger bound holds. Without either, `relative` is the dtype's epsilon times the longer side; a positive
 * `atol` alone switches `relative` off. Source: torch.linalg.matrix_rank and torch.linalg.pinv.
 */
export const numberBounds = (name: string): string => `  eps = 2.220446049250313e-16
  if ${name}.dtype == torch.float32 or ${name}.dtype == torch.complex64:
    eps = 1.1920928955078125e-07
  absolute = 0.
  relative = eps * float(max(${name}.size(-1), ${name}.size(-2)))
  if atol is not None:
    absolute = atol
    if atol > 0.:
      relative = 0.
  if rtol is not None:
    relative = rtol`

/** The same with `atol` and `rtol` as tensors of one value for each matrix of a batch. */
export const tensorBounds = (name: string): string => `  eps = 2.220446049250313e-16
  real = torch.float64
  if ${name}.dtype == torch.float32 or ${name}.dtype == torch.complex64:
    eps = 1.1920928955078125e-07
    real = torch.float32
  absolute = torch.zeros(torch.jit.annotate(List[int], []), dtype=real, device=${name}.device)
  relative = torch.full(torch.jit.annotate(List[int], []), eps * float(max(${name}.size(-1), ${name}.size(-2))), dtype=real, device=${name}.device)
  if atol is not None:
    absolute = atol.to(real)
    relative = torch.where(torch.gt(absolute, 0), torch.zeros_like(absolute), relative)
  if rtol is not None:
    relative = rtol.to(real)`
