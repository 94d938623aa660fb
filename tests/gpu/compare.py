#!/usr/bin/env python3
"""compare.py CPU CUDA: two outputs of `cinnabar infill --jsonl` over the same holes, side by side.

Products of int8 have the same bits on both devices, the rest differs by rounding; so greedy answers differ only where two
tokens are all but equally likely. Fails when fewer than nine answers in ten are the same, or one is missing.
"""
import json
import statistics
import sys

LEAST = 0.9


def read(path):
    answers = {}
    for line in open(path, encoding="utf-8"):
        if line.startswith("{"):
            answer = json.loads(line)
            answers[answer["id"]] = answer
    return answers


def main(cpu_path, cuda_path):
    cpu, cuda = read(cpu_path), read(cuda_path)
    if not cpu or set(cpu) != set(cuda):
        print(f"{len(cpu)} answers of the CPU, {len(cuda)} of the GPU")
        return 1
    same = sum(cpu[i].get("text") == cuda[i].get("text") for i in cpu)
    print(f"{same} of {len(cpu)} answers are the same")
    for i in cpu:
        if cpu[i].get("text") != cuda[i].get("text"):
            print(f"  {i}: {cpu[i].get('text')!r} on the CPU, {cuda[i].get('text')!r} on the GPU")
    for name, answers in (("CPU", cpu), ("GPU", cuda)):
        times = sorted(a["ms"] for a in answers.values() if "ms" in a)
        print(f"{name}: median {statistics.median(times):.0f} ms, least {times[0]:.0f}, most {times[-1]:.0f}")
    return 0 if same >= LEAST * len(cpu) else 1


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
