"""Makes conformance cases of whole architectures with random weights, in the format of the kits (development only).

    make_zoo.py FOLDER [--list] [--group torchvision] [--only TEXT] [--skip FILE] [--keep N] [--shard I/N]

A case is FOLDER/<group>/<name>.pt and .io.pt; the .io.pt appears last, whole. --keep N waits while FOLDER holds N cases, so that
whoever runs them can delete them meanwhile. --skip names a file with one case a line that is not to be made.
Needs PyTorch, and torchvision, timm and transformers for their groups.
"""
import argparse
import copy
import glob
import os
import sys
import time
import warnings
import zlib

import torch
from torch import nn

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
warnings.filterwarnings('ignore')
GROUPS = ('own', 'torchvision', 'segmentation', 'video', 'detection', 'flow', 'timm', 'transformers')


def registry(groups):
    """name -> function that gives (module, inputs, how); how has script, trace, freeze, optimize, fragile in it."""
    cases = {}
    for group in groups:
        if group == 'own':
            import zoo_own as made
        elif group == 'transformers':
            import zoo_transformers as made
        elif group == 'timm':
            import zoo_timm as made
        else:
            import zoo_torchvision as made
        for name, make in made.cases(group).items():
            cases[f'{group}/{name}'] = make
    return cases


@torch.no_grad()
def spread(module, generator):
    """Makes parameters that are all alike, and statistics, take part in the result."""
    for name, value in list(module.named_parameters()) + list(module.named_buffers()):
        if not value.is_floating_point() or value.numel() == 0:
            continue
        noise = torch.randn(value.shape, generator=generator).to(value.dtype)
        if name.endswith('running_var'):
            value.copy_(1 + 0.2 * noise.clamp(-3, 3))
        elif name.endswith('running_mean'):
            value.copy_(0.1 * noise)
        elif isinstance(value, nn.Parameter) and (value == value.reshape(-1)[0]).all():
            first = float(value.reshape(-1)[0])
            value.copy_((first if abs(first) > 0.1 else 0.3 if 0 < abs(first) else 0) + 0.05 * noise)


def clone(value):
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, (tuple, list)):
        return type(value)(clone(item) for item in value) if type(value) in (tuple, list) else tuple(clone(item) for item in value)
    if isinstance(value, dict):
        return {key: clone(item) for key, item in value.items()}
    return value


def tensors(value):
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from tensors(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from tensors(item)


def doubled(value):
    if isinstance(value, torch.Tensor):
        return value.double() if value.dtype == torch.float32 else value
    if isinstance(value, (tuple, list)):
        return type(value)(doubled(item) for item in value)
    return value


def tolerance(eager, inputs, expected, flags):
    """1e-4 of the result's size, or four times as far as PyTorch's own result is from the one in float64."""
    floats = [t for t in tensors(expected) if t.is_floating_point() and t.numel() > 0]
    size = max([float(t.float().nan_to_num(0, 0, 0).abs().max()) for t in floats], default=1.0)
    atol = 1e-4 * min(max(size, 1e-3), 1.0)
    if 'no64' not in flags:
        try:
            exact = copy.deepcopy(eager).double()(*doubled(clone(inputs)))
            wanted = list(tensors(exact))
            got = list(tensors(expected))
            if len(wanted) == len(got):
                for a, b in zip(got, wanted):
                    if a.shape == b.shape and a.is_floating_point() and a.numel() > 0:
                        apart = (a.double() - b.double()).abs()
                        apart = apart[apart.isfinite()]
                        if apart.numel() > 0:
                            atol = max(atol, 4 * float(apart.max()))
        except Exception:  # what insists on float32 has the tolerance of its size
            pass
    return 1e-4, min(atol, 0.01 * size)


def make(name, maker, folder):
    seed = zlib.crc32(name.encode()) & 0x7FFFFFFF
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    module, inputs, how = maker()
    flags = how.split()
    module = module.eval()
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    if 'asis' not in flags:
        spread(module, generator)
    with torch.no_grad():
        if 'script' in flags:
            scripted = torch.jit.script(module)
        else:
            module(*clone(inputs))
            scripted = torch.jit.trace(module, clone(inputs), strict=False, check_trace=False)
        if 'freeze' in flags or 'optimize' in flags:
            scripted = torch.jit.freeze(scripted.eval())
        if 'optimize' in flags:
            scripted = torch.jit.run_frozen_optimizations(scripted) or scripted
        expected = clone(scripted(*clone(inputs)))
        again = clone(scripted(*clone(inputs)))
        for a, b in zip(tensors(expected), tensors(again)):
            if a.shape != b.shape or not torch.allclose(a, b, rtol=1e-4, atol=1e-4, equal_nan=True):
                raise RuntimeError('two calls differ')
        if any(t.is_floating_point() and t.isnan().any() for t in tensors(expected)):
            print('   nan in', name, flush=True)
        rtol, atol = tolerance(module, inputs, expected, flags)
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    io = {'inputs': tuple(inputs), 'expected': expected, 'rtol': rtol, 'atol': atol, 'name': f'zoo/{name}', 'source': how}
    if 'fragile' in flags:
        io['fragile'] = True
        io['rtol'] = 1e-3
    try:
        torch.jit.save(scripted, path + '.pt')
        torch.save(io, path + '.part')
        os.rename(path + '.part', path + '.io.pt')
    except BaseException:
        for end in ('.pt', '.part'):
            if os.path.exists(path + end):
                os.remove(path + end)
        raise


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('folder')
    parser.add_argument('--list', action='store_true')
    parser.add_argument('--group', default=','.join(GROUPS))
    parser.add_argument('--only', action='append')
    parser.add_argument('--skip')
    parser.add_argument('--keep', type=int, default=0)
    parser.add_argument('--shard', default='0/1')
    options = parser.parse_args()
    index, count = map(int, options.shard.split('/'))
    skipped = set(open(options.skip).read().split()) if options.skip else set()
    cases = registry(options.group.split(','))
    names = [n for n in cases if n not in skipped and (not options.only or any(text in n for text in options.only))]
    names = names[index::count]
    if options.list:
        print('\n'.join(names))
        return
    for name in names:
        while options.keep and len(glob.glob(os.path.join(options.folder, '*', '*.io.pt'))) >= options.keep:
            time.sleep(0.5)
        start = time.time()
        try:
            make(name, cases[name], options.folder)
            print(f'made {name} {time.time() - start:.1f} s', flush=True)
        except Exception as error:
            text = str(error).strip().split('\n')
            print(f'FAILED {name}: {type(error).__name__}: {" | ".join(text)[:300]}', flush=True)
            if os.environ.get('DEBUG'):
                import traceback

                traceback.print_exc()


if __name__ == '__main__':
    main()
