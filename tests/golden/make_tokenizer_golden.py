#!/usr/bin/env python3
"""Makes tests/golden/tokenizer/: text, vocabularies, and the ids that Hugging Face's `tokenizers` gives for the text.

    make_tokenizer_golden.py ORIGINAL.gguf VOCABULARY.json OUTPUT_FOLDER

ORIGINAL.gguf is the release's qwen2.5-coder-0.5b-instruct-q4_k_m.gguf; VOCABULARY.json lists the original ids that the
default model keeps ("ordinary", "special") and the tokens it adds ("added"), in the order of the new ids.
Needs the packages `tokenizers` and `gguf`; made with tokenizers 0.23.3 and gguf 0.19.0 on Python 3.11.

The text: Python's own standard library (PSF licence), cut into excerpts, and text generated here from Unicode ranges.
It is normalised to NFC, because the tokenizer under test does not normalise and the reference does.
"""
import hashlib
import json
import pathlib
import random
import struct
import sys
import sysconfig
import unicodedata

from gguf import GGUFReader
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

CHUNK = 4096  # characters of text that one hash speaks for
FULL_CHUNKS = 3  # chunks whose ids are written out
QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
         r"|\s+(?!\S)|\s+")
LLAMA3 = QWEN2.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
SOURCES = ["argparse.py", "ast.py", "asyncio/base_events.py", "calendar.py", "codecs.py", "dataclasses.py", "datetime.py",
           "decimal.py", "difflib.py", "email/_header_value_parser.py", "encodings/cp1250.py", "encodings/cp866.py",
           "enum.py", "html/entities.py", "http/client.py", "inspect.py", "json/decoder.py", "locale.py",
           "mimetypes.py", "pickletools.py", "pydoc_data/topics.py", "statistics.py", "this.py", "token.py",
           "turtle.py", "typing.py", "unittest/mock.py", "zipfile.py"]
# First and last character of scripts and blocks words are drawn from.
SCRIPTS = [(0x61, 0x7A), (0x41, 0x5A), (0xC0, 0x17F), (0x180, 0x24F), (0x370, 0x3FF), (0x400, 0x45F), (0x531, 0x587),
           (0x5D0, 0x5EA), (0x620, 0x64A), (0x905, 0x939), (0x985, 0x9B9), (0xB85, 0xBB9), (0xE01, 0xE30),
           (0x10D0, 0x10FA), (0x1200, 0x1248), (0x1780, 0x17B3), (0x3041, 0x3096), (0x30A1, 0x30FA),
           (0x4E00, 0x9FA5), (0xAC00, 0xD7A3), (0x1D400, 0x1D454), (0x20000, 0x200FF)]
ODD = ["\t", "\r\n", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u00a0", "\u1680", "\u180e", "\u2003", "\u200b", "\u2028",
       "\u2029", "\u202f", "\u205f", "\u3000", "\ufeff", "  ", "    ", "\t\t", "\n\n\n", " \n", "\r\n\r\n", "\x00", "\x7f"]
CODE = [
    "int main(int argc, char** argv) {\r\n\treturn argc > 1 ? 0x1F : 0b10;\r\n}\r\n",
    "fn f<'a>(x: &'a str) -> Result<(), Box<dyn Error>> { println!(\"{x:?}\"); Ok(()) }\n",
    "SELECT a.id, COUNT(*) FROM t AS a WHERE a.x <> 'it''s' GROUP BY 1;\n",
    '<div class="a">&nbsp;{{ x | y }}</div>\n',
    "func (s *S) F(ch <-chan int) (err error) {\n\tfor v := range ch {\n\t\t_ = v\n\t}\n\treturn\n}\n",
    "x = lambda *a, **k: {**k, 'I\u2019m': [i for i in a if i is not None]}\n",
    'if [[ -n "$X" ]]; then echo "${X##*/}" >&2; fi\n',
    "const f = async ({a, b = 1}, ...rest) => `${a}\\n${await b}` ?? null;\n",
    "\\begin{align} \\frac{1}{2}\\,x^{2} &\\leq y \\end{align}\n",
    "SHE'LL we'Ve I'M they'RE don't IT'S he'D 'tis o'clock '\u017fx x'\u017f 'K '\u212a\n",
    '{"k": [1e-9, -0.5, null, "\\u00e9"]}\n',
]
EMOJI = [0x1F600, 0x1F680, 0x2764, 0x1F468, 0x1F1E9, 0x1F1EA, 0x2600, 0x1F9D1, 0x26A0]


