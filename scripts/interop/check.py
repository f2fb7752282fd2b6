"""Compares copies of TorchScript archives with their originals, in PyTorch.

Reads jobs from standard input, one JSON object a line, and writes a result for each, one JSON object a line:
  {"name", "copy", "original", "io"}   both archives run the calls of the io file and must do the same
  {"name", "copy", "expected"}         the archive runs on the inputs of the `expected` file (torch.save) and must give its outputs;
                                       its state_dict must be the file's
Results: {"name", "ok", "reason", "skipped"}; `skipped` where PyTorch cannot run the original either.
"""

import copy
import json
import sys
import warnings

import torch

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
try:
    torch.backends.quantized.engine = "fbgemm"
except RuntimeError:
    pass

# Tolerances of torch.testing, for results that are not the same bit for bit.
TOLERANCES = {
    torch.float16: (1e-3, 1e-5),
    torch.bfloat16: (1.6e-2, 1e-5),
    torch.float32: (1.3e-6, 1e-5),
    torch.float64: (1e-7, 1e-7),
    torch.complex32: (1e-3, 1e-5),
    torch.complex64: (1.3e-6, 1e-5),
    torch.complex128: (1e-7, 1e-7),
}


def revive(value):
    """Arguments as the io files spell them."""
    if isinstance(value, dict):
        if "__complex__" in value:
            return complex(*value["__complex__"])
        if "__dtype__" in value:
            return getattr(torch, value["__dtype__"])
        if "__device__" in value:
            return torch.device(value["__device__"])
        return {k: revive(v) for k, v in value.items()}
    if isinstance(value, list):
        return [revive(v) for v in value]
    if isinstance(value, tuple):
        return tuple(revive(v) for v in value)
    return value


def fresh(value):
    return copy.deepcopy(value)


def mismatch(a, b, where="result", tolerance=None):
    """What makes two results differ, or None."""
    if isinstance(a, torch.Tensor):
        if not isinstance(b, torch.Tensor):
            return f"{where}: a tensor and a {type(b).__name__}"
        if a.dtype != b.dtype or a.shape != b.shape:
            return f"{where}: {a.dtype} {list(a.shape)} and {b.dtype} {list(b.shape)}"
        if a.is_quantized:
            if a.qscheme() != b.qscheme():
                return f"{where}: {a.qscheme()} and {b.qscheme()}"
            return mismatch(a.int_repr(), b.int_repr(), where) or mismatch(a.dequantize(), b.dequantize(), where)
        if a.layout != torch.strided:
            return mismatch(a.to_dense(), b.to_dense(), where)
        if a.dtype not in TOLERANCES:
            if a.is_floating_point():
                a, b = a.view(torch.uint8), b.view(torch.uint8)
            return None if torch.equal(a, b) else f"{where}: different values"
        rtol, atol = tolerance or TOLERANCES[a.dtype]
        a, b = a.resolve_conj().resolve_neg(), b.resolve_conj().resolve_neg()
        wide = torch.complex128 if a.is_complex() else torch.float64
        if torch.allclose(b.to(wide), a.to(wide), rtol=rtol, atol=atol, equal_nan=True):
            return None
        return f"{where}: values differ by up to {(a.to(wide) - b.to(wide)).abs().max().item()}"
    if isinstance(a, (list, tuple)):
        if not isinstance(b, (list, tuple)) or len(a) != len(b):
            return f"{where}: {len(a)} items and {len(b) if hasattr(b, '__len__') else b}"
        return next((m for i in range(len(a)) if (m := mismatch(a[i], b[i], f"{where}[{i}]", tolerance))), None)
    if isinstance(a, dict):
        if not isinstance(b, dict) or list(a) != list(b):
            return f"{where}: keys {list(a)} and {list(b) if isinstance(b, dict) else b}"
        return next((m for k in a if (m := mismatch(a[k], b[k], f"{where}[{k!r}]", tolerance))), None)
    if isinstance(a, float) and isinstance(b, float):
        return None if a == b or (a != a and b != b) else f"{where}: {a} and {b}"
    if type(a) is not type(b):
        same = type(a).__name__ == type(b).__name__
        return None if same and str(a) == str(b) else f"{where}: a {type(a).__name__} and a {type(b).__name__}"
    try:
        return None if a == b or str(a) == str(b) else f"{where}: {a!r} and {b!r}"
    except Exception:
        return None


def run(module, call):
    """The result of a call, or the exception that it raised."""
    torch.manual_seed(0)
    inputs, kwargs = fresh(call["inputs"]), fresh(call.get("kwargs") or {})
    try:
        with torch.no_grad():
            result = getattr(module, call.get("method") or "forward")(*inputs, **kwargs)
        return {"result": result, "inputs": inputs}
    except Exception as error:
        return {"error": f"{type(error).__name__}"}


