#!/usr/bin/env python3
"""Makes conformance kits with PyTorch: python scripts/conformance/make_kit.py ops|modules FOLDER [options]

`ops` traces the operators of PyTorch's own test database: its samples, or its harder reference inputs, in every dtype, with the
variants as a method, in place, with `out`, on tensors of other strides, and called again with arguments of other dtypes and shapes.
`modules` writes torch.nn modules in eval mode: those of PyTorch's module database and those of kit_modules.py.
`npm run conformance -- FOLDER` runs what this writes. Development only: needs PyTorch and its test dependencies.
"""
import argparse
import collections
import copy
import hashlib
import os
import random
import signal
import sys
import time
import traceback
import warnings
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '1')
warnings.filterwarnings('ignore')
import torch  # noqa: E402

torch.set_num_threads(1)
torch._C._jit_set_texpr_fuser_enabled(False)

DTYPES = [
    torch.float32, torch.float64, torch.int64, torch.int32, torch.uint8, torch.int16, torch.int8, torch.bool,
    torch.float16, torch.bfloat16, torch.complex64, torch.complex128,
]
WIDER = {
    torch.float16: torch.float64, torch.bfloat16: torch.float64, torch.float32: torch.float64, torch.complex64: torch.complex128,
}
TOLERANCES = {
    torch.float16: (4e-3, 1e-3), torch.bfloat16: (3.2e-2, 1e-2), torch.float32: (1.3e-6, 1e-5), torch.complex64: (1.3e-6, 1e-5),
    torch.float64: (1e-7, 1e-7), torch.complex128: (1e-7, 1e-7),
}
# Results that are uninitialised memory, or drawn.
UNDEFINED = {
    'empty', 'empty_like', 'multinomial', 'new_empty', 'new_empty_strided', 'empty_permuted', 'empty_strided', 'resize_', 'resize_as_',
}
# Results that are unique up to signs or the basis of a space.
FRAGILE = {'linalg.eig', 'linalg.eigh', 'linalg.svd', 'svd', 'svd_lowrank', 'pca_lowrank', 'linalg.qr', 'qr', 'geqrf', 'lobpcg'}


class Skip(Exception):
    """A case that is left out, and why."""


def short(dtype):
    return str(dtype).removeprefix('torch.')


# --- Values -----------------------------------------------------------------------------------------------------------------------------


class Slot:
    def __init__(self, index):
        self.index = index


def take_tensors(value, tensors):
    """The value with a Slot for each tensor, which go into the list."""
    if isinstance(value, torch.Tensor):
        tensors.append(value)
        return Slot(len(tensors) - 1)
    if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
        items = [take_tensors(v, tensors) for v in value]
        return type(value)(items) if type(value) in (list, tuple) else tuple(items)
    if isinstance(value, dict):
        return {k: take_tensors(v, tensors) for k, v in value.items()}
    return value


def put_tensors(value, tensors):
    if isinstance(value, Slot):
        return tensors[value.index]
    if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
        return type(value)(put_tensors(v, tensors) for v in value)
    if isinstance(value, dict):
        return {k: put_tensors(v, tensors) for k, v in value.items()}
    return value


def plain_strided(tensor):
    return (
        tensor.layout == torch.strided and not tensor.is_quantized and tensor.device.type == 'cpu' and tensor.dtype in DTYPES
        and not tensor.is_nested
    )


def clone(tensor):
    """A copy with the same strides, over a storage of its own."""
    tensor = tensor.detach().resolve_conj().resolve_neg()
    need = 1 + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.stride())) if tensor.numel() > 0 else 0
    memory = tensor.as_strided((need,), (1,)).clone()
    return memory.as_strided(tensor.shape, tensor.stride(), 0)


def clones(value):
    if isinstance(value, torch.Tensor):
        return clone(value)
    if isinstance(value, (list, tuple)):
        return type(value)(clones(v) for v in value)
    return {k: clones(v) for k, v in value.items()} if isinstance(value, dict) else value


def plain(value):
    """A result as an io file holds it."""
    if isinstance(value, torch.Tensor):
        if not plain_strided(value):
            raise Skip('a result that is no plain tensor')
        return value.detach().resolve_conj().resolve_neg().clone()
    if isinstance(value, tuple):
        return tuple(plain(v) for v in value)
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, complex):
        return {'__complex__': [value.real, value.imag]}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise Skip(f'a result of type {type(value).__name__}')


