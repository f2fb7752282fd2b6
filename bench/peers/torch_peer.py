"""Runs a model in PyTorch on command, so that the benchmark can interleave it with others.

One JSON object a line, in and out:
    {"command": "load", "name": NAME, "folder": FOLDER, "mode": MODE, "threads": N} -> {"difference": D}
    {"command": "run", "count": N} -> {"ms": TOTAL}
    {"command": "device"} -> {"name": NAME} or {"skipped": TEXT}
    {"command": "load_device", "name": NAME, "folder": FOLDER, "mode": MODE, "dtype": DTYPE, "batch": N} -> {"difference": D}
    {"command": "product", "dtype": DTYPE, "m": M, "n": N, "k": K} -> {"ms": OF ONE}
    {"command": "memory"} -> {"peakBytes": B, "baseBytes": B, "afterBytes": B}
    {"command": "exit"}
What fails answers {"error": TEXT}, or {"skipped": TEXT} where the mode cannot be had for the model.
Modes: eager, jit (the archive as it is), frozen (torch.jit.freeze and optimize_for_inference), compile (torch.compile, max-autotune).
eager and compile need the model's Python: bench/models/architectures.py with the weights of the archive.
On a device (load_device) a call lasts until the device has done it; compile then replays CUDA graphs, which max-autotune makes.
"""
import gc
import json
import pathlib
import resource
import sys
import time

import torch

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / 'models'))
from architectures import eager_model  # noqa: E402

answers = sys.stdout
sys.stdout = sys.stderr


def status_bytes(field):
    # getrusage's figure is inherited from the process that started this one; the high-water mark of the address space is not.
    try:
        status = pathlib.Path('/proc/self/status').read_text()
        return int(status.split(f'{field}:')[1].split()[0]) * 1024
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


# What a process with PyTorch imported takes before it loads a model.
base = status_bytes('VmHWM')


class Skipped(Exception):
    pass


def first_tensor(value):
    while not isinstance(value, torch.Tensor):
        value = next(iter(value.values())) if isinstance(value, dict) else value[0]
    return value


def prepare(name, folder, mode):
    archive = torch.jit.load(f'{folder}/{name}.pt').eval()
    if mode == 'jit':
        return archive
    if mode == 'frozen':
        return torch.jit.optimize_for_inference(torch.jit.freeze(archive))
    model = eager_model(name, archive)
    if model is None:
        raise Skipped('bench/models/architectures.py has no model that fits the archive')
    if mode == 'eager':
        return model
    # What was compiled before has its number of threads built in.
    torch._dynamo.reset()
    return torch.compile(model, mode='max-autotune')


def batched(tensor, count):
    return torch.cat([tensor] * count) if count > 1 else tensor


class Peer:
    def __init__(self):
        self.model = None
        self.inputs = ()
        self.wait = lambda: None

    def load(self, name, folder, mode, threads):
        self.model, self.inputs, self.wait = None, (), lambda: None
        gc.collect()
        torch.set_num_threads(threads)
        io = torch.load(f'{folder}/{name}.io.pt', weights_only=True)
        self.inputs = tuple(io['inputs'])
        self.model = prepare(name, folder, mode)
        # The profiling executor of TorchScript specialises in its first runs.
        for _ in range(3):
            got = first_tensor(self.model(*self.inputs))
        want = io['expected']
        return {'difference': max(0.0, float(((got - want).abs() - 1e-3 * want.abs()).max()))}

    def device(self):
        if not torch.cuda.is_available():
            raise Skipped('this PyTorch sees no CUDA device')
        return {'name': torch.cuda.get_device_name()}

    def load_device(self, name, folder, mode, dtype, batch):
        self.model, self.inputs, self.wait = None, (), torch.cuda.synchronize
        gc.collect()
        torch.cuda.empty_cache()
        kind = getattr(torch, dtype)
        io = torch.load(f'{folder}/{name}.io.pt', weights_only=True)
        inputs = [batched(x, batch).cuda() for x in io['inputs']]
        self.inputs = tuple(x.to(kind) if x.is_floating_point() else x for x in inputs)
        # Moved before it is compiled or frozen, so that constants are on the device.
        archive = torch.jit.load(f'{folder}/{name}.pt', map_location='cuda').eval()
        if mode in ('jit', 'frozen'):
            model = archive.to(kind)
            self.model = torch.jit.optimize_for_inference(torch.jit.freeze(model)) if mode == 'frozen' else model
        else:
            model = eager_model(name, archive)
            if model is None:
                raise Skipped('bench/models/architectures.py has no model that fits the archive')
            model = model.to('cuda', kind)
            torch._dynamo.reset()
            self.model = torch.compile(model, mode='max-autotune') if mode == 'compile' else model
        for _ in range(4):
            got = first_tensor(self.model(*self.inputs))
        want = batched(io['expected'], batch).float()
        return {'difference': float((got.float().cpu() - want).abs().max() / want.abs().max())}

    def product(self, dtype, m, n, k):
        torch.backends.cuda.matmul.allow_tf32 = dtype == 'tfloat32'
        kind = torch.float32 if dtype == 'tfloat32' else getattr(torch, dtype)
        if dtype == 'int8':
            a, w = (torch.randint(-128, 128, shape, device='cuda', dtype=kind) for shape in ((m, k), (n, k)))
            b, call = w.t(), torch._int_mm
        else:
            a, b = torch.randn(m, k, device='cuda', dtype=kind), torch.randn(k, n, device='cuda', dtype=kind)
            call = torch.matmul
        times = []
        for _ in range(8):
            start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            start.record()
            for _ in range(5):
                call(a, b)
            end.record()
            end.synchronize()
            times.append(start.elapsed_time(end) / 5)
        torch.backends.cuda.matmul.allow_tf32 = False
        return {'ms': min(times[2:])}

    def run(self, count):
        model, inputs, wait = self.model, self.inputs, self.wait
        start = time.perf_counter()
        for _ in range(count):
            model(*inputs)
            wait()
        return {'ms': (time.perf_counter() - start) * 1e3}

    def memory(self):
        return {'peakBytes': status_bytes('VmHWM'), 'baseBytes': base, 'afterBytes': status_bytes('VmRSS')}


def main():
    peer = Peer()
    print(json.dumps({'ready': True, 'version': torch.__version__}), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        command = request.pop('command')
        if command == 'exit':
            return
        try:
            with torch.inference_mode():
                answer = getattr(peer, command)(**request)
        except Skipped as e:
            answer = {'skipped': str(e)}
        except Exception as e:
            answer = {'error': f'{type(e).__name__}: {str(e).strip().splitlines()[0] if str(e).strip() else ""}'}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == '__main__':
    main()
