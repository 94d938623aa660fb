#!/usr/bin/env python3
"""From fetched packages to training text: keeps the files that are code, free, written by people, and there once.

    collect.py FOLDER [--cap-mb N]

Reads FOLDER/downloads (fetch.py) and writes FOLDER/text.jsonl, a line {"package", "language", "split", "path", "licence",
"text"} a kept file, and statistics.json and NOTICE.md beside this script: what was kept and dropped and why, and the
packages with their licences. Held out are whole packages (split "held_out" in the manifest) and everything the evaluation's
holes were cut from.
"""
import argparse
import collections
import hashlib
import io
import json
import random
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import licences

HERE = Path(__file__).resolve().parent
LANGUAGE = {".py": "python", ".c": "c", ".cc": "cpp", ".cpp": "cpp", ".cxx": "cpp", ".hpp": "cpp", ".hh": "cpp", ".js": "javascript",
            ".mjs": "javascript", ".cjs": "javascript", ".jsx": "javascript", ".ts": "typescript", ".tsx": "typescript",
            ".java": "java", ".go": "go", ".rs": "rust"}
HEADER = (".h",)  # C or C++: as the package's first language says
LARGEST, SMALLEST = 200_000, 400  # bytes of a file
TEST_SHARE = 0.15  # of a package's kept bytes may come from test folders
TEST_PATH = re.compile(r"(^|/)(tests?|testing|testdata|spec|specs|__tests__|benchmarks?|fixtures?)(/|$)|[_.-](test|spec)\.|_test\.go$|"
                       r"(^|/)test_[^/]*$", re.I)
VENDORED = re.compile(r"(^|/)(vendor|third[_-]party|3rdparty|node_modules|_vendor|externals?|debian)/|\.min\.|\.d\.ts$|/locale/|\.pb\.go$")
GENERATED = re.compile(r"generated (by|from|file|code|automatically)|auto-?generated|do not edit|@generated|DO NOT MODIFY", re.I)

# Names that only a solution of a public benchmark (HumanEval, MBPP) would define, and openings of their task texts.
BENCHMARK = re.compile(
    r"def (has_close_elements|separate_paren_groups|truncate_number|mean_absolute_deviation|parse_nested_parens|"
    r"filter_by_substring|rolling_max|string_xor|greatest_common_divisor|string_sequence|count_distinct_characters|parse_music|"
    r"how_many_times|find_closest_elements|rescale_to_unit|filter_integers|flip_case|triples_sum_to_zero|car_race_collision|"
    r"pairs_sum_to_zero|fibfib|vowels_count|fruit_distribution|strange_sort_list|will_it_fly|is_multiply_prime|"
    r"numerical_letter_grade|starts_one_ends|anti_shuffle|skjkasdkd|check_dict_case|make_a_pile|even_odd_palindrome|move_one_ball|"
    r"minSubArraySum|get_closest_vowel|get_odd_collatz|Strongest_Extension|cycpattern_check|int_to_mini_roman|min_cost|"
    r"similar_elements|is_not_prime|heap_queue_largest|find_Volume|remove_Occ|max_chain_length|first_repeated_char|"
    r"is_woodall|find_first_duplicate|count_ways|differ_At_One_Bit_Pos)\(|"
    r"Check if in given list of numbers, are any two numbers closer|Write a function to find the (shared|similar) elements from")


def archive_files(path):
    """(name, bytes) of the regular files of an archive; nothing where it cannot be read."""
    if path.name.endswith((".whl", ".jar", ".zip")):
        with zipfile.ZipFile(path) as archive:
            yield from ((n, archive.read(n)) for n in archive.namelist() if not n.endswith("/"))
        return
    data = None
    if path.suffix == ".deb":
        data = subprocess.run(["dpkg-deb", "--fsys-tarfile", path], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(data)) if data else tarfile.open(path) as archive:
        for member in archive:
            if member.isfile() and member.size <= 4 << 20:
                yield member.name.removeprefix("./"), archive.extractfile(member).read()


def wanted_bytes(name):
    suffix = Path(name).suffix
    return suffix in LANGUAGE or suffix in HEADER or name.endswith(("/copyright", "METADATA", "package.json"))


class Package:
    """One package's candidate files and what says their licence."""

    def __init__(self, entry, place):
        self.entry, self.files, self.copyright, self.expression = entry, [], None, entry.get("licence")
        source = entry["source"]
        for archive in sorted(p for p in place.iterdir() if p.is_file()):
            if archive.name.endswith((".dsc", ".asc")):
                continue
            for name, data in archive_files(archive):
                if wanted_bytes(name):
                    self.take(source, archive.name, name, data)

    def take(self, source, archive, name, data):
        if source == "debian-source" and (".debian.tar" in archive or name.endswith("debian/copyright")):
            if name == "debian/copyright":
                self.copyright = licences.Copyright(data.decode("utf-8", "replace"), suffixes=False)
        elif source == "debian" and name.startswith("usr/share/doc/") and name.endswith("/copyright"):
            self.copyright = licences.Copyright(data.decode("utf-8", "replace"), suffixes=True)
        elif source == "pypi" and name.endswith(".dist-info/METADATA"):
            self.expression = self.expression or licences.of_wheel(data.decode("utf-8", "replace"))
        elif source == "npm" and name == "package/package.json":
            self.expression = self.expression or licences.of_npm(json.loads(data))
        elif Path(name).suffix in LANGUAGE or Path(name).suffix in HEADER:
            path = name.partition("/")[2] if source in ("debian-source", "npm") else name
            self.files.append((path, data))

    def licence_of(self, path):
        if self.entry.get("licence"):
            return self.entry["licence"]
        if self.copyright:
            return self.copyright.expression(path)
        return self.expression


