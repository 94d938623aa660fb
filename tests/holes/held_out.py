#!/usr/bin/env python3
"""A thousand holes in whole files of packages that the training never saw: held_out.jsonl and held_out_files.jsonl.

    tests/holes/held_out.py cut FOLDER                       writes both, from packages in FOLDER (SOURCES.md says how to get them)
    tests/holes/held_out.py list [--every N] [--without ANSWERS] [--tree TREE [--packages FOLDER]]
                                                             prints them as `cinnabar infill --jsonl` reads them
    tests/holes/held_out.py list --without answers.jsonl | cinnabar infill --jsonl --details >> answers.jsonl   goes on with a run
    tests/holes/held_out.py list --raw answers.jsonl | cinnabar infill --jsonl --details > again.jsonl
                                                             ends and judges a run's answers anew, without asking the model

A file: {file, package, licence, language, path, text}. A hole: {id, kind, language, file, begin, end}, the last two in
characters of the file's text. `list` joins both to {id, kind, language, path, prefix, suffix, middle}, in a mixed order so
that any part of the list is a sample. With --tree the paths lie below TREE, for context from other files; with --packages
all files of the packages in FOLDER are written there first. Standard library and dpkg-deb only; the same packages
give the same holes.

Kinds, and where the hole truly ends:
  line       a whole line, indentation in front of it given: at the line's end
  rest       from a point inside a line: at the line's end
  statement  one statement of one or more lines, without a body: where its brackets are closed
  block      the body of a branch, a loop or the like: at its closer or dedent
  body       a function's body, behind its documentation: the same
  arguments  what stands in a pair of round brackets, or its end: at the closer
"""
import argparse
import ast
import collections
import json
import os
import random
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TRAINING = HERE.parent.parent / "training"
sys.path[:0] = [str(HERE), str(TRAINING), str(TRAINING / "corpus")]
import collect  # noqa: E402
import holes as cutters  # noqa: E402
import make_holes  # noqa: E402

SEED = 20261121
LANGUAGES = {"python": 170, "cpp": 170, "javascript": 90, "typescript": 80, "go": 165, "rust": 165, "java": 160}
KINDS = {"line": 20, "rest": 20, "statement": 15, "block": 15, "body": 15, "arguments": 15}  # of a hundred
SMALLEST, LARGEST = 1200, 14_000  # characters of a file
LARGEST_OF = {"javascript": 48_000, "cpp": 40_000}  # few files in their held-out packages
HOLES_PER_FILE, APART = 6, 4  # lines
MOST_LINES, MOST_BYTES = 14, 700
# Beside the manifest's: also no part of the training text, which leaves out whatever holes were cut from.
RELEASED = ("npm express 5.3.0", "npm commander 14.0.3", "PyPI click 8.5.1", "PyPI werkzeug 3.1.9")
CONTROL = re.compile(r"\s*(\}\s*)?(if|for|while|else|elif|switch|match|case|try|catch|except|finally|with|do|loop|select|default)\b")
FUNCTION = re.compile(r"\b(def|func|fn|function)\b|=>\s*\{$|\)[\w\s:<>,&?|.\[\]*]*(->.*)?\{$")


def packages(folder):
    """(name, version, {path: record of collect.kept_files}) of each held-out package; the licence is each file's own."""
    fetched = json.loads((folder / "fetched.json").read_text())
    for entry in json.loads((TRAINING / "corpus" / "manifest.json").read_text()):
        key = f"{entry['source']}/{entry['name']}"
        if entry["split"] != "held_out":
            continue
        if key not in fetched:
            raise SystemExit(f"{folder}: {key} is not there; fetch it with training/corpus/fetch.py {folder} --held-out")
        place = folder / "downloads" / entry["source"] / entry["name"].replace("/", "__")
        records = collect.kept_files(collect.Package(entry, place), collect.Duplicates(), collections.Counter(), 8e6)
        yield f"{entry['source']} {entry['name']} {entry['version']}", records
    for package in make_holes.PACKAGES:
        if package.name in RELEASED:
            found = make_holes.sources(folder / "released", [package])
            yield package.name, [{"path": path, "language": package.language, "licence": package.licence, "text": text}
                                 for _, files in found[package.language] for path, text in files]


def candidates(folder):
    """language -> package -> records whose size suits."""
    found = collections.defaultdict(dict)
    for name, records in packages(folder):
        for record in sorted(records, key=lambda r: r["path"]):
            language = record["language"]
            suits = SMALLEST <= len(record["text"]) <= LARGEST_OF.get(language, LARGEST)
            if (
                language in LANGUAGES
                and suits
                and not collect.TEST_PATH.search(record["path"])
                and max(map(len, record["text"].split("\n"))) < 200
            ):
                found[language].setdefault(name, []).append(record)
    return found


def stripped_end(lines, last):
    return lines.starts[last] + len(lines.content(last).rstrip())


