#!/usr/bin/env python3
"""Registers, shared memory and spills of each kernel, as ptxas reports them.

    resources.py compile FOLDER COMMAND...   runs nvcc; its report goes to FOLDER, everything else on to standard error
    resources.py table FOLDER OUT            all reports as a table in OUT; says which kernels spill
"""
import os
import re
import subprocess
import sys

ENTRY = re.compile(r"Compiling entry function '(\w+)' for '(sm_\w+)'")
USED = re.compile(r"Used (\d+) registers(?:, used \d+ barriers)?(?:, (\d+) bytes cumulative stack size)?(?:, (\d+) bytes smem)?")
SPILLS = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")


def is_report(line):
    return line.startswith("ptxas info") or line.startswith("    ") and "bytes stack frame" in line


def compile_with(folder, command):
    ran = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    lines = ran.stderr.splitlines()
    sys.stderr.write("".join(line + "\n" for line in lines if not is_report(line)))
    source = next((os.path.basename(word) for word in command if word.endswith(".cu")), None)
    if source:
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, source + ".txt"), "w", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in lines if is_report(line)))
    return ran.returncode


def short(mangled):
    """"fused_product<int, 1, 2>" of its mangled name: the kernels are functions and templates of a few plain arguments."""
    at, name = 0, mangled
    while (match := re.compile(r"\d+").search(mangled, at)) and mangled[at:at + 1] not in ("I", "E"):
        at = match.end() + int(match[0])
        name = mangled[match.end():at]
    arguments = re.findall(r"L[ij](\d+)E|([if])", re.match(r"(?:I(?:L[ij]\d+E|[if])+E)?", mangled[at:])[0][1:-1])
    values = [number or {"i": "int", "f": "float"}[kind] for number, kind in arguments]
    return name + (f"<{', '.join(values)}>" if values else "")


def rows_of(text):
    kernel = target = spills = None
    for line in text.splitlines():
        if match := ENTRY.search(line):
            kernel, target = match[1], match[2]
        elif match := SPILLS.search(line):
            spills = [int(match[i]) for i in (1, 2, 3)]
        elif (match := USED.search(line)) and kernel:
            yield [short(kernel), target, int(match[1]), int(match[3] or 0), *(spills or [0, 0, 0])]
            kernel = spills = None


def table(folder, out):
    rows = []
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            rows += [[name.removesuffix(".txt"), *row] for row in rows_of(file.read())]
    spilled = [row for row in rows if row[6] or row[7]]
    with open(out, "w", encoding="utf-8") as file:
        file.write(f"{'source':16} {'kernel':34} {'target':8} {'registers':>9} {'shared':>7} {'stack':>6} {'stores':>7} {'loads':>6}\n")
        for row in rows:
            file.write("{:16} {:34} {:8} {:9d} {:7d} {:6d} {:7d} {:6d}\n".format(*row))
    most = max((row[3] for row in rows), default=0)
    print(f"{len(rows)} kernels by targets, at most {most} registers, {len(spilled)} spill: {out}")
    for row in spilled:
        print(f"  {row[1]} for {row[2]}: {row[6]} bytes stored, {row[7]} loaded")
    return 0 if rows else 1


if __name__ == "__main__":
    if len(sys.argv) < 4 or sys.argv[1] not in ("compile", "table"):
        sys.exit(__doc__)
    sys.exit(compile_with(sys.argv[2], sys.argv[3:]) if sys.argv[1] == "compile" else table(sys.argv[2], sys.argv[3]))
