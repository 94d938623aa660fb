#!/usr/bin/env python3
"""Makes cases.json: what git says of paths under ignore files, for tests/unit/daemon/workspace/ignore_files_test.cc.

    make_cases.py > cases.json      needs git; the same output for the same git

Written cases first, each with a point of gitignore(5), then random ones from a fixed seed. A case is a tree's ignore
files and paths with git's verdict. No case has a tracked file, for which git's own rule is another.
"""
import json
import os
import random
import subprocess
import sys
import tempfile

WRITTEN = [
    ("comments, blank lines, escapes", {"": "# no\n\n\\#yes\n\\!yes\n a\n"}, ["# no", "#yes", "!yes", " a", "a"]),
    ("blanks at the end", {"": "a  \nb\\ \nc\\  \nd\t\n"}, ["a", "a  ", "b ", "b", "c ", "c", "d", "d\t"]),
    ("line ends of Windows, a mark at the begin", {"": "\ufeffa\r\nb \r\nc\r"}, ["a", "b", "b ", "c", "c\r"]),
    ("a name anywhere, or in its place", {"": "any\n/top\nsub/here\n"},
     ["any", "x/any", "x/any/y", "top", "x/top", "sub/here", "x/sub/here", "sub/here/y"]),
    ("folders alone", {"": "build/\nx/out/\n"}, ["build", "build/a", "y/build/a", "x/out", "x/out/a", "y/x/out/a"]),
    ("one star and one mark", {"": "*.o\nf?o\na/*/z\nd*/e\n"},
     ["a.o", ".o", "x/b.o", "foo", "f/o", "fo", "a/b/z", "a/b/c/z", "a/z", "d/e", "dx/e", "dx/y/e"]),
    ("two stars", {"": "**/deep\na/**/b\nc/**\nd**e\n/**/f\ng/**/\n**/h/i\n"},
     ["deep", "x/deep", "x/y/deep", "a/b", "a/x/b", "a/x/y/b", "ab", "c", "c/x", "c/x/y", "de", "dxe", "x/dxe", "f", "x/f",
      "g/x", "g/x/y", "h/i", "x/h/i", "x/y/h/i"]),
    ("more stars", {"": "***/a\nb/***\n**\\/c\nd/**/**/e\n"}, ["a", "x/a", "b/x", "x/c", "y/x/c", "d/e", "d/x/e", "d/x/y/e"]),
    ("brackets", {"": "[ab]1\n[!ab]2\n[^ab]3\n[a-c]4\n[]x]5\n[!]x]6\n[x-]7\n[a\\-c]8\n[\\]]9\n"},
     ["a1", "c1", "a2", "c2", "a3", "c3", "b4", "d4", "]5", "x5", "y5", "]6", "y6", "-7", "x7", "y7", "-8", "b8", "a8", "]9"]),
    ("classes", {"": "[[:digit:]]1\n[![:alpha:]]2\n[[:upper:][:digit:]]3\n[[:nix:]]4\n[[:digit]5\n[a-[:digit:]]6\n[[:space:]]7\n"},
     ["51", "x1", "52", "x2", "X3", "53", "x3", "n4", "54", "[5", "g5", "x5", "56", "a6", "-6", " 7"]),
    ("brackets and slashes", {"": "a[/]b\nc[!x]d\ne?f\n"}, ["a/b", "c/d", "cyd", "e/f", "exf"]),
    ("what matches nothing", {"": "[ab\na\\\n/\n//\n!\n"}, ["[ab", "a", "a\\", "b", "x/y"]),
    ("backslashes", {"": "\\a\\*b\nc\\?\nd\\[e]\n"}, ["a*b", "axb", "c?", "cx", "d[e]", "de"]),
    ("taken back", {"": "*.log\n!keep.log\nkeep.log.d/\n"}, ["a.log", "keep.log", "x/keep.log", "keep.log.d/x"]),
    ("the last one counts", {"": "!a\na\nb\n!b\n"}, ["a", "b"]),
    ("not out of an ignored folder", {"": "out/\n!out/keep\n"}, ["out/keep", "out/x"]),
    ("but with the folder's contents", {"": "out/*\n!out/keep\n"}, ["out/keep", "out/x", "out/keep/x"]),
    ("all but one folder", {"": "/*\n!/src\n/src/*\n!/src/lib\n"}, ["a", "src/a", "src/lib/a", "src/lib/b/c"]),
    ("a nearer file counts more", {"": "*.c\n!x.h\n", "sub": "!*.c\n*.h\n"}, ["a.c", "sub/a.c", "sub/b/a.c", "x.h", "sub/x.h"]),
    ("a nearer file's own places", {"sub": "/a\nb/c\nd\n"}, ["a", "sub/a", "sub/x/a", "sub/b/c", "sub/x/b/c", "d", "sub/d", "sub/x/d"]),
    ("none inside an ignored folder", {"": "sub/\n", "sub": "!a\n"}, ["sub/a"]),
    ("three levels", {"": "*.x\n", "a": "!*.x\n", "a/b": "k.x\n"}, ["k.x", "a/k.x", "a/b/k.x", "a/b/l.x", "a/b/c/k.x"]),
    ("hidden files and letter case", {"": "*\n!.*\n!A\n"}, [".a", "b", "A", "a", "x/.a"]),
    ("bytes beyond ASCII", {"": "é*\n[ü]x\n日本/\n"}, ["éa", "e", "üx", "日本/a"]),
    ("stars that look for trouble", {"": "*a*a*a*a*b\n**/*/**/*x\n"}, ["aaaaaaaaaaaaaaaa", "aaaaab", "a/b/c/x", "x", "q/x"]),
]
PIECES = ["a", "b", "ab", "*", "**", "?", "[ab]", "[!a]", "[a-b]", "\\a", "\\*", "a*", "*b", "?b", "**a"]
NAMES = ["a", "b", "ab", "ba", "aa", "c"]