def argument(value):
    if isinstance(value, torch.dtype):
        return {'__dtype__': short(value)}
    if isinstance(value, (tuple, list)):
        return type(value)(argument(v) for v in value)
    return value if isinstance(value, torch.Tensor) else plain(value)


def leaves(value):
    if isinstance(value, (list, tuple)):
        return [leaf for v in value for leaf in leaves(v)]
    if isinstance(value, dict):
        return [leaf for v in value.values() for leaf in leaves(v)]
    return [value]


def same(a, b):
    a, b = leaves(a), leaves(b)
    for x, y in zip(a, b):
        if isinstance(x, torch.Tensor):
            if x.shape != y.shape or x.dtype != y.dtype or not torch.equal(torch.nan_to_num(x), torch.nan_to_num(y)):
                return False
        elif x != y and x == x:
            return False
    return len(a) == len(b)


def widened(value):
    if isinstance(value, torch.Tensor):
        return value.to(WIDER.get(value.dtype, value.dtype))
    if isinstance(value, (list, tuple)):
        return type(value)(widened(v) for v in value)
    return value


def tolerances(expected, reference, loose):
    """PyTorch's testing defaults for the dtypes of the result, and 4 times the distance from a reference of higher precision."""
    inexact = [v for v in leaves(expected) if isinstance(v, torch.Tensor) and v.dtype in TOLERANCES]
    if not inexact:
        return (1.3e-6, 1e-5) if any(isinstance(v, float) for v in leaves(expected)) else (0.0, 0.0)
    rtol = max(TOLERANCES[t.dtype][0] for t in inexact)
    atol = max(TOLERANCES[t.dtype][1] for t in inexact)
    if loose is not None and any(t.dtype in (torch.float32, torch.complex64) for t in inexact):
        rtol, atol = max(rtol, loose[0]), max(atol, loose[1])
    distance = 0.0
    if reference is not None:
        for got, want in zip(leaves(expected), leaves(reference)):
            if not isinstance(got, torch.Tensor) or got.dtype not in TOLERANCES or got.shape != want.shape:
                continue
            difference = (got.to(want.dtype) - want).abs()
            difference = difference[torch.isfinite(difference)]
            if difference.numel() > 0:
                distance = max(distance, float(difference.max()))
    return rtol, max(atol, 4 * distance)


# --- Writing ----------------------------------------------------------------------------------------------------------------------------


def write_case(folder, name, module, io):
    path = Path(folder) / f'{name}.pt'
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.jit.save(module, str(path))
    torch.save({**io, 'name': name}, str(path)[:-3] + '.io.pt')


def run_saved(module, inputs, kwargs=None):
    with torch.jit.optimized_execution(False):
        results = []
        for seed in range(4):
            torch.manual_seed(seed)
            results.append(module(*clones(inputs), **clones(kwargs or {})))
            if not same(results[0], results[-1]):
                raise Skip('not deterministic')
        return results[0]


def called_again(module, inputs, generator, times):
    """Further calls with arguments of other dtypes and shapes, with what PyTorch gives or that it raises."""
    calls = []
    for _ in range(times):
        changed = list(inputs)
        for _ in range(generator.choice([1, 1, 2])):
            i = generator.randrange(len(changed))
            changed[i] = mutated(changed[i], generator)
        try:
            expected = run_saved(module, tuple(changed))
            calls.append({'method': 'forward', 'inputs': tuple(changed), 'kwargs': {}, 'expected': plain(expected)})
        except Skip:
            continue
        except Exception as error:  # noqa: BLE001
            expected = {'__raises__': type(error).__name__, 'message_contains': ''}
            calls.append({'method': 'forward', 'inputs': tuple(changed), 'kwargs': {}, 'expected': expected})
    return calls


def mutated(tensor, generator):
    kind = generator.randrange(9)
    if kind < 4:
        return clone(tensor).to(generator.choice(DTYPES))
    if kind == 4:
        return tensor.unsqueeze(generator.randrange(tensor.dim() + 1)).clone()
    if kind == 5 and tensor.dim() > 0 and tensor.size(0) > 0:
        return tensor[0].clone()
    if kind == 6 and tensor.dim() > 0:
        return tensor.narrow(generator.randrange(tensor.dim()), 0, 0).clone()
    if kind == 7 and tensor.dim() > 0:
        dim = generator.randrange(tensor.dim())
        return torch.cat([tensor, tensor], dim)
    if kind == 8 and tensor.dim() > 1:
        return tensor.transpose(0, 1).clone()
    return torch.zeros(generator.choice([(), (1,), (2, 3), (0,)]), dtype=tensor.dtype)


