"""torch.nn modules with varied constructor arguments, for make_kit.py."""
import itertools
import random

import torch
from torch import nn


class Called(nn.Module):
    """A module inside another one: scripted recurrent layers have no forward once they are loaded by themselves."""

    def __init__(self, m):
        super().__init__()
        self.m = m

    def forward(self, x):
        return self.m(x)


class CalledWithState(nn.Module):
    def __init__(self, m):
        super().__init__()
        self.m = m

    def forward(self, x, h):
        return self.m(x, h)


class CalledWithCell(nn.Module):
    def __init__(self, m):
        super().__init__()
        self.m = m

    def forward(self, x, h, c):
        return self.m(x, (h, c))


class CalledPacked(nn.Module):
    def __init__(self, m, batch_first, sort):
        super().__init__()
        self.m = m
        self.batch_first, self.sort = batch_first, sort

    def forward(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=self.batch_first, enforce_sorted=self.sort)
        out, state = self.m(packed)
        return nn.utils.rnn.pad_packed_sequence(out, batch_first=self.batch_first), state


def randn(*shape):
    return lambda: (torch.randn(*shape),)


def entries():
    """(group/name, makes the module, makes its arguments, makes its keyword arguments) of each case."""
    out = []

    def add(name, make, args, kwargs=dict):
        out.append((name, make, args, kwargs))

    for part in (activations, convolutions, pools, pads, norms, upsamples, recurrent, transformers, losses, embeddings, others):
        part(add)
    return out


def activations(add):
    makers = {
        'ReLU': [{}, {'inplace': True}], 'ReLU6': [{}, {'inplace': True}], 'ELU': [{}, {'alpha': 0.5}, {'alpha': 2.0, 'inplace': True}],
        'CELU': [{}, {'alpha': 0.3}], 'SELU': [{}], 'GELU': [{}, {'approximate': 'tanh'}], 'SiLU': [{}], 'Mish': [{}, {'inplace': True}],
        'Hardtanh': [{}, {'min_val': -0.2, 'max_val': 0.7}], 'Hardswish': [{}], 'Hardsigmoid': [{}], 'Hardshrink': [{}, {'lambd': 0.1}],
        'Softshrink': [{}, {'lambd': 0.1}], 'Softplus': [{}, {'beta': 2, 'threshold': 0.5}], 'Softsign': [{}], 'Tanh': [{}], 'Tanhshrink': [{}],
        'Sigmoid': [{}], 'LogSigmoid': [{}], 'LeakyReLU': [{}, {'negative_slope': 0.3}, {'negative_slope': -0.3, 'inplace': True}],
        'PReLU': [{}, {'num_parameters': 4, 'init': 0.1}], 'RReLU': [{}, {'lower': 0.2, 'upper': 0.4}],
        'Threshold': [{'threshold': 0.1, 'value': 20.0}], 'GLU': [{}, {'dim': 1}], 'Softmin': [{'dim': 1}, {'dim': 0}],
        'Softmax': [{'dim': 0}, {'dim': 1}, {'dim': -1}, {}], 'LogSoftmax': [{'dim': 0}, {'dim': 1}, {'dim': -1}], 'Softmax2d': [{}],
        'Dropout': [{}], 'Dropout1d': [{}], 'Dropout2d': [{}], 'Dropout3d': [{}], 'AlphaDropout': [{}], 'FeatureAlphaDropout': [{}],
    }
    shapes = [(3, 4, 6), (2, 4, 3, 6), (1, 4, 17, 2), (4, 4)]
    for (kind, options), shape in itertools.product(makers.items(), shapes):
        if kind == 'Softmax2d' and len(shape) < 3 or kind == 'Dropout3d' and len(shape) != 4:
            continue
        for i, option in enumerate(options):
            add(f'act/{kind}_{i}_{len(shape)}d{shape[-1]}', lambda k=kind, o=option: getattr(nn, k)(**o), randn(*shape))


