#!/usr/bin/env python3
"""What each source of drafts saves: fills the holes autoregressively and verified, and compares the answers. Standard library only.

    python3 tests/holes/draft_sources.py build/release/cinnabar [holes.jsonl] [--first N] [-- more options of infill]

Every hole is filled with the prompt cold (autoregressive, at an earlier keystroke), then warm: autoregressive; verified without any
draft from text; with drafts looked up in the prompt; with the answer of the earlier keystroke as draft; with both. The earlier
keystroke is four characters before the hole; where its answer begins with what was typed since, the rest is the former answer, as in
an editor. Ends with status 1 if a verified answer is not the autoregressive one.
"""
import argparse
import json
import math
import os
import subprocess
import sys


HERE = os.path.dirname(os.path.abspath(__file__))
TYPED = 4  # characters


def percentile(values, share):
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]  # nearest rank


class Infill:
    def __init__(self, program, *options):
        self.process = subprocess.Popen([program, "infill", "--jsonl", "--stop", "line", "--max-tokens", "48", *options],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")

    def ask(self, prefix, suffix, **choices):
        self.process.stdin.write(json.dumps({"prefix": prefix, "suffix": suffix, **choices}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": "cinnabar infill has ended"}
        if "error" in answer:
            sys.exit(f"draft_sources.py: {answer['error']}")
        return answer


def former_answer(prefix, early):
    """The earlier answer less what was typed since; empty where the user typed something else."""
    typed = prefix[-TYPED:]
    return early["text"][len(typed):] if early["text"].startswith(typed) else ""


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("program")
    arguments.add_argument("holes", nargs="?", default=os.path.join(HERE, "single_line.jsonl"))
    arguments.add_argument("--first", type=int, default=10**9, help="only so many holes")
    arguments.add_argument("options", nargs="*", help="options of infill, behind --")
    chosen = arguments.parse_args()
    with open(chosen.holes, encoding="utf-8") as f:
        holes = [json.loads(line) for line in f][:chosen.first]
    infill = Infill(chosen.program, *chosen.options)
    rows = {}
    differing, exact, with_former = [], 0, 0

    def note(name, answer):
        rows.setdefault(name, []).append(answer)
        return answer

    for number, hole in enumerate(holes, 1):
        prefix, suffix = hole["prefix"], hole["suffix"]
        early = note("autoregressive, cold, 4 characters earlier", infill.ask(prefix[:-TYPED], suffix, mode="autoregressive"))
        truth = note("autoregressive", infill.ask(prefix, suffix, mode="autoregressive"))
        former = former_answer(prefix, early)
        with_former += bool(former)
        answers = [note(f"verified, {name}", infill.ask(prefix, suffix, mode="verified", lookup=lookup, former=draft))
                   for name, lookup, draft in (("no drafts from text", False, ""), ("lookup", True, ""),
                                               ("former answer", False, former), ("lookup and former answer", True, former))]
        differing += [hole["id"] for answer in answers if answer["text"] != truth["text"]]
        exact += truth["text"].rstrip() == hole["middle"].rstrip()
        if number % 20 == 0:
            print(f"{number} of {len(holes)}", file=sys.stderr)
    print(f"{len(holes)} holes, {with_former} with a former answer; exact {100 * exact / len(holes):.1f} % in every mode")
    print(f"{'':44} forwards/token  tokens/forward     p50 ms     p95 ms")
    for name, answers in rows.items():
        nfe, tokens = sum(a["nfe"] for a in answers), sum(a["tokens"] for a in answers)
        times = [a["ms"] for a in answers]
        print(f"{name:44} {nfe / max(tokens, 1):14.3f} {tokens / max(nfe, 1):15.2f} "
              f"{percentile(times, 0.5):10.1f} {percentile(times, 0.95):10.1f}")
    if differing:
        sys.exit(f"draft_sources.py: not the autoregressive answer: {', '.join(sorted(set(differing)))}")


if __name__ == "__main__":
    main()
