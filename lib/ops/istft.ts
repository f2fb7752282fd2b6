import { composed } from './op.js'

export default composed(
  'aten::istft',
  `
def istft(self: Tensor, n_fft: int, hop_length: Optional[int]=None, win_length: Optional[int]=None, window: Optional[Tensor]=None, center: bool=True, normalized: bool=False, onesided: Optional[bool]=None, length: Optional[int]=None, return_complex: bool=False) -> Tensor:
  hop = n_fft // 4
  if hop_length is not None:
    hop = hop_length
  win = n_fft
  if win_length is not None:
    win = win_length
  if not self.is_complex():
    raise RuntimeError("istft requires a complex-valued input tensor matching the output from stft with return_complex=True.")
  if self.numel() == 0:
    raise RuntimeError("istft: input tensor cannot be empty.")
  if self.dim() != 2 and self.dim() != 3:
    raise RuntimeError("istft: expected a tensor with 2 or 3 dimensions")
  x = self
  if self.dim() == 2:
    x = self.unsqueeze(0)
  n_frames = x.size(2)
  half = x.size(1) != n_fft
  if onesided is not None:
    half = onesided
  if half:
    if x.size(1) != n_fft // 2 + 1:
      raise RuntimeError("istft: expected the frequency dimension (3rd to the last) of the input tensor to match n_fft / 2 + 1 when onesided=True")
  elif x.size(1) != n_fft:
    raise RuntimeError("istft: expected the frequency dimension (3rd to the last) of the input tensor to match n_fft when onesided=False")
  if hop <= 0 or hop > win or win > n_fft:
    raise RuntimeError("istft: expected 0 < hop_length <= win_length <= n_fft")
  norm = "backward"
  if normalized:
    norm = "ortho"
  spectrum = x.transpose(1, 2)
  frames = spectrum
  if return_complex:
    if half:
      raise RuntimeError("Cannot have onesided output if window or input is complex")
    frames = torch.fft_ifft(spectrum, None, -1, norm)
  else:
    if not half:
      spectrum = torch.slice(spectrum, 2, 0, n_fft // 2 + 1)
    frames = torch.fft_irfft(spectrum, n_fft, -1, norm)
  w = torch.ones([win], dtype=frames.dtype, device=frames.device)
  if window is not None:
    w = window
    if w.dim() != 1 or w.size(0) != win:
      raise RuntimeError("istft: Invalid window shape. window has to be 1D and length of win_length")
  if win < n_fft:
    left = (n_fft - win) // 2
    w = torch.constant_pad_nd(w, [left, n_fft - win - left], 0)
  total = n_fft + hop * (n_frames - 1)
  positions = torch.add(torch.mul(torch.arange(n_frames, device=frames.device), hop).unsqueeze(1), torch.arange(n_fft, device=frames.device)).reshape([-1])
  windowed = torch.mul(frames, w).reshape([x.size(0), -1])
  y = torch.index_add(torch.zeros([x.size(0), total], dtype=windowed.dtype, device=frames.device), 1, positions, windowed)
  squared = torch.mul(w, w).unsqueeze(0).expand([n_frames, n_fft]).reshape([-1])
  envelope = torch.index_add(torch.zeros([total], dtype=squared.dtype, device=frames.device), 0, positions, squared)
  start = 0
  end = total
  if center:
    start = n_fft // 2
    end = total - n_fft // 2
  if length is not None:
    end = start + length
  y = torch.slice(y, 1, start, end)
  envelope = torch.slice(envelope, 0, start, end)
  if float(torch.min(torch.abs(envelope))) <= 1e-11:
    raise RuntimeError("window overlap add min: 1")
  y = torch.div(y, envelope)
  if y.size(1) < end - start:
    y = torch.constant_pad_nd(y, [0, end - start - y.size(1)], 0)
  if self.dim() == 2:
    return y.squeeze(0)
  return y
`,
)
