#!/usr/bin/env python3
"""Holes of whole lines in Python functions that have examples to test them with: tested_lines.jsonl.

    tested_lines.py cut WHEEL...           writes it, from packages as `pip download --no-deps` fetches them (SOURCES.md)
    tested_lines.py list [--every N]       prints the holes as `cinnabar infill --jsonl` reads them
    tested_lines.py list | cinnabar infill --jsonl --stop hole > answers.jsonl
    tested_lines.py score answers.jsonl    says how many answers let the examples pass

A hole is cut out of one function, which is all that is read: its documentation with examples, some lines, the hole, some lines.
It begins at a line's start; behind it the next line follows at once, or after a line end that stays, or nothing follows. A
function is taken if its examples pass when it stands alone behind the module's imports, and fail without the hole's lines.

Answers are run: each in a process of its own, in an empty folder, without the network where the system allows that, with limits of time
and memory. Standard library only; the same wheels give the same holes.
"""
import argparse
import ast
import collections
import concurrent.futures
import hashlib
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
FILE = HERE / "tested_lines.jsonl"
SEED = 20261128
WANTED, OF_A_FUNCTION, OF_A_MODULE = 200, 2, 24
SECONDS, BYTES = 5, 512 << 20
LICENCES = {"more_itertools": "MIT", "toolz": "BSD-3-Clause", "boltons": "BSD-3-Clause", "networkx": "BSD-3-Clause"}
RUNNER = """
import doctest, sys
text = sys.stdin.read()
names = {"__name__": "hole"}
exec(compile(text, "hole", "exec"), names)
found = doctest.DocTestFinder(recurse=False).find(names[sys.argv[1]], "f", module=False, globs=names)
runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
for test in found:
    runner.run(test, out=lambda text: None)
sys.exit(0 if runner.tries > 0 and runner.failures == 0 else 1)
"""


def _limit(seconds):
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))


def _alone():
    """A namespace without a network, where one may be made."""
    command = ["unshare", "--user", "--net"]
    tried = subprocess.run([*command, "true"], capture_output=True, check=False)
    return command if tried.returncode == 0 else []


def passes(imports, name, text, alone, seconds=SECONDS):
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run([*alone, sys.executable, "-I", "-c", RUNNER, name], input=f"{imports}\n\n{text}\n", text=True,
                                  cwd=folder, env={"PATH": os.environ.get("PATH", "")}, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, timeout=20 * seconds, preexec_fn=lambda: _limit(seconds), check=False)
        except (subprocess.TimeoutExpired, UnicodeEncodeError):
            return False
        return done.returncode == 0


def modules(wheels):
    """(package with version, licence, path, text), in order."""
    for wheel in sorted(wheels):
        package, version = Path(wheel).name.split("-")[:2]
        with zipfile.ZipFile(wheel) as archive:
            for path in sorted(archive.namelist()):
                if path.endswith(".py") and "test" not in path:
                    yield f"PyPI {package} {version}", LICENCES[package], path, archive.read(path).decode("utf-8")


def functions(text):
    """(imports, name, lines of the function, first line of its body behind the documentation)"""
    tree, lines = ast.parse(text), text.split("\n")
    imports = "\n".join(ast.get_source_segment(text, node) for node in tree.body
                        if isinstance(node, (ast.Import, ast.ImportFrom)) and getattr(node, "level", 0) == 0)
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or node.decorator_list or len(node.body) < 2:
            continue
        if ">>>" in (ast.get_docstring(node) or "") and 400 < sum(map(len, lines[node.lineno - 1:node.end_lineno])) < 4000:
            yield imports, node.name, lines[node.lineno - 1:node.end_lineno], node.body[0].end_lineno - node.lineno + 1


