#!/usr/bin/env python3
"""Tokenised examples in compact files.

    shards.py FOLDER OUT [--split train] [--examples N] [--prefix LO HI] [--suffix LO HI] [--longest T] [--seed N]

Reads FOLDER/text.jsonl (corpus/collect.py), cuts holes (holes.py), lays each out as the daemon asks for it (prompt.py) and
writes OUT/SPLIT-NN.xz, each below 15 MiB, and OUT/SPLIT.json with counts and SHA-256. A shard is an xz file of: a line of
JSON {"n", "arrays": [[name, dtype, count], ...]}, then the arrays' bytes: `ids` uint16, all sequences end to end; `length`,
`body` (where the prefix's text begins, behind the middle tag) and `hole` (where the answer begins) uint16 a sequence; `ends`
uint8: 1 when the sequence's end is the hole's end; `language` uint8, an index into LANGUAGES.
"""
import argparse
import hashlib
import json
import lzma
import math
import random
from pathlib import Path

import numpy as np

LANGUAGES = ("python", "c", "cpp", "javascript", "typescript", "java", "go", "rust")
LARGEST = 14 << 20  # bytes of ids a shard before compression, far below the 16 MiB a transfer takes
ARRAYS = (("ids", "<u2"), ("length", "<u2"), ("body", "<u2"), ("hole", "<u2"), ("ends", "u1"), ("language", "u1"))


class Examples:
    """Sequences of token ids with their marks; what a shard holds."""

    def __init__(self):
        self.ids, self.marks = [], []

    def add(self, ids, body, hole, ends, language):
        self.ids.append(np.asarray(ids, dtype=np.uint16))
        self.marks.append((len(ids), body, hole, ends, language))

    def __len__(self):
        return len(self.ids)

    def arrays(self):
        marks = np.array(self.marks).T
        return {"ids": np.concatenate(self.ids), "length": marks[0], "body": marks[1], "hole": marks[2], "ends": marks[3],
                "language": marks[4]}

    def write(self, path):
        arrays = {name: self.arrays()[name].astype(kind) for name, kind in ARRAYS}
        head = json.dumps({"n": len(self), "arrays": [[name, kind, len(arrays[name])] for name, kind in ARRAYS]})
        temporary = path.with_suffix(".tmp")
        with lzma.open(temporary, "wb", preset=4) as out:
            out.write(head.encode() + b"\n")
            for name, _ in ARRAYS:
                out.write(arrays[name].tobytes())
        temporary.rename(path)


def read_shard(path):
    """{name: array} of a shard."""
    with lzma.open(path) as file:
        head = json.loads(file.readline())
        return {name: np.frombuffer(file.read(count * np.dtype(kind).itemsize), dtype=kind) for name, kind, count in head["arrays"]}


def log_uniform(pick, low, high):
    return int(math.exp(pick.uniform(math.log(max(low, 1)), math.log(max(high, low + 1)))))


def example_of(record, lines, encode, pick, options):
    """(ids, body, hole) of one hole in a record's text, or None."""
    import holes
    import prompt

    hole = holes.cut(record["text"], pick, lines)
    if not hole:
        return None
    _, start, end = hole
    text = record["text"]
    suffix_budget = 0 if pick.random() < 0.08 else log_uniform(pick, *options.suffix)
    before, answer = prompt.build_example(encode, text[:start].encode(), text[start:end].encode(), text[end:].encode(),
                                          log_uniform(pick, *options.prefix), suffix_budget)
    body = before.index(prompt.TAGS["fim_middle"]) + 1
    if len(before) - body < 8 or not 1 <= len(answer) <= options.longest // 2 or len(before) + len(answer) > options.longest:
        return None
    return before + answer, body, len(before)


def build(records, encode, options, pick):
    """Examples, drawn over languages evenly and over a language's files by size."""
    import holes

    by_language = {}
    for record in records:
        by_language.setdefault(record["language"], []).append(record)
    languages = sorted(by_language)
    weights = {l: [len(r["text"]) for r in by_language[l]] for l in languages}
    examples, tries = Examples(), 0
    while len(examples) < options.examples and tries < 40 * options.examples:
        language = pick.choice(languages)
        record = pick.choices(by_language[language], weights[language])[0]
        lines = holes.Lines(record["text"])
        for _ in range(8):  # a few holes of one file at a time: its text then compresses once
            tries += 1
            try:
                found = example_of(record, lines, encode, pick, options)
            except UnicodeError:
                continue
            if found:
                examples.add(found[0], found[1], found[2], 1, LANGUAGES.index(language))
    return examples


def write_all(examples, out, name, extra):
    """Splits examples into shards and writes their list."""
    out.mkdir(parents=True, exist_ok=True)
    files, part, size = {}, Examples(), 0
    for i, ids in enumerate(examples.ids):
        part.ids.append(ids)
        part.marks.append(examples.marks[i])
        size += 2 * len(ids)
        if size >= LARGEST or i + 1 == len(examples):
            path = out / f"{name}-{len(files):02d}.xz"
            part.write(path)
            files[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
            part, size = Examples(), 0
    record = {"examples": len(examples), "tokens": int(sum(map(len, examples.ids))), "files": files, **extra}
    (out / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
    return record


def main():
    import vocabulary

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--split", default="train", choices=("train", "held_out"))
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--prefix", type=int, nargs=2, default=(300, 2400), help="bytes of prefix shown, lowest and highest")
    parser.add_argument("--suffix", type=int, nargs=2, default=(40, 1000), help="bytes of suffix shown")
    parser.add_argument("--longest", type=int, default=1024, help="tokens of a sequence")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with open(options.folder / "text.jsonl", encoding="utf-8") as file:
        records = [r for r in map(json.loads, file) if r["split"] == options.split]
    encode = vocabulary.encoder(vocabulary.load_tokenizer(vocabulary.open_model()))
    examples = build(records, encode, options, random.Random(options.seed))
    arguments = {k: v for k, v in vars(options).items() if k not in ("folder", "out")}
    record = write_all(examples, options.out, options.split, {"arguments": arguments})
    print(f"{record['examples']} examples, {record['tokens'] / 1e6:.2f}M tokens, {len(record['files'])} shards")


if __name__ == "__main__":
    main()
