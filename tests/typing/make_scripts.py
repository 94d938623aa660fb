#!/usr/bin/env python3
"""Makes scripts for `cinnabar eval typing`: files as somebody writes them, key by key, and the places that are judged.

    make_scripts.py dev   | cinnabar eval typing - --answers dev.jsonl [--details]
    make_scripts.py blind | cinnabar eval typing - --answers blind.jsonl

Both sets: the small files in the folder of that name, written for this in more than a dozen languages, and files of packages that
no training saw (tests/holes/held_out.py). `dev` is there to mend rules with. Nobody looks into `blind`, its files or its answers.

A file is written anew from nothing, or it is there and some of its lines are written again, with the rest untouched behind. With
or without an editor that pairs brackets and quotes; it puts a line's indentation in. Now and then a wrong key is taken back.
Only the keys near a place are typed, with an answer wanted after each, at a person's pace; most places are come to in a hurry, so that
nothing was shown right before that the user only types along. What lies further back is pasted. Standard library only; the same files
and seed give the same scripts, whose form is described in daemon/commands/evaluation/typing_script.h.
"""
import argparse
import collections
import json
import random
import sys
from pathlib import Path

import lexing

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "holes"))

LANGUAGES = {".py": "python", ".ts": "typescript", ".tsx": "typescriptreact", ".js": "javascript", ".go": "go", ".rs": "rust",
             ".java": "java", ".c": "c", ".cc": "cpp", ".cs": "csharp", ".kt": "kotlin", ".swift": "swift", ".rb": "ruby", ".lua": "lua",
             ".php": "php", ".sh": "shellscript", ".html": "html", ".css": "css", ".sql": "sql", ".yaml": "yaml", ".toml": "toml",
             ".ex": "elixir", ".dart": "dart", ".scala": "scala", ".r": "r", ".md": "markdown"}
# Of a hundred places. Punctuation together: a third, as in real typing where one looks.
KINDS = {"part of a word": 13, "word": 6, "blank behind a word": 12, "blank behind punctuation": 10, "blank line": 5,
         "indented blank line": 13, "open string": 6, "comment": 3, "after .": 8, "after (": 9, "after [": 3, "after {": 3, "after =": 2,
         "after ::": 2, "after ->": 1, "after =>": 1, "after :": 1, "after other punctuation": 2}
SETS = {"dev": {"seed": 20261128, "parity": 0}, "blind": {"seed": 97_531_864, "parity": 1}}
PACKAGE_FILES = 2  # of a language in a set
APART = 40      # characters between two places of a file
KEYS_BEFORE = 30  # typed before a place
NEXT = 600      # characters of what comes next that are kept
TYPOS = 0.02
HURRY, HURRIED = 0.7, 240  # of the places are come to without a pause; milliseconds of a key there, at most


def utf16(text):
    return len(text.encode("utf-16-le")) // 2


def position(text, at):
    begin = text.rfind("\n", 0, at) + 1
    return [text.count("\n", 0, at), utf16(text[begin:at])]


