#!/usr/bin/env python3
"""rehearse.py CINNABAR KERNELS_TESTS GPU_TABLE LIBRARY: tests/gpu/check.sh without a GPU, so that nothing but a GPU can make it
fail. LIBRARY is the libcinnabar_cuda.so that computes on this processor; shapes and model are tiny.

A stand-in for compute-sanitizer runs what it is given. Every step has to pass and to be in the report.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = os.path.join(HERE, "../golden/models")
SANITIZER = ('#!/bin/sh\nwhile [ "${1#--}" != "$1" ]; do [ "$1" = --tool ] && shift; [ "$1" = --error-exitcode ] && shift; shift; done\n'
             'exec "$@"\n')
HOLES = [{"id": "short", "prefix": "int f() {\n  return ", "suffix": "\n}\n", "max_tokens": 2},
         {"id": "other", "prefix": "for (int i = 0; ", "suffix": ") {}\n", "max_tokens": 2}]
STEPS = ["ceilings", "operations", "table", "infill-cuda", "infill-cpu", "same-answers", "infill-cuda-autoregressive",
         "infill-cuda-diffusion", "memcheck", "racecheck", "synccheck", "initcheck"]


def assemble(folder, programs):
    for program in programs:
        os.symlink(os.path.abspath(program), os.path.join(folder, os.path.basename(program)))
    # The program looks for the library beside itself, not beside what a link names.
    os.remove(os.path.join(folder, "cinnabar"))
    shutil.copy2(programs[0], os.path.join(folder, "cinnabar"))
    os.makedirs(os.path.join(folder, "bin"))
    with open(os.path.join(folder, "bin/compute-sanitizer"), "w", encoding="utf-8") as file:
        file.write(SANITIZER)
    with open(os.path.join(folder, "holes.jsonl"), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(hole) + "\n" for hole in HOLES)
    os.chmod(os.path.join(folder, "bin/compute-sanitizer"), 0o755)


def complaints_of(report):
    results = {step["name"]: step["result"] for step in report["steps"]}
    yield from (f"step {name}: {results.get(name, 'not there')}" for name in STEPS if results.get(name) != "ok")
    models = report["table"].get("models", [])
    if [model["compute"] for model in models] != ["int8", "int4"]:
        yield f"the table has {[model['compute'] for model in models]}, expected int8 and int4"
    elif models[1]["weight_bytes"] >= models[0]["weight_bytes"]:
        yield "weights of 4 bits are no fewer bytes than those of 8"
    for model in models:
        for step in model["steps"]:
            if not 0 < step["ms"] or not 0 < step["floor_ms"]:
                yield f"a step without times: {step}"
            if step["rows"] <= 32 and (step["waits"], step["copies"], step["allocations"], step["graphs"]) != (1, 2, 0, 1):
                yield f"a forward of few rows: {step}"
            if step["memory_bytes"] <= model["weight_bytes"]:
                yield f"a step in less memory than the weights: {step}"
    yield from (f"mode {mode} has no speed" for mode in ("verified", "autoregressive", "diffusion") if mode not in report["modes"])


def main(*programs):
    with tempfile.TemporaryDirectory(prefix="cinnabar-gpu-") as folder:
        assemble(folder, programs)
        environment = {**os.environ, "CINNABAR_GPU_REHEARSAL": "1", "CINNABAR_GPU_HOLES_FILE": os.path.join(folder, "holes.jsonl"),
                       "CINNABAR_GPU_MODEL": os.path.join(MODELS, "qwen2_block"),
                       "PATH": f"{folder}/bin:{os.environ['PATH']}"}
        out = os.path.join(folder, "results")
        ran = subprocess.run(["bash", f"{HERE}/check.sh", folder, out], env=environment, text=True, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, check=False)
        print(ran.stdout)
        if not os.path.exists(f"{out}/report.json"):
            print("no report was written")
            return 1
        with open(f"{out}/report.json", encoding="utf-8") as file:
            complaints = list(complaints_of(json.load(file)))
    for complaint in complaints:
        print(complaint)
    return 1 if complaints or ran.returncode else 0


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
