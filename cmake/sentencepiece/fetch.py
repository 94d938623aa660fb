#!/usr/bin/env python3
"""Fetches the C++ sources of libsentencepiece: the source archive on PyPI that requirements.txt pins by its SHA-256.

    fetch.py FOLDER      leaves FOLDER/src, FOLDER/third_party and FOLDER/LICENCES; quick when they are there already

An archive put by hand into FOLDER/archives is taken first: a machine without a network needs no more.
"""
import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PINNED = HERE / "requirements.txt"
# Of the archive, below its two leading folders: what the library is made of, without the trainer's and the tools' own.
WANTED = re.compile(r"(?:src|src/builtin_pb|third_party/protobuf-lite|third_party/absl|third_party/darts_clone)/.*\.(?:h|cc|inc)$|"
                    r"LICENSE$|third_party/(?:protobuf-lite|absl|darts_clone)/LICENSE$")


def fail(text):
    sys.exit(f"fetch.py: {text}")


def pinned():
    found = re.search(r"^(sentencepiece)==(\S+) --hash=sha256:([0-9a-f]{64})$", PINNED.read_text(), re.M)
    if not found:
        fail(f"{PINNED} does not pin sentencepiece")
    return f"{found[1]}-{found[2]}.tar.gz", found[3]


def intact(archive, digest):
    return archive.is_file() and hashlib.sha256(archive.read_bytes()).hexdigest() == digest


def fetch(archives):
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--require-hashes",
               "--dest", str(archives), "-r", str(PINNED)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=900)
    if done.returncode != 0:
        fail(f"pip could not fetch it: {(done.stdout + done.stderr).strip()[-1000:]}\n"
             f"A network is needed once; without one, put the file {pinned()[0]} into {archives}")


def unpack(archive, folder):
    with tarfile.open(archive) as tar:
        for member in tar:
            name = Path(*Path(member.name).parts[2:])
            if not member.isfile() or ".." in name.parts or not WANTED.match(name.as_posix()):
                continue
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(tar.extractfile(member).read())


def write_licences(folder):
    with open(folder / "LICENCES", "w", encoding="utf-8") as out:
        for text in [folder / "LICENSE", *sorted(folder.glob("third_party/*/LICENSE"))]:
            name = "SentencePiece" if text.parent == folder else f"{text.parent.name}, a part of SentencePiece"
            out.write(f"==== {name}\n\n{text.read_text(encoding='utf-8').strip()}\n\n")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1]).resolve()
    name, digest = pinned()
    key = hashlib.sha256(PINNED.read_bytes() + Path(__file__).read_bytes()).hexdigest()
    stamp = folder / "stamp"
    if stamp.is_file() and stamp.read_text() == key:
        return
    archive = folder / "archives" / name
    archive.parent.mkdir(parents=True, exist_ok=True)
    if not intact(archive, digest):
        fetch(archive.parent)
    if not intact(archive, digest):
        fail(f"{archive} is not the archive that requirements.txt pins (SHA-256 differs); remove it and try again")
    for part in ("src", "third_party"):
        shutil.rmtree(folder / part, ignore_errors=True)
    unpack(archive, folder)
    write_licences(folder)
    stamp.write_text(key)


if __name__ == "__main__":
    main()