def convolutions(add):
    generator = random.Random(3)
    sizes = {1: (11,), 2: (10, 7), 3: (6, 7, 5)}
    for dim, count in ((1, 60), (2, 90), (3, 40)):
        for i in range(count):
            groups = generator.choice([1, 1, 2, 4])
            cin, cout = groups * generator.choice([1, 2, 4]), groups * generator.choice([1, 2, 3, 8])
            if generator.random() < 0.2:
                groups, cout = cin, cin * generator.choice([1, 2])
            kernel = tuple(generator.choice([1, 2, 3]) for _ in range(dim))
            option = {'groups': groups, 'bias': generator.random() < 0.7, 'dilation': tuple(generator.choice([1, 1, 2]) for _ in range(dim))}
            if generator.random() < 0.3:
                option['padding'] = generator.choice(['same', 'valid'])
            else:
                option['padding'] = tuple(generator.choice([0, 1, 2]) for _ in range(dim))
            if option['padding'] != 'same':
                option['stride'] = tuple(generator.choice([1, 1, 2, 3]) for _ in range(dim))
            option['padding_mode'] = generator.choice(['zeros', 'zeros', 'reflect', 'replicate', 'circular'])
            batch = generator.choice([(), (1,), (2,), (3,)])
            add(
                f'conv/Conv{dim}d_{i}', lambda d=dim, a=(cin, cout, kernel), o=option: getattr(nn, f'Conv{d}d')(*a, **o),
                randn(*batch, cin, *sizes[dim]),
            )
            stride = tuple(generator.choice([1, 2, 3]) for _ in range(dim))
            dilation = option['dilation']
            transposed = {
                'groups': groups, 'bias': option['bias'], 'dilation': dilation, 'stride': stride,
                'padding': tuple(generator.choice([0, 1]) for _ in range(dim)),
                'output_padding': tuple(generator.randrange(max(s, d)) for s, d in zip(stride, dilation)),
            }
            small = tuple(s // 2 + 1 for s in sizes[dim])
            add(
                f'conv/ConvTranspose{dim}d_{i}',
                lambda d=dim, a=(cin, cout, kernel), o=transposed: getattr(nn, f'ConvTranspose{d}d')(*a, **o), randn(*batch, cin, *small),
            )
    for name, module, shape in (
        ('Unfold_0', lambda: nn.Unfold(3), (2, 3, 6, 7)), ('Unfold_1', lambda: nn.Unfold((2, 3), dilation=2, padding=1, stride=2), (2, 3, 9, 8)),
        ('Unfold_2', lambda: nn.Unfold(2, stride=(1, 2)), (3, 6, 7)), ('Fold_0', lambda: nn.Fold((5, 6), 2), (2, 12, 20)),
        ('Fold_1', lambda: nn.Fold((7, 6), (3, 2), dilation=(1, 2), padding=1, stride=2), (1, 12, 12)), ('Fold_2', lambda: nn.Fold(4, 2, stride=2), (8, 4)),
    ):
        add(f'conv/{name}', module, randn(*shape))


def pools(add):
    generator = random.Random(4)
    sizes = {1: (13,), 2: (11, 8), 3: (7, 8, 6)}
    for dim in (1, 2, 3):
        for i in range(24):
            kernel = tuple(generator.choice([2, 3]) for _ in range(dim))
            padding = tuple(generator.choice([0, 1]) for _ in range(dim))
            stride = generator.choice([None, tuple(generator.choice([1, 2, 3]) for _ in range(dim))])
            batch = generator.choice([(), (1,), (2,)])
            ceil = generator.random() < 0.5
            most = {
                'kernel_size': kernel, 'stride': stride, 'padding': padding, 'ceil_mode': ceil, 'return_indices': generator.random() < 0.3,
                'dilation': tuple(generator.choice([1, 1, 2]) for _ in range(dim)),
            }
            x = randn(*batch, 3, *sizes[dim])
            add(f'pool/MaxPool{dim}d_{i}', lambda d=dim, o=most: getattr(nn, f'MaxPool{d}d')(**o), x)
            mean = {'kernel_size': kernel, 'stride': stride, 'padding': padding, 'ceil_mode': ceil, 'count_include_pad': generator.random() < 0.5}
            if dim > 1 and generator.random() < 0.3:
                mean['divisor_override'] = generator.choice([1, 3, 7])
            if dim == 1:
                mean = {k: v[0] if isinstance(v, tuple) else v for k, v in mean.items()}
            add(f'pool/AvgPool{dim}d_{i}', lambda d=dim, o=mean: getattr(nn, f'AvgPool{d}d')(**o), x)
        for i in range(6):
            size = tuple(generator.choice([1, 2, 3, 5, None] if dim > 1 else [1, 2, 3, 5]) for _ in range(dim))
            batch = generator.choice([(), (2,)])
            x = randn(*batch, 3, *sizes[dim])
            add(f'pool/AdaptiveAvgPool{dim}d_{i}', lambda d=dim, s=size: getattr(nn, f'AdaptiveAvgPool{d}d')(s if d > 1 else s[0]), x)
            add(
                f'pool/AdaptiveMaxPool{dim}d_{i}',
                lambda d=dim, s=size, r=i % 2 == 0: getattr(nn, f'AdaptiveMaxPool{d}d')(s if d > 1 else s[0], return_indices=r), x,
            )
            power = generator.choice([1, 2, 3, 1.5])
            add(
                f'pool/LPPool{dim}d_{i}',
                lambda d=dim, p=power, c=i % 2 == 0: getattr(nn, f'LPPool{d}d')(p, 2 if d == 1 else (2,) * d, 2, ceil_mode=c),
                lambda b=batch, s=sizes[dim]: (torch.rand(*b, 3, *s) + 0.1,),
            )

            def indices(d=dim, b=batch):
                pooled, at = getattr(nn, f'MaxPool{d}d')(2, 2, return_indices=True)(torch.randn(*b, 3, *(8,) * d))
                return pooled, at

            add(f'pool/MaxUnpool{dim}d_{i}', lambda d=dim: getattr(nn, f'MaxUnpool{d}d')(2, 2), indices)


def pads(add):
    generator = random.Random(5)
    for dim in (1, 2, 3):
        for kind in ('Reflection', 'Replication', 'Zero', 'Constant', 'Circular'):
            for i in range(6):
                low = -2 if kind in ('Zero', 'Constant') else 0
                pad = tuple(generator.randint(low, 3) for _ in range(2 * dim))
                if i == 0:
                    pad = 2
                args = (pad, 1.5) if kind == 'Constant' else (pad,)
                batch = (2,) if i % 2 == 0 or kind == 'Circular' else ()
                add(
                    f'pad/{kind}Pad{dim}d_{i}', lambda k=kind, d=dim, a=args: getattr(nn, f'{k}Pad{d}d')(*a), randn(*batch, 3, *(5, 6, 7)[:dim]),
                )


def norms(add):
    for dim, shape in ((1, (4, 6, 5)), (2, (3, 6, 5, 4)), (3, (2, 6, 3, 4, 5))):
        for i, option in enumerate([{}, {'affine': False}, {'track_running_stats': False}, {'eps': 0.1, 'momentum': None}]):
            add(f'norm/BatchNorm{dim}d_{i}', lambda d=dim, o=option: getattr(nn, f'BatchNorm{d}d')(6, **o), randn(*shape))
            for batched in (True, False):
                add(
                    f'norm/InstanceNorm{dim}d_{i}_{batched}',
                    lambda d=dim, o=option: getattr(nn, f'InstanceNorm{d}d')(6, **{'affine': True, 'track_running_stats': True, **o}),
                    randn(*(shape if batched else shape[1:])),
                )
    add('norm/BatchNorm1d_2d', lambda: nn.BatchNorm1d(6), randn(5, 6))
    add('norm/InstanceNorm2d_plain', lambda: nn.InstanceNorm2d(6), randn(3, 6, 5, 4))
    for groups, affine, shape in itertools.product((1, 2, 3, 6), (True, False), ((2, 6), (2, 6, 5), (2, 6, 5, 4), (1, 6, 1, 33))):
        add(f'norm/GroupNorm_{groups}_{affine}_{len(shape)}d{shape[-1]}', lambda g=groups, a=affine: nn.GroupNorm(g, 6, affine=a), randn(*shape))
    for i, (size, option) in enumerate(itertools.product(
        (7, (5, 7), (4, 5, 7)), ({}, {'elementwise_affine': False}, {'bias': False}, {'eps': 0.5}),
    )):
        add(f'norm/LayerNorm_{i}', lambda s=size, o=option: nn.LayerNorm(s, **o), randn(3, 4, 5, 7))
        if 'bias' not in option:
            add(f'norm/RMSNorm_{i}', lambda s=size, o=option: nn.RMSNorm(s, **o), randn(3, 4, 5, 7))
    for i, option in enumerate(({'size': 2}, {'size': 3, 'alpha': 0.1, 'beta': 0.5, 'k': 2.0}, {'size': 5})):
        for shape in ((2, 7, 9), (2, 7, 4, 3), (1, 4, 2, 3, 2)):
            add(f'norm/LocalResponseNorm_{i}_{len(shape)}d', lambda o=option: nn.LocalResponseNorm(**o), randn(*shape))
    add('norm/CrossMapLRN2d', lambda: nn.CrossMapLRN2d(3), randn(2, 5, 4, 3))


def upsamples(add):
    modes = {1: ('nearest', 'nearest-exact', 'linear', 'area'), 2: ('nearest', 'nearest-exact', 'bilinear', 'bicubic', 'area'),
             3: ('nearest', 'nearest-exact', 'trilinear', 'area')}
    sizes = {1: (9,), 2: (9, 8), 3: (5, 6, 7)}
    for dim in (1, 2, 3):
        for mode in modes[dim]:
            corners = (None, False, True) if 'linear' in mode or mode == 'bicubic' else (None,)
            targets = (
                {'scale_factor': 2.0}, {'scale_factor': 0.6}, {'scale_factor': (1.7, 0.8, 2.3)[:dim]}, {'size': (5, 13, 4)[:dim]}, {'size': 1},
                {'scale_factor': 1.5, 'recompute_scale_factor': True}, {'scale_factor': 3}, {'size': 20},
            )
            for (i, target), align in itertools.product(enumerate(targets), corners):
                add(
                    f'upsample/Upsample{dim}d_{mode}_{align}_{i}',
                    lambda m=mode, a=align, t=target: nn.Upsample(mode=m, align_corners=a, **t), randn(2, 3, *sizes[dim]),
                )
    add('upsample/UpsamplingNearest2d', lambda: nn.UpsamplingNearest2d(scale_factor=2), randn(1, 2, 5, 4))
    add('upsample/UpsamplingBilinear2d', lambda: nn.UpsamplingBilinear2d(size=(7, 9)), randn(1, 2, 5, 4))
    for r in (2, 3):
        add(f'shuffle/PixelShuffle_{r}', lambda r=r: nn.PixelShuffle(r), randn(2, 18 if r == 3 else 12, 4, 3))
        add(f'shuffle/PixelUnshuffle_{r}', lambda r=r: nn.PixelUnshuffle(r), randn(2, 3, 6, 12))
        add(f'shuffle/ChannelShuffle_{r}', lambda r=r: nn.ChannelShuffle(r), randn(2, 6, 4, 3))


def recurrent(add):
    generator = random.Random(6)
    for kind in ('RNN', 'LSTM', 'GRU'):
        for i in range(28):
            option = {
                'num_layers': generator.choice([1, 1, 2, 3]), 'bias': generator.random() < 0.7, 'batch_first': generator.random() < 0.5,
                'bidirectional': generator.random() < 0.5,
            }
            if kind == 'RNN' and generator.random() < 0.5:
                option['nonlinearity'] = 'relu'
            if kind == 'LSTM' and generator.random() < 0.4:
                option['proj_size'] = 3
            width = generator.choice([7, 8, 16])
            batched, with_state, packed = generator.random() < 0.7, generator.random() < 0.4, i % 7 == 6
            shape = ((3, 4, 5) if batched or packed else (4, 5))
            batch = (3 if option['batch_first'] else 4,)
            layers = option['num_layers'] * (2 if option['bidirectional'] else 1)

            def make(k=kind, w=width, o=option, s=with_state, p=packed, sort=i % 2 == 0):
                m = getattr(nn, k)(5, w, **o)
                if p:
                    return CalledPacked(m, o['batch_first'], sort)
                return Called(m) if not s else CalledWithCell(m) if k == 'LSTM' else CalledWithState(m)

            def args(k=kind, w=width, o=option, s=with_state, p=packed, shape=shape, n=batch if batched else (), layers=layers):
                x = torch.randn(*shape)
                if p:
                    full = shape[1] if o['batch_first'] else shape[0]
                    return x, torch.tensor([full, *[max(1, full - 1 - j) for j in range(n[0] - 1)]])
                if not s:
                    return (x,)
                h = torch.randn(layers, *n, o.get('proj_size', w))
                return (x, h, torch.randn(layers, *n, w)) if k == 'LSTM' else (x, h)

            add(f'rnn/{kind}_{i}', make, args)
        for bias, batched, state in itertools.product((True, False), (True, False), (True, False)):
            n = (4,) if batched else ()

            def cell_args(k=kind, n=n, s=state):
                x = torch.randn(*n, 5)
                if not s:
                    return (x,)
                return (x, (torch.randn(*n, 7), torch.randn(*n, 7))) if k == 'LSTM' else (x, torch.randn(*n, 7))

            add(f'rnn/{kind}Cell_{bias}_{batched}_{state}', lambda k=kind, b=bias: getattr(nn, f'{k}Cell')(5, 7, bias=b), cell_args)
    add('rnn/RNNCell_relu', lambda: nn.RNNCell(5, 7, nonlinearity='relu'), randn(4, 5))


def transformers(add):
    generator = random.Random(7)
    for i in range(24):
        first, bias, batched = generator.random() < 0.5, generator.random() < 0.7, generator.random() < 0.8
        other = {'kdim': 6, 'vdim': 10} if i % 5 == 4 else {}
        extra = {'add_bias_kv': True} if i % 6 == 3 and bias else {'add_zero_attn': True} if i % 6 == 5 else {}
        n, length, source = 3, 4, 5

        def args(f=first, b=batched, o=other):
            def of(rows, width):
                return torch.randn(*((n, rows, width) if f else (rows, n, width)) if b else (rows, width))

            return of(length, 8), of(source, o.get('kdim', 8)), of(source, o.get('vdim', 8))

        def kwargs(i=i, b=batched):
            kw = {'need_weights': i % 2 == 0, 'average_attn_weights': i % 4 < 2}
            if i % 3 == 0:
                kw['key_padding_mask'] = torch.arange(source).expand(*((n,) if b else ()), source) >= source - (1 + i % 2)
            if i % 4 == 1:
                kw['attn_mask'] = torch.triu(torch.ones(length, source, dtype=torch.bool), 2) if i % 8 == 1 else torch.randn(length, source)
            return kw

        add(
            f'transformer/MultiheadAttention_{i}',
            lambda f=first, b=bias, o=other, e=extra: nn.MultiheadAttention(8, 2, bias=b, batch_first=f, **o, **e), args, kwargs,
        )
    for i in range(20):
        option = {
            'norm_first': generator.random() < 0.5, 'batch_first': generator.random() < 0.5, 'activation': generator.choice(['relu', 'gelu']),
            'bias': generator.random() < 0.7, 'dropout': 0.1,
        }
        batched = generator.random() < 0.8
        n = 3

        def sequence(rows, o=option, b=batched):
            return torch.randn(*((n, rows, 8) if o['batch_first'] else (rows, n, 8)) if b else (rows, 8))

        def masks(rows, prefix, padding, i=i, b=batched):
            kw = {}
            if i % 3 == 1:
                kw[f'{prefix}mask'] = torch.triu(torch.full((rows, rows), float('-inf')), 1)
            if i % 4 == 2 and b:
                kw[padding] = torch.arange(rows).expand(n, rows) >= rows - 1
            return kw

        add(
            f'transformer/EncoderLayer_{i}', lambda o=option: nn.TransformerEncoderLayer(8, 2, 16, **o), lambda s=sequence: (s(5),),
            lambda m=masks: m(5, 'src_', 'src_key_padding_mask'),
        )
        add(
            f'transformer/DecoderLayer_{i}', lambda o=option: nn.TransformerDecoderLayer(8, 2, 16, **o), lambda s=sequence: (s(5), s(4)),
            lambda m=masks: m(5, 'tgt_', 'tgt_key_padding_mask'),
        )
        add(
            f'transformer/Encoder_{i}',
            lambda o=option, i=i: nn.TransformerEncoder(
                nn.TransformerEncoderLayer(8, 2, 16, **o), 2, norm=nn.LayerNorm(8) if i % 2 else None, enable_nested_tensor=False),
            lambda s=sequence: (s(5),), lambda m=masks: m(5, '', 'src_key_padding_mask'),
        )
        add(
            f'transformer/Decoder_{i}', lambda o=option: nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16, **o), 2),
            lambda s=sequence: (s(5), s(4)), lambda m=masks: m(5, 'tgt_', 'tgt_key_padding_mask'),
        )
        if i < 10:
            add(
                f'transformer/Transformer_{i}', lambda o=option: nn.Transformer(8, 2, 1, 1, 16, **o), lambda s=sequence: (s(5), s(4)),
                lambda m=masks: m(4, 'tgt_', 'tgt_key_padding_mask'),
            )


