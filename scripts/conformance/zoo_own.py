"""Small models of kinds that no library of models has, for make_zoo.py."""
from typing import Dict, List, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LstmLm(nn.Module):
    def __init__(self, kind: str, bidirectional: bool = False):
        super().__init__()
        self.embedding = nn.Embedding(100, 48)
        cell = {'lstm': nn.LSTM, 'gru': nn.GRU, 'rnn': nn.RNN}[kind]
        self.rnn = cell(48, 64, 2, batch_first=True, bidirectional=bidirectional)
        self.head = nn.Linear(128 if bidirectional else 64, 100)

    def forward(self, tokens: Tensor) -> Tensor:
        out, _ = self.rnn(self.embedding(tokens))
        return F.log_softmax(self.head(out), -1)


class PackedTagger(nn.Module):
    """Sequences of several lengths, packed and padded."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(50, 24, padding_idx=0)
        self.rnn = nn.LSTM(24, 32, batch_first=True, bidirectional=True)
        self.head = nn.Linear(64, 7)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        packed = nn.utils.rnn.pack_padded_sequence(self.embedding(tokens), lengths, batch_first=True, enforce_sorted=False)
        out, _ = self.rnn(packed)
        padded, _ = nn.utils.rnn.pad_packed_sequence(out, batch_first=True)
        return self.head(padded)


class Attention(nn.Module):
    """Bahdanau's attention over an encoder in a greedy decoder loop."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(60, 32)
        self.encoder = nn.GRU(32, 32, batch_first=True)
        self.cell = nn.GRUCell(64, 32)
        self.query, self.key, self.score = nn.Linear(32, 32), nn.Linear(32, 32), nn.Linear(32, 1)
        self.head = nn.Linear(64, 60)

    def forward(self, source: Tensor, steps: int) -> Tuple[Tensor, Tensor]:
        states, last = self.encoder(self.embedding(source))
        hidden = last[0]
        token = torch.zeros(source.shape[0], dtype=torch.int64)
        logits: List[Tensor] = []
        weights: List[Tensor] = []
        for _ in range(steps):
            energy = self.score(torch.tanh(self.query(hidden).unsqueeze(1) + self.key(states))).squeeze(-1)
            alpha = torch.softmax(energy, -1)
            context = torch.bmm(alpha.unsqueeze(1), states).squeeze(1)
            hidden = self.cell(torch.cat([self.embedding(token), context], -1), hidden)
            out = self.head(torch.cat([hidden, context], -1))
            token = out.argmax(-1)
            logits.append(out)
            weights.append(alpha)
        return torch.stack(logits, 1), torch.stack(weights, 1)


def double_conv(i: int, o: int, norm: str) -> nn.Sequential:
    def layer(n: int) -> nn.Module:
        return {'batch': nn.BatchNorm2d(n), 'group': nn.GroupNorm(4, n), 'instance': nn.InstanceNorm2d(n, affine=True)}[norm]

    return nn.Sequential(nn.Conv2d(i, o, 3, padding=1), layer(o), nn.ReLU(inplace=True), nn.Conv2d(o, o, 3, padding=1), layer(o), nn.LeakyReLU(0.1))