class Editor:
    """A document while `text` (between what stands before and behind) is written into it; each key is remembered."""

    def __init__(self, before, text, behind, language, pairs, rng, typos=TYPOS):
        self.buffer, self.at = before + behind, len(before)
        self.text, self.pairs, self.rng, self.typos = text, pairs, rng, typos
        self.offset = len(before)
        whole = before + text + behind
        self.regions, self.partners = lexing.scan(whole, language)
        self.whole = whole
        self.pending = []  # [where text has the closer, its distance from the buffer's end], the innermost last
        self.keys = []     # (buffer before, buffer after, cursor after, milliseconds, how much of `text` is written, hole's end)

    def put(self, begin, end, inserted, cursor, written):
        before = self.buffer
        self.buffer = before[:begin] + inserted + before[end:]
        self.at = cursor
        hole = None
        if self.pending and len(self.buffer) - self.pending[-1][1] == self.at:
            hole = self.pending[-1][0]
        self.keys.append((before, self.buffer, cursor, self.pause(before, begin, inserted), written, hole))

    def pause(self, before, at, key):
        line = before[before.rfind("\n", 0, at) + 1:at]
        pause = self.rng.lognormvariate(5.136, 0.45)  # median 170 ms
        if "\n" in key:
            pause += self.rng.uniform(200, 600)
        elif not line.strip():
            pause += self.rng.uniform(300, 1500)
        elif key.isalnum() and not line[-1].isalnum():
            pause += self.rng.uniform(0, 250)
        return max(1, round(pause))

    def write(self):
        i = 0
        while i < len(self.text):
            i = self.key(i)
        if self.buffer != self.whole:
            raise ValueError("what was written is not the text")
        return self.keys

    def key(self, i):
        c = self.text[i]
        pending = len(self.buffer) - self.pending[-1][1] if self.pending else -1
        if pending >= 0 and self.pending[-1][0] == i:
            if pending == self.at:  # typed over
                self.pending.pop()
                self.put(self.at, self.at + 1, c, self.at + 1, i + 1)
                return i + 1
            raise ValueError("a closer is not where it is written")
        if c == "\n":
            return self.newline(i, pending)
        partner = self.partners.get(self.offset + i, -1) - self.offset
        if self.pairs and c in "([{\"'`" and i < partner < len(self.text) and self.pairs_here(c):
            self.pending.append([partner, len(self.buffer) - self.at + 1])
            self.put(self.at, self.at, c + self.text[partner], self.at + 1, i + 1)
            return i + 1
        if c.isalpha() and c.isascii() and self.rng.random() < self.typos:
            wrong = self.rng.choice("abcdefghijklmnopqrstuvwxyz")
            self.put(self.at, self.at, wrong, self.at + 1, None)
            self.put(self.at - 1, self.at, "", self.at - 1, None)
        self.put(self.at, self.at, c, self.at + 1, i + 1)
        return i + 1

    def pairs_here(self, c):
        following = self.buffer[self.at:self.at + 1]
        if following and following not in " \t\n)]};,:>":
            return False
        before = self.buffer[self.at - 1:self.at]
        return c in "([{" or not (before.isalnum() or before == c)

    def newline(self, i, pending):
        line = self.text[i + 1:].split("\n", 1)[0]
        indentation = line[:len(line) - len(line.lstrip())] if line.strip() else ""
        if pending > self.at:  # the closer stands on the next line already: one goes there
            step = self.buffer[self.at:pending + 1]
            if self.text.startswith(step, i):
                written = self.pending.pop()[0] + 1
                self.put(pending + 1, pending + 1, "", pending + 1, written)
                return written
        end = i + 1 + len(indentation)
        if pending == self.at and self.buffer[self.at - 1:self.at] in ("(", "[", "{") and self.pending[-1][0] > end:
            closer = self.pending[-1][0]
            below = self.text[self.text.rfind("\n", 0, closer):closer]
            if not below.strip():
                self.put(self.at, self.at, "\n" + indentation + below, self.at + end - i, end)
                return end
        self.put(self.at, self.at, "\n" + indentation, self.at + end - i, end)
        return end


def worth_judging(rest):
    """There is something to be said on the line."""
    line = rest.split("\n", 1)[0].strip()
    return len(line) >= 3 and any(c.isalnum() for c in line)


def places_of(editor):
    """(number of a key, kind, position in the text)"""
    found = []
    for number, (_, _, _, _, written, hole) in enumerate(editor.keys):
        if written is None or written >= len(editor.text):
            continue
        rest = editor.text[written:hole] if hole is not None else editor.text[written:]
        if worth_judging(rest):
            found.append((number, lexing.kind_before(editor.whole, editor.regions, editor.offset + written), written))
    return found


def change(before, after, cursor, milliseconds):
    """One key of a script: what has to be replaced to come from one text to the other."""
    begin = 0
    while begin < min(len(before), len(after)) and before[begin] == after[begin]:
        begin += 1
    begin = min(begin, max(cursor, 0)) if before != after else cursor
    tail = 0
    while tail < min(len(before), len(after)) - begin and before[len(before) - 1 - tail] == after[len(after) - 1 - tail]:
        tail += 1
    if before == after:
        where = position(after, cursor)
        return [milliseconds, *where, *where, "", *where]
    return [milliseconds, *position(before, begin), *position(before, len(before) - tail), after[begin:len(after) - tail],
            *position(after, cursor)]


def script_of(name, path, language, editor, chosen, rng):
    """The keys near the chosen places; what lies between them is one change."""
    hurried = {n for number, _, _ in sorted(chosen) if rng.random() < HURRY for n in range(number - KEYS_BEFORE, number + 1)}
    near = {n for number, _, _ in chosen for n in range(max(0, number - KEYS_BEFORE), number + 1)}
    keys, places, numbers = [], [], {}
    start = editor.keys[0][0]
    text, skipped = start, None
    for number, (before, after, cursor, milliseconds, _, _) in enumerate(editor.keys[:max(n for n, _, _ in chosen) + 1]):
        if number not in near:
            skipped = (after, cursor)
            continue
        if skipped:
            keys.append(change(text, *skipped, 0))
            skipped = None
        numbers[number] = len(keys)
        keys.append(change(before, after, cursor, min(milliseconds, HURRIED) if number in hurried else milliseconds))
        text = after
    for number, kind, written in sorted(chosen):
        hole = editor.keys[number][5]
        place = {"id": f"{name}:{written}", "key": numbers[number], "kind": kind, "next": editor.text[written:written + NEXT]}
        if hole is not None:
            place["hole"] = editor.text[written:hole]
        places.append(place)
    return {"id": name, "path": path, "language": language, "text": start, "keys": keys, "places": places}


