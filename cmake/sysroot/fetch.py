#!/usr/bin/env python3
"""Fetches Debian packages of packages.txt with apt and unpacks what a linker and a compiler want of them:

    fetch.py ARCHITECTURE FOLDER      leaves FOLDER/lib and FOLDER/usr; quick when they are there already

ARCHITECTURE is Debian's word for it: amd64, arm64. The system's own package lists and architectures are left as they are, and nothing is
installed. A package file put by hand into FOLDER/archives is taken first: a machine without a network needs no more.
"""
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PINNED = Path(__file__).resolve().parent / "packages.txt"
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
# Of the C library only libraries and start files: its headers would stand before the compiler's own.
WANTED = {"libc6": ["./lib", "./lib64"], "libc6-dev": ["./usr/lib"]}


def fail(text):
    sys.exit(f"fetch.py: {text}")


def pinned(architecture):
    lines = [line.split() for line in PINNED.read_text().splitlines() if line and not line.startswith("#")]
    return [tuple(line[1:]) for line in lines if line[0] == architecture]


def archive_of(folder, package, version):
    found = sorted((folder / "archives").glob(f"{package}_{version.replace(':', '%3a')}_*.deb"))
    return found[0] if found else None


def intact(archive, digest):
    return archive is not None and hashlib.sha256(archive.read_bytes()).hexdigest() == digest


def mirror():
    """Where this system has its packages from, if it is a Debian one."""
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Identifier: Packages", "Component: main", "Codename: bookworm"]
    found = subprocess.run(asked, check=False, capture_output=True, text=True).stdout.split()
    if not found:
        fail(f"no package source of this system is bookworm's main, so there is nowhere to have Debian's packages from: name one to "
             f"apt, or put the package files that {PINNED} names into the folder archives")
    return found[0]


def download(architecture, folder, wanted):
    (folder / "archives").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="cinnabar-apt-") as work:
        for part in ("lists/partial", "cache/archives/partial"):
            os.makedirs(f"{work}/{part}")
        Path(f"{work}/status").touch()
        lines = [f"deb [signed-by={KEYS}] {mirror()} {suite} main\n" for suite in sorted({suite for suite, *_ in wanted})]
        Path(f"{work}/sources.list").write_text("".join(lines))
        settings = {"Dir::State::Lists": f"{work}/lists", "Dir::State::status": f"{work}/status", "Dir::Cache": f"{work}/cache",
                    "Dir::Etc::sourcelist": f"{work}/sources.list", "Dir::Etc::sourceparts": "/dev/null", "Debug::NoLocking": "1",
                    "APT::Architecture": architecture, "APT::Architectures": architecture, "APT::Sandbox::User": "root"}
        apt = ["apt-get", "-qq"] + [f"--option={name}={value}" for name, value in settings.items()]
        for command in (["update"], ["download", *[f"{package}={version}" for _, package, version, _ in wanted]]):
            done = subprocess.run([*apt, *command], cwd=folder / "archives", check=False, capture_output=True, text=True)
            if done.returncode != 0:
                fail(f"apt-get {command[0]} failed: {(done.stderr or done.stdout).strip().splitlines()[-1:]}; without a network, put the "
                     f"package files that {PINNED} names into {folder / 'archives'}")


def unpack(archive, package, target):
    tar = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(archive)], check=True, capture_output=True).stdout
    members = subprocess.run(["tar", "-t"], input=tar, check=True, capture_output=True).stdout.decode().splitlines()
    parts = [part for part in WANTED.get(package, ["./usr"]) if any(name.startswith(part) for name in members)]
    subprocess.run(["tar", "-x", "--no-same-owner", "-C", str(target), *parts], input=tar, check=True)


def relink(target):
    """Links to absolute paths become links within the folder."""
    for place, folders, files in os.walk(target):
        for name in folders + files:
            path = f"{place}/{name}"
            if os.path.islink(path) and os.readlink(path).startswith("/"):
                to = os.path.relpath(str(target) + os.readlink(path), place)
                os.remove(path)
                os.symlink(to, path)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    architecture, folder = sys.argv[1], Path(sys.argv[2]).resolve()
    packages = pinned(architecture)
    if not packages:
        fail(f"{PINNED} names no package for {architecture}")
    key = hashlib.sha256(PINNED.read_bytes() + Path(__file__).read_bytes()).hexdigest()
    stamp = folder / ".key"
    if stamp.is_file() and stamp.read_text() == key:
        return
    missing = [entry for entry in packages if not intact(archive_of(folder, *entry[1:3]), entry[3])]
    if missing:
        download(architecture, folder, missing)
    for part in ("lib", "lib64", "usr"):
        shutil.rmtree(folder / part, ignore_errors=True)
    for _, package, version, digest in packages:
        archive = archive_of(folder, package, version)
        if not intact(archive, digest):
            fail(f"{archive or package} is not what {PINNED} says (SHA-256 differs)")
        unpack(archive, package, folder)
    relink(folder)
    stamp.write_text(key)


if __name__ == "__main__":
    main()
