#!/usr/bin/env python3
"""Examples of edits to train on: what somebody changed, and what that asks for next.

    training/edits.py WORK --out edits.jsonl [--every N]          from pairs of versions and synthetic, by language in turn
    training/edits.py --pair OLD NEW --language L [--out FILE]    of two archives or folders of one package alone

WORK is what corpus/fetch.py filled; below WORK/earlier/SOURCE/NAME lie the archives of an earlier version of the same packages
(`pip download --no-deps NAME==VERSION`, `npm pack NAME@VERSION`), for as many of them as there are. Only packages of the
manifest's training part are read, and only files whose licence the corpus allows.

A line: {"id", "kind", "language", "path", "package", "licence", "text", "edits": [[old, new], ...], "expected": [[old, new], ...]
or null}. `text` is a window of a file; each pair replaces the first place of `old`; `edits` have been made, oldest first, and
`expected` is what comes next; null: nothing. This is what `cinnabar eval edits` reads. Kinds:

  version pair    hunks of one file between two versions. Their order is not known: it is guessed by nearness, from one of them on.
                  The next is expected where it is like one of those before (it takes away and adds the same words), and nothing
                  where all that is near has been done
  rename, add parameter, change type, repeated pattern    one change made of a file at all its places: the first ones done,
                  the others expected; or all of them done, and nothing expected

Standard library only; the same packages give the same lines.
"""
import argparse
import difflib
import json
import random
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "corpus"))
import collect  # noqa: E402

SEED = 20261129
MOST_LINES, APART, AROUND = 110, 40, 12  # of a window; between hunks of one; before the first and behind the last
MOST_HUNK = 8  # lines
WORD = re.compile(r"[A-Za-z_]\w*")
KEYWORDS = frozenset("""and as async await auto break case catch class const continue def default del do elif else enum export
extends false False final finally fn for from func function if impl import in instanceof int interface is lambda let long match
mod mut new nil None not null or package pass private protected pub public raise return self static string struct super switch
this throw true True try type typeof use var void while with yield bool float double char""".split())


def hunks(old, new):
    """[(begin, end, lines), ...]: lines [begin, end) of `old` become `lines`; in order."""
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return [(i, j, new[k:m]) for tag, i, j, k, m in matcher.get_opcodes() if tag != "equal"]


def words_of(lines):
    return {word for line in lines for word in WORD.findall(line)}


def change_of(old, hunk):
    """The words that a hunk takes away, and those that it adds."""
    before, after = words_of(old[hunk[0]:hunk[1]]), words_of(hunk[2])
    return before - after, after - before


def is_like(one, other):
    """Whether two changes are the same one at two places: most words that go and come are the same, and there are some."""
    gone, come = one[0] & other[0], one[1] & other[1]
    both = len(one[0] | other[0]) + len(one[1] | other[1])
    return both > 0 and 2 * (len(gone) + len(come)) >= both


def applied(lines, done):
    out, at = [], 0
    for begin, end, new in sorted(done, key=lambda hunk: hunk[:2]):
        out += lines[at:begin] + new
        at = end
    return out + lines[at:]


def as_pair(text, begin, end, new):
    """[old, new] such that the first place of `old` in the text is the one at [begin, end); None: there is none."""
    start = begin
    while True:
        old = text[start:end]
        if old and text.find(old) == start:
            return [old, text[start:begin] + new]
        if start == 0:
            return None
        start = text.rfind("\n", 0, start - 1) + 1


def as_pairs(lines, ordered):
    """The pairs of hunks in that order, each of the text that those before it left; None: one has no place of its own."""
    pairs = []
    for count, hunk in enumerate(ordered):
        done = ordered[:count]
        now = applied(lines, done)
        shift = sum(len(new) - (end - begin) for begin, end, new in done if begin < hunk[0])
        offsets = [0]
        for line in now:
            offsets.append(offsets[-1] + len(line) + 1)
        begin, end = offsets[hunk[0] + shift], offsets[hunk[1] + shift]
        pair = as_pair("\n".join(now) + "\n", begin, end, "".join(line + "\n" for line in hunk[2]))
        if pair is None or pair[0] == pair[1]:
            return None
        pairs.append(pair)
    return pairs


def nearest_first(found, first):
    """The hunks from one of them on, always the nearest of those left."""
    left, ordered = [hunk for hunk in found if hunk is not first], [first]
    while left:
        best = min(left, key=lambda hunk: (abs(hunk[0] - ordered[-1][0]), hunk[0]))
        left.remove(best)
        ordered.append(best)
    return ordered


