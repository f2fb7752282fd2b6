// GPT-2 in TypeScript. The names are those of the checkpoints that the transformers library saves, so their state dicts load as they are.
import * as torch from 'torchscript-node'
const { nn, jit } = torch

export interface GPT2Config {
  vocabSize: number
  positions: number
  width: number
  heads: number
  layers: number
}

/** A linear layer whose weight is stored input first, as GPT-2's checkpoints have it. */
class Conv1D extends nn.Module {
  weight: torch.nn.Parameter
  bias: torch.nn.Parameter
  constructor(outputs: number, inputs: number) {
    super()
    this.weight = new nn.Parameter(torch.zeros([inputs, outputs]))
    this.bias = new nn.Parameter(torch.zeros([outputs]))
  }
  forward(x: torch.Tensor): torch.Tensor {
    return torch.matmul(x, this.weight).add(this.bias)
  }
}

class Attention extends nn.Module {
  c_attn: Conv1D
  c_proj: Conv1D
  constructor(
    width: number,
    readonly heads: number,
  ) {
    super()
    this.c_attn = new Conv1D(3 * width, width)
    this.c_proj = new Conv1D(width, width)
  }
  forward(x: torch.Tensor): torch.Tensor {
    // (batch, time, width) -> (batch, heads, time, width / heads)
    const [q, k, v] = this.c_attn
      .forward(x)
      .chunk(3, -1)
      .map((part) => part.unflatten(-1, [this.heads, -1]).transpose(1, 2))
    const attended = torch.scaledDotProductAttention(q, k, v, null, 0, true)
    return this.c_proj.forward(attended.transpose(1, 2).flatten(-2))
  }
}

class MLP extends nn.Module {
  c_fc: Conv1D
  c_proj: Conv1D
  constructor(width: number) {
    super()
    this.c_fc = new Conv1D(4 * width, width)
    this.c_proj = new Conv1D(width, 4 * width)
  }
  forward(x: torch.Tensor): torch.Tensor {
    return this.c_proj.forward(torch.gelu(this.c_fc.forward(x), { approximate: 'tanh' }))
  }
}

class Block extends nn.Module {
  ln_1: torch.nn.LayerNorm
  attn: Attention
  ln_2: torch.nn.LayerNorm
  mlp: MLP
  constructor({ width, heads }: GPT2Config) {
    super()
    this.ln_1 = new nn.LayerNorm(width)
    this.attn = new Attention(width, heads)
    this.ln_2 = new nn.LayerNorm(width)
    this.mlp = new MLP(width)
  }
  forward(x: torch.Tensor): torch.Tensor {
    const y = x.add(this.attn.forward(this.ln_1.forward(x)))
    return y.add(this.mlp.forward(this.ln_2.forward(y)))
  }
}

export class GPT2 extends nn.Module {
  wte: torch.nn.Embedding
  wpe: torch.nn.Embedding
  h: torch.nn.ModuleList
  ln_f: torch.nn.LayerNorm
  constructor(config: GPT2Config) {
    super()
    this.wte = new nn.Embedding(config.vocabSize, config.width)
    this.wpe = new nn.Embedding(config.positions, config.width)
    this.h = new nn.ModuleList(Array.from({ length: config.layers }, () => new Block(config)))
    this.ln_f = new nn.LayerNorm(config.width)
  }
  /** Logits (batch, time, vocabulary) of tokens (batch, time). */
  forward(tokens: torch.Tensor): torch.Tensor {
    const positions = torch.arange(tokens.size(1))
    let x = this.wte.forward(tokens).add(this.wpe.forward(positions))
    for (const block of this.h) x = block.forward(x)
    return torch.linear(this.ln_f.forward(x), this.wte.weight)
  }
}

/** Appends the likeliest token again and again; the loop is scripted, the model in it traced. */
export class Greedy extends nn.Module {
  constructor(readonly model: torch.jit.ScriptModule) {
    super()
  }
  forward(tokens: torch.Tensor, count: torch.int): torch.Tensor {
    for (let i = 0; i < count; i++) {
      const logits = this.model.forward(tokens)
      const next = logits.select(1, -1).argmax(-1, true)
      tokens = torch.cat([tokens, next], 1)
    }
    return tokens
  }
}

/** Generates with the small checkpoint of this folder; `folder` is where its data is. */
export function main(folder = 'examples/gpt2'): torch.jit.ScriptModule {
  const model = new GPT2({ vocabSize: 96, positions: 64, width: 32, heads: 4, layers: 2 }).eval()
  model.loadStateDict(torch.load(`${folder}/tiny_gpt2.pth`) as Map<string, torch.Tensor>)
  const traced = jit.trace(model, [torch.zeros([1, 16], { dtype: 'int64' })])
  const generate = jit.script(new Greedy(traced))
  const prompt = torch.tensor([[1n, 5n, 9n, 2n]])
  const tokens = generate.forward(prompt, 20)
  console.log('tokens', tokens.toArray()[0].join(' '))
  return generate
}
