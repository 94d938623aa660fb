"""Puts what was made in its place: the parts of the model that lies in the repository, or the folder of one that lies in the
user's data. Nothing half made is ever found there: all is written under another name and renamed at the end."""
import hashlib
import json
import os
import shutil
from pathlib import Path

from . import MakeError, say
from .fetch import sha256_of, write_atomically

PART_ALIGNMENT = 65_536  # at least the page size of every machine, so that parts can be mapped side by side
PART_BYTES = 48_000_000 // PART_ALIGNMENT * PART_ALIGNMENT
MODEL_NAME = "model.gguf"
RESERVE = 64 << 20  # bytes that stay free


def user_models():
    """$XDG_DATA_HOME/cinnabar/models; where the variable is not set or not absolute, below ~/.local/share."""
    data = os.environ.get("XDG_DATA_HOME", "")
    return Path(data if os.path.isabs(data) else os.path.expanduser("~/.local/share")) / "cinnabar" / "models"


def check_room(folder, wanted):
    free = shutil.disk_usage(folder).free
    if free < wanted + RESERVE:
        raise MakeError(f"{folder}: {(wanted + RESERVE) >> 20:,} MiB of disk are needed, {free >> 20:,} MiB are free")


# --- one folder -------------------------------------------------------------------------------------------------------


def write_folder(target, chunks, expected, beside):
    """`expected`: what model.json says of the model, {"bytes", "sha256"}; `beside`: files that belong to it."""
    new, old = target.with_name(f".{target.name}.new"), target.with_name(f".{target.name}.old")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    try:
        digest, size = hashlib.sha256(), 0
        with open(new / MODEL_NAME, "wb") as out:
            for chunk in chunks:
                out.write(chunk)
                digest.update(chunk)
                size += len(chunk)
            out.flush()
            os.fsync(out.fileno())
        if size != expected["bytes"] or digest.hexdigest() != expected["sha256"]:
            raise MakeError(f"the model that was made has {size:,} bytes, SHA-256 {digest.hexdigest()}, model.json says "
                            f"{expected['bytes']:,} and {expected['sha256']}; if the script changed on purpose, put these into it")
        for path in beside:
            shutil.copy(path, new / path.name)
        shutil.rmtree(old, ignore_errors=True)
        if target.exists():
            os.rename(target, old)
        os.rename(new, target)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    say(f"{target}: {size:,} bytes, SHA-256 {digest.hexdigest()}")


def problems_of_folder(target, expected):
    """What is wrong with a model's folder, one line each; empty when all is right."""
    path = target / MODEL_NAME
    if not path.is_file():
        return [f"{path}: no such file"]
    found = sha256_of(path)
    return [] if found == expected["sha256"] else [f"{path}: expected SHA-256 {expected['sha256']}, found {found}"]


# --- parts ------------------------------------------------------------------------------------------------------------


def split(chunks):
    """Cuts a stream of pieces into byte strings of PART_BYTES; the last one is shorter."""
    part = bytearray()
    for chunk in chunks:
        part += chunk
        while len(part) > PART_BYTES:
            yield bytes(part[:PART_BYTES])
            del part[:PART_BYTES]
    yield bytes(part)


def write_parts(out, chunks, expected):
    """Writes the parts that differ from what is there, and their list; fails where it is not the expected one (None: any)."""
    whole = hashlib.sha256()
    parts = []
    for number, data in enumerate(split(chunks), 1):
        whole.update(data)
        path, digest = out / f"{MODEL_NAME}.part-{number:02d}", hashlib.sha256(data).hexdigest()
        if path.is_file() and path.stat().st_size == len(data) and sha256_of(path) == digest:
            say(f"{path.name}: right already")
        else:
            write_atomically(path, data)
            say(f"{path.name}: {len(data):,} bytes written")
        parts.append({"file": path.name, "bytes": len(data), "sha256": digest})
    manifest = {"file": MODEL_NAME, "bytes": sum(part["bytes"] for part in parts), "sha256": whole.hexdigest(), "parts": parts}
    if expected and manifest != expected:
        raise MakeError(f"the build has SHA-256 {manifest['sha256']}, parts.json says {expected['sha256']}; "
                        "if the script or the vocabulary changed on purpose, remove parts.json and run again")
    write_atomically(out / "parts.json", (json.dumps(manifest, indent=2) + "\n").encode())
    say(f"{manifest['bytes']:,} bytes in {len(parts)} parts, SHA-256 {manifest['sha256']}")


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
