#!/usr/bin/env python3
"""Fetches the C sources of tree-sitter's core and grammars: what package.json names, at the versions and with the SHA-512
that package-lock.json pins. Nothing of a package is installed or run: sources and licences are read out of its archive.

    fetch.py FOLDER      leaves FOLDER/PACKAGE/... and FOLDER/LICENCES; quick when they are there already

With npm on the PATH, npm fetches the archives and its settings hold. Without it they come from the registry that the
variable npm_config_registry or an .npmrc names, else from npm's public one. Archives put by hand into FOLDER/archives
(the names that `npm pack` gives them) are taken first: a machine without a network needs no more.
Python 3.9 or newer and its standard library.
"""
import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
PUBLIC_REGISTRY = "https://registry.npmjs.org"
# Of a package: the grammar's sources, what they share, the core, the licence.
WANTED = re.compile(r"package/(?:(?:(?!php_only)[\w-]+/)?src/.*\.[ch]|common/[\w.]+\.h|vendor/tree-sitter/lib/.*\.[ch]|"
                    r"vendor/tree-sitter/LICENSE|LICENSE[\w.]*)$")
LARGEST_ARCHIVE = 64 << 20
ATTEMPTS = 3


def fail(text):
    sys.exit(f"fetch.py: {text}")


def packages():
    """(name, version, integrity) of what package.json names; the rest of the lock is for node and not wanted here."""
    lock = json.loads((HERE / "package-lock.json").read_text())["packages"]
    for name in json.loads((HERE / "package.json").read_text())["dependencies"]:
        entry = lock[f"node_modules/{name}"]
        yield name, entry["version"], entry["integrity"]


def archive_name(name, version):
    return f"{name.replace('@', '').replace('/', '-')}-{version}.tgz"


def registry():
    """What the person or the machine has chosen, else the public one."""
    for variable in ("npm_config_registry", "NPM_CONFIG_REGISTRY"):
        if os.environ.get(variable):
            return os.environ[variable].rstrip("/")
    for path in (HERE / ".npmrc", Path.home() / ".npmrc", Path("/etc/npmrc")):
        if path.is_file():
            found = re.search(r"^\s*registry\s*=\s*(\S+)", path.read_text(errors="replace"), re.M)
            if found:
                return found[1].strip("\"'").rstrip("/")
    return PUBLIC_REGISTRY


def intact(path, integrity):
    algorithm, expected = integrity.split("-", 1)
    if algorithm != "sha512":
        fail(f"package-lock.json pins {path.name} by {algorithm}, expected sha512")
    digest = hashlib.sha512(path.read_bytes()).digest() if path.is_file() else b""
    return base64.b64encode(digest).decode() == expected


def fetch_by_npm(wanted, archives):
    command = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", str(archives)]
    command += [f"{name}@{version}" for name, version, _ in wanted]
    try:
        subprocess.run(command, cwd=HERE, stdout=subprocess.DEVNULL, timeout=600, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"fetch.py: npm could not fetch them ({error}); trying without it", file=sys.stderr)


def fetch_by_address(name, version, archives):
    address = f"{registry()}/{name}/-/{name.split('/')[-1]}-{version}.tgz"
    for attempt in range(ATTEMPTS):
        try:
            with urllib.request.urlopen(address, timeout=120) as reply:
                content = reply.read(LARGEST_ARCHIVE + 1)
            if len(content) > LARGEST_ARCHIVE:
                fail(f"{name} {version}: the archive is larger than {LARGEST_ARCHIVE >> 20} MiB")
            (archives / archive_name(name, version)).write_bytes(content)
            return
        except OSError as error:
            if attempt == ATTEMPTS - 1:
                fail(f"{name} {version} cannot be fetched ({error}). A network is needed once; without one, put the file "
                     f"{archive_name(name, version)} into {archives}")
            time.sleep(2 * (attempt + 1))


def unpack(archive, folder):
    with tarfile.open(archive) as tar:
        for member in tar:
            if not member.isfile() or not WANTED.match(member.name) or ".." in Path(member.name).parts:
                continue
            target = folder / Path(member.name).relative_to("package")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(tar.extractfile(member).read())


def write_licences(folder, wanted):
    with open(folder / "LICENCES", "w") as out:
        for name, version, _ in wanted:
            texts = sorted((folder / name).glob("LICENSE*")) + sorted((folder / name).glob("vendor/tree-sitter/LICENSE"))
            for text in texts[-1:]:
                out.write(f"==== {name} {version}\n\n{text.read_text()}\n")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1]).resolve()
    archives = folder / "archives"
    archives.mkdir(parents=True, exist_ok=True)
    wanted = list(packages())
    # What is unpacked is what this script and this lock made; a change of either makes it anew.
    key = hashlib.sha256((HERE / "package-lock.json").read_bytes() + Path(__file__).read_bytes()).hexdigest()
    stamp = folder / "stamp"
    if stamp.is_file() and stamp.read_text() == key:
        return
    missing = [p for p in wanted if not intact(archives / archive_name(p[0], p[1]), p[2])]
    if missing and shutil.which("npm"):
        fetch_by_npm(missing, archives)
    for name, version, integrity in wanted:
        archive = archives / archive_name(name, version)
        if not intact(archive, integrity):
            fetch_by_address(name, version, archives)
        if not intact(archive, integrity):
            fail(f"{archive} is not the archive that package-lock.json pins (SHA-512 differs); remove it and try again")
        shutil.rmtree(folder / name, ignore_errors=True)
        unpack(archive, folder / name)
    write_licences(folder, wanted)
    stamp.write_text(key)


if __name__ == "__main__":
    main()
