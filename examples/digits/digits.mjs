// Reads real MNIST test digits, runs a CNN that PyTorch traced (or scripted: --scripted), prints the accuracy and a few digits.
import * as torch from 'torchscript-node'

const here = new URL('.', import.meta.url)
const kind = process.argv.includes('--scripted') ? 'scripted' : 'traced'
const model = torch.jit.load(new URL(`mnist_cnn_${kind}.pt`, here))
const { images, labels } = torch.loadNpz(new URL('mnist_test.npz', here))
const expected = torch.loadNpy(new URL('mnist_expected_logits.npy', here))

const pixels = Float32Array.from(images.data, (v) => (v / 255 - 0.1307) / 0.3081)
const logits = model.forward(torch.tensor(pixels, { shape: [images.shape[0], 1, 28, 28] }))
const argmax = (rows) => rows.toArray().map((row) => row.indexOf(Math.max(...row)))
const predictions = argmax(logits)
const truth = labels.toArray()

const shades = ' .:-=+*#%@'
for (const i of [0, 1, 2]) {
  for (let y = 2; y < 26; y += 2)
    console.log(Array.from(images.data.subarray(i * 784 + y * 28, i * 784 + y * 28 + 28), (v) => shades[Math.floor(v / 25.6)]).join(''))
  console.log(`prediction ${predictions[i]}, label ${truth[i]}\n`)
}
const right = predictions.filter((p, i) => p === truth[i]).length
const reference = argmax(expected)
const worst = logits.data.reduce((m, v, i) => Math.max(m, Math.abs(v - expected.data[i])), 0)
console.log(`${truth.length} digits, ${kind} model: accuracy ${((100 * right) / truth.length).toFixed(2)} %`)
console.log(
  `${predictions.filter((p, i) => p === reference[i]).length} predictions equal PyTorch's, largest difference of a logit ${worst.toExponential(1)}`,
)