def other_strides(tensor, generator):
    """The same values at other strides: a transposed storage, every second element, or an offset."""
    tensor = clone(tensor)
    if tensor.dim() in (4, 5) and generator.random() < 0.4:
        return tensor.contiguous(memory_format=torch.channels_last if tensor.dim() == 4 else torch.channels_last_3d)
    if tensor.dim() > 1 and generator.random() < 0.5:
        order = list(range(tensor.dim()))
        generator.shuffle(order)
        back = [order.index(i) for i in range(tensor.dim())]
        return tensor.permute(order).contiguous().permute(back)
    if tensor.dim() > 0:
        wide = torch.zeros((*tensor.shape[:-1], 2 * tensor.shape[-1]), dtype=tensor.dtype)
        wide[..., ::2] = tensor
        return wide[..., ::2]
    return tensor


# --- Operators --------------------------------------------------------------------------------------------------------------------------


def group_of(name):
    if name.startswith(('fft.', 'stft', 'istft')):
        return 'fft'
    linalg = {
        'logdet', 'svd', 'svd_lowrank', 'pca_lowrank', 'cholesky', 'cholesky_inverse', 'cholesky_solve', 'inverse', 'lu', 'lu_solve', 'lu_unpack',
        'matrix_exp', 'pinverse', 'qr', 'geqrf', 'ormqr', 'triangular_solve', 'lobpcg', 'norm', 'ldl_factor', 'addr', 'det', 'matrix_power',
    }
    if name.startswith('linalg.') or name in linalg:
        return 'linalg'
    if name.startswith(('special.', 'signal.', 'polygamma', 'mvlgamma', 'igamma', 'lgamma', 'digamma', 'erf', 'i0', 'logit', 'sinc')):
        return 'special'
    return 'core'


def variants_of(info):
    """(name, function of the sample's arguments) of every way to call the operator."""
    out = [('', info.op)]
    if info.method_variant is not None:
        out.append(('method', info.method_variant))
    if info.inplace_variant is not None:
        out.append(('inplace', info.inplace_variant))
    for alias in info.aliases:
        if alias.op is not None:
            out.append((f'alias_{alias.name}', alias.op))
        if alias.inplace_variant is not None:
            out.append((f'alias_{alias.name}_inplace', alias.inplace_variant))
    if info.inplace_operator_variant is not None:
        out.append(('inplace_operator', info.inplace_operator_variant))
    return out


def make_op_case(folder, name, function, sample, options, generator, strides=False, again=0, out=False, source=''):
    tensors = []
    args = take_tensors((sample.input, *sample.args), tensors)
    kwargs = take_tensors(sample.kwargs, tensors)
    if not all(plain_strided(t) for t in tensors):
        raise Skip('an argument that is no plain tensor')
    if sum(t.numel() for t in tensors) > options.elements:
        raise Skip('large')
    tensors = [clone(other_strides(t, generator) if strides else t) for t in tensors]
    functional = function
    if out:
        function = with_out(function, args, kwargs, tensors)

    def call(*values):
        return function(*put_tensors(args, values), **put_tensors(kwargs, values))

    traced = torch.jit.trace(call, tuple(clones(tensors)), check_trace=False)
    inputs = tuple(tensors)
    expected = plain(run_saved(traced, inputs))
    if not all(isinstance(leaf, (torch.Tensor, bool, int, float, type(None))) for leaf in leaves(expected)):
        raise Skip('a result without a plain form')
    reference = None
    if any(t.dtype in WIDER for t in tensors):
        try:
            values = widened(clones(list(inputs)))
            reference = plain(functional(*put_tensors(args, values), **put_tensors(kwargs, values)))
        except Exception:  # noqa: BLE001
            reference = None
    base = name.split('/')[0]
    rtol, atol = tolerances(expected, reference, (1e-4, 1e-4) if base in ('fft', 'linalg') else None)
    io = {'inputs': inputs, 'expected': expected, 'rtol': rtol, 'atol': atol, 'source': source}
    if again > 0 and inputs:
        calls = called_again(traced, inputs, generator, again)
        io['calls'] = [{'method': 'forward', 'inputs': inputs, 'kwargs': {}, 'expected': expected}, *calls]
        for c in calls:
            if not isinstance(c['expected'], dict):
                r, a = tolerances(c['expected'], None, (1e-4, 1e-4) if base in ('fft', 'linalg') else None)
                io['rtol'], io['atol'] = max(io['rtol'], r), max(io['atol'], a)
    if options.fragile:
        io['fragile'] = True
    write_case(folder, name, traced, io)


