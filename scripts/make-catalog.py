"""Writes lib/ir/catalog.ts from the schemas that an installed PyTorch registers.

Usage: python scripts/make-catalog.py [schemas.txt]
With a file, its lines are the schemas (one printed schema a line) and the installed PyTorch only gives the registration
order of overloads, which overload resolution follows.
"""
import sys
import torch

NAMESPACES = ("aten", "prim", "quantized", "torchvision", "_quantized", "profiler")
HEADER = """// The operator schemas that PyTorch 2.14.1 registers, as it prints them, in registration order within a name (overload
// resolution tries them in this order). Made by scripts/make-catalog.py; do not edit by hand.
export const catalog = `
"""


def full_name(schema):
    return schema.split("(")[0]


def main():
    if len(sys.argv) > 1:
        lines = [line.rstrip("\n") for line in open(sys.argv[1]) if "::" in full_name(line)]
    else:
        lines = [str(s) for s in torch._C._jit_get_all_schemas()]
    by_name = {}
    for line in lines:
        by_name.setdefault(full_name(line).split(".")[0], []).append(line)
    out = []
    for name in sorted(by_name):
        if name.split("::")[0] not in NAMESPACES:
            continue
        order = {}
        for i, schema in enumerate(torch._C._jit_get_schemas_for_operator(name)):
            order.setdefault(full_name(str(schema)), i)
        out += sorted(by_name[name], key=lambda s: order.get(full_name(s), len(order)))
    text = "\n".join(out).replace("\\", "\\\\")
    open("lib/ir/catalog.ts", "w").write(HEADER + text + "\n`\n")


main()