def window(lines, found):
    """(the lines around the hunks, the hunks in them); None: they are too far apart."""
    begin = max(min(hunk[0] for hunk in found) - AROUND, 0)
    end = min(max(hunk[1] for hunk in found) + AROUND, len(lines))
    if end - begin > MOST_LINES:
        return None
    return lines[begin:end], [(i - begin, j - begin, new) for i, j, new in found]


def groups_of(found):
    """Hunks that are near one another."""
    groups = []
    for hunk in found:
        if groups and hunk[0] - groups[-1][-1][1] <= APART:
            groups[-1].append(hunk)
        else:
            groups.append([hunk])
    return groups


def scenario(lines, ordered, done):
    """text, edits and what is expected behind the first `done` of the hunks; None: it cannot be written down."""
    cut = window(lines, ordered)
    if cut is None:
        return None
    text, inside = cut
    pairs = as_pairs(text, inside)
    if pairs is None:
        return None
    return {"text": "\n".join(text) + "\n", "edits": pairs[:done], "expected": pairs[done:] or None}


def of_pair(old_text, new_text, pick):
    """Scenarios of two versions of a file: one with an edit to come and one without for each group of hunks."""
    old, new = old_text.split("\n"), new_text.split("\n")
    small = [hunk for hunk in hunks(old, new) if hunk[1] - hunk[0] <= MOST_HUNK and len(hunk[2]) <= MOST_HUNK]
    for group in groups_of(small):
        changes = [change_of(old, hunk) for hunk in group]
        alike = [i for i in range(len(group)) if any(is_like(changes[i], changes[j]) for j in range(len(group)) if j != i)]
        if len(alike) > 1:
            first = group[alike[0]]
            ordered = nearest_first([group[i] for i in alike if is_like(changes[i], changes[alike[0]])], first)
            made = scenario(old, ordered, 1) if len(ordered) > 1 else None
            if made:
                yield made
        # What the authors did here is all that they did: the last of these asks for nothing.
        ordered = nearest_first(group, pick.choice(group))[-3:]
        rest = applied(old, [hunk for hunk in group if hunk not in ordered])
        shift = {hunk[:2]: sum(len(h[2]) - (h[1] - h[0]) for h in group if h not in ordered and h[0] < hunk[0]) for hunk in ordered}
        moved = [(h[0] + shift[h[:2]], h[1] + shift[h[:2]], h[2]) for h in ordered]
        made = scenario(rest, moved, len(moved))
        if made:
            yield made


def new_name(name, taken, pick):
    parts = ["current", "source", "target", "value", "entry", "result", "inner", "other", "given", "local"]
    for part in pick.sample(parts, len(parts)):
        made = f"{part}_{name}" if "_" in name or name.islower() else part + name[0].upper() + name[1:]
        if made not in taken:
            return made
    return name + "2"


def lines_with(lines, pattern, begin, most):
    return [i for i in range(begin, min(begin + MOST_LINES - 2 * AROUND, len(lines))) if pattern.search(lines[i])][:most]


def of_lines(lines, places, change, pick):
    """One change at several lines: the first done, the others to come; in every other case all done and nothing to come."""
    found = [(i, i + 1, [change(lines[i])]) for i in places]
    if len(found) < 2 or any(lines[begin] == new[0] for begin, _, new in found):
        return None
    return scenario(lines, found, len(found) if pick.random() < 0.5 else 1)


def rename(lines, pick):
    begin = pick.randrange(max(len(lines) - 30, 1))
    names = [w for line in lines[begin:begin + 40] for w in WORD.findall(line) if len(w) > 2 and w not in KEYWORDS]
    names = sorted({name for name in names if names.count(name) > 2})
    if not names:
        return None
    name = pick.choice(names)
    made, pattern = new_name(name, set(names), pick), re.compile(rf"(?<![\w.\"']){name}\b")
    return of_lines(lines, lines_with(lines, pattern, begin, 6), lambda line: pattern.sub(made, line), pick)


def add_parameter(lines, pick):
    text = "\n".join(lines)
    functions = [m for m in re.finditer(r"\b(?:def|function|func|fn)\s+(\w+)\(([^()\n]*)\)", text) if m[1] not in KEYWORDS]
    if not functions:
        return None
    function = pick.choice(functions)
    name = pick.choice(["context", "options", "verbose", "limit", "strict"])
    pattern = re.compile(rf"\b{function[1]}\(([^()]*)\)")
    line = text.count("\n", 0, function.start())
    places = lines_with(lines, pattern, max(line - 30, 0), 6)
    if line not in places:
        return None
    places.remove(line)

    def change(old):
        return pattern.sub(lambda m: f"{function[1]}({m[1]}{', ' if m[1].strip() else ''}{name})", old, count=1)
    return of_lines(lines, [line, *places], change, pick)


