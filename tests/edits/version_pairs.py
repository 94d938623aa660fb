#!/usr/bin/env python3
"""Next edits between two versions of packages that the training never saw: version_pairs.jsonl.

    tests/edits/version_pairs.py cut FOLDER     writes it, from the archives in FOLDER (SOURCES.md says how to get them)

A line is as `cinnabar eval edits` reads it (training/edits.py says how one is made), with the package, its licence and one of two
kinds: the packages of "version pairs, to fit with" are there for thresholds to be chosen with, those of "version pairs, held out"
to measure what came of it. Half of each kind has nothing to come. Standard library only; the same archives give the same lines.
"""
import collections
import hashlib
import json
import random
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "training"))
import edits  # noqa: E402

FILE = HERE / "version_pairs.jsonl"
FIT, HELD_OUT = "version pairs, to fit with", "version pairs, held out"
OF_A_KIND, OF_A_PACKAGE, MOST_BYTES = 60, 16, 4000
# The earlier archive, the later one, licence, language, and the part it is of.
PAIRS = [
    ("click-8.1.8-py3-none-any.whl", "click-8.5.1-py3-none-any.whl", "BSD-3-Clause", "python", FIT),
    ("more_itertools-10.5.0-py3-none-any.whl", "more_itertools-11.2.1-py3-none-any.whl", "MIT", "python", FIT),
    ("commander-13.1.0.tgz", "commander-14.0.3.tgz", "MIT", "javascript", FIT),
    ("networkx-3.4.2-py3-none-any.whl", "networkx-3.6.1-py3-none-any.whl", "BSD-3-Clause", "python", FIT),
    ("werkzeug-3.0.6-py3-none-any.whl", "werkzeug-3.1.9-py3-none-any.whl", "BSD-3-Clause", "python", HELD_OUT),
    ("boltons-24.1.0-py3-none-any.whl", "boltons-26.2.0-py3-none-any.whl", "BSD-3-Clause", "python", HELD_OUT),
    ("pluggy-1.5.0-py3-none-any.whl", "pluggy-1.7.0-py3-none-any.whl", "MIT", "python", HELD_OUT),
    ("express-5.0.1.tgz", "express-5.3.0.tgz", "MIT", "javascript", HELD_OUT),
    ("ws-8.18.0.tgz", "ws-8.23.0.tgz", "MIT", "javascript", HELD_OUT),
    ("reduxjs-toolkit-2.8.2.tgz", "reduxjs-toolkit-2.14.0.tgz", "MIT", "typescript", HELD_OUT),
]


def scenarios(folder):
    """kind, whether something is to come -> scenarios, by package in turn."""
    groups = collections.defaultdict(list)
    for old, new, licence, language, kind in PAIRS:
        pick = random.Random(f"{edits.SEED} {new}")
        files = [edits.files_of(folder / name, language) for name in (old, new)]
        made = [one for one in edits.of_versions(*files, language, pick) if len(one["text"]) <= MOST_BYTES]
        pick.shuffle(made)
        package = f"{new.rsplit('-', 4)[0] if new.endswith('.whl') else new.removesuffix('.tgz').rpartition('-')[0]}"
        counts = collections.Counter()
        for one in made:
            some = one["expected"] is not None
            counts[some] += 1
            if counts[some] <= OF_A_PACKAGE:
                digest = hashlib.sha256((one["text"] + str(one["edits"])).encode()).hexdigest()[:6]
                groups[kind, some].append({**one, "id": f"{package}-{digest}", "kind": kind, "package": new, "licence": licence})
    return groups


def cut(folder):
    groups = scenarios(folder)
    chosen = []
    for kind in (FIT, HELD_OUT):
        count = min(OF_A_KIND // 2, *(len(groups[kind, some]) for some in (True, False)))
        for some in (True, False):
            random.Random(f"{edits.SEED} {kind} {some}").shuffle(groups[kind, some])
            chosen += groups[kind, some][:count]
        print(f"{kind}: {count} with an edit to come, {count} without")
    FILE.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in chosen), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] != "cut":
        sys.exit(__doc__)
    cut(Path(sys.argv[2]))
