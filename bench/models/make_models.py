"""Makes the models of the benchmark: NAME.pt (a trace), NAME.onnx and NAME.io.pt ({'inputs': tuple, 'expected': tensor}) for each.

    python bench/models/make_models.py [--out bench/models/out] [--filter mlp] [--seed 0] [--no-onnx]

Weights are random. Running statistics and norms are set so that activations neither vanish nor grow: values stay comparable through 50 layers.
"""
import argparse
import pathlib
import warnings

import torch
from torch import nn

from architectures import ARCHITECTURES

here = pathlib.Path(__file__).parent


def calibrate(model, inputs):
    """Sets the statistics of batch norms to those of the inputs, then varies them a little, so that folding them is visible."""
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    if not norms:
        return
    for norm in norms:
        norm.train()
        norm.momentum = 1.0
    with torch.no_grad():
        model(*inputs)
        for norm in norms:
            norm.eval()
            norm.running_mean.mul_(torch.empty_like(norm.running_mean).uniform_(0.9, 1.1))
            norm.running_var.clamp_(min=1e-3).mul_(torch.empty_like(norm.running_var).uniform_(0.9, 1.1))
            norm.weight.uniform_(0.5, 1.0)
            norm.bias.uniform_(-0.1, 0.1)


def export_onnx(model, inputs, path):
    names = [f'input{i}' for i in range(len(inputs))]
    # The fast path of nn.MultiheadAttention has no ONNX; folding would write tied weights twice.
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            torch.onnx.export(model, inputs, str(path), opset_version=17, dynamo=False, do_constant_folding=False, input_names=names)
    finally:
        torch.backends.mha.set_fastpath_enabled(True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--out', type=pathlib.Path, default=here / 'out')
    parser.add_argument('--filter', default='')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--no-onnx', action='store_true')
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name, (make, make_inputs) in ARCHITECTURES.items():
        if options.filter not in name:
            continue
        torch.manual_seed(options.seed)
        model = make().eval()
        inputs = make_inputs()
        calibrate(model, inputs)
        with torch.no_grad():
            expected = model(*inputs)
            traced = torch.jit.trace(model, inputs, check_trace=False)
            traced.save(str(options.out / f'{name}.pt'))
            torch.save({'inputs': inputs, 'expected': expected}, str(options.out / f'{name}.io.pt'))
            if not options.no_onnx:
                export_onnx(model, inputs, options.out / f'{name}.onnx')
        print(f'{name}: {sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters, expected {tuple(expected.shape)}', flush=True)


if __name__ == '__main__':
    main()