class UNet(nn.Module):
    def __init__(self, norm: str, attention: bool = False):
        super().__init__()
        self.a, self.b, self.c = double_conv(3, 16, norm), double_conv(16, 32, norm), double_conv(32, 64, norm)
        self.up1, self.up2 = nn.ConvTranspose2d(64, 32, 2, 2), nn.ConvTranspose2d(32, 16, 2, 2)
        self.d, self.e = double_conv(64, 32, norm), double_conv(32, 16, norm)
        self.gate1 = nn.Sequential(nn.Conv2d(32, 32, 1), nn.Sigmoid()) if attention else nn.Identity()
        self.head = nn.Conv2d(16, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        a = self.a(x)
        b = self.b(F.max_pool2d(a, 2))
        c = self.c(F.avg_pool2d(b, 2))
        u = self.up1(c)
        d = self.d(torch.cat([self.gate1(b) * b, u], 1))
        v = F.interpolate(self.up2(d), size=[a.shape[2], a.shape[3]], mode='nearest')
        return self.head(self.e(torch.cat([a, v], 1)))


class UNet3d(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Sequential(nn.Conv3d(1, 8, 3, padding=1), nn.InstanceNorm3d(8, affine=True), nn.PReLU(8))
        self.b = nn.Sequential(nn.Conv3d(8, 16, 3, 2, 1), nn.BatchNorm3d(16), nn.ELU())
        self.up = nn.ConvTranspose3d(16, 8, 2, 2)
        self.head = nn.Conv3d(16, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        a = self.a(x)
        up = F.interpolate(self.b(a), scale_factor=2.0, mode='trilinear', align_corners=False)[:, :8] + self.up(self.b(a))
        return torch.softmax(self.head(torch.cat([a, up], 1)), 1)


def timestep_embedding(t: Tensor, dim: int) -> Tensor:
    half = dim // 2
    freqs = torch.exp(-9.21034 * torch.arange(0, half, dtype=torch.float32) / half)
    args = t[:, None].to(torch.float32) * freqs[None]
    return torch.cat([torch.cos(args), torch.sin(args)], -1)


class ResBlock(nn.Module):
    def __init__(self, i: int, o: int, emb: int):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(8, i), nn.Conv2d(i, o, 3, padding=1)
        self.emb = nn.Linear(emb, 2 * o)
        self.norm2, self.conv2 = nn.GroupNorm(8, o), nn.Conv2d(o, o, 3, padding=1)
        self.skip = nn.Conv2d(i, o, 1) if i != o else nn.Identity()

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        scale, shift = self.emb(F.silu(emb))[:, :, None, None].chunk(2, 1)
        h = self.norm2(h) * (1 + scale) + shift
        return self.skip(x) + self.conv2(F.dropout(F.silu(h), 0.1, self.training))


class CrossAttention(nn.Module):
    def __init__(self, dim: int, context: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(8, dim)
        self.q, self.k, self.v = nn.Linear(dim, dim, bias=False), nn.Linear(context, dim, bias=False), nn.Linear(context, dim, bias=False)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        b, c, h, w = x.shape
        y = self.norm(x).reshape(b, c, h * w).transpose(1, 2)
        q = self.q(y).view(b, -1, self.heads, c // self.heads).transpose(1, 2)
        k = self.k(context).view(b, -1, self.heads, c // self.heads).transpose(1, 2)
        v = self.v(context).view(b, -1, self.heads, c // self.heads).transpose(1, 2)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, h * w, c)
        return x + self.out(y).transpose(1, 2).reshape(b, c, h, w)


class Diffusion(nn.Module):
    def __init__(self):
        super().__init__()
        self.time = nn.Sequential(nn.Linear(32, 64), nn.SiLU(), nn.Linear(64, 64))
        self.first = nn.Conv2d(4, 32, 3, padding=1)
        self.down, self.stride = ResBlock(32, 64, 64), nn.Conv2d(64, 64, 3, 2, 1)
        self.middle, self.attention = ResBlock(64, 64, 64), CrossAttention(64, 48, 4)
        self.up, self.last = ResBlock(128, 32, 64), nn.Conv2d(32, 4, 3, padding=1)

    def forward(self, x: Tensor, t: Tensor, context: Tensor) -> Tensor:
        emb = self.time(timestep_embedding(t, 32))
        a = self.down(self.first(x), emb)
        b = self.attention(self.middle(self.stride(a), emb), context)
        up = F.interpolate(b, scale_factor=2.0, mode='nearest')
        return self.last(F.silu(self.up(torch.cat([a, up], 1), emb)))


class DiffusionSampler(nn.Module):
    """DDIM: the model in a loop."""

    def __init__(self):
        super().__init__()
        self.net = Diffusion()
        self.register_buffer('alphas', torch.cumprod(1 - torch.linspace(1e-4, 0.02, 100), 0))

    def forward(self, x: Tensor, context: Tensor, steps: int) -> Tensor:
        for i in range(steps):
            t = 99 - i * (100 // steps)
            a = self.alphas[t]
            before = self.alphas[t - 100 // steps] if t - 100 // steps >= 0 else torch.ones(())
            noise = self.net(x, torch.full((x.shape[0],), t, dtype=torch.int64), context)
            clean = ((x - (1 - a).sqrt() * noise) / a.sqrt()).clamp(-1, 1)
            x = before.sqrt() * clean + (1 - before).sqrt() * noise
        return x


class DiT(nn.Module):
    """Blocks with adaptive layer norms over patches."""

    def __init__(self):
        super().__init__()
        d = 64
        self.patch = nn.Conv2d(4, d, 2, 2)
        self.position = nn.Parameter(torch.randn(1, 64, d) * 0.02)
        self.time = nn.Sequential(nn.Linear(32, d), nn.SiLU(), nn.Linear(d, d))
        self.modulation = nn.ModuleList([nn.Linear(d, 6 * d) for _ in range(2)])
        self.qkv = nn.ModuleList([nn.Linear(d, 3 * d) for _ in range(2)])
        self.out = nn.ModuleList([nn.Linear(d, d) for _ in range(2)])
        self.mlp = nn.ModuleList([nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(approximate='tanh'), nn.Linear(4 * d, d)) for _ in range(2)])
        self.last = nn.Linear(d, 16)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        h = self.patch(x).flatten(2).transpose(1, 2) + self.position
        c = F.silu(self.time(timestep_embedding(t, 32)))
        for modulation, qkv, out, mlp in zip(self.modulation, self.qkv, self.out, self.mlp):
            s1, b1, g1, s2, b2, g2 = modulation(c).unsqueeze(1).chunk(6, -1)
            y = F.layer_norm(h, (64,), eps=1e-6) * (1 + s1) + b1
            q, k, v = qkv(y).reshape(y.shape[0], y.shape[1], 3, 4, 16).permute(2, 0, 3, 1, 4).unbind(0)
            y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(y.shape)
            h = h + g1 * out(y)
            h = h + g2 * mlp(F.layer_norm(h, (64,), eps=1e-6) * (1 + s2) + b2)
        h = self.last(F.layer_norm(h, (64,), eps=1e-6)).reshape(-1, 8, 8, 2, 2, 4)
        return torch.einsum('nhwpqc->nchpwq', h).reshape(-1, 4, 16, 16)


class Conformer(nn.Module):
    def __init__(self):
        super().__init__()
        d = 48
        self.norms = nn.ModuleList([nn.LayerNorm(d) for _ in range(5)])
        self.ff1 = nn.Sequential(nn.Linear(d, 4 * d), nn.SiLU(), nn.Dropout(0.1), nn.Linear(4 * d, d))
        self.ff2 = nn.Sequential(nn.Linear(d, 4 * d), nn.SiLU(), nn.Dropout(0.1), nn.Linear(4 * d, d))
        self.attention = nn.MultiheadAttention(d, 4, batch_first=True)
        self.pointwise1, self.depthwise = nn.Conv1d(d, 2 * d, 1), nn.Conv1d(d, d, 15, padding=7, groups=d)
        self.norm, self.pointwise2 = nn.BatchNorm1d(d), nn.Conv1d(d, d, 1)
        self.subsample = nn.Sequential(nn.Conv2d(1, 8, 3, 2), nn.ReLU(), nn.Conv2d(8, 8, 3, 2), nn.ReLU())
        self.project = nn.Linear(8 * 19, d)
        self.head = nn.Linear(d, 30)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        y = self.subsample(x.unsqueeze(1))
        b, c, t, f = y.shape
        y = self.project(y.transpose(1, 2).reshape(b, t, c * f))
        mask = torch.arange(t)[None, :] >= (lengths // 4)[:, None]
        y = y + 0.5 * self.ff1(self.norms[0](y))
        z = self.norms[1](y)
        y = y + self.attention(z, z, z, key_padding_mask=mask, need_weights=False)[0]
        z = F.glu(self.pointwise1(self.norms[2](y).transpose(1, 2)), 1)
        z = F.silu(self.norm(self.depthwise(z.masked_fill(mask.unsqueeze(1), 0.0))))
        y = y + self.pointwise2(z).transpose(1, 2)
        y = self.norms[4](y + 0.5 * self.ff2(self.norms[3](y)))
        return self.head(y).log_softmax(-1)


class Gcn(nn.Module):
    """Messages over edges: index_select, scatter_add, degrees; attention over edges with a softmax by target."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(16, 32), nn.Linear(32, 32)
        self.attention = nn.Parameter(torch.randn(64) * 0.2)
        self.head = nn.Linear(32, 5)

    def forward(self, x: Tensor, edges: Tensor, batch: Tensor) -> Tuple[Tensor, Tensor]:
        source, target = edges[0], edges[1]
        n = x.size(0)
        degree = torch.zeros(n).scatter_add_(0, target, torch.ones(target.size(0)))
        scale = degree.clamp(min=1).pow(-0.5)
        h = self.first(x)
        message = h.index_select(0, source) * (scale[source] * scale[target]).unsqueeze(-1)
        h = F.relu(torch.zeros(n, 32).index_add_(0, target, message))
        h = self.second(h)
        score = F.leaky_relu((torch.cat([h[source], h[target]], -1) * self.attention).sum(-1), 0.2)
        top = torch.full((n,), -1e9).scatter_reduce(0, target, score, reduce='amax')
        weight = (score - top[target]).exp()
        weight = weight / torch.zeros(n).scatter_add(0, target, weight)[target].clamp(min=1e-9)
        h = torch.zeros(n, 32).scatter_add_(0, target.unsqueeze(-1).expand(-1, 32), h[source] * weight.unsqueeze(-1))
        graphs = 3
        pooled = torch.zeros(graphs, 32).scatter_reduce_(0, batch.unsqueeze(-1).expand(-1, 32), h, reduce='mean', include_self=False)
        return self.head(F.elu(h)), self.head(pooled)


class Vae(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 4, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(1568, 64), nn.ReLU())
        self.mean, self.variance = nn.Linear(64, 8), nn.Linear(64, 8)
        self.decoder = nn.Sequential(nn.Linear(8, 1568), nn.ReLU(), nn.Unflatten(1, (32, 7, 7)), nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.ReLU(),
                                     nn.ConvTranspose2d(16, 1, 4, 2, 1), nn.Sigmoid())

    def forward(self, x: Tensor, noise: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        h = self.encoder(x)
        mean, variance = self.mean(h), self.variance(h)
        z = mean + noise * torch.exp(0.5 * variance)
        return self.decoder(z), mean, -0.5 * (1 + variance - mean.pow(2) - variance.exp()).sum(1)


class VqVae(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(3, 32, 4, 2, 1), nn.ReLU(), nn.Conv2d(32, 16, 3, padding=1))
        self.book = nn.Embedding(64, 16)
        self.decoder = nn.Sequential(nn.Upsample(scale_factor=2.0, mode='bilinear', align_corners=True), nn.Conv2d(16, 3, 3, padding=1), nn.Tanh())

    def forward(self, x: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        z = self.encoder(x).permute(0, 2, 3, 1).contiguous()
        flat = z.view(-1, 16)
        index = torch.cdist(flat, self.book.weight).argmin(1)
        q = self.book(index).view(z.shape)
        loss = F.mse_loss(q.detach(), z) + 0.25 * F.mse_loss(q, z.detach())
        q = z + (q - z).detach()
        return self.decoder(q.permute(0, 3, 1, 2)), index.view(z.shape[0], -1), loss


class Dcgan(nn.Module):
    def __init__(self):
        super().__init__()
        layers: List[nn.Module] = []
        for i, o, s, p in ((32, 64, 1, 0), (64, 32, 2, 1), (32, 16, 2, 1)):
            layers += [nn.ConvTranspose2d(i, o, 4, s, p, bias=False), nn.BatchNorm2d(o), nn.ReLU(True)]
        self.generator = nn.Sequential(*layers, nn.ConvTranspose2d(16, 3, 4, 2, 1), nn.Tanh())
        self.critic = nn.Sequential(nn.utils.parametrizations.spectral_norm(nn.Conv2d(3, 16, 4, 2, 1)), nn.LeakyReLU(0.2), nn.Conv2d(16, 32, 4, 2, 1), nn.InstanceNorm2d(32),
                                    nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(2048, 1))

    def forward(self, z: Tensor) -> Tuple[Tensor, Tensor]:
        image = self.generator(z[:, :, None, None])
        return image, self.critic(image)


class StyleBlock(nn.Module):
    """Modulated, demodulated convolution as one grouped convolution; noise; blur."""

    def __init__(self):
        super().__init__()
        self.mapping = nn.Sequential(nn.Linear(16, 32), nn.LeakyReLU(0.2), nn.Linear(32, 16))
        self.constant, self.weight = nn.Parameter(torch.randn(1, 16, 8, 8)), nn.Parameter(torch.randn(12, 16, 3, 3))
        self.noise = nn.Parameter(torch.randn(1, 1, 8, 8))
        self.register_buffer('blur', torch.tensor([1.0, 3, 3, 1])[:, None] * torch.tensor([1.0, 3, 3, 1]) / 64)

    def forward(self, z: Tensor) -> Tensor:
        z = z * torch.rsqrt(torch.mean(z * z, 1, keepdim=True) + 1e-8)
        style = self.mapping(z)
        b = z.shape[0]
        w = self.weight[None] * (style[:, None, :, None, None] + 1)
        w = w * torch.rsqrt(w.square().sum((2, 3, 4), keepdim=True) + 1e-8)
        x = self.constant.expand(b, -1, -1, -1).reshape(1, -1, 8, 8)
        x = F.conv2d(x, w.reshape(-1, 16, 3, 3), padding=1, groups=b).reshape(b, 12, 8, 8)
        x = F.leaky_relu(x + 0.1 * self.noise, 0.2) * 1.41421
        x = F.interpolate(x, scale_factor=2.0, mode='nearest')
        return F.conv2d(F.pad(x, (2, 1, 2, 1), mode='reflect'), self.blur[None, None].repeat(12, 1, 1, 1), groups=12)


class Nerf(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(39 if i == 0 else 64 + 39 if i == 2 else 64, 64) for i in range(4)])
        self.sigma, self.colour = nn.Linear(64, 1), nn.Sequential(nn.Linear(64 + 27, 32), nn.ReLU(), nn.Linear(32, 3), nn.Sigmoid())

    @staticmethod
    def encode(x: Tensor, n: int) -> Tensor:
        out = [x]
        for i in range(n):
            out += [torch.sin(x * 2.0**i), torch.cos(x * 2.0**i)]
        return torch.cat(out, -1)

    def forward(self, origin: Tensor, direction: Tensor) -> Tuple[Tensor, Tensor]:
        t = torch.linspace(2, 6, 16)
        points = origin[:, None] + direction[:, None] * t[None, :, None]
        e = self.encode(points, 6)
        d = self.encode(F.normalize(direction, dim=-1), 4)[:, None].expand(-1, 16, -1)
        h = e
        for i, layer in enumerate(self.layers):
            h = F.relu(layer(torch.cat([h, e], -1) if i == 2 else h))
        sigma = F.softplus(self.sigma(h)).squeeze(-1)
        colour = self.colour(torch.cat([h, d], -1))
        delta = torch.cat([t[1:] - t[:-1], torch.full((1,), 1e10)])
        alpha = 1 - torch.exp(-sigma * delta)
        through = torch.cumprod(torch.cat([torch.ones_like(alpha[:, :1]), 1 - alpha + 1e-10], -1), -1)[:, :-1]
        weight = alpha * through
        return (weight[..., None] * colour).sum(1), (weight * t).sum(-1)


class Tts(nn.Module):
    """Durations, a length regulator, and a vocoder with weight norm and dilated residual blocks."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(40, 32)
        self.encoder = nn.TransformerEncoderLayer(32, 2, 64, batch_first=True)
        self.duration = nn.Sequential(nn.Conv1d(32, 32, 3, padding=1), nn.ReLU(), nn.Conv1d(32, 1, 1))
        self.first = nn.utils.parametrizations.weight_norm(nn.Conv1d(32, 32, 7, padding=3))
        self.up = nn.ModuleList([nn.ConvTranspose1d(32, 16, 8, 4, 2), nn.ConvTranspose1d(16, 8, 4, 2, 1)])
        self.blocks = nn.ModuleList([nn.Conv1d(c, c, 3, padding=d, dilation=d) for c, d in ((16, 1), (16, 3), (8, 1), (8, 5))])
        self.last = nn.Conv1d(8, 1, 7, padding=3)

    def forward(self, tokens: Tensor) -> Tuple[Tensor, Tensor]:
        h = self.encoder(self.embedding(tokens))
        d = self.duration(h.transpose(1, 2)).squeeze(1)
        frames = torch.clamp(torch.round(torch.exp(d) + 1), min=1, max=4).to(torch.int64)
        y = torch.repeat_interleave(h[0], frames[0], dim=0).unsqueeze(0).transpose(1, 2)
        y = self.first(y)
        for i, up in enumerate(self.up):
            y = up(F.leaky_relu(y, 0.1))
            y = y + self.blocks[2 * i](F.leaky_relu(y, 0.1)) + self.blocks[2 * i + 1](F.leaky_relu(y, 0.1))
        return torch.tanh(self.last(F.leaky_relu(y))), frames


class WaveNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(1, 16, 1)
        self.dilated = nn.ModuleList([nn.Conv1d(16, 32, 2, dilation=2**i) for i in range(5)])
        self.skip, self.rest = nn.ModuleList([nn.Conv1d(16, 24, 1) for _ in range(5)]), nn.ModuleList([nn.Conv1d(16, 16, 1) for _ in range(5)])
        self.head = nn.Sequential(nn.ReLU(), nn.Conv1d(24, 24, 1), nn.ReLU(), nn.Conv1d(24, 32, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        total = torch.zeros(1)
        for i, (d, s, r) in enumerate(zip(self.dilated, self.skip, self.rest)):
            a, b = d(F.pad(x, (1 << i, 0))).chunk(2, 1)
            y = torch.tanh(a) * torch.sigmoid(b)
            total = total + s(y)
            x = x + r(y)
        return self.head(total)


class SpeechFront(nn.Module):
    """STFT, mel filters, log, normalisation, a small CNN and a CTC head."""

    def __init__(self):
        super().__init__()
        self.register_buffer('window', torch.hann_window(256))
        self.register_buffer('mel', torch.rand(129, 40))
        self.conv = nn.Sequential(nn.Conv1d(40, 32, 5, 2, 2), nn.BatchNorm1d(32), nn.Hardswish(), nn.Conv1d(32, 32, 5, 2, 2, groups=4), nn.ReLU6())
        self.rnn = nn.GRU(32, 24, batch_first=True, bidirectional=True)
        self.head = nn.Linear(48, 29)

    def forward(self, wave: Tensor) -> Tensor:
        spec = torch.stft(wave, 256, 128, 256, self.window, center=True, return_complex=True).abs().pow(2)
        mel = torch.log(torch.matmul(spec.transpose(1, 2), self.mel).clamp(min=1e-5)).transpose(1, 2)
        mel = (mel - mel.mean(-1, keepdim=True)) / (mel.std(-1, keepdim=True) + 1e-5)
        y, _ = self.rnn(self.conv(mel).transpose(1, 2))
        return F.log_softmax(self.head(y), -1)


class DeepSets(nn.Module):
    """Point clouds: k nearest neighbours, gathered edges, pooling; a spatial transformer."""

    def __init__(self):
        super().__init__()
        self.transform = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 9))
        self.edge = nn.Sequential(nn.Conv2d(6, 32, 1, bias=False), nn.BatchNorm2d(32), nn.LeakyReLU(0.2))
        self.head = nn.Sequential(nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10))

    def forward(self, points: Tensor) -> Tensor:
        t = self.transform(points).amax(1).view(-1, 3, 3) + torch.eye(3)
        x = torch.bmm(points, t)
        inner = -2 * torch.matmul(x, x.transpose(2, 1))
        square = (x**2).sum(2, keepdim=True)
        index = (-square - inner - square.transpose(2, 1)).topk(8, dim=-1)[1]
        b, n, _ = x.shape
        flat = (index + torch.arange(b).view(-1, 1, 1) * n).view(-1)
        near = x.reshape(b * n, -1)[flat].view(b, n, 8, 3)
        centre = x.view(b, n, 1, 3).expand(-1, -1, 8, -1)
        y = self.edge(torch.cat([near - centre, centre], 3).permute(0, 3, 1, 2)).max(-1)[0]
        return self.head(torch.cat([y.max(-1)[0], y.mean(-1)], 1))


class Recommender(nn.Module):
    """DLRM: embedding bags, dense layers, pairwise products."""

    def __init__(self):
        super().__init__()
        self.bags = nn.ModuleList([nn.EmbeddingBag(50, 16, mode='sum') for _ in range(3)])
        self.bottom = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU())
        self.top = nn.Sequential(nn.Linear(16 + 6, 32), nn.ReLU(), nn.Linear(32, 1), nn.Sigmoid())

    def forward(self, dense: Tensor, indices: Tensor, offsets: Tensor) -> Tensor:
        x = self.bottom(dense)
        features = [x] + [bag(indices[i], offsets[i]) for i, bag in enumerate(self.bags)]
        z = torch.stack(features, 1)
        products = torch.bmm(z, z.transpose(1, 2))
        i, j = torch.tril_indices(4, 4, offset=-1)
        return self.top(torch.cat([x, products[:, i, j]], 1))


class Beam(nn.Module):
    """Beam search over a GRU: loops, lists, topk, dicts."""

    def __init__(self):
        super().__init__()
        self.embedding, self.cell, self.head = nn.Embedding(30, 16), nn.GRUCell(16, 32), nn.Linear(32, 30)

    def forward(self, start: Tensor, width: int, steps: int) -> Tuple[Tensor, Tensor, Dict[str, Tensor]]:
        hidden = start.repeat(width, 1)
        tokens = torch.zeros(width, 1, dtype=torch.long)
        scores = torch.full((width,), -1e9)
        scores[0] = 0.0
        trail: Dict[str, Tensor] = {}
        for step in range(steps):
            hidden = self.cell(self.embedding(tokens[:, -1]), hidden)
            logp = F.log_softmax(self.head(hidden), -1) + scores.unsqueeze(1)
            scores, flat = logp.view(-1).topk(width)
            beam, token = torch.div(flat, 30, rounding_mode='floor'), flat % 30
            tokens = torch.cat([tokens[beam], token.unsqueeze(1)], 1)
            hidden = hidden[beam]
            trail[str(step)] = scores
            if bool((token == 29).all()):
                break
        return tokens, scores, trail


class DecoderLm(nn.Module):
    """A decoder with rotary positions, grouped queries, RMS norms, SwiGLU, and a static cache that is written in place."""

    def __init__(self):
        super().__init__()
        d, self.heads, self.groups = 64, 8, 2
        self.embedding = nn.Embedding(100, d)
        self.norms = nn.ParameterList([nn.Parameter(torch.ones(d)) for _ in range(5)])
        self.q = nn.ModuleList([nn.Linear(d, d, bias=False) for _ in range(2)])
        self.kv = nn.ModuleList([nn.Linear(d, 32, bias=False) for _ in range(2)])
        self.o = nn.ModuleList([nn.Linear(d, d, bias=False) for _ in range(2)])
        self.gate, self.up = nn.ModuleList([nn.Linear(d, 128, bias=False) for _ in range(2)]), nn.ModuleList([nn.Linear(d, 128, bias=False) for _ in range(2)])
        self.down = nn.ModuleList([nn.Linear(128, d, bias=False) for _ in range(2)])
        angle = torch.arange(32)[:, None] / 10000 ** (torch.arange(0, 8, 2) / 8)
        self.register_buffer('angles', torch.polar(torch.ones_like(angle), angle))

    @staticmethod
    def norm(x: Tensor, w: Tensor) -> Tensor:
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * w

    def rotate(self, x: Tensor, angles: Tensor) -> Tensor:
        z = torch.view_as_complex(x.float().reshape(x.shape[0], x.shape[1], x.shape[2], 4, 2))
        return torch.view_as_real(z * angles[None, :, None, :]).flatten(3).type_as(x)

    def forward(self, tokens: Tensor, cache: Tensor, position: Tensor) -> Tuple[Tensor, Tensor]:
        b, t = tokens.shape
        h = self.embedding(tokens)
        angles = self.angles[position]
        mask = torch.arange(16)[None, :] <= position[:, None]
        cache = cache.clone()
        for i in range(2):
            x = self.norm(h, self.norms[2 * i])
            q = self.rotate(self.q[i](x).view(b, t, 8, 8), angles).transpose(1, 2)
            k, v = self.kv[i](x).view(b, t, 2, 2, 8).unbind(2)
            k = self.rotate(k, angles)
            cache[i, 0].index_copy_(1, position, k)
            cache[i, 1, :, position] = v
            k = cache[i, 0].transpose(1, 2).repeat_interleave(4, 1)
            v = cache[i, 1].transpose(1, 2)[:, :, None].expand(-1, -1, 4, -1, -1).reshape(b, 8, 16, 8)
            scores = (q @ k.transpose(-2, -1)) / 8**0.5
            scores = scores.masked_fill(~mask, float('-inf'))
            y = (scores.softmax(-1, dtype=torch.float32) @ v).transpose(1, 2).reshape(b, t, 64)
            h = h + self.o[i](y)
            x = self.norm(h, self.norms[2 * i + 1])
            h = h + self.down[i](F.silu(self.gate[i](x)) * self.up[i](x))
        return F.linear(self.norm(h, self.norms[4]), self.embedding.weight), cache


class Moe(nn.Module):
    def __init__(self):
        super().__init__()
        self.router = nn.Linear(32, 4)
        self.first, self.second = nn.Parameter(torch.randn(4, 32, 64) * 0.1), nn.Parameter(torch.randn(4, 64, 32) * 0.1)

    def forward(self, x: Tensor) -> Tensor:
        weights, chosen = self.router(x).softmax(-1).topk(2, -1)
        weights = weights / weights.sum(-1, keepdim=True)
        out = torch.zeros_like(x)
        for e in range(4):
            token, slot = torch.where(chosen == e)
            if token.numel() > 0:
                y = F.gelu(x[token] @ self.first[e]) @ self.second[e]
                out.index_add_(0, token, y * weights[token, slot, None])
        return out


class Ssm(nn.Module):
    """A selective state space with its scan as a loop."""

    def __init__(self):
        super().__init__()
        self.input, self.conv = nn.Linear(32, 128), nn.Conv1d(64, 64, 4, groups=64, padding=3)
        self.x, self.dt = nn.Linear(64, 2 + 16, bias=False), nn.Linear(2, 64)
        self.a, self.d = nn.Parameter(torch.arange(1, 9).float().log().repeat(64, 1)), nn.Parameter(torch.ones(64))
        self.out = nn.Linear(64, 32)

    def forward(self, x: Tensor) -> Tensor:
        y, z = self.input(x).chunk(2, -1)
        y = F.silu(self.conv(y.transpose(1, 2))[..., : x.size(1)].transpose(1, 2))
        dt, b, c = self.x(y).split([2, 8, 8], -1)
        dt = F.softplus(self.dt(dt))
        a = torch.exp(dt.unsqueeze(-1) * -torch.exp(self.a))
        bx = dt.unsqueeze(-1) * b.unsqueeze(2) * y.unsqueeze(-1)
        state = torch.zeros(x.size(0), 64, 8)
        outs: List[Tensor] = []
        for t in range(x.size(1)):
            state = a[:, t] * state + bx[:, t]
            outs.append((state * c[:, t, None]).sum(-1))
        return self.out((torch.stack(outs, 1) + y * self.d) * F.silu(z))


class Srgan(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 32, 9, padding=4)
        self.body = nn.Sequential(*[nn.Sequential(nn.Conv2d(32, 32, 3, padding=1), nn.BatchNorm2d(32), nn.PReLU()) for _ in range(3)])
        self.up = nn.Sequential(nn.Conv2d(32, 128, 3, padding=1), nn.PixelShuffle(2), nn.PReLU())
        self.last = nn.Conv2d(32, 3, 9, padding=4)

    def forward(self, x: Tensor) -> Tensor:
        a = F.prelu(self.first(x), torch.tensor([0.2]))
        up = F.interpolate(x, scale_factor=2.0, mode='bicubic', align_corners=False)
        return (self.last(self.up(a + self.body(a))) + up).clamp(0, 1)


class Stn(nn.Module):
    def __init__(self):
        super().__init__()
        self.where = nn.Sequential(nn.Conv2d(1, 8, 7), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(8, 10, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(90, 6))
        self.what = nn.Sequential(nn.Conv2d(1, 10, 5), nn.MaxPool2d(2), nn.ReLU(), nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(90, 10))

    def forward(self, x: Tensor) -> Tensor:
        theta = self.where(x).view(-1, 2, 3) + torch.tensor([[1.0, 0, 0], [0, 1, 0]])
        return self.what(F.grid_sample(x, F.affine_grid(theta, x.shape, align_corners=False), align_corners=False))


class Yolo(nn.Module):
    def __init__(self):
        super().__init__()
        c = lambda i, o, k, s: nn.Sequential(nn.Conv2d(i, o, k, s, k // 2, bias=False), nn.BatchNorm2d(o, eps=1e-3), nn.SiLU(inplace=True))  # noqa: E731
        self.stem, self.a, self.b = c(3, 16, 3, 2), c(16, 32, 3, 2), c(32, 64, 3, 2)
        self.c1, self.c2 = c(64, 32, 1, 1), c(128, 64, 1, 1)
        self.lateral = c(96, 32, 1, 1)
        self.heads = nn.ModuleList([nn.Conv2d(32, 3 * 9, 1), nn.Conv2d(64, 3 * 9, 1)])
        self.register_buffer('anchors', torch.rand(2, 3, 2) * 50)

    def forward(self, x: Tensor) -> Tensor:
        a = self.a(self.stem(x))
        b = self.b(a)
        y = self.c1(b)
        p = [F.max_pool2d(y, 5, 1, 2)]
        for _ in range(2):
            p.append(F.max_pool2d(p[-1], 5, 1, 2))
        b = self.c2(torch.cat([y] + p, 1))
        a = self.lateral(torch.cat([F.interpolate(b, scale_factor=2, mode='nearest'), a], 1))
        out = []
        for i, (head, f, stride) in enumerate(zip(self.heads, (a, b), (4, 8))):
            n, _, h, w = f.shape
            z = head(f).view(n, 3, 9, h, w).permute(0, 1, 3, 4, 2).contiguous().sigmoid()
            gy, gx = torch.meshgrid(torch.arange(h), torch.arange(w), indexing='ij')
            grid = torch.stack((gx, gy), 2).view(1, 1, h, w, 2).float()
            xy = (z[..., 0:2] * 2 - 0.5 + grid) * stride
            wh = (z[..., 2:4] * 2) ** 2 * self.anchors[i].view(1, 3, 1, 1, 2)
            out.append(torch.cat((xy, wh, z[..., 4:]), -1).view(n, -1, 9))
        return torch.cat(out, 1)


class Siren(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2, 64), nn.Linear(64, 64), nn.Linear(64, 64)])
        self.head = nn.Linear(64, 3)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.sin(30 * 0.2 * layer(x))
        return self.head(x)


class Seq2Seq(nn.Module):
    def __init__(self):
        super().__init__()
        self.source, self.target = nn.Embedding(50, 32), nn.Embedding(60, 32)
        self.net = nn.Transformer(32, 4, 2, 2, 64, batch_first=True, norm_first=True)
        self.head = nn.Linear(32, 60)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        causal = torch.triu(torch.full((target.size(1), target.size(1)), float('-inf')), diagonal=1)
        return self.head(self.net(self.source(source), self.target(target), tgt_mask=causal, src_key_padding_mask=None))


class Forecaster(nn.Module):
    """N-BEATS-like blocks with a moving average, decomposition and reversible normalisation."""

    def __init__(self):
        super().__init__()
        self.trend, self.season = nn.Linear(48, 12), nn.Linear(48, 12)
        self.mix = nn.Sequential(nn.Linear(5, 16), nn.Mish(), nn.Linear(16, 5))

    def forward(self, x: Tensor) -> Tensor:
        mean, std = x.mean(1, keepdim=True), torch.sqrt(x.var(1, keepdim=True, unbiased=False) + 1e-5)
        y = ((x - mean) / std).transpose(1, 2)
        padded = torch.cat([y[..., :1].repeat(1, 1, 12), y, y[..., -1:].repeat(1, 1, 12)], -1)
        trend = F.avg_pool1d(padded, 25, 1)
        out = (self.trend(trend) + self.season(y - trend)).transpose(1, 2)
        return (out + self.mix(out)) * std + mean


class Optional3(nn.Module):
    """Optional inputs, a NamedTuple-like tuple of optionals."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 8)
        self.mask = nn.Parameter(torch.ones(8))

    def forward(self, x: Tensor, mask: Optional[Tensor] = None, gain: float = 2.0) -> Tuple[Tensor, Optional[Tensor]]:
        y = self.layer(x) * gain
        if mask is not None:
            y = y.masked_fill(mask, 0.0)
            return y * self.mask, mask.logical_not()
        return y, None


def cases(_group):
    edges = torch.randint(0, 20, (2, 60))
    tokens = lambda *shape: torch.randint(1, 30, shape)  # noqa: E731
    out = {}

    def add(name, build, inputs, hows='script trace script_freeze trace_freeze_optimize'):
        for how in hows.split():
            flags = how.replace('_', ' ')
            out[f'{name}_{how}'] = lambda build=build, inputs=inputs, flags=flags: (build(), inputs(), flags)

    for kind in ('lstm', 'gru', 'rnn'):
        add(f'{kind}_lm', lambda kind=kind: LstmLm(kind), lambda: (tokens(3, 11),))
        add(f'bi{kind}', lambda kind=kind: LstmLm(kind, True), lambda: (tokens(3, 11),), 'script trace')
    add('packed_tagger', PackedTagger, lambda: (tokens(3, 9), torch.tensor([9, 4, 6])))
    add('attention_decoder', Attention, lambda: (tokens(2, 7), 5), 'script script_freeze')
    for norm in ('batch', 'group', 'instance'):
        add(f'unet_{norm}', lambda norm=norm: UNet(norm, norm == 'group'), lambda: (torch.randn(1, 3, 32, 40),))
    add('unet3d', UNet3d, lambda: (torch.randn(1, 1, 8, 16, 16),))
    add('latent_diffusion', Diffusion, lambda: (torch.randn(2, 4, 16, 16), torch.tensor([5, 70]), torch.randn(2, 6, 48)))
    add('ddim', DiffusionSampler, lambda: (torch.randn(1, 4, 8, 8), torch.randn(1, 6, 48), 4), 'script script_freeze')
    add('dit', DiT, lambda: (torch.randn(2, 4, 16, 16), torch.tensor([5, 70])), 'trace script trace_freeze_optimize')
    add('conformer_ctc', Conformer, lambda: (torch.randn(2, 60, 80), torch.tensor([60, 44])))
    add('gnn', Gcn, lambda: (torch.randn(20, 16), edges, torch.arange(20) // 7))
    add('vae', Vae, lambda: (torch.rand(2, 1, 28, 28), torch.randn(2, 8)))
    add('vqvae', VqVae, lambda: (torch.randn(2, 3, 16, 16),))
    add('dcgan', Dcgan, lambda: (torch.randn(2, 32),), 'trace trace_freeze_optimize')
    add('stylegan', StyleBlock, lambda: (torch.randn(3, 16),))
    add('nerf', Nerf, lambda: (torch.randn(10, 3), torch.randn(10, 3)), 'trace trace_freeze_optimize')
    add('tts', Tts, lambda: (tokens(1, 12),), 'trace trace_freeze_optimize')
    add('wavenet', WaveNet, lambda: (torch.randn(2, 1, 100),))
    add('speech_front', SpeechFront, lambda: (torch.randn(2, 4000),))
    add('dgcnn', DeepSets, lambda: (torch.randn(2, 40, 3),))
    add('dlrm', Recommender, lambda: (torch.randn(4, 13), torch.randint(0, 50, (3, 10)), torch.tensor([[0, 2, 5, 9]] * 3)), 'trace trace_freeze_optimize')
    add('beam_search', Beam, lambda: (torch.randn(1, 32), 3, 6), 'script script_freeze')
    add('llama_like', DecoderLm, lambda: (tokens(1, 4), torch.randn(2, 2, 1, 16, 2, 8), torch.arange(5, 9)), 'trace trace_freeze_optimize')
    add('moe', Moe, lambda: (torch.randn(12, 32),), 'script script_freeze trace')
    add('ssm', Ssm, lambda: (torch.randn(2, 9, 32),))
    add('srgan', Srgan, lambda: (torch.rand(1, 3, 16, 20),))
    add('stn', Stn, lambda: (torch.randn(2, 1, 28, 28),))
    add('yolo', Yolo, lambda: (torch.rand(1, 3, 64, 64),), 'trace trace_freeze_optimize')
    add('siren', Siren, lambda: (torch.rand(100, 2),))
    add('seq2seq', Seq2Seq, lambda: (tokens(2, 9), tokens(2, 6)), 'script trace trace_freeze_optimize')
    add('forecaster', Forecaster, lambda: (torch.randn(2, 48, 5),))
    add('optionals', Optional3, lambda: (torch.randn(3, 8), torch.rand(3, 8) > 0.5), 'script')
    return out