def with_out(function, args, kwargs, tensors):
    """The function writing into tensors of its own, which start with no elements."""
    result = function(*put_tensors(args, clones(tensors)), **put_tensors(kwargs, clones(tensors)))
    single = isinstance(result, torch.Tensor)
    results = [result] if single else list(result)
    if not results or not all(isinstance(r, torch.Tensor) for r in results):
        raise Skip('no out')

    def call(*a, **k):
        outs = tuple(torch.zeros(0, dtype=r.dtype) for r in results)
        return function(*a, **k, out=outs[0] if single else outs)

    return call


def make_op(info, options, dtype_limit, log):
    name = info.name + (f'.{info.variant_test_name}' if info.variant_test_name else '')
    slug = name.replace('.', '_').replace('/', '_')
    if info.name in UNDEFINED:
        log['undefined'] += 1
        return
    seed = int(hashlib.sha1(f'{name}{options.seed}'.encode()).hexdigest()[:8], 16)
    generator = random.Random(seed)
    options.fragile = info.name in FRAGILE
    supported = info.supported_dtypes('cpu')
    for dtype in DTYPES:
        if dtype not in supported or (options.dtypes and short(dtype) not in options.dtypes):
            continue
        limit = dtype_limit.get(dtype, options.limit)
        torch.manual_seed(seed)
        random.seed(seed)
        samples = []
        try:
            source = info.reference_inputs if options.reference and info.reference_inputs_func is not None else info.sample_inputs
            for i, sample in enumerate(source('cpu', dtype)):
                samples.append((i, sample))
                if len(samples) >= options.pool:
                    break
        except Exception as error:  # noqa: BLE001
            log[f'no samples: {type(error).__name__}'] += 1
        chosen = sorted(generator.sample(range(len(samples)), min(limit, len(samples))))
        plan = [('', i) for i in chosen]
        variants = variants_of(info)
        extra = generator.sample(range(len(samples)), min(options.variants, len(samples)))
        plan += [(variant, i) for variant, _ in variants[1:] for i in extra]
        plan += [('strided', i) for i in generator.sample(range(len(samples)), min(options.variants, len(samples)))]
        if options.variants > 0 and dtype in (torch.float32, torch.int64):
            plan += [('again', i) for i in generator.sample(range(len(samples)), min(options.variants, len(samples)))]
        if info.supports_out and options.variants > 0 and dtype in (torch.float32, torch.int64, torch.float16):
            plan += [('out', i) for i in extra[:1]]
        for variant, i in plan:
            index, sample = samples[i]
            case = f'{group_of(info.name)}/{slug}{"." + variant.replace(".", "_") if variant else ""}.{short(dtype)}.{index}'
            function = dict(variants).get(variant, info.op)
            torch.manual_seed(seed)
            source = f'OpInfo {name} {short(dtype)} {variant} sample {index}/{len(samples)}: {sample.summary()}'
            try:
                if variant in ('inplace', 'inplace_operator') and getattr(sample, 'broadcasts_input', False):
                    continue
                make_op_case(
                    options.folder, case, function, sample, options, generator, strides=variant == 'strided',
                    again=options.again if variant == 'again' else 0, out=variant == 'out', source=source[:400],
                )
                log['written'] += 1
            except Skip as skip:
                log[f'left out: {skip}'] += 1
            except Exception as error:  # noqa: BLE001
                log[f'PyTorch cannot: {type(error).__name__}: {str(error).splitlines()[0][:60] if str(error) else ""}'] += 1


# --- Modules ----------------------------------------------------------------------------------------------------------------------------


class OfTensors(torch.nn.Module):
    """A module as a function of the tensors among its arguments, for a trace."""

    def __init__(self, module, args, kwargs):
        super().__init__()
        self.m = module
        self.args, self.kwargs = args, kwargs

    def forward(self, *values):
        return self.m(*put_tensors(self.args, values), **put_tensors(self.kwargs, values))