def random_pattern(source):
    text = "/".join("".join(source.choices(PIECES, k=source.choice([1, 1, 1, 2]))) for _ in range(source.choice([1, 1, 2, 2, 3])))
    return source.choice(["", "", "", "!"]) + source.choice(["", "", "/"]) + text + source.choice(["", "", "/"])


def random_cases(count, seed):
    source = random.Random(seed)
    for number in range(count):
        files = {"": "".join(random_pattern(source) + "\n" for _ in range(source.randint(1, 4)))}
        if source.random() < 0.5:
            files[source.choice(NAMES)] = "".join(random_pattern(source) + "\n" for _ in range(source.randint(1, 3)))
        paths = {"/".join(source.choices(NAMES, k=source.randint(1, 4))) for _ in range(12)}
        # A path that is a folder of another's cannot be a file beside it.
        yield f"random {number}", files, sorted(p for p in paths if not any(q.startswith(p + "/") for q in paths) and p not in files)


def ignored(files, paths):
    """Of `paths` those that git ignores. Every path is made: git looks whether a folder is one."""
    with tempfile.TemporaryDirectory() as folder:
        git = ["git", "-C", folder, "-c", "core.excludesFile=/dev/null"]
        subprocess.run([*git, "init", "-q"], check=True)
        for place, text in files.items():
            os.makedirs(os.path.join(folder, place), exist_ok=True)
            with open(os.path.join(folder, place, ".gitignore"), "w", encoding="utf-8", newline="") as file:
                file.write(text)
        for path in paths:
            os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
            if not os.path.isdir(os.path.join(folder, path)):
                open(os.path.join(folder, path), "w", encoding="utf-8").close()
        said = subprocess.run([*git, "check-ignore", "-z", "--stdin"], input="\0".join(paths).encode(), capture_output=True, check=False)
        if said.returncode > 1:
            sys.exit(said.stderr.decode())
        return set(filter(None, said.stdout.decode().split("\0")))


def files_of(paths):
    """Without those that are folders of others."""
    return [path for path in paths if not any(other.startswith(path + "/") for other in paths)]


def main():
    cases = []
    for name, files, paths in [*WRITTEN, *random_cases(150, 1)]:
        paths = [path for path in files_of(paths) if path not in files]
        out = ignored(files, paths)
        cases.append({"name": name, "files": files, "ignored": [p for p in paths if p in out], "kept": [p for p in paths if p not in out]})
    print("[\n" + ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases) + "\n]")


if __name__ == "__main__":
    main()
