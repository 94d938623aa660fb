#!/usr/bin/env python3
"""The threads: ARCHITECTURE's section about them names every header that owns one, and no other."""
import re

import tidy

DOCUMENT = "ARCHITECTURE.md"
HEADING = "## Threads"
OWNS = re.compile(r"\bstd::j?thread\b(?!::)")
NAMED = re.compile(r"`([\w/]+\.h)`")


def check(root):
    text = tidy.read(root, DOCUMENT)
    if f"\n{HEADING}\n" not in text:
        return [f"{DOCUMENT}: has no section '{HEADING}'"]
    named = set(NAMED.findall(text.split(f"\n{HEADING}\n", 1)[1].split("\n## ", 1)[0]))
    owners = {path for path in tidy.files(root, tidy.FOLDERS, tidy.HEADERS) if OWNS.search(tidy.bare_code(tidy.read(root, path)))}
    return ([f"{path}: owns a thread that {DOCUMENT}, '{HEADING}', does not name" for path in sorted(owners - named)] +
            [f"{DOCUMENT}: '{HEADING}' names {path}, which owns no thread" for path in sorted(named - owners)])


_TEXT = "# A\n\n## Threads\n\n- the runner's (`engine/a.h`)\n\n## B\n\n`engine/b.h`\n"
_OWNER = "class A {\n  std::jthread thread_;\n};\n"
GOOD = {DOCUMENT: _TEXT, "engine/a.h": _OWNER, "engine/b.h": "// a std::thread\nint n = std::thread::hardware_concurrency();\n"}
CASES = [
    ("no section", {DOCUMENT: "# A\n", "engine/a.h": _OWNER}, "has no section"),
    ("a thread more", {DOCUMENT: _TEXT, "engine/a.h": _OWNER, "lsp/c.h": "std::vector<std::thread> w;\n"}, "lsp/c.h: owns a thread"),
    ("a thread less", {DOCUMENT: _TEXT, "engine/a.h": "class A {};\n"}, "names engine/a.h, which owns no thread"),
]

if __name__ == "__main__":
    tidy.main(check, GOOD, CASES)