def losses(add):
    def probability(*shape):
        return torch.rand(*shape) * 0.98 + 0.01

    def signs(*shape):
        return torch.randint(0, 2, shape).float() * 2 - 1

    pairs = {
        'L1Loss': ([{}], lambda s: (torch.randn(*s), torch.randn(*s))), 'MSELoss': ([{}], lambda s: (torch.randn(*s), torch.randn(*s))),
        'SmoothL1Loss': ([{}, {'beta': 0.3}, {'beta': 0.0}], lambda s: (torch.randn(*s), torch.randn(*s))),
        'HuberLoss': ([{}, {'delta': 0.3}], lambda s: (torch.randn(*s), torch.randn(*s))),
        'SoftMarginLoss': ([{}], lambda s: (torch.randn(*s), signs(*s))), 'HingeEmbeddingLoss': ([{}, {'margin': 0.3}], lambda s: (torch.randn(*s), signs(*s))),
        'KLDivLoss': ([{}, {'log_target': True}], lambda s: (torch.randn(*s).log_softmax(-1), torch.randn(*s).log_softmax(-1))),
        'BCELoss': ([{}, {'weight': 'last'}], lambda s: (probability(*s), probability(*s))),
        'BCEWithLogitsLoss': ([{}, {'weight': 'last'}, {'pos_weight': 'last'}, {'weight': 'last', 'pos_weight': 'last'}],
                              lambda s: (torch.randn(*s), probability(*s))),
        'PoissonNLLLoss': ([{}, {'log_input': False}, {'full': True}, {'log_input': False, 'full': True, 'eps': 0.1}],
                           lambda s: (probability(*s), torch.poisson(probability(*s) * 4))),
        'GaussianNLLLoss': ([{}, {'full': True}], lambda s: (torch.randn(*s), torch.randn(*s), probability(*s))),
        'MultiLabelSoftMarginLoss': ([{}, {'weight': 'last'}], lambda s: (torch.randn(*s), (probability(*s) > 0.5).float())),
        'MarginRankingLoss': ([{}, {'margin': 0.5}], lambda s: (torch.randn(*s), torch.randn(*s), signs(*s))),
        'TripletMarginLoss': ([{}, {'margin': 0.5, 'p': 1.0, 'swap': True}, {'p': 3.0}], lambda s: tuple(torch.randn(*s) for _ in range(3))),
        'TripletMarginWithDistanceLoss': ([{}, {'margin': 0.3, 'swap': True}], lambda s: tuple(torch.randn(*s) for _ in range(3))),
        'CosineEmbeddingLoss': ([{}, {'margin': 0.3}], lambda s: (torch.randn(*s), torch.randn(*s), signs(*s[:-1]))),
    }
    for (kind, (options, make)), reduction, shape in itertools.product(pairs.items(), ('none', 'mean', 'sum', 'batchmean'), ((3, 4), (5, 17), (4,))):
        if reduction == 'batchmean' and kind != 'KLDivLoss':
            continue
        for i, option in enumerate(options):
            def module(k=kind, o=option, r=reduction, s=shape):
                made = {key: torch.rand(s[-1]) + 0.5 if v == 'last' else v for key, v in o.items()}
                return getattr(nn, k)(reduction=r, **made)

            add(f'loss/{kind}_{i}_{reduction}_{len(shape)}d{shape[-1]}', module, lambda m=make, s=shape: m(s))
    shapes = ((6, 5), (5,), (2, 5, 3), (2, 5, 3, 4), (2, 5, 2, 3, 2))
    for shape, reduction, (i, option) in itertools.product(
        shapes, ('none', 'mean', 'sum'), enumerate(({}, {'weight': True}, {'ignore_index': 1}, {'weight': True, 'ignore_index': 2})),
    ):
        def classes(o, r):
            made = {k: torch.rand(5) + 0.5 if k == 'weight' else v for k, v in o.items()}
            return {**made, 'reduction': r}

        def target(s=shape):
            t = torch.randint(0, 5, (s[0], *s[2:]) if len(s) > 1 else ())
            return t

        name = f'{i}_{reduction}_{len(shape)}d'
        add(f'loss/NLLLoss_{name}', lambda o=option, r=reduction: nn.NLLLoss(**classes(o, r)),
            lambda s=shape, t=target: (torch.randn(*s).log_softmax(1 if len(s) > 1 else 0), t(s)))
        for smoothing in (0.0, 0.2):
            add(f'loss/CrossEntropyLoss_{name}_{smoothing}',
                lambda o=option, r=reduction, l=smoothing: nn.CrossEntropyLoss(**classes(o, r), label_smoothing=l), lambda s=shape, t=target: (torch.randn(*s), t(s)))
            if 'ignore_index' not in option:
                add(f'loss/CrossEntropyLoss_soft_{name}_{smoothing}',
                    lambda o=option, r=reduction, l=smoothing: nn.CrossEntropyLoss(**classes(o, r), label_smoothing=l),
                    lambda s=shape: (torch.randn(*s), torch.randn(*s).softmax(1 if len(s) > 1 else 0)))
    for reduction, (i, option) in itertools.product(('none', 'mean', 'sum'), enumerate(({}, {'p': 2}, {'margin': 0.3}, {'weight': True}))):
        def margin(o=option, r=reduction):
            return nn.MultiMarginLoss(reduction=r, **{k: torch.rand(5) if k == 'weight' else v for k, v in o.items()})

        add(f'loss/MultiMarginLoss_{i}_{reduction}', margin, lambda: (torch.randn(6, 5), torch.randint(0, 5, (6,))))
        add(f'loss/MultiMarginLoss_{i}_{reduction}_1d', margin, lambda: (torch.randn(5), torch.randint(0, 5, ())))
    for reduction in ('none', 'mean', 'sum'):
        add(f'loss/MultiLabelMarginLoss_{reduction}', lambda r=reduction: nn.MultiLabelMarginLoss(reduction=r),
            lambda: (torch.randn(2, 4), torch.tensor([[3, 0, -1, 1], [0, 1, 2, -1]])))
        add(f'loss/MultiLabelMarginLoss_{reduction}_1d', lambda r=reduction: nn.MultiLabelMarginLoss(reduction=r),
            lambda: (torch.randn(4), torch.tensor([3, 0, -1, 1])))
        for i, option in enumerate(({}, {'blank': 2}, {'zero_infinity': True})):
            def ctc(o=option, batched=True):
                labels = torch.randint(3, 6, (3, 4))
                return torch.randn(9, 3, 6).log_softmax(2), labels, torch.tensor([9, 7, 3]), torch.tensor([4, 2, 3])

            add(f'loss/CTCLoss_{i}_{reduction}', lambda o=option, r=reduction: nn.CTCLoss(reduction=r, **o), ctc)