def first_line(error):
    lines = [line.strip() for line in str(error).split("\n") if line.strip()]
    return f"{type(error).__name__}: {' / '.join(lines[:3])}"[:400]


def state_mismatch(original, module):
    """Parameters and buffers must be the same, and those that share memory must go on sharing it."""
    a, b = dict(original.state_dict(keep_vars=True)), dict(module.state_dict(keep_vars=True))
    if list(a) != list(b):
        return f"state_dict: keys {list(a)} and {list(b)}"
    for name, tensor in a.items():
        if isinstance(tensor, torch.Tensor) and tensor.requires_grad != b[name].requires_grad:
            return f"state_dict[{name!r}]: requires_grad {tensor.requires_grad} and {b[name].requires_grad}"
        if isinstance(tensor, torch.Tensor) and tensor.stride() != b[name].stride():
            return f"state_dict[{name!r}]: strides {tensor.stride()} and {b[name].stride()}"
    sharing = [[[n for n in d if d[n].untyped_storage().data_ptr() == t.untyped_storage().data_ptr()] for t in d.values() if t.layout == torch.strided and t.numel()] for d in (a, b)]
    if sharing[0] != sharing[1]:
        return "state_dict: memory is shared differently"
    names = [[n for n, _ in m.named_parameters(remove_duplicate=False)] for m in (original, module)]
    return mismatch(a, b, "state_dict") or (None if names[0] == names[1] else "named_parameters differ")


def compare(job):
    try:
        io = torch.load(job["io"], weights_only=False)
        original = torch.jit.load(job["original"], map_location="cpu")
    except Exception as error:
        return {"skipped": first_line(error)}
    try:
        module = torch.jit.load(job["copy"], map_location="cpu")
    except Exception as error:
        return {"reason": f"PyTorch does not load the copy: {first_line(error)}"}
    if (reason := state_mismatch(original, module)) is not None:
        return {"reason": reason}
    calls = io.get("calls") or [{"inputs": io["inputs"]}]
    calls = [{**call, "inputs": revive(tuple(call["inputs"])), "kwargs": revive(call.get("kwargs") or {})} for call in calls]
    for i, call in enumerate(calls):
        wanted, got = run(original, call), run(module, call)
        if wanted.keys() != got.keys():
            return {"reason": f"call {i}: {wanted.get('error', 'a result')} and {got.get('error', 'a result')}"}
        if "error" in wanted:
            if wanted["error"] != got["error"]:
                return {"reason": f"call {i}: raised {wanted['error']} and {got['error']}"}
            continue
        reason = mismatch(wanted["result"], got["result"], f"call {i}") or mismatch(wanted["inputs"], got["inputs"], f"inputs of call {i}")
        if reason is not None:
            return {"reason": reason}
    return {"ok": True}


def check_authored(job):
    """An archive of ours against results that we computed."""
    try:
        io = torch.load(job["expected"], weights_only=True)
    except Exception as error:
        return {"reason": f"PyTorch does not load the results: {first_line(error)}"}
    files = {name: "" for name in io["files"]}
    try:
        module = torch.jit.load(job["copy"], _extra_files=files)
    except Exception as error:
        return {"reason": f"PyTorch does not load the archive: {first_line(error)}"}
    if {name: bytes(content) for name, content in files.items()} != {name: text.encode("latin1") for name, text in io["files"].items()}:
        return {"reason": f"extra files: {files}"}
    state = {name: tensor.detach() for name, tensor in module.state_dict().items()}
    if (reason := mismatch({k: v.detach() for k, v in io["state"].items()}, state, "state_dict")) is not None:
        return {"reason": reason}
    for i, call in enumerate(io["calls"]):
        torch.manual_seed(0)
        try:
            with torch.no_grad():
                result = getattr(module, call.get("method") or "forward")(*fresh(call["inputs"]))
        except Exception as error:
            return {"reason": f"call {i}: {first_line(error)}"}
        tolerance = (io["rtol"], io["atol"]) if "rtol" in io else None
        if (reason := mismatch(as_plain(call["expected"]), as_plain(result), f"call {i}", tolerance)) is not None:
            return {"reason": reason}
    return {"ok": True}


def as_plain(value):
    """Numbers of any type as floats, tuples as lists: JavaScript has one kind of each."""
    if isinstance(value, bool) or value is None or isinstance(value, (str, torch.Tensor)):
        return value
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {name: as_plain(item) for name, item in zip(value._fields, value)}
    if isinstance(value, (list, tuple)):
        return [as_plain(item) for item in value]
    if isinstance(value, dict):
        return {k: as_plain(v) for k, v in value.items()}
    return value


def main():
    for line in sys.stdin:
        job = json.loads(line)
        try:
            outcome = compare(job) if "original" in job else check_authored(job)
        except Exception as error:
            outcome = {"reason": first_line(error)}
        print(json.dumps({"name": job["name"], "ok": False, **outcome}), flush=True)


if __name__ == "__main__":
    main()