def holes_of(name, lines, body, rng):
    """(prefix, middle, suffix)"""
    spans = [(first, last) for first in range(body, len(lines)) for last in range(first + 1, min(first + 8, len(lines) + 1))
             if lines[first].strip() and lines[last - 1].strip() and len("\n".join(lines[first:last])) < 500]
    rng.shuffle(spans)
    for first, last in spans:
        prefix, middle, suffix = ("".join(line + "\n" for line in part) for part in (lines[:first], lines[first:last], lines[last:]))
        if rng.random() < 0.5:  # the line end behind the hole stays
            middle, suffix = middle[:-1], "\n" + suffix
        yield prefix, middle, suffix


def cut(wheels):
    rng, alone, found, packages = random.Random(SEED), _alone(), [], collections.Counter()
    candidates = []
    for package, licence, path, text in modules(wheels):
        for imports, name, lines, body in functions(text):
            if len(lines) - body >= 3:
                candidates.append((package, licence, path, imports, name, lines, body))
    rng.shuffle(candidates)
    of_path = collections.Counter()
    for package, licence, path, imports, name, lines, body in candidates:
        if len(found) >= WANTED:
            break
        whole = "\n".join(lines)
        if of_path[path] >= OF_A_MODULE or not passes(imports, name, whole, alone):
            continue
        taken = 0
        for prefix, middle, suffix in holes_of(name, lines, body, rng):
            if taken == OF_A_FUNCTION:
                break
            if not passes(imports, name, prefix + suffix, alone):
                taken += 1
                packages[package] += 1
                of_path[path] += 1
                found.append({"id": f"{name}-{hashlib.sha256((prefix + middle).encode()).hexdigest()[:6]}", "package": package,
                              "licence": licence, "path": path, "function": name, "imports": imports, "prefix": prefix,
                              "middle": middle, "suffix": suffix})
    found = list({hole["id"]: hole for hole in found[:WANTED]}.values())  # some functions stand in two modules
    FILE.write_text("".join(json.dumps(hole, ensure_ascii=False) + "\n" for hole in found), encoding="utf-8")
    print(f"{len(found)} holes: {dict(packages)}")


def read(path):
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def score(paths):
    holes, alone = {hole["id"]: hole for hole in read(FILE)}, _alone()
    answers = {answer["id"]: answer for path in paths for answer in read(path)}
    def judged(answer):
        hole = holes[answer["id"]]
        return passes(hole["imports"], hole["function"], hole["prefix"] + answer["text"] + hole["suffix"], alone)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        passed = dict(zip(answers, pool.map(judged, answers.values())))
    exact = sum(answers[key]["text"].rstrip() == holes[key]["middle"].rstrip() for key in answers)
    long = sum(answer.get("finish_reason") == "length" for answer in answers.values())
    groups = {"the next line at once": lambda hole: hole["suffix"] and not hole["suffix"].startswith("\n"),
              "a line end behind": lambda hole: hole["suffix"].strip() and hole["suffix"].startswith("\n"),
              "nothing behind": lambda hole: not hole["suffix"].strip()}
    print("| | holes | pass, % |\n|---|---|---|")
    for name, fits in [("all", lambda hole: True), *groups.items()]:
        of_group = [key for key in passed if fits(holes[key])]
        print(f"| {name} | {len(of_group)} | {100 * sum(passed[key] for key in of_group) / max(len(of_group), 1):.1f} |")
    print(f"\n{exact} are what stood there, {long} ran into the length limit")
    return passed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["cut", "list", "score"])
    parser.add_argument("paths", nargs="*")
    parser.add_argument("--every", type=int, default=1, help="list: each Nth hole")
    arguments = parser.parse_args()
    if arguments.command == "cut":
        cut(arguments.paths)
    elif arguments.command == "score":
        score(arguments.paths)
    else:
        for hole in read(FILE)[::arguments.every]:
            print(json.dumps({"id": hole["id"], "prefix": hole["prefix"], "suffix": hole["suffix"]}, ensure_ascii=False))


if __name__ == "__main__":
    main()