def generated(rng, size):
    """About `size` characters of words in many scripts, numbers, marks, emoji, code and odd white space."""
    parts, length = [], 0
    while length < size:
        kind = rng.random()
        if kind < 0.35:
            first, last = rng.choice(SCRIPTS)
            part = " ".join("".join(chr(rng.randint(first, last)) for _ in range(rng.randint(1, 9)))
                            for _ in range(rng.randint(1, 8)))
        elif kind < 0.47:
            part = "".join(rng.choice("0123456789\u0663\u096b\u00b2\u2167\u00bd") for _ in range(rng.randint(1, 24)))
        elif kind < 0.6:
            part = "".join(rng.choice(ODD) for _ in range(rng.randint(1, 6)))
        elif kind < 0.68:
            part = "".join(chr(rng.choice(EMOJI)) + rng.choice(["", "\ufe0f", "\u200d", "\U0001f3fd"])
                           for _ in range(rng.randint(1, 5)))
        elif kind < 0.74:
            part = rng.choice("aeoxz\u0915") + "".join(chr(rng.randint(0x300, 0x36F)) for _ in range(rng.randint(1, 12)))
        elif kind < 0.8:
            part = "".join(rng.choice("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") for _ in range(rng.randint(1, 12)))
        elif kind < 0.83:
            part = " " * rng.randint(1, 120) + rng.choice(["", "x", "\n"])
        elif kind < 0.86:
            part = chr(rng.choice([0x61, 0x2D, 0x3D, 0x4E00, 0x1F600])) * rng.randint(30, 200)
        elif kind < 0.9:
            part = "".join(chr(c) for c in (rng.randrange(0x10FFFF) for _ in range(6)) if not 0xD800 <= c < 0xE000)
        else:
            part = rng.choice(CODE)
        parts.append(part + rng.choice(["", " ", " ", "\n"]))
        length += len(parts[-1])
    return "".join(parts)


def mixed_text():
    rng = random.Random(20261121)
    library = pathlib.Path(sysconfig.get_paths()["stdlib"])
    pieces = []
    for name in SOURCES:
        source = (library / name).read_text(encoding="utf-8")
        pieces.append(source[:24000] if rng.random() < 0.7 else source[:24000].replace("\n", "\r\n"))
        pieces.append(generated(rng, 12000))
    return unicodedata.normalize("NFC", "".join(pieces))


def chunks_of(text):
    return [text[i:i + CHUNK] for i in range(0, len(text), CHUNK)]


def fnv1a(ids):
    value = 0xCBF29CE484222325
    for byte in struct.pack(f"<{len(ids)}i", *ids):
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def expectation(tokenizer, text):
    """Each chunk is encoded by itself; `hashes` are FNV-1a over the ids as little-endian 32-bit integers."""
    encoded = [tokenizer.encode(chunk, add_special_tokens=False).ids for chunk in chunks_of(text)]
    return {"chunk_characters": CHUNK, "hashes": [fnv1a(ids) for ids in encoded], "counts": [len(ids) for ids in encoded],
            "first": encoded[:FULL_CHUNKS], "whole": fnv1a(tokenizer.encode(text, add_special_tokens=False).ids)}


def strings(reader, key):
    field = reader.fields[key]
    return [bytes(field.parts[i]).decode("utf-8") for i in field.data]


def reduced(original, kept):
    """The default model's vocabulary as a tokenizer.json without what decoding alone needs."""
    reader = GGUFReader(original)
    tokens = strings(reader, "tokenizer.ggml.tokens")
    vocab = {tokens[old]: new for new, old in enumerate(kept["ordinary"])}
    merges = []
    for merge in strings(reader, "tokenizer.ggml.merges"):
        left, right = merge.split(" ")
        if left in vocab and right in vocab and left + right in vocab:
            merges.append([left, right])
    specials = [tokens[old] for old in kept["special"]] + kept["added"]
    return vocab, merges, {text: len(vocab) + i for i, text in enumerate(specials)}


def split(pattern):
    return pre_tokenizers.Split(Regex(pattern), behavior="isolated", invert=False)


def byte_level(vocab, merges, words):
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[tuple(m) for m in merges]))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = words
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def write_json(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=0, separators=(",", ":")) + "\n", encoding="utf-8")


def make_default(original, kept, text, out):
    vocab, merges, specials = reduced(original, kept)
    words = pre_tokenizers.Sequence([split(QWEN2), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer = byte_level(vocab, merges, words)
    write_json(out / "default_ids.json", expectation(tokenizer, text))
    saved = json.loads(tokenizer.to_str())
    # Special tokens join only what is saved: the reference would find them in text, the tokenizer under test must not.
    saved["added_tokens"] = [{"id": i, "content": t, "special": True} for t, i in specials.items()]
    saved["model"] = {"type": "BPE", "vocab": vocab, "merges": [" ".join(m) for m in merges]}
    write_json(out / "default_vocab.json", saved)


def make_trained(name, words, text, out):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = words
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=2500, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(chunks_of(text), trainer)
    write_json(out / f"{name}_ids.json", expectation(tokenizer, text))
    write_json(out / f"{name}_vocab.json", json.loads(tokenizer.to_str()))


def main():
    original, vocabulary, out = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    text = mixed_text()
    (out / "mixed.txt").write_bytes(text.encode("utf-8"))
    print("mixed.txt", len(text.encode("utf-8")), "bytes", hashlib.sha256(text.encode("utf-8")).hexdigest())
    make_default(original, json.loads(pathlib.Path(vocabulary).read_text(encoding="utf-8")), text, out)
    byte = lambda regex: pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=regex)
    make_trained("gpt2", byte(True), text, out)
    make_trained("smollm", pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte(True)]), text, out)
    make_trained("llama3", pre_tokenizers.Sequence([split(LLAMA3), byte(False)]), text, out)


if __name__ == "__main__":
    main()