def make_module_case(folder, name, module, args, kwargs, source, traced=False, randomise=True):
    module = module.eval()
    with torch.no_grad():
        if any(isinstance(p, torch.nn.UninitializedParameter) for p in module.parameters()):
            module(*clones(args), **clones(kwargs))
        for key, buffer in module.named_buffers():
            if randomise and buffer.is_floating_point() and 'running' in key:
                buffer.copy_(torch.rand_like(buffer) + 0.5)
        tensors = []
        slots = take_tensors(tuple(args), tensors), take_tensors(kwargs, tensors)
        how = 'scripted'
        saved = None
        if not traced:
            try:
                saved = torch.jit.script(module)
                inputs, keywords = tuple(args), dict(kwargs)
                run_saved(saved, inputs, keywords)
                if type(module) in (torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN):
                    saved = None
            except Skip:
                raise
            except Exception:  # noqa: BLE001
                saved = None
        if saved is None:
            how = 'traced'
            inputs, keywords = tuple(tensors), {}
            saved = torch.jit.trace(OfTensors(module, *slots), tuple(clones(tensors)), check_trace=False)
        saved.eval()
        expected = plain(run_saved(saved, inputs, keywords))
        reference = None
        try:
            reference = plain(copy.deepcopy(module).double()(*widened(clones(tuple(args))), **widened(clones(kwargs))))
        except Exception:  # noqa: BLE001
            pass
        loose = any(kind in source for kind in ('Conv', 'RNN', 'LSTM', 'GRU', 'Transformer', 'Attention', 'Adaptive', 'Bilinear'))
        rtol, atol = tolerances(expected, reference, (1e-4, 2e-5) if loose else (1e-5, 1e-5))
        io = {'inputs': argument(inputs), 'expected': expected, 'rtol': rtol, 'atol': atol, 'source': f'{how} {source}'[:400]}
        if keywords:
            kwargs_io = {k: argument(v) for k, v in keywords.items()}
            io['calls'] = [{'method': 'forward', 'inputs': argument(inputs), 'kwargs': kwargs_io, 'expected': expected}]
        write_case(folder, name, saved, io)
    return how