def regions_to_rewrite(text, rng):
    """A few lines in a row that make sense to be written again: (begin, end)."""
    lines = text.split("\n")
    starts = [n for n in range(2, len(lines) - 3) if lines[n].strip() and lines[n - 1].strip() and lines[n + 1].strip()]
    if not starts:
        return 0, len(text)
    first = rng.choice(starts)
    last = min(len(lines) - 2, first + rng.randint(3, 9))
    return sum(len(line) + 1 for line in lines[:first]), sum(len(line) + 1 for line in lines[:last + 1]) - 1


def edited(name, path, language, text, style, rng):
    begin, end = (0, len(text)) if style == "new" else regions_to_rewrite(text, rng)
    pairs = rng.random() < 0.6 and language not in ("yaml", "markdown", "toml")
    label = f"{name}/{style}{'/pairs' if pairs else ''}"
    editor = Editor(text[:begin], text[begin:end], text[end:], language, pairs, rng)
    try:
        editor.write()
    except ValueError:  # brackets that do not pair as this editor pairs them
        editor = Editor(text[:begin], text[begin:end], text[end:], language, False, rng)
        editor.write()
        label = f"{name}/{style}"
    return label, path, language, editor


def sources(name):
    """(name, path, language, text, places wanted, styles)"""
    for file in sorted((HERE / name).iterdir()):
        if file.suffix in LANGUAGES:
            yield file.name, file.name, LANGUAGES[file.suffix], file.read_text(encoding="utf-8"), 4, ("new", "new", "edit")
    import held_out  # noqa: E402, it needs the training's folder, too
    taken, languages = set(), collections.Counter()
    for number, file in enumerate(held_out.read("held_out_files")):
        label = f"{file['package'].split()[1].replace('/', '-')}-{Path(file['path']).name}"
        parity, language = number % 2, file["language"]
        if 1500 < len(file["text"]) < 6000 and label not in taken and languages[language, parity] < PACKAGE_FILES:
            languages[language, parity] += 1
            taken.add(label)
            if parity == SETS[name]["parity"]:
                yield label, file["path"], language, file["text"], 2, ("edit",)


def choose(files, rng):
    """The places of each file, so that kinds come as often as KINDS says and every file gets as many as it wants."""
    open_places = [[number, set(places_of(file[3])), wanted, []] for number, (file, wanted) in enumerate(files)]
    left = sum(wanted for _, _, wanted, _ in open_places)
    quota = {kind: share * left / sum(KINDS.values()) for kind, share in KINDS.items()}
    while left > 0:
        # The kind that is behind most, in the file that wants most.
        kinds = sorted(quota, key=lambda kind: (-quota[kind], kind))
        for kind in kinds:
            able = [entry for entry in open_places if len(entry[3]) < entry[2] and any(p[1] == kind for p in entry[1])]
            if able:
                break
        else:
            return [entry[3] for entry in open_places]
        most = max(entry[2] - len(entry[3]) for entry in able)
        entry = rng.choice([e for e in able if e[2] - len(e[3]) == most])
        place = rng.choice(sorted(p for p in entry[1] if p[1] == kind))
        entry[3].append(place)
        entry[1] -= {p for p in entry[1] if abs(p[2] - place[2]) < APART}
        quota[kind] -= 1
        left -= 1
    return [entry[3] for entry in open_places]


def scripts(name):
    rng = random.Random(SETS[name]["seed"])
    files = []
    for file, path, language, text, wanted, styles in sources(name):
        files.append((edited(file, path, language, text, rng.choice(styles), rng), wanted))
    for ((label, path, language, editor), _), chosen in zip(files, choose(files, rng)):
        if chosen:
            yield script_of(label, path, language, editor, chosen, rng)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=sorted(SETS))
    parser.add_argument("--counts", action="store_true", help="say how many places of each kind and language there are instead")
    arguments = parser.parse_args()
    if not arguments.counts:
        for script in scripts(arguments.set):
            print(json.dumps(script, ensure_ascii=False, separators=(",", ":")))
        return
    counts = {}
    for script in scripts(arguments.set):
        for place in script["places"]:
            for name in (script["language"], place["kind"], "all"):
                counts[name] = counts.get(name, 0) + 1
    for name, count in sorted(counts.items()):
        print(f"{count:4} {name}")


if __name__ == "__main__":
    main()
