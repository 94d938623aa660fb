#!/usr/bin/env python3
"""Cuts the evaluation's holes out of released packages: single_line.jsonl and multi_line.jsonl beside this file.

    python3 tests/holes/make_holes.py FOLDER

FOLDER holds the packages of SOURCES.md as their registries' ordinary clients download them; nothing of them is installed or
run. Each is checked against the hash in PACKAGES. Standard library and dpkg-deb only; the same packages and the same Python
give the same files on every machine.

A record: {id, kind, language, path, licence, package, prefix, suffix, middle}; prefix + middle + suffix is a piece of the file,
cut at line ends to at most PREFIX_BYTES before and SUFFIX_BYTES after the hole. Kinds:
  line   a whole line; its indentation stays in the prefix, its newline in the suffix
  rest   from a point inside a line to that line's end
  body   the whole body of a function or block of 2 to 10 lines; what closes it is in the suffix
  lines  2 to 6 whole lines of one block
"""
import ast
import fnmatch
import functools
import hashlib
import io
import json
import os
import random
import re
import subprocess
import sys
import tarfile
import zipfile
from collections import namedtuple

HERE = os.path.dirname(os.path.abspath(__file__))
SEED = 20261121
PREFIX_BYTES, SUFFIX_BYTES = 3000, 1900
HOLES_PER_FILE = 2