def embeddings(add):
    for i, option in enumerate(({}, {'padding_idx': 2}, {'max_norm': 1.0}, {'max_norm': 0.5, 'norm_type': 1.0}, {'scale_grad_by_freq': True}, {'sparse': True})):
        for shape in ((), (4,), (2, 5), (2, 0)):
            add(f'embedding/Embedding_{i}_{len(shape)}d{shape[-1:]}', lambda o=option: nn.Embedding(10, 3, **o), lambda s=shape: (torch.randint(0, 10, s),))
    for mode, (i, option), dtype in itertools.product(
        ('sum', 'mean', 'max'), enumerate(({}, {'padding_idx': 2}, {'include_last_offset': True}, {'max_norm': 1.0})), (torch.int64, torch.int32),
    ):
        name = f'{mode}_{i}_{"int32" if dtype == torch.int32 else "int64"}'

        def make(m=mode, o=option):
            return nn.EmbeddingBag(10, 3, mode=m, **o)

        def offsets(d=dtype, o=option):
            ends = [0, 2, 2, 5] + ([8] if 'include_last_offset' in o else [])
            return torch.randint(0, 10, (8,)).to(d), torch.tensor(ends, dtype=d)

        add(f'embedding/EmbeddingBag_{name}', make, offsets)
        if 'include_last_offset' not in option:
            add(f'embedding/EmbeddingBag_2d_{name}', make, lambda d=dtype: (torch.randint(0, 10, (3, 4)).to(d),))
        if mode == 'sum':
            add(f'embedding/EmbeddingBag_weights_{name}', make, lambda f=offsets, d=dtype, o=option: (*f(d, o), torch.randn(8)))


