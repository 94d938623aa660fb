#!/usr/bin/env python3
"""What an adapter gains in the program itself, on the holes of tests/holes: forwards and time a token, and that verified
answers stay what they were. Standard library only.

    evaluate.py CINNABAR ADAPTER [--holes N] [--threads N] [--option ...]

Runs `cinnabar infill` over every k-th hole, N of them, one token a forward, verified without and with the adapter, and
prints a row each. The runs take turns hole by hole, so that whatever else the machine does burdens all of them alike; times
are the program's own, the prompt's reading included. Exit status 1 when an answer differs.
"""
import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STOP = {"line": "line", "rest": "line", "body": "block", "lines": "block"}


def read_holes(count):
    holes = []
    for name in ("single_line", "multi_line"):
        with open(ROOT / "tests" / "holes" / f"{name}.jsonl", encoding="utf-8") as file:
            holes += [json.loads(line) for line in file]
    step = max(1, len(holes) // count)
    return holes[::step][:count]


class Program:
    """One running `cinnabar infill`."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            sys.exit(f"{request['id']}: {answer['error']}")
        return answer


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cinnabar")
    parser.add_argument("adapter")
    parser.add_argument("--holes", type=int, default=52)
    parser.add_argument("--threads", default="1")
    parser.add_argument("--max-tokens", type=int, default=64)
    parser.add_argument("--lookup", default="on", choices=("on", "off"))
    options = parser.parse_args()
    common = [options.cinnabar, "infill", "--jsonl", "--threads", options.threads, "--max-tokens", str(options.max_tokens)]
    verified = common + ["--mode", "verified", "--lookup", options.lookup]
    programs = {"one token a forward": Program(common + ["--mode", "autoregressive"]), "verified": Program(verified),
                "verified, adapter": Program(verified + ["--adapter", options.adapter])}
    totals = {name: {"nfe": 0, "tokens": 0, "ms": 0.0, "first_ms": 0.0, "exact": 0} for name in programs}
    different = 0
    holes = read_holes(options.holes)
    for hole in holes:
        request = {"id": hole["id"], "prefix": hole["prefix"], "suffix": hole["suffix"], "stop": STOP[hole["kind"]]}
        texts = set()
        for name, program in programs.items():
            cold = program.ask({**request, "max_tokens": 1})  # reads the prompt; the second call then only decodes
            answer = program.ask(request)
            total = totals[name]
            for key in ("nfe", "tokens", "ms"):
                total[key] += answer[key]
            total["first_ms"] += cold["ms"]
            total["exact"] += answer["text"].rstrip() == hole["middle"].rstrip()
            texts.add(answer["text"])
        different += len(texts) > 1
    print(f"{len(holes)} holes, lookup {options.lookup}, answers that differ: {different}")
    print("| drafts | forwards a token | ms a token | ms an answer | exact |\n|---|---|---|---|---|")
    for name, t in totals.items():
        print(f"| {name} | {t['nfe'] / t['tokens']:.3f} | {t['ms'] / t['tokens']:.1f} | {t['ms'] / len(holes):.0f} | "
              f"{100 * t['exact'] / len(holes):.0f} % |")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