def change_type(lines, pick):
    pairs = [("int", "float"), ("string", "number"), ("number", "bigint"), ("int", "long"), ("int", "int64"), ("i32", "i64"),
             ("str", "bytes"), ("float", "double"), ("List", "Sequence"), ("size_t", "std::size_t")]
    old, new = pick.choice(pairs)
    pattern = re.compile(rf"(?<=[:\s<(\[]){old}(?=[\s,)\]>=;]|$)")
    begin = pick.randrange(max(len(lines) - 30, 1))
    return of_lines(lines, lines_with(lines, pattern, begin, 4), lambda line: pattern.sub(new, line, count=1), pick)


def repeated_pattern(lines, pick):
    """A call that is in several lines gets another name or one more argument."""
    begin = pick.randrange(max(len(lines) - 30, 1))
    calls = re.findall(r"\b((?:\w+\.)+\w+)\(", "\n".join(lines[begin:begin + 60]))
    calls = sorted({call for call in calls if calls.count(call) > 1})
    if not calls:
        return None
    call = pick.choice(calls)
    made = call.rpartition(".")[0] + "." + pick.choice(["run", "add_all", "emit", "check", "update"])
    pattern = re.compile(rf"\b{re.escape(call)}\(")
    return of_lines(lines, lines_with(lines, pattern, begin, 5), lambda line: pattern.sub(made + "(", line), pick)


SYNTHETIC = {"rename": rename, "add parameter": add_parameter, "change type": change_type, "repeated pattern": repeated_pattern}


def of_file(text, pick):
    lines = text.split("\n")
    for kind, make in SYNTHETIC.items():
        made = make(lines, pick)
        if made:
            yield {"kind": kind, **made}


def files_of(place, language):
    """path -> text of one package, by archive or folder; version numbers in folder names are left out."""
    out = {}
    archives = [place] if place.is_file() else sorted(path for path in place.iterdir() if path.is_file())
    for archive in archives:
        for name, data in collect.archive_files(archive):
            if collect.LANGUAGE.get(Path(name).suffix) == language:
                text = data.decode("utf-8", "replace").replace("\r\n", "\n")
                if not collect.reason_to_drop(text, name):
                    out[name] = text
    return out


def of_versions(old, new, language, pick):
    """Scenarios of two versions of a package, {path: text} each."""
    for path in sorted(old.keys() & new.keys()):
        if old[path] != new[path]:
            for made in of_pair(old[path], new[path], pick):
                yield {"kind": "version pair", "language": language, "path": path, **made}


def of_corpus(work, every):
    import collections
    duplicates = collect.Duplicates()
    for entry in json.loads((HERE / "corpus" / "manifest.json").read_text()):
        source, name = entry["source"], entry["name"].replace("/", "__")
        place = work / "downloads" / source / name
        if entry["split"] != "train" or not place.is_dir():
            continue
        records = list(collect.kept_files(collect.Package(entry, place), duplicates, collections.Counter(), 8e6))
        pick = random.Random(f"{SEED} {source}/{name}")
        facts = {"package": f"{source} {entry['name']} {entry.get('version', '')}".strip()}
        licence = {record["path"]: record["licence"] for record in records}
        for record in records[::every]:
            for made in of_file(record["text"], pick):
                yield {"language": record["language"], "path": record["path"], **facts, "licence": record["licence"], **made}
        earlier = work / "earlier" / source / name
        for language in {record["language"] for record in records} if earlier.is_dir() else ():
            new = {record["path"]: record["text"] for record in records if record["language"] == language}
            old = {path.partition("/")[2] if source == "npm" else path: text for path, text in files_of(earlier, language).items()}
            for made in of_versions(old, new, language, pick):
                yield {**made, **facts, "licence": licence[made["path"]]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", nargs="?", type=Path)
    parser.add_argument("--pair", nargs=2, type=Path, metavar=("OLD", "NEW"))
    parser.add_argument("--language", default="python")
    parser.add_argument("--every", type=int, default=1, help="each Nth file for what is synthetic")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.pair:
        pick = random.Random(SEED)
        made = of_versions(*(files_of(place, options.language) for place in options.pair), options.language, pick)
    elif options.work:
        made = of_corpus(options.work, options.every)
    else:
        parser.error("name a folder or a pair of versions")
    counts = {}
    with open(options.out, "w", encoding="utf-8") if options.out else sys.stdout as out:
        for number, one in enumerate(made):
            counts.setdefault(one["kind"], [0, 0])[one["expected"] is None] += 1
            out.write(json.dumps({"id": f"edit-{number}", **one}, ensure_ascii=False) + "\n")
    for kind, (some, none) in sorted(counts.items()):
        print(f"{kind}: {some} with an edit to come, {none} without", file=sys.stderr)


if __name__ == "__main__":
    main()