def python_blocks(text, functions):
    """(first, last) line of the bodies in a Python file, behind their documentation."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef) if functions else (ast.If, ast.For, ast.While, ast.With, ast.Try)
    for node in ast.walk(make_holes.parsed(text)):
        if not isinstance(node, kinds) or node.body[0].lineno == node.lineno:
            continue
        body = node.body[1:] if functions and ast.get_docstring(node) is not None else node.body
        if body:
            yield body[0].lineno - 1, body[-1].end_lineno - 1


def block(lines, covered, pick, language, functions=False):
    if language == "python":
        found = sorted(python_blocks(lines.text, functions))
        if not found:
            return None
        first, last = pick.choice(found)
    else:
        i = pick.randrange(2, len(lines) - 2)
        header = lines.content(i).rstrip()
        if header.strip() == "{" and i > 0 and lines.indent(i - 1) == lines.indent(i):  # a brace on a line of its own
            header = lines.content(i - 1).rstrip() + " {"
        if i in covered or not header.endswith("{") or make_holes.TYPES.search(header):
            return None
        if bool(CONTROL.match(header)) == functions or functions and not FUNCTION.search(header):
            return None
        first, last = i + 1, cutters.block_end(lines, i + 1, lines.indent(i) + 1)
        closed = last is not None and last > i and last + 1 < len(lines) and lines.content(last + 1).strip().startswith("}")
        if not closed or lines.indent(last + 1) != lines.indent(i):
            return None
    if lines.blank(first) or last - first + 1 > MOST_LINES or covered & set(range(first, last + 1)):
        return None
    if language != "python" and lines.content(first).lstrip()[0] in "})]":
        return None
    return lines.starts[first] + lines.indent(first), stripped_end(lines, last)


def body(lines, covered, pick, language):
    return block(lines, covered, pick, language, functions=True)


def begins_statement(lines, covered, i):
    before = next((j for j in range(i - 1, -1, -1) if not lines.blank(j) and j not in covered), None)
    line = lines.content(i)
    return (i not in covered and make_holes.interesting(line) and not make_holes.CONTINUES.match(line)
            and before is not None and not make_holes.UNFINISHED.search(lines.content(before).rstrip())
            and lines.indent(before) <= lines.indent(i) + 16)


def statement(lines, covered, pick, language):
    i = pick.randrange(2, len(lines) - 2)
    if not begins_statement(lines, covered, i):
        return None
    found = cutters.statement(lines, i, pick)
    if not found:
        return None
    last = lines.number_at(found[1])
    end = lines.content(last).rstrip()
    behind = next((lines.content(j) for j in range(last + 1, len(lines)) if not lines.blank(j)), "")
    ends = end.endswith((";", "}", ")")) if language not in ("python", "go") else not end.endswith((":", "{", "\\"))
    if language == "rust" and end.endswith(")") and not behind.strip().startswith("}"):
        ends = False
    goes_on = make_holes.UNFINISHED.search(end) or behind.strip().startswith((".", "?", "&&", "||", "+", ":", "|", "else", "{"))
    if not ends or goes_on or last - i >= MOST_LINES or (last == i and pick.random() < 0.5):
        return None
    return (found[0], found[1]) if make_holes.balanced(lines.text[found[0]:found[1]]) else None


def one_line(cutter):
    def find(lines, covered, pick, language):
        found = cutter(lines.text.split("\n"), covered, pick, language)
        return found and tuple(lines.starts[line] + column for line, column in found)
    return find


def arguments(lines, covered, pick, _language):
    i = pick.randrange(2, len(lines) - 2)
    if i in covered or not make_holes.interesting(lines.content(i)):
        return None
    found = cutters.argument_list(lines, i, pick)
    return found if found and lines.text.count("\n", *found) < 4 else None


FINDERS = {"line": one_line(make_holes.whole_line), "rest": one_line(make_holes.rest_of_line), "statement": statement,
           "block": block, "body": body, "arguments": arguments}


def draw(language, by_package, count):
    """`count` holes of a language: [(record, kind, begin, end)]; packages, and kinds by their share, take turns."""
    pick, found, used = random.Random(f"{SEED} {language}"), [], collections.defaultdict(list)
    wanted = {kind: count * share // 100 for kind, share in KINDS.items()}
    wanted["line"] += count - sum(wanted.values())
    names = sorted(by_package)
    files = {name: pick.sample(by_package[name], len(by_package[name])) for name in names}
    for attempt in range(400_000):
        left = [kind for kind, number in wanted.items() if number > 0]
        if not left:
            return found
        rare = [kind for kind in left if kind in ("statement", "block", "body")]
        name, kind = names[attempt % len(names)], pick.choice(rare if rare and pick.random() < 0.7 else left)
        # Files are opened one after the other, so that few of them are in the set.
        open_files = [r for r in files[name] if len(used[id(r)]) < HOLES_PER_FILE][:3]
        if not open_files:
            continue
        record = pick.choice(open_files)
        lines = cutters.Lines(record["text"])
        if len(lines) < 25:
            used[id(record)] += [(0, 0)] * HOLES_PER_FILE
            continue
        hole = FINDERS[kind](lines, make_holes.comment_lines(record["text"], language), pick, language)
        tries = used[id(record)]
        if not hole or not suits(record["text"], hole, kind):
            record["misses"] = record.get("misses", 0) + 1
            if record["misses"] % 200 == 0:  # nothing more to be had here
                tries += [(0, 0)] * HOLES_PER_FILE
            continue
        first, last = lines.number_at(hole[0]), lines.number_at(hole[1])
        if all(last + APART < a or b + APART < first for a, b in tries):
            tries.append((first, last))
            wanted[kind] -= 1
            found.append((record, kind, *hole))
    raise SystemExit(f"{language}: {wanted} holes are missing")


def suits(text, hole, kind):
    middle = text[hole[0]:hole[1]]
    if not 2 <= len(middle) <= MOST_BYTES or not middle.strip() or middle != middle.rstrip():
        return False
    return kind == "arguments" or text.count(middle) == 1


def cut(folder):
    files, holes, numbers, by_language = [], [], {}, candidates(folder)
    for language, count in LANGUAGES.items():
        counts = collections.Counter()
        versions = {id(r): name for name, records in by_language[language].items() for r in records}
        for record, kind, begin, end in draw(language, by_language[language], count):
            if id(record) not in numbers:
                numbers[id(record)] = len(files)
                files.append({"file": len(files), "package": versions[id(record)], "licence": record["licence"],
                              "language": language, "path": record["path"], "text": record["text"]})
            counts[kind] += 1
            holes.append({"id": f"{language}-{kind}-{counts[kind]:02d}", "kind": kind, "language": language,
                          "file": numbers[id(record)], "begin": begin, "end": end})
    for name, records in (("held_out_files", files), ("held_out", holes)):
        path = HERE / f"{name}.jsonl"
        path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records), encoding="utf-8")
        print(f"{path}: {len(records)} records, {path.stat().st_size} bytes")


def place_of(record):
    """The path of a file in the tree that `list --tree` writes: a folder for each package."""
    return f"{re.sub(r'[^a-z0-9.-]+', '_', record['package'].lower())}/{record['path']}"


def write_tree(tree, folder):
    for name, records in packages(folder):
        for record in records:
            path = tree / place_of({"package": name, "path": record["path"]})
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(record["text"], encoding="utf-8")


def read_jsonl(lines, what):
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                sys.exit(f"{what}: line {number} is not JSON: {error}")


def read(name):
    return [json.loads(line) for line in (HERE / f"{name}.jsonl").read_text(encoding="utf-8").split("\n") if line]


def joined():
    files = read("held_out_files")
    for hole in read("held_out"):
        file, begin, end = files[hole["file"]], hole["begin"], hole["end"]
        yield {"id": hole["id"], "kind": hole["kind"], "language": hole["language"], "path": place_of(file),
               "prefix": file["text"][:begin], "suffix": file["text"][end:], "middle": file["text"][begin:end]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("cut").add_argument("folder", type=Path)
    listing = commands.add_parser("list")
    listing.add_argument("--every", type=int, default=1, help="only every so many-th hole")
    listing.add_argument("--without", type=Path, help="leave out what this file of answers has")
    listing.add_argument("--raw", type=Path, help="only what this file of answers has, with the raw answers")
    listing.add_argument("--tree", type=Path, help="write the packages' files below this folder")
    listing.add_argument("--packages", type=Path, help="the folder that `cut` had; with --tree")
    options = parser.parse_args()
    if options.command == "cut":
        return cut(options.folder)
    if options.tree and options.packages:
        write_tree(options.tree, options.packages)
    done = set()
    if options.without and options.without.exists():
        done = {json.loads(line)["id"] for line in options.without.read_text(encoding="utf-8").split("\n") if line}
    raw = {}
    if options.raw:
        answers = map(json.loads, filter(None, options.raw.read_text(encoding="utf-8").split("\n")))
        raw = {answer["id"]: answer["raw"] for answer in answers if "raw" in answer}
    listed = list(joined())
    random.Random(SEED).shuffle(listed)
    for hole in listed[:: options.every]:
        if options.tree:
            hole["workspace"] = os.path.join(options.tree.resolve(), hole["path"].split("/")[0])
            hole["path"] = os.path.join(options.tree.resolve(), hole["path"])
        if options.raw:
            hole["raw"] = raw.get(hole["id"], "")
        if hole["id"] not in done and (hole["id"] in raw or not options.raw):
            print(json.dumps(hole, ensure_ascii=False))
    return None


if __name__ == "__main__":
    main()
