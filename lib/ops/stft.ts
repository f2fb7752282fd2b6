import { composed } from './op.js'

export default [
  composed(
    'aten::stft',
    `
def stft(self: Tensor, n_fft: int, hop_length: Optional[int]=None, win_length: Optional[int]=None, window: Optional[Tensor]=None, normalized: bool=False, onesided: Optional[bool]=None, return_complex: Optional[bool]=None, align_to_window: Optional[bool]=None) -> Tensor:
  hop = n_fft // 4
  if hop_length is not None:
    hop = hop_length
  win = n_fft
  if win_length is not None:
    win = win_length
  if self.dim() != 1 and self.dim() != 2:
    raise RuntimeError("stft: expected a 1D or 2D tensor")
  x = self
  if self.dim() == 1:
    x = self.unsqueeze(0)
  if n_fft <= 0 or n_fft > x.size(1):
    raise RuntimeError("stft: expected 0 < n_fft < " + str(x.size(1)) + ", but got n_fft=" + str(n_fft))
  if hop <= 0:
    raise RuntimeError("stft: expected hop_length > 0, but got hop_length=" + str(hop))
  if win <= 0 or win > n_fft:
    raise RuntimeError("stft: expected 0 < win_length <= n_fft, but got win_length=" + str(win))
  complex_input = x.is_complex()
  frames = x.unfold(1, n_fft, hop)
  if window is not None:
    w = window
    if w.dim() != 1 or w.size(0) != win:
      raise RuntimeError("stft: expected a 1D window tensor of size equal to win_length=" + str(win))
    complex_input = complex_input or w.is_complex()
    if win < n_fft:
      left = (n_fft - win) // 2
      w = torch.constant_pad_nd(w, [left, n_fft - win - left], 0)
    frames = torch.mul(frames, w)
  elif win < n_fft:
    left = (n_fft - win) // 2
    frames = torch.mul(frames, torch.constant_pad_nd(torch.ones([win], dtype=x.dtype, device=x.device), [left, n_fft - win - left], 0))
  as_complex = complex_input
  if return_complex is not None:
    as_complex = return_complex
  elif not complex_input:
    raise RuntimeError("stft requires the return_complex parameter be given for real inputs, and will further require that return_complex=True in a future PyTorch release.")
  half = not complex_input
  if onesided is not None:
    half = onesided
  norm = "backward"
  if normalized:
    norm = "ortho"
  spectrum = frames
  if half:
    if complex_input:
      raise RuntimeError("Cannot have onesided output if window or input is complex")
    spectrum = torch.fft_rfft(frames, None, -1, norm)
  else:
    spectrum = torch.fft_fft(frames, None, -1, norm)
  result = spectrum.transpose(1, 2)
  if self.dim() == 1:
    result = result.squeeze(0)
  if as_complex:
    return result
  return torch.view_as_real(result)
`,
  ),
  composed(
    'aten::stft.center',
    `
def stft(self: Tensor, n_fft: int, hop_length: Optional[int]=None, win_length: Optional[int]=None, window: Optional[Tensor]=None, center: bool=True, pad_mode: str="reflect", normalized: bool=False, onesided: Optional[bool]=None, return_complex: Optional[bool]=None, align_to_window: Optional[bool]=None) -> Tensor:
  x = self
  if center:
    half = n_fft // 2
    if self.dim() == 1:
      x = torch.pad(self.unsqueeze(0).unsqueeze(0), [half, half], pad_mode).squeeze(0).squeeze(0)
    else:
      x = torch.pad(self.unsqueeze(0), [half, half], pad_mode).squeeze(0)
  return torch.stft(x, n_fft, hop_length, win_length, window, normalized, onesided, return_complex)
`,
  ),
]
