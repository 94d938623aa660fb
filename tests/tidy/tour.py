#!/usr/bin/env python3
"""The tour: every function that ARCHITECTURE names between a keystroke and ghost text is defined where it says so."""
import re

import tidy

DOCUMENT = "ARCHITECTURE.md"
HEADING = "### From a keystroke to ghost text"
ROW = re.compile(r"^\| (\d+) \| `([\w:]+)` \| `([\w/.]+)` \|", re.M)
STEPS = 10


def _is_defined(root, name, path):
    try:
        code = tidy.bare_code(tidy.read(root, path))
    except FileNotFoundError:
        return False
    # A definition stands at the margin: a return type, the name, and a body after its parameters.
    return re.search(r"^\w[^;{}()]*[\s*&]" + re.escape(name) + r"\([^;{}]*\)[^;{}]*\{", code, re.M) is not None


def check(root):
    text = tidy.read(root, DOCUMENT)
    if HEADING not in text:
        return [f"{DOCUMENT}: has no section '{HEADING}'"]
    section = text.split(HEADING, 1)[1].split("\n#", 1)[0]
    rows = ROW.findall(section)
    complaints = [f"{DOCUMENT}: step {number}: {name} is not defined in {path}" for number, name, path in rows
                  if not _is_defined(root, name, path)]
    if [int(number) for number, _, _ in rows] != list(range(1, STEPS + 1)):
        complaints.append(f"{DOCUMENT}: '{HEADING}' has not the steps 1 to {STEPS}")
    return complaints


def _document(rows):
    return f"# A\n\n{HEADING}\n\n| | function | file |\n|---|---|---|\n" + "".join(
        f"| {i + 1} | `{name}` | `{path}` | what it does |\n" for i, (name, path) in enumerate(rows)) + "\n## B\n"


_SOURCE = "int S::f(int a) {\n  return g(a);\n}\n"
_ROWS = [("S::f", "engine/a.cc")] * STEPS
GOOD = {DOCUMENT: _document(_ROWS), "engine/a.cc": _SOURCE}
CASES = [
    ("no section", {DOCUMENT: "# A\n"}, "has no section"),
    ("no such file", {DOCUMENT: _document([("S::f", "engine/b.cc")] + _ROWS[1:]), "engine/a.cc": _SOURCE}, "step 1: S::f is not"),
    ("only a call", {DOCUMENT: _document(_ROWS[1:] + [("g", "engine/a.cc")]), "engine/a.cc": _SOURCE}, "step 10: g is not"),
    ("only a declaration", {DOCUMENT: _document(_ROWS), "engine/a.cc": "int S::f(int a);\n"}, "is not defined"),
    ("too few", {DOCUMENT: _document(_ROWS[1:]), "engine/a.cc": _SOURCE}, "has not the steps"),
]

if __name__ == "__main__":
    tidy.main(check, GOOD, CASES)