Package = namedtuple("Package", "archive name licence language paths sha256")
PACKAGES = [
    Package("libpython3.11-stdlib_3.11.2-6+deb12u9_amd64.deb",
            "Debian libpython3.11-stdlib 3.11.2-6+deb12u9", "PSF-2.0", "python", "./usr/lib/python3.11/[a-z]*.py",
            "10f13e000ee757f5f2d2d3569f9e30546214a0c850acd78695feae373bfa3e53"),
    Package("click-8.5.1-py3-none-any.whl",
            "PyPI click 8.5.1", "BSD-3-Clause", "python", "click/*.py",
            "8bb5376d2006950386f8c6427613334a2acadc5f559cb80e638d00b4df957e37"),
    Package("flask-3.1.3-py3-none-any.whl",
            "PyPI flask 3.1.3", "BSD-3-Clause", "python", "flask/*.py",
            "f4bcbefc124291925f1a26446da31a5178f9483862233b23c0c96a20701f670c"),
    Package("werkzeug-3.1.9-py3-none-any.whl",
            "PyPI werkzeug 3.1.9", "BSD-3-Clause", "python", "werkzeug/*.py",
            "6392e50c78460ba618e5b21f08a71f59c99ce99cdc6cf6e3dd7e6ccca8754fab"),
    Package("requests-2.34.2-py3-none-any.whl",
            "PyPI requests 2.34.2", "Apache-2.0", "python", "requests/*.py",
            "2a0d60c172f83ac6ab31e4554906c0f3b3588d37b5cb939b1c061f4907e278e0"),
    Package("re2-1.24.0.tgz",
            "npm re2 1.24.0 (vendor/abseil-cpp)", "Apache-2.0", "cpp", "package/vendor/abseil-cpp/absl/*.cc",
            "09536cb92d25ee341134af0285ff57dd3dd71dff83e689700fa851ad0626271b"),
    Package("re2-1.24.0.tgz",
            "npm re2 1.24.0 (vendor/re2)", "BSD-3-Clause", "cpp", "package/vendor/re2/re2/*.cc",
            "09536cb92d25ee341134af0285ff57dd3dd71dff83e689700fa851ad0626271b"),
    Package("classic-level-3.0.0.tgz",
            "npm classic-level 3.0.0 (deps/leveldb)", "BSD-3-Clause", "cpp", "package/deps/leveldb/leveldb-1.20/*.cc",
            "d9e6af24197bcc8a4575c89df3d6d3aab8be0b182d26d0ee80355d4c8ee442d7"),
    Package("tree-sitter-0.24.7.crate",
            "crates.io tree-sitter 0.24.7", "MIT", "c", "tree-sitter-0.24.7/src/[a-z_]*.[ch]",
            "a5387dffa7ffc7d2dae12b50c6f7aab8ff79d6210147c6613561fc3d474c6f75"),
    Package("lz4-sys-1.11.1+lz4-1.10.0.crate",
            "crates.io lz4-sys 1.11.1+lz4-1.10.0 (liblz4/lib)", "BSD-2-Clause", "c", "*/liblz4/lib/lz4*.c",
            "6bd8c0d6c6ed0cd30b3652886bb8711dc4bb01d637a68105a3d5158039b418e6"),
    Package("libmimalloc-sys-0.1.49.crate",
            "crates.io libmimalloc-sys 0.1.49 (mimalloc v2)", "MIT", "c", "*/mimalloc/v2/src/*.c",
            "6a45a52f43e1c16f667ccfe4dd8c85b7f7c204fd5e3bf46c5b0db9a5c3c0b8e9"),
    Package("date-fns-4.4.0.tgz",
            "npm date-fns 4.4.0", "MIT", "javascript", "package/[a-z]*.js",
            "eb106d1e9276213d6144b221c103e4abb7d92186734f7505f5a3860427b41a06"),
    Package("express-5.3.0.tgz",
            "npm express 5.3.0", "MIT", "javascript", "package/lib/*.js",
            "62450d99e36dc393295f1ddd93cb9291e658c169f3b700b0110c1ae8fa799930"),
    Package("commander-14.0.3.tgz",
            "npm commander 14.0.3", "MIT", "javascript", "package/lib/*.js",
            "5849703c500e0f324eb01340d8bda1f9ec48fc37bb7be9712eb0dd52aad92f6c"),
    Package("lodash-4.18.1.tgz",
            "npm lodash 4.18.1", "MIT", "javascript", "package/_[a-z]*.js",
            "696942c2a488c9d7428e9ca5f12ccf03b52de01dcdbfe4d4751d392f0491ae16"),
    Package("zod-4.6.7.tgz",
            "npm zod 4.6.7", "MIT", "typescript", "package/src/v[34]/*.ts",
            "84efd155bed93270286e793fc951be270b536cbd5b0eeb111f0fa3967201d698"),
    Package("rxjs-7.8.2.tgz",
            "npm rxjs 7.8.2", "Apache-2.0", "typescript", "package/src/internal/*.ts",
            "2312f8ffd9726ffd7bd53ea12c5f13663d09a3dc3326f448c70b88f5ef6fac82"),
    Package("golang-1.19-src_1.19.8-2_all.deb",
            "Debian golang-1.19-src 1.19.8-2", "BSD-3-Clause", "go", "./usr/share/go-1.19/src/[a-j]*/*.go",
            "2dfa82fe4f08f4e0193c532e561af4c91871f5235608f04f2bb8d57bb288df5a"),
    Package("serde_json-1.0.154.crate",
            "crates.io serde_json 1.0.154", "MIT OR Apache-2.0", "rust", "*/src/*.rs",
            "e7e9cc8b1b85264074fbcc02a88680c4096b1e47df8f739dceb03bf482f04bd6"),
    Package("anyhow-1.0.104.crate",
            "crates.io anyhow 1.0.104", "MIT OR Apache-2.0", "rust", "*/src/*.rs",
            "330a5ed07fa54e4702c9d6c4174f74427fc0ef6e214bbd677ae50a5099946470"),
    Package("itertools-0.13.0.crate",
            "crates.io itertools 0.13.0", "MIT OR Apache-2.0", "rust", "*/src/*.rs",
            "413ee7dfc52ee1a4949ceeb7dbc8a33f2d6c088194d9f922fb8318faf1f01186"),
    Package("indexmap-2.14.2.crate",
            "crates.io indexmap 2.14.2", "Apache-2.0 OR MIT", "rust", "*/src/*.rs",
            "cc4e190f5d26ca7051642629da2c52fc03bde85a03197c99408dcd291734c855"),
    Package("regex-syntax-0.8.11.crate",
            "crates.io regex-syntax 0.8.11", "MIT OR Apache-2.0", "rust", "*/src/*.rs",
            "d6f6ff9a378485b298a5286656da665ba74413d36db0979633275d2e708145d4"),
    Package("commons-lang3-3.17.0-sources.jar",
            "Maven org.apache.commons:commons-lang3:3.17.0", "Apache-2.0", "java", "org/*.java",
            "5fdcac21ad329766054a95367d7583dfcdca737d221d5e01a5f2a198c04c6b18"),
    Package("gson-2.11.0-sources.jar",
            "Maven com.google.code.gson:gson:2.11.0", "Apache-2.0", "java", "com/*.java",
            "49a853f71bc874ee1898a4ad5009b57d0c536e5a998b3890253ffbf4b7276ad3"),
    Package("guava-33.3.1-jre-sources.jar",
            "Maven com.google.guava:guava:33.3.1-jre", "Apache-2.0", "java", "com/*.java",
            "b7cbdad958b791f2a036abff7724570bf9836531c460966f8a3d0df8eaa1c21d"),
]
NOT_PATHS = ("test", "locale", "generated", "tables", "/cmd/", "vendor/golang", "unicode", "zsyscall", "benchmark", "/gen",
             "pydoc_data", ".d.ts", "module-info", "http/cookies.py")  # the last has a notice of its own