def others(add):
    for shape in ((4,), (3, 4), (2, 3, 4), (2, 1, 3, 4), (0, 4)):
        for bias in (True, False):
            add(f'linear/Linear_{len(shape)}d{shape[0]}_{bias}', lambda b=bias: nn.Linear(4, 5, bias=b), randn(*shape))
    for shape in ((), (3,), (2, 3)):
        for bias in (True, False):
            add(f'linear/Bilinear_{len(shape)}d_{bias}', lambda b=bias: nn.Bilinear(3, 4, 5, bias=b),
                lambda s=shape: (torch.randn(*s, 3), torch.randn(*s, 4)))
    for p, keep, eps in itertools.product((0.5, 1.0, 2.0, 3.0, float('inf')), (True, False), (1e-6, 0.1)):
        add(f'distance/PairwiseDistance_{p}_{keep}_{eps}', lambda a=(p, eps, keep): nn.PairwiseDistance(*a), lambda: (torch.randn(3, 4), torch.randn(3, 4)))
    for dim in (0, 1, -1):
        add(f'distance/CosineSimilarity_{dim}', lambda d=dim: nn.CosineSimilarity(dim=d), lambda: (torch.randn(3, 4, 5), torch.randn(3, 4, 5)))
    for i, (start, end) in enumerate(((1, -1), (0, 1), (1, 2), (0, -1), (2, 3))):
        add(f'other/Flatten_{i}', lambda s=start, e=end: nn.Flatten(s, e), randn(2, 3, 4, 5))
    add('other/Unflatten_0', lambda: nn.Unflatten(1, (2, 3)), randn(2, 6, 4))
    add('other/Unflatten_1', lambda: nn.Unflatten(-1, (2, -1)), randn(2, 3, 4))
    for i, option in enumerate(({}, {'div_value': 2.0}, {'head_bias': True})):
        for target in (True, False):
            def softmax(o=option):
                return nn.AdaptiveLogSoftmaxWithLoss(16, 20, [4, 10], **o)

            if target:
                add(f'other/AdaptiveLogSoftmaxWithLoss_{i}', softmax, lambda: (torch.randn(5, 16), torch.tensor([0, 4, 11, 19, 3])))
                add(f'other/AdaptiveLogSoftmaxWithLoss_{i}_1d', softmax, lambda: (torch.randn(16), torch.tensor(7)))
            else:
                class LogProb(nn.Module):
                    def __init__(self, m):
                        super().__init__()
                        self.m = m

                    def forward(self, x):
                        return self.m.log_prob(x), self.m.predict(x)

                add(f'other/AdaptiveLogSoftmax_log_prob_{i}', lambda s=softmax: LogProb(s()), randn(5, 16))
    add('containers/Sequential', lambda: nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Sequential(nn.Linear(6, 3), nn.Tanh())), randn(2, 4))
