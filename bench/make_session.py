#!/usr/bin/env python3
"""Makes a typing session from a real file: some of its parts are taken out and typed again, key by key.

    make_session.py FILE LANGUAGE FIRST-LAST [FIRST-LAST...] > session.json      line numbers from 1

Typed as people do, from a fixed seed: keys come at log-normal intervals (median 170 ms), with a pause before a line and
before a name; a line end brings the next line's indentation with it, as editors put it in; now and then a wrong key is
taken back. A session is {"source", "language", "text", "keys"}: the text before the first key, and for each key
[milliseconds since the last one, line, character, end character, text]: what goes into the stead of that range of one
line (from 0, utf-16). Used by latency.py.
"""
import json
import random
import sys


def parts(ranges, lines):
    """(first, last) from 0, the last one first, so that a part's place does not depend on those taken out before."""
    found = sorted((tuple(int(n) - 1 for n in text.split("-")) for text in ranges), reverse=True)
    if any(not 0 < first <= last < len(lines) for first, last in found):
        sys.exit(f"ranges must lie in lines 2 to {len(lines)}")
    return found


class Typist:
    def __init__(self, seed=1):
        self.random = random.Random(seed)
        self.keys = []

    def pause(self, before, key):
        pause = self.random.lognormvariate(5.136, 0.45)  # median 170 ms
        if "\n" in key:
            pause += self.random.uniform(200, 600)
        elif not before.strip():
            pause += self.random.uniform(300, 1500)
        elif key.isalnum() and not before[-1].isalnum():
            pause += self.random.uniform(0, 250)
        return round(pause)

    def put(self, line, begin, end, text, before):
        self.keys.append([self.pause(before, text), line, len(begin.encode("utf-16-le")) // 2,
                          len(end.encode("utf-16-le")) // 2, text])

    def type_line(self, number, indentation, text):
        """The cursor stands behind the indentation of line `number`."""
        typed = indentation
        for key in text:
            if key.isalpha() and self.random.random() < 0.02:
                wrong = self.random.choice("abcdefghijklmnopqrstuvwxyz")
                self.put(number, typed, typed, wrong, typed)
                self.put(number, typed, typed + wrong, "", typed + wrong)
            self.put(number, typed, typed, key, typed)
            typed += key

    def type_part(self, number, lines):
        """`lines` behind line `number`, whose end the cursor stands at."""
        before = None
        for line in lines:
            text = line.lstrip()
            indentation = line[:len(line) - len(text)]
            end = before if before is not None else self.opening
            self.put(number, end, end, "\n" + indentation, end)
            number += 1
            self.type_line(number, indentation, text)
            before = line


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        lines = file.read().split("\n")
    typist, kept = Typist(), list(lines)
    for first, last in parts(sys.argv[3:], lines):
        del kept[first:last + 1]
    taken = 0
    for first, last in reversed(parts(sys.argv[3:], lines)):
        # The parts before stand in their places again when this one is typed.
        typist.opening = lines[first - 1]
        typist.type_part(first - 1, lines[first:last + 1])
        taken += last - first + 1
    session = {"source": sys.argv[1], "language": sys.argv[2], "text": "\n".join(kept), "keys": typist.keys}
    print(json.dumps(session, ensure_ascii=False, separators=(",", ":")))
    print(f"{taken} lines, {len(typist.keys)} keys, {sum(key[0] for key in typist.keys) / 1000:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
