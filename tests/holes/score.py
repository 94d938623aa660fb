#!/usr/bin/env python3
"""Scores the answers of `cinnabar infill --jsonl` on the holes of this folder. Standard library only.

    cinnabar infill --jsonl < tests/holes/single_line.jsonl | python3 tests/holes/score.py tests/holes/single_line.jsonl [more.jsonl]

stdin: one {"id", "text", "finish_reason", "nfe", "tokens", "ms"} a line, any order, unknown ids are an error. Without arguments
the holes are read from both files beside this script, and only those that were answered count.

Per language and per kind:
  exact    answer == middle, blanks and newlines at the end of both left out
  prefix   one of both begins with the other, the shorter one not empty: right as far as it goes, too long, or too short
  similar  mean of 1 - (Levenshtein distance / length of the longer), in characters
  tok/fwd  tokens per forward: sum of tokens / sum of nfe
  p50 p95  milliseconds an answer, nearest rank
"""
import collections
import json
import math
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def read_jsonl(lines, what):
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                sys.exit(f"{what}: line {number} is not JSON: {error}")


def edit_distance(a, b):
    """Levenshtein; what both begin or end with costs nothing."""
    while a and b and a[0] == b[0]:
        a, b = a[1:], b[1:]
    while a and b and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    previous = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        current = [i]
        for j, y in enumerate(b, 1):
            current.append(min(previous[j] + 1, current[-1] + 1, previous[j - 1] + (x != y)))
        previous = current
    return previous[-1]


def judge(hole, answer):
    text, middle = answer["text"].rstrip(), hole["middle"].rstrip()
    shorter, longer = sorted((text, middle), key=len)
    return {"exact": text == middle, "prefix": bool(shorter) and longer.startswith(shorter),
            "similar": 1 - edit_distance(text, middle) / max(len(longer), 1), "nfe": answer.get("nfe", 0),
            "tokens": answer.get("tokens", 0), "ms": answer.get("ms", 0.0), "reason": answer.get("finish_reason", "")}


def percentile(values, share):
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def row(name, results):
    def mean(key):
        return 100 * sum(r[key] for r in results) / len(results)

    forwards, times = sum(r["nfe"] for r in results), [r["ms"] for r in results]
    per_forward = f"{sum(r['tokens'] for r in results) / forwards:7.2f}" if forwards else "      -"
    return (f"{name:14} {len(results):5} {mean('exact'):6.1f} % {mean('prefix'):6.1f} % {mean('similar'):6.1f} % {per_forward} "
            f"{percentile(times, 0.5):9.1f} {percentile(times, 0.95):9.1f}")


def main():
    paths = sys.argv[1:] or [os.path.join(HERE, f"{name}.jsonl") for name in ("single_line", "multi_line")]
    holes = {}
    for path in paths:
        with open(path, encoding="utf-8") as f:
            holes.update({h["id"]: h for h in read_jsonl(f, path)})
    answers = {}
    for answer in read_jsonl(sys.stdin, "stdin"):
        if answer["id"] not in holes or answer["id"] in answers:
            sys.exit(f"stdin: id {answer['id']!r} is not in {', '.join(paths)} or comes twice")
        answers[answer["id"]] = answer
    if not answers:
        sys.exit("stdin: no answers")
    groups = collections.defaultdict(list)
    for key, answer in answers.items():
        result = judge(holes[key], answer)
        for group in ("all", holes[key]["language"], "kind " + holes[key]["kind"]):
            groups[group].append(result)
    print(f"{'':14} {'holes':>5} {'exact':>8} {'prefix':>8} {'similar':>8} {'tok/fwd':>7} {'p50 ms':>9} {'p95 ms':>9}")
    for name in sorted(groups, key=lambda g: (g.startswith("kind "), g == "all", g)):
        print(row(name, groups[name]))
    print("finish reasons:", dict(collections.Counter(r["reason"] for r in groups["all"]).most_common()))
    if missing := len(holes) - len(answers):
        print(f"without an answer: {missing} of {len(holes)} holes")


if __name__ == "__main__":
    main()
