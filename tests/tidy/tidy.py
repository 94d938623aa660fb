"""What the tidy checks share: walking the tree, blanking C++ comments and literals, and the two modes of a check.

A check is a function `check(root) -> list of complaints`. Run plainly, its script judges this repository; with --self-test
it first proves that it can fail: each case builds a small bad tree in a temporary folder and must draw its complaint, and
the good tree must draw none.
"""
import os
import re
import sys
import tempfile
from pathlib import Path

FOLDERS = ("base", "kernels", "engine", "lsp", "daemon")  # production folders, in dependency order
CPP = (".h", ".cc", ".cu", ".cuh")
HEADERS = (".h", ".cuh")
SKIPPED = {"build", "node_modules", "__pycache__", ".git", ".cache"}


def files(root, folders, suffixes):
    """Paths relative to `root`, sorted, of the files with these suffixes below these folders."""
    found = []
    for folder in folders:
        for base, names, leaves in os.walk(Path(root) / folder):
            names[:] = [name for name in names if name not in SKIPPED]
            found += [os.path.relpath(os.path.join(base, leaf), root) for leaf in leaves if leaf.endswith(suffixes)]
    return sorted(found)


def read(root, path):
    return (Path(root) / path).read_text(encoding="utf-8", errors="replace")


_PIECE = re.compile(
    r'//(?:\\\n|[^\n])*|/\*.*?\*/'            # comments
    r'|\bR"([^()\\\s]{0,16})\(.*?\)\1"'       # raw strings
    r'|"(?:\\.|[^"\\\n])*"'                   # strings
    r"|(?<![0-9A-Za-z_])(?:u8|[uUL])?'(?:\\.|[^'\\\n])+'",  # characters, but not the separator in 1'000
    re.S)


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def without_comments(text):
    """The source with comments blanked; every line keeps its number and its columns."""
    return _PIECE.sub(lambda m: _blank(m[0]) if m[0].startswith(("//", "/*")) else m[0], text)


def bare_code(text):
    """The source with comments and the contents of literals blanked."""
    return _PIECE.sub(lambda m: _blank(m[0]), text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def _write_tree(root, tree):
    for path, content in tree.items():
        target = Path(root) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")


def _complaints_about(check, tree):
    with tempfile.TemporaryDirectory() as root:
        _write_tree(root, tree)
        return check(root)


def self_test(check, good, cases):
    """`good`: a tree (path -> content) without fault. `cases`: (what, files laid over it, text the complaint must hold)."""
    failures = [f"the good tree drew: {text}" for text in _complaints_about(check, good)]
    for what, changes, expected in cases:
        complaints = _complaints_about(check, {**good, **changes})
        if not any(expected in text for text in complaints):
            failures.append(f"{what}: expected a complaint with '{expected}', got {complaints}")
    return failures


def main(check, good, cases):
    if "--self-test" in sys.argv[1:]:
        failures = self_test(check, good, cases)
        print(f"{len(cases)} bad trees tried")
    else:
        failures = check(Path(__file__).resolve().parents[2])
    for text in failures:
        print(text)
    sys.exit(1 if failures else 0)
