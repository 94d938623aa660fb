#!/usr/bin/env python3
"""Holes cut where the other sets have none: behind every kind of punctuation, inside words, behind blanks: punctuation.jsonl.

    tests/holes/punctuation.py cut                      writes it, from held_out_files.jsonl
    tests/holes/punctuation.py list [--every N]         prints it as `cinnabar eval` and `cinnabar infill --jsonl` read it
    tests/holes/punctuation.py compare ONE.jsonl OTHER.jsonl   exact lines of two runs' answers, by what stands before the cursor

A hole: {id, kind, language, file, begin, end}, as in held_out.jsonl; it ends with its line. Its kind is what stands before the cursor.
While one types, a cursor mostly stands at such places, and what a tokenizer joins with what follows shows only there. Standard
library only; the same files give the same holes.
"""
import argparse
import collections
import json
import random
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
HOLES, FILES = HERE / "punctuation.jsonl", HERE / "held_out_files.jsonl"
SEED = 20261128
SHORTEST, LONGEST = 2, 36  # characters of a hole
EARLIEST = 300  # characters in front of one: what a file's language is can be seen
# What stands before the cursor, and what follows; the cursor is between the two groups.
KINDS = {
    "dot": r"(?<=\w)(\.)(\w)",
    "round": r"(\()([^)\s])",
    "square": r"(\[)([^\]\s])",
    "curly": r"(\{)([^}\s])",
    "angle": r"(?<=\w)(<)(\w)",
    "quote": r"([ (\[=,][\"'])(\w)",
    "equals": r"(?<= )(=)( \S)",
    "equals blank": r"(?<= )(= )(\S)",
    "operator": r"(?<=\w )([-+*/%&|<>]|[=!<>]=|&&|\|\|)( \w)",
    "comma": r"(?<=\w)(,)( \S)",
    "comma blank": r"(?<=\w)(, )(\S)",
    "colon": r"(?<=\w)(:)( \w)",
    "path": r"(?<=\w)(::)(\w)",
    "arrow": r"(->|=>)( ?\S)",
    "not": r"(?<=[ (])(!)(\w)",
    "sign": r"(?<=[ (,])([&*@#$])(\w)",
    "comment": r"^\s*(//|#|\*)( \w)",
    "closer": r"(\w[)\]])([ .,;:)?]..)",
    "underscore": r"(?<=[a-z])(_)([a-z])",
    "word": r"\b([A-Za-z]{2,5})([a-z]{3,})",
    "hump": r"\b([a-z]{2,}[A-Z])([a-z]{2,})",
    "blank": r"(?<=\w)( )(\w)",
    "indentation": r"^(\s+)(\w)",
    "two blanks": r"^(  )( +\w)",
}
EACH = 4  # holes of a kind, of different languages where there are


def files():
    with open(FILES, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def places(record, pattern):
    text, at = record["text"], 0
    for line in text.splitlines(keepends=True):
        whole = line.rstrip("\r\n")
        for match in pattern.finditer(whole):
            begin, end = at + match.end(1), at + len(whole.rstrip())
            if begin >= EARLIEST and SHORTEST <= end - begin <= LONGEST:
                yield begin, end
        at += len(line)


def cut():
    rng = random.Random(SEED)
    of_language = collections.defaultdict(list)
    for record in files():
        of_language[record["language"]].append(record)
    holes = []
    for kind, pattern in KINDS.items():
        languages = sorted(of_language)
        rng.shuffle(languages)
        found = 0
        for language in languages * 2:
            record = rng.choice(of_language[language])
            there = list(places(record, re.compile(pattern)))
            if not there or found == EACH:
                continue
            begin, end = rng.choice(there)
            found += 1
            holes.append(
                {
                    "id": f"{kind.replace(' ', '-')}-{found}",
                    "kind": kind,
                    "language": language,
                    "file": record["file"],
                    "begin": begin,
                    "end": end,
                }
            )
    HOLES.write_text("".join(json.dumps(hole) + "\n" for hole in holes), encoding="utf-8")
    print(f"{len(holes)} holes of {len(KINDS)} kinds")


def listed():
    known = {record["file"]: record for record in files()}
    with open(HOLES, encoding="utf-8") as lines:
        for line in lines:
            hole = json.loads(line)
            text, begin, end = known[hole["file"]]["text"], hole["begin"], hole["end"]
            yield {"id": hole["id"], "kind": hole["kind"], "language": hole["language"], "path": known[hole["file"]]["path"],
                   "prefix": text[:begin], "suffix": text[end:], "middle": text[begin:end], "stop": "line"}


def compare(paths):
    truth = {hole["id"]: hole for hole in listed()}
    runs = []
    for path in paths:
        with open(path, encoding="utf-8") as lines:
            runs.append({a["id"]: a for a in map(json.loads, lines)})
    table = collections.defaultdict(lambda: [0] * (2 + 2 * len(runs)))
    for id, hole in truth.items():
        if not all(id in run for run in runs):
            continue
        wanted = hole["middle"].rstrip()
        for row in (table[hole["kind"]], table["all"]):
            row[0] += 1
            for number, run in enumerate(runs):
                text = run[id].get("text", "").split("\n")[0].rstrip()
                row[1 + 2 * number] += text == wanted
                row[2 + 2 * number] += first_word(text) == first_word(wanted)
    print(f"{'before the cursor':20} holes" + "".join(f"{f'exact {n + 1}':>9}{f'begins {n + 1}':>10}" for n in range(len(runs))))
    for kind, row in table.items():
        print(f"{kind:20}{row[0]:6}" + "".join(f"{row[1 + 2 * n]:9}{row[2 + 2 * n]:10}" for n in range(len(runs))))
    for number, run in enumerate(runs):
        answers = [run[id] for id in truth if id in run]
        print(f"{paths[number]}: {sum(a.get('nfe', 0) for a in answers) / max(len(answers), 1):.2f} forwards a hole")


def first_word(text):
    return re.match(r"\s*(\w+|[^\w\s]+)?", text).group(0)


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("cut")
    commands.add_parser("list").add_argument("--every", type=int, default=1)
    commands.add_parser("compare").add_argument("answers", nargs="+")
    arguments = parser.parse_args()
    if arguments.command == "cut":
        cut()
    elif arguments.command == "compare":
        compare(arguments.answers)
    else:
        for hole in list(listed())[:: arguments.every]:
            sys.stdout.write(json.dumps(hole) + "\n")


if __name__ == "__main__":
    main()
