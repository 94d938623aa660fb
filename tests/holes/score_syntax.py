#!/usr/bin/env python3
"""Scores answers to the held-out holes twice, as the model gave them and as the critic left them.

    python3 tests/holes/held_out.py list | cinnabar infill --jsonl --details > answers.jsonl
    python3 tests/holes/score_syntax.py CINNABAR answers.jsonl [--continued more.jsonl]

Texts are parsed by `cinnabar parse --jsonl`, whole files, every time anew. Standard library only. Per language and kind, first
with the critic off (the raw answer), then on (what is shown; an answer that is withheld is not shown):

  shown    share of holes with an answer that is not empty
  exact    answer == middle, blanks and line ends at the end of both left out; of all holes
  similar  mean of 1 - (Levenshtein distance / length of the longer), in characters; of all holes
  parses   share of the shown answers with which the file has no more ERROR and MISSING nodes than the real file
  adds     share of the shown answers with which it has more than without any answer
  doubled  share of the shown answers that end with a closer which stands behind the hole too and closes once too often
  end      of the answers whose text up to the true end is right, those that end there

An answer that stops inside the middle counts for `end` only when the model would have gone on rightly. Whether it
would have, says a second run of the holes that `--list-short` prints, given with --continued:

    python3 tests/holes/score_syntax.py CINNABAR answers.jsonl --list-short | cinnabar infill --jsonl > more.jsonl
"""
import argparse
import collections
import json
import subprocess
import sys

import held_out
from score import edit_distance, read_jsonl

CLOSERS = ")]}"


def count_damage(cinnabar, texts):
    """[(language, text)] -> number of ERROR and MISSING nodes of each."""
    distinct = {}
    for language, text in texts:
        distinct.setdefault((language, text), len(distinct))
    lines = "".join(json.dumps({"id": i, "language": language, "text": text}) + "\n" for (language, text), i in distinct.items())
    done = subprocess.run([cinnabar, "parse", "--jsonl"], input=lines, capture_output=True, text=True, check=True)
    counts = {c["id"]: c["errors"] + c["missing"] for c in map(json.loads, done.stdout.splitlines())}
    return [counts[distinct[key]] for key in texts]


def closes(text):
    """Brackets that a text closes beyond those it opens, strings taken as text."""
    return sum(text.count(c) for c in CLOSERS) - sum(text.count(c) for c in "([{")


def doubled(text, hole):
    behind = hole["suffix"].lstrip()[:1]
    end = text.rstrip()
    return bool(behind) and behind in CLOSERS and end.endswith(behind) and closes(end) > closes(hole["middle"])


def judge(hole, text, damage):
    """`damage`: nodes in the real file, without an answer, with this one."""
    said, middle = text.rstrip(), hole["middle"].rstrip()
    real, without, with_it = damage
    return {"shown": bool(said), "exact": said == middle,
            "similar": 1 - edit_distance(said, middle) / max(len(said), len(middle), 1),
            "parses": with_it <= real, "adds": with_it > without, "doubled": doubled(text, hole)}


def ending(hole, text, continued):
    """None: the text up to the true end is not right, or nobody knows; else whether it ends there."""
    said, middle = text.rstrip(), hole["middle"].rstrip()
    if said == middle:
        return True
    if said.startswith(middle):
        return False
    if is_short(hole, text) and hole["id"] in continued:
        rest = middle[len(said):]
        return False if continued[hole["id"]]["text"].lstrip().startswith(rest.lstrip()) else None
    return None


def is_short(hole, text):
    said, middle = text.rstrip(), hole["middle"].rstrip()
    return said != middle and middle.startswith(said)


def print_short(holes, answers):
    """Holes whose raw answer stops too early, to go on behind it without any end but the length's."""
    for key, answer in answers.items():
        hole = holes[key]
        if is_short(hole, answer["raw"]):
            said = answer["raw"].rstrip()
            rest = hole["middle"].rstrip()[len(said):]
            print(json.dumps({"id": key, "prefix": hole["prefix"] + said, "suffix": hole["suffix"], "stop": "hole",
                              "max_tokens": min(1024, len(rest) // 2 + 8)}))


def row(name, results):
    def share(key, of):
        return f"{100 * sum(r[key] for r in of) / len(of):6.1f}" if of else "     -"

    shown, ends = [r for r in results if r["shown"]], [r for r in results if r["end"] is not None]
    cells = [share("shown", results), share("exact", results), share("similar", results), share("parses", shown),
             share("adds", shown), share("doubled", shown), share("end", ends)]
    return f"{name:22} {len(results):5} " + " ".join(cells) + f" {len(ends):6}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cinnabar")
    parser.add_argument("answers", nargs="+")
    parser.add_argument("--continued", help="answers to what --list-short printed")
    parser.add_argument("--list-short", action="store_true")
    parser.add_argument("--examples", type=int, default=0, help="print so many answers that add nodes or double a closer")
    options = parser.parse_args()
    holes = {h["id"]: h for h in held_out.joined()}
    answers = {}
    for path in options.answers:
        with open(path, encoding="utf-8") as f:
            answers.update({a["id"]: a for a in read_jsonl(f, path) if "error" not in a})
    if options.list_short:
        return print_short(holes, answers)
    continued = {}
    if options.continued:
        with open(options.continued, encoding="utf-8") as f:
            continued = {a["id"]: a for a in read_jsonl(f, options.continued)}
    report(options, holes, answers, continued)
    return None


def report(options, holes, answers, continued):
    texts = []
    for key, answer in answers.items():
        hole = holes[key]
        texts += [(hole["language"], hole["prefix"] + part + hole["suffix"])
                  for part in (hole["middle"], "", answer["raw"], answer["text"])]
    damage = count_damage(options.cinnabar, texts)
    tables = {"critic off": collections.defaultdict(list), "critic on": collections.defaultdict(list)}
    for i, (key, answer) in enumerate(answers.items()):
        hole, (real, without, raw, shown) = holes[key], damage[4 * i:4 * i + 4]
        for name, text, with_it in (("critic off", answer["raw"], raw), ("critic on", answer["text"], shown)):
            result = judge(hole, text, (real, without, with_it))
            result["end"] = ending(hole, text, continued)
            for group in ("all", hole["language"], "kind " + hole["kind"]):
                tables[name][group].append(result)
            if options.examples > 0 and name == "critic on" and result["shown"] and (result["adds"] or result["doubled"]):
                options.examples -= 1
                print(f"--- {key} adds={result['adds']} doubled={result['doubled']}\n{hole['prefix'][-160:]}\u27e6{text}\u27e7{hole['suffix'][:80]}")
    for name, groups in tables.items():
        print(f"\n{name:22} {'holes':>5} {'shown':>6} {'exact':>6} {'simil.':>6} {'parses':>6} {'adds':>6} {'double':>6} {'end':>6} {'of':>6}")
        for group in sorted(groups, key=lambda g: (g.startswith("kind "), g == "all", g)):
            print(row(group, groups[group]))
    print("finish reasons:", dict(collections.Counter(a["finish_reason"] for a in answers.values()).most_common()))


if __name__ == "__main__":
    sys.exit(main())