UNSUITABLE = re.compile(r"General Public Licen|Mozilla Public|code generated|do not edit|^.{301}", re.I | re.M)
#                language: (line, rest, body, lines)
SHARES = {"python": (20, 20, 7, 7), "cpp": (15, 15, 4, 4), "c": (10, 10, 3, 3), "javascript": (12, 13, 4, 4),
          "typescript": (13, 12, 4, 4), "go": (12, 13, 4, 3), "rust": (10, 10, 2, 3), "java": (8, 7, 2, 2)}
OPENERS = re.compile(r"[\w\])>]\s*.*\{$")
TYPES = re.compile(r"\b(struct|interface|class|enum|union|match|switch|select|impl|trait|namespace|extern|var|const) ")


def archive_files(path):
    """(name, bytes) of every regular file of a package."""
    if path.endswith((".whl", ".jar")):
        with zipfile.ZipFile(path) as z:
            yield from ((n, z.read(n)) for n in z.namelist() if not n.endswith("/"))
        return
    data = None
    if path.endswith(".deb"):
        data = subprocess.run(["dpkg-deb", "--fsys-tarfile", path], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(data)) if data else tarfile.open(path) as t:
        yield from ((m.name, t.extractfile(m).read()) for m in t if m.isfile())


def sources(folder, packages=PACKAGES):
    """language -> list of packages' (package, [(path, text)]) with everything unsuitable left out."""
    found = {}
    for package in packages:
        path = os.path.join(folder, package.archive)
        with open(path, "rb") as f:
            digest = hashlib.sha256(f.read()).hexdigest()
        if digest != package.sha256:
            raise SystemExit(f"{path}: SHA-256 is {digest}, expected {package.sha256}")
        files = []
        for name, data in sorted(archive_files(path)):
            below = name.removeprefix(package.paths.split("*")[0].rpartition("/")[0]).lower()
            if not fnmatch.fnmatchcase(name, package.paths) or any(word in below for word in NOT_PATHS):
                continue
            text = data.decode("utf-8", "replace")
            if "\ufffd" not in text and "\r" not in text and 1200 < len(text) < 400_000 and not UNSUITABLE.search(text[:3000]):
                files.append((name, text))
        found.setdefault(package.language, []).append((package, files))
    return found


@functools.cache
def parsed(text):
    return ast.parse(text)


@functools.cache
def comment_lines(text, language):
    """Indices of lines that lie in comments or in multi-line strings."""
    lines = text.split("\n")
    if language == "python":
        covered = {i for i, l in enumerate(lines) if l.lstrip().startswith("#")}
        for node in ast.walk(parsed(text)):
            if isinstance(node, (ast.Constant, ast.JoinedStr)) and node.end_lineno > node.lineno:
                covered.update(range(node.lineno - 1, node.end_lineno))
        return covered
    covered, inside, raw = set(), False, False
    for i, line in enumerate(lines):
        text = line.strip()
        if inside or raw or text.startswith(("//", "/*", "*", "#include", "#!")):
            covered.add(i)
        if inside or text.startswith("/*"):
            inside = "*/" not in text
        elif language in ("go", "javascript", "typescript") and text.count("`") % 2:
            covered.add(i)
            raw = not raw
    return covered


DULL = re.compile(r"^(@|#|export \*|(import|from|package|using|use|pub use|extern|namespace|mod|pub mod)\b)")


def interesting(line):
    text = line.strip()
    return (12 <= len(text) <= 110 and len(re.findall(r"[A-Za-z_]\w*", text)) >= 2 and not DULL.match(text)
            and not re.fullmatch(r"""["'].*["'],?""", text) and " from " not in text)


def whole_line(lines, covered, pick, _language):
    i = pick.randrange(5, len(lines) - 2)
    if i in covered or not interesting(lines[i]):
        return None
    indent = len(lines[i]) - len(lines[i].lstrip())
    return (i, indent), (i, len(lines[i].rstrip()))


def rest_of_line(lines, covered, pick, _language):
    i = pick.randrange(5, len(lines) - 2)
    line = lines[i].rstrip()
    if i in covered or not interesting(line) or "//" in line or " # " in line:
        return None
    points = [m.end() for m in re.finditer(r"[(\[{.,=] ?|\w ", line)
              if indent_of(line) + 3 < m.end() and len(line[m.end():].strip()) >= 6]
    return ((i, pick.choice(points)), (i, len(line))) if points else None


def indent_of(line):
    return len(line) - len(line.lstrip())


