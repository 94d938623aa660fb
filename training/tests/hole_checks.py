#!/usr/bin/env python3
"""Checks of holes.py and prompt.py that need nothing but Python."""
import random
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import holes  # noqa: E402
import prompt  # noqa: E402

TEXT = """import os

def load(path, mode="r", encoding=None):
    with open(path, mode) as file:
        for line in file:
            yield line.strip()
    print("done", path)

    return None


total = add(1,
            two(2, 3),
            [4, 5])
"""
#        cutter, line, the middles that may come out
CASES = [(holes.whole_line, 3, {"with open(path, mode) as file:"}),
         (holes.whole_body, 2, {'with open(path, mode) as file:\n        for line in file:\n            yield line.strip()\n'
                                 '    print("done", path)\n\n    return None'}),
         (holes.whole_body, 3, {"for line in file:\n            yield line.strip()"}),
         (holes.whole_body, 6, {None}),
         (holes.statement, 11, {"total = add(1,\n            two(2, 3),\n            [4, 5])"}),
         (holes.statement, 6, {'print("done", path)'}),
         (holes.argument_list, 6, {'"done", path', "path"}),
         (holes.argument_list, 11, {"1,\n            two(2, 3),\n            [4, 5]", "\n            two(2, 3),\n            [4, 5]",
                                    " two(2, 3),\n            [4, 5]", " 3),\n            [4, 5]", "3),\n            [4, 5]",
                                    "\n            [4, 5]", "5]", " 5]"}),
         (holes.several_lines, 4, {"for line in file:\n            yield line.strip()"})]


def check_cutters(problems):
    lines = holes.Lines(TEXT)
    for cutter, line, wanted in CASES:
        for seed in range(20):
            hole = cutter(lines, line, random.Random(seed))
            middle = None if hole is None else TEXT[hole[0] : hole[1]]
            if middle not in wanted:
                problems.append(f"{cutter.__name__} at line {line}: {middle!r} is none of {wanted}")
                break


def check_places(problems):
    """Holes start and end where the cutters say; short ones are frequent."""
    lines, kinds, short, made = holes.Lines(TEXT), set(), 0, 0
    for seed in range(2000):
        hole = holes.cut(TEXT, random.Random(seed), lines)
        if hole is None:
            continue
        kind, start, end = hole
        made += 1
        kinds.add(kind)
        middle = TEXT[start:end]
        short += "\n" not in middle
        if not middle.strip() or not 0 < start < end <= len(TEXT):
            problems.append(f"{kind}: a hole {start} to {end}")
        if kind in ("rest", "line", "lines", "body", "statement") and TEXT[end : end + 1] not in ("\n", ""):
            problems.append(f"{kind}: {middle!r} does not end at its line's end")
        if kind == "arguments" and TEXT[end] != ")":
            problems.append(f"arguments: {middle!r} is not followed by its closer")
        if kind in ("rest", "line", "mid") and "\n" in middle:
            problems.append(f"{kind}: {middle!r} is longer than a line")
    if kinds != set(holes.SHARES):
        problems.append(f"kinds never cut: {set(holes.SHARES) - kinds}")
    if short < 0.5 * made:
        problems.append(f"only {short} of {made} holes lie inside a line")


class Bytes:
    """An encoder of one token a byte, whose words are cut at blanks and go with the blank in front of them."""

    def __call__(self, data):
        return list(data)

    def size_of(self, token):
        return 1

    def last_split(self, data):
        return max(data.rfind(b" "), 0)


def check_prompt(problems):
    """Windows and tails by hand; whole prompts are compared with the program's by engine.training_prompt."""
    cases = [(prompt.unsafe_tail(Bytes(), b"x = foo"), 4), (prompt.unsafe_tail(Bytes(), b"x" * 80), 1),
             (prompt.unsafe_tail(Bytes(), b""), 0),
             (prompt.prefix_window(b"abc\ndef\n", 100), b"abc\ndef\n"), (prompt.prefix_window(b"a\n" * 60, 40), b"a\n" * 19),
             (prompt.suffix_window(b"one\ntwo\nthree", 9), b"one\ntwo\n"), (prompt.suffix_window(b"unbroken", 3), b"unb")]
    for number, (found, wanted) in enumerate(cases):
        if found != wanted:
            problems.append(f"prompt case {number}: expected {wanted!r}, found {found!r}")
    before, typed = prompt.build_prompt(Bytes(), b"x = foo", b"\nend")
    wanted = [prompt.TAGS["fim_prefix"], prompt.TAGS["fim_suffix"], *b"\nend", prompt.TAGS["fim_middle"], *b"x ="]
    if before != wanted or typed != b" foo":
        problems.append(f"prompt: {before} and {typed}")


def main():
    problems = []
    for check in (check_cutters, check_places, check_prompt):
        check(problems)
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
