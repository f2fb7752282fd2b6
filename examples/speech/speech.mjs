// Finds speech in a WAV file with a scripted, stateful model (Silero VAD), prints the segments and draws speech.svg.
import { readFileSync, writeFileSync } from 'node:fs'
import * as torch from 'torchscript-node'

const here = new URL('.', import.meta.url)
const model = torch.jit.load(new URL('silero_vad.pt', here))
const expected = torch.loadNpy(new URL('silero_expected.npy', here)).data
const wav = readFileSync(new URL('speech.wav', here)) // 16-bit mono PCM at 16 kHz
const start = wav.indexOf('data', 12, 'latin1') + 8
const samples = Float32Array.from(new Int16Array(wav.buffer.slice(wav.byteOffset + start, wav.byteOffset + wav.length)), (v) => v / 32768)

const chunk = 512
const probabilities = []
for (let i = 0; i + chunk <= samples.length; i += chunk) {
  probabilities.push(model.forward(torch.tensor(samples.slice(i, i + chunk), { shape: [1, chunk] }), 16000).item())
}
const seconds = (i) => ((i * chunk) / 16000).toFixed(2)
for (let i = 0, from = -1; i <= probabilities.length; i++) {
  if (probabilities[i] > 0.5 && from < 0) from = i
  if (!(probabilities[i] > 0.5) && from >= 0) (console.log(`speech from ${seconds(from)} s to ${seconds(i)} s`), (from = -1))
}
const worst = Math.max(...probabilities.map((p, i) => Math.abs(p - expected[i])))
console.log(`${probabilities.length} chunks, largest difference from PyTorch ${worst.toExponential(1)}`)
const wave = probabilities.map((_, i) => Math.max(...samples.subarray(i * chunk, i * chunk + chunk).map(Math.abs)))
const bars = wave.map((a, i) => `<rect x="${2 * i}" y="${60 - 55 * a}" width="2" height="${110 * a + 0.5}" fill="#9bb"/>`).join('')
const line = probabilities.map((p, i) => `${2 * i},${(118 - 116 * p).toFixed(1)}`).join(' ')
writeFileSync(
  new URL('speech.svg', here),
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${2 * wave.length} 120">${bars}<polyline points="${line}" fill="none" stroke="#c33"/></svg>\n`,
)