def reason_to_drop(text, path):
    """Why a file is no text to learn from, or None."""
    lines = text.split("\n")
    if VENDORED.search(path):
        return "vendored or declarations"
    if GENERATED.search(text[:1500]):
        return "generated"
    if max(map(len, lines)) > 600 or len(text) / len(lines) > 90:
        return "minified or long lines"
    alphanumeric = sum(map(str.isalnum, text))
    if alphanumeric < 0.3 * len(text) or sum(map(str.isdigit, text)) > 0.25 * alphanumeric:
        return "data"
    if BENCHMARK.search(text):
        return "benchmark"
    return None


class Duplicates:
    """Exact repeats by the text without white space, near repeats by the eight smallest line hashes."""

    def __init__(self):
        self.seen = set()

    def is_new(self, text):
        lines = [line.strip() for line in text.split("\n") if len(line.strip()) > 3]
        exact = hashlib.sha1("\n".join(lines).encode()).digest()
        sketch = tuple(sorted(hashlib.md5(line.encode()).digest()[:8] for line in set(lines))[:8])
        keys = {exact, sketch} if len(sketch) == 8 else {exact}
        if keys & self.seen:
            return False
        self.seen |= keys
        return True


def kept_files(package, duplicates, drops, cap):
    """The package's records, shuffled, at most `cap` bytes, at most TEST_SHARE of them from test folders."""
    entry, records, used, tests = package.entry, [], 0, 0
    files = list(package.files)
    random.Random(entry["name"]).shuffle(files)
    for path, data in files:
        suffix = Path(path).suffix
        language = LANGUAGE.get(suffix) or ("cpp" if "cpp" in entry["languages"] else "c")
        if suffix in HEADER and not {"c", "cpp"} & set(entry["languages"]) or language not in entry["languages"]:
            continue
        reason, licence = None, package.licence_of(path)
        is_test = TEST_PATH.search(path) is not None
        if not SMALLEST <= len(data) <= LARGEST:
            reason = "size"
        elif not licence:
            reason = "no licence said"
        elif not licences.allowed(licence):
            reason = "licence"
        elif used + len(data) > cap or is_test and tests + len(data) > TEST_SHARE * cap:
            reason = "cap"
        else:
            try:
                text = data.decode("utf-8")
            except UnicodeDecodeError:
                text, reason = "", "encoding"
            if "\r" in text or "\0" in text or "\ufeff" in text:
                reason = reason or "encoding"
            if not reason and licences.speaks_of_copyleft(text):
                reason = "licence"
            reason = reason or reason_to_drop(text, path) or (None if duplicates.is_new(text) else "duplicate")
        if reason:
            drops[reason] += len(data)
            continue
        used += len(data)
        tests += len(data) if is_test else 0
        records.append({"package": entry["name"], "language": language, "split": entry["split"], "path": path,
                        "licence": licence, "text": text})
    return records


def write_notice(rows):
    out = ["# Sources of the training text", "",
           "Written by `collect.py`. Files of these packages were read to train the adapter; none of their text is in this "
           "repository. Each stays under its own licence.", "", "| package | version | from | licences of the files used | split |",
           "|---|---|---|---|---|"]
    for entry, version, names in rows:
        out.append(f"| {entry['name']} | {version} | {entry['source']} | {', '.join(sorted(names))} | {entry['split']} |")
    (HERE / "NOTICE.md").write_text("\n".join(out) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cap-mb", type=float, default=2.0, help="most text of one package, in MB")
    options = parser.parse_args()
    fetched = json.loads((options.folder / "fetched.json").read_text())
    entries = [e for e in json.loads((HERE / "manifest.json").read_text()) if f"{e['source']}/{e['name']}" in fetched]
    entries.sort(key=lambda e: e["split"] != "held_out")  # held-out text first: what repeats it in training text goes
    duplicates, rows = Duplicates(), []
    drops = collections.Counter()
    kept = collections.defaultdict(lambda: [0, 0])
    with open(options.folder / "text.jsonl", "w", encoding="utf-8") as out:
        for entry in entries:
            place = options.folder / "downloads" / entry["source"] / entry["name"].replace("/", "__")
            try:
                records = kept_files(Package(entry, place), duplicates, drops, options.cap_mb * 1e6)
            except (OSError, EOFError, zipfile.BadZipFile, tarfile.TarError, subprocess.CalledProcessError) as error:
                print(f"{entry['name']}: unreadable: {error}", file=sys.stderr)
                continue
            for record in records:
                out.write(json.dumps(record) + "\n")
                count = kept[entry["split"], record["language"]]
                count[0] += 1
                count[1] += len(record["text"])
            version = fetched[f"{entry['source']}/{entry['name']}"]["version"]
            if records:
                rows.append((entry, version, {r["licence"] for r in records}))
            print(f"{entry['name']}: {len(records)} files, {sum(len(r['text']) for r in records) / 1e6:.2f} MB", flush=True)
    write_notice(rows)
    statistics = {"packages": len(rows), "cap_mb": options.cap_mb,
                  "kept": {f"{split} {language}": {"files": n, "mb": round(size / 1e6, 2)}
                           for (split, language), (n, size) in sorted(kept.items())},
                  "dropped_mb": {reason: round(size / 1e6, 1) for reason, size in drops.most_common()}}
    (HERE / "statistics.json").write_text(json.dumps(statistics, indent=1) + "\n")


if __name__ == "__main__":
    main()