def make_database_module(info, options, _limit, log):
    seed = int(hashlib.sha1(f'{info.name}{options.seed}'.encode()).hexdigest()[:8], 16)
    generator = random.Random(seed)
    for dtype in (torch.float32, torch.float64, torch.bfloat16, torch.float16):
        if options.dtypes and short(dtype) not in options.dtypes:
            continue
        torch.manual_seed(seed)
        try:
            samples = list(info.module_inputs_func(info, 'cpu', dtype, False, False))
        except Exception as error:  # noqa: BLE001
            log[f'no samples: {type(error).__name__}'] += 1
            continue
        limit = options.limit if dtype == torch.float32 else max(1, options.limit // 3)
        for i in sorted(generator.sample(range(len(samples)), min(limit, len(samples)))):
            sample = samples[i]
            how = generator.random() < 0.2
            name = f'database/{info.name.replace("nn.", "nn_").replace(".", "_")}.{short(dtype)}.{i}'
            try:
                torch.manual_seed(seed + i)
                made, forward = sample.constructor_input, sample.forward_input
                kwargs = dict(made.kwargs)
                module = info.module_cls(*made.args, **kwargs).to(dtype)
                source = f'ModuleInfo {info.name}({made.args}, {made.kwargs}) {short(dtype)}: {sample.desc}'
                log[make_module_case(options.folder, name, module, forward.args, forward.kwargs, source, traced=how)] += 1
            except Skip as skip:
                log[f'left out: {skip}'] += 1
            except Exception as error:  # noqa: BLE001
                log[f'PyTorch cannot: {type(error).__name__}: {str(error).splitlines()[0][:60] if str(error) else ""}'] += 1


def make_listed_module(entry, options, _limit, log):
    name, make, args, kwargs = entry
    seed = int(hashlib.sha1(f'{name}{options.seed}'.encode()).hexdigest()[:8], 16)
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        if dtype != torch.float32 and (seed // 7) % options.other_dtypes != 0:
            continue
        if options.dtypes and short(dtype) not in options.dtypes:
            continue
        try:
            torch.manual_seed(seed)
            module = make()
            values = args(), kwargs()
            if dtype != torch.float32:
                module = module.to(dtype)
                values = torch.utils._pytree.tree_map_only(
                    torch.Tensor, lambda t: t.to(dtype) if t.dtype == torch.float32 else t, values,
                )
            case = f'{name}.{short(dtype)}'
            log[make_module_case(options.folder, case, module, *values, f'nn.{name}', traced=seed % 5 == 0)] += 1
        except Skip as skip:
            log[f'left out: {skip}'] += 1
        except Exception as error:  # noqa: BLE001
            if options.verbose:
                traceback.print_exc()
            log[f'PyTorch cannot: {type(error).__name__}: {str(error).splitlines()[0][:60] if str(error) else ""}'] += 1


# --- Processes --------------------------------------------------------------------------------------------------------------------------


def in_children(work, make, options, limits):
    """Makes each entry in a process of its own: PyTorch dies of some arguments."""
    if options.part:
        part, parts = map(int, options.part.split('/'))
        work = work[len(work) * (part - 1) // parts : len(work) * part // parts]
    total = collections.Counter()
    running = {}
    start = time.time()

    def reap():
        pid, status = os.wait()
        entry, pipe, _ = running.pop(pid)
        with os.fdopen(pipe) as text:
            for line in text:
                count, what = line.rstrip('\n').split(' ', 1)
                total[what] += int(count)
                if options.verbose:
                    print(f'{entry}: {count} {what}', flush=True)
        if status != 0:
            total[f'died: {entry}: {status}'] += 1

    for number, entry in enumerate(work):
        while len(running) >= options.jobs:
            reap()
        name = entry[0] if isinstance(entry, tuple) else getattr(entry, 'full_name', entry.name)
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            signal.alarm(options.timeout)
            log = collections.Counter()
            make(entry, options, limits, log)
            with os.fdopen(write, 'w') as text:
                text.write(''.join(f'{count} {what}\n' for what, count in log.items()))
            os._exit(0)
        os.close(write)
        running[pid] = (name, read, time.time())
        if number % 100 == 99:
            print(f'{number + 1}/{len(work)} in {time.time() - start:.0f} s', file=sys.stderr, flush=True)
    while running:
        reap()
    for what, count in total.most_common():
        print(count, what)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('kind', choices=['ops', 'modules'])
    parser.add_argument('folder')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--limit', type=int, default=30, help='samples for an operator or module and dtype')
    parser.add_argument('--pool', type=int, default=400, help='samples among which to choose')
    parser.add_argument('--variants', type=int, default=2, help='samples for each variant of an operator')
    parser.add_argument('--again', type=int, default=8, help='further calls with mutated arguments')
    parser.add_argument('--reference', action='store_true', help="operators' reference inputs: extremal values, strides, broadcasting")
    parser.add_argument('--sizes', type=int, nargs=4, help='the sizes S M L XS of the samples: 5 10 20 3')
    parser.add_argument('--elements', type=int, default=200000, help='leaves out samples with more')
    parser.add_argument('--other-dtypes', type=int, default=4, help='every n-th listed module in further dtypes')
    parser.add_argument('--dtypes', nargs='*')
    parser.add_argument('--only', help='operators or modules whose name contains this')
    parser.add_argument('--part', help='2/3 makes the second third of the operators or modules')
    parser.add_argument('--jobs', type=int, default=2)
    parser.add_argument('--timeout', type=int, default=300, help='seconds for an operator or module')
    parser.add_argument('--verbose', action='store_true')
    options = parser.parse_args()
    options.folder = Path(options.folder)
    sys.path.insert(0, str(Path(__file__).parent))
    if options.kind == 'ops':
        from torch.testing._internal import common_methods_invocations as database

        if options.sizes:
            for name, value in zip(('S', 'M', 'L', 'XS'), options.sizes):
                setattr(database, name, value)
        wanted = [o for o in database.op_db if not options.only or options.only in o.full_name]
        fewer = {d: max(1, options.limit // 3) for d in (torch.uint8, torch.int16, torch.int8, torch.bool, torch.complex128, torch.int32)}
        in_children(wanted, make_op, options, fewer)
        return
    import kit_modules
    from torch.testing._internal.common_modules import module_db

    wanted = [m for m in module_db if not options.only or options.only in m.name]
    in_children(wanted, make_database_module, options, {})
    listed = [entry for entry in kit_modules.entries() if not options.only or options.only in entry[0]]
    in_children(listed, make_listed_module, options, {})


if __name__ == '__main__':
    main()