def body(lines, covered, pick, language):
    if language == "python":
        functions = [n for n in ast.walk(parsed("\n".join(lines))) if isinstance(n, (ast.FunctionDef, ast.If, ast.For))]
        node = pick.choice(functions) if functions else None
        if not node or node.body[0].lineno == node.lineno:
            return None
        statements = node.body[1:] if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) else node.body
        if not statements:
            return None
        first, last = statements[0].lineno - 1, node.body[-1].end_lineno - 1
    else:
        i = pick.randrange(5, len(lines) - 4)
        if i in covered or not OPENERS.search(lines[i].rstrip()) or TYPES.search(lines[i]):
            return None
        level = indent_of(lines[i])
        behind = range(i + 1, min(i + 13, len(lines)))
        close = next((j for j in behind if lines[j].strip() and indent_of(lines[j]) <= level), None)
        if close is None or not lines[close].strip().startswith("}") or indent_of(lines[close]) != level:
            return None
        first, last = i + 1, close - 1
    return span(lines, covered, first, last, 10)


def some_lines(lines, covered, pick, _language):
    first = pick.randrange(8, len(lines) - 8)
    return span(lines, covered, first, first + pick.randrange(1, 6), 6)


def span(lines, covered, first, last, most):
    """Whole lines first..last when they are one block: none is indented less than the first, and most are code."""
    part = lines[first:last + 1]
    if not 2 <= len(part) <= most or not part[0].strip() or not part[-1].strip() or sum(map(len, part)) > 600:
        return None
    level = indent_of(part[0])
    if level == 0 or any(l.strip() and indent_of(l) < level for l in part):
        return None
    if any(i in covered for i in range(first, last + 1)):
        return None
    if sum(interesting(l) for l in part) * 2 < len(part) or not balanced("".join(part)):
        return None
    if CONTINUES.match(part[0]) or UNFINISHED.search(part[-1].rstrip()):
        return None
    return (first, level), (last, len(part[-1].rstrip()))


def balanced(text):
    """No bracket is closed that was not opened inside, none stays open."""
    depth = 0
    for c in text:
        depth += (c in "([{") - (c in ")]}")
        if depth < 0:
            return False
    return depth == 0


CONTINUES = re.compile(r"\s*([})\]|&.?:]|(else|elif|except|case|default|finally)\b)")
UNFINISHED = re.compile(r"([(\[{,=.|&+\\?:-]|=>)$")
KINDS = {"line": whole_line, "rest": rest_of_line, "body": body, "lines": some_lines}


def trimmed(text, limit, keep_end):
    """At most `limit` bytes of text, whole lines from the end (prefix) or the start (suffix)."""
    lines, size = text.split("\n"), 0
    chosen = []
    for line in reversed(lines) if keep_end else lines:
        size += len(line.encode()) + 1
        if size > limit and chosen:
            break
        chosen.append(line)
    return "\n".join(reversed(chosen) if keep_end else chosen)


def cut(package, path, text, kind, pick):
    lines = text.split("\n")
    if len(lines) < 30:
        return None
    found = KINDS[kind](lines, comment_lines(text, package.language), pick, package.language)
    if not found:
        return None
    (a, a_col), (b, b_col) = found
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    start, end = starts[a] + a_col, starts[b] + b_col
    prefix, suffix = trimmed(text[:start], PREFIX_BYTES, True), trimmed(text[end:], SUFFIX_BYTES, False)
    return {"kind": kind, "language": package.language, "path": path.removeprefix("./"), "licence": package.licence,
            "package": package.name, "prefix": prefix, "suffix": suffix, "middle": text[start:end]}, (a, b)


def draw(language, packages, kind, count, used):
    pick, records = random.Random(f"{SEED} {language} {kind}"), []
    packages = [p for p in packages if p[1]]
    for attempt in range(200_000):
        if len(records) == count:
            return records
        package, files = packages[(len(records) + attempt // 500) % len(packages)]  # packages take turns
        path, text = pick.choice(files)
        if len(used.get((package.name, path), [])) >= HOLES_PER_FILE:
            continue
        found = cut(package, path, text, kind, pick)
        if not found:
            continue
        record, (first, last) = found
        apart = all(last + 20 < a or b + 20 < first for a, b in used.get((package.name, path), []))
        if apart and record["middle"] not in record["prefix"] + record["suffix"]:
            used.setdefault((package.name, path), []).append((first, last))
            records.append({"id": f"{language}-{kind}-{len(records) + 1:02d}", **record})
    raise SystemExit(f"{language} {kind}: only {len(records)} of {count}")


def main():
    found, single, multi = sources(sys.argv[1]), [], []
    for language, share in SHARES.items():
        used = {}
        for kind, count in zip(KINDS, share):
            (single if kind in ("line", "rest") else multi).extend(draw(language, found[language], kind, count, used))
    for name, records in (("single_line", single), ("multi_line", multi)):
        path = os.path.join(HERE, f"{name}.jsonl")
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(json.dumps(r, ensure_ascii=False) + "\n" for r in records)
        print(f"{path}: {len(records)} holes, {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()
