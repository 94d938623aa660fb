#!/usr/bin/env python3
"""packaging/install.sh with small archives: what it installs and takes away, and that a refusal leaves everything as it was.

    installer.py SOURCE
"""
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

LIST = "share/cinnabar/installed.txt"
UNIT = "share/systemd/user/cinnabar.service"
FAILURES = []


def expect(what, holds):
    if not holds:
        FAILURES.append(what)


def release(source, **changes):
    """name -> content of a release's files; a name's path may be given with __ for /, None leaves it out of the archive."""
    with open(shutil.which("true"), "rb") as program, open(f"{source}/packaging/uninstall.sh", "rb") as uninstall:
        files = {"bin/cinnabar": program.read(), "share/cinnabar/uninstall.sh": uninstall.read(), UNIT: b"[Service]\nExecStart=x\n",
                 "share/doc/cinnabar/NOTICE": b"a notice\n"}
    files |= {name.replace("__", "/"): content for name, content in changes.items()}
    files.setdefault(LIST, ("\n".join([*files, LIST]) + "\n").encode())
    return {name: content for name, content in files.items() if content is not None}


def pack(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"cinnabar-0-linux-none/{name}")
            entry.size, entry.mode = len(content), 0o755 if name.endswith(("cinnabar", ".sh")) else 0o644
            archive.addfile(entry, io.BytesIO(content))
    return path


def tree(folder):
    """path -> content of everything below a folder; folders end with /"""
    found = {}
    for place, folders, files in os.walk(folder):
        found |= {os.path.relpath(f"{place}/{name}", folder) + "/": "" for name in folders}
        for name in files:
            with open(f"{place}/{name}", "rb") as file:
                found[os.path.relpath(f"{place}/{name}", folder)] = file.read()
    return found


def install(source, *arguments, before=()):
    return subprocess.run([*before, "sh", f"{source}/packaging/install.sh", *arguments], check=False, capture_output=True, text=True)


def check_refusal(source, scratch, name, archive, said, before=(), prefix=None):
    """With and without an older version there: a line that says `said`, and nothing is different."""
    for old in ((False, True) if prefix is None else (False,)):
        home = f"{scratch}/{name}-{old}"
        place = prefix or f"{home}/new/prefix"
        os.makedirs(home)
        if old:
            install(source, "--prefix", place, pack(f"{scratch}/old.tar.gz", release(source, share__cinnabar__old=b"old")))
        was = tree(home)
        done = install(source, "--prefix", place, archive, before=before)
        expect(f"{name}: gave {done.returncode}", done.returncode == 1)
        expect(f"{name}: said {done.stderr!r}", done.stderr.startswith("install: ") and done.stderr.count("\n") == 1 and said in done.stderr)
        now = tree(home)
        expect(f"{name}: {sorted(set(now) ^ set(was))} came or went", now == was)


def check_refusals(source, scratch):
    whole = pack(f"{scratch}/whole.tar.gz", release(source, share__cinnabar__data=os.urandom(1 << 20)))

    def broken(name, **changes):
        return pack(f"{scratch}/{name}.tar.gz", release(source, **changes))

    with open(whole, "rb") as file:
        content = file.read()
    truncated = f"{scratch}/truncated.tar.gz"
    with open(truncated, "wb") as file:
        file.write(content[:len(content) // 2])
    with open(shutil.which("true"), "rb") as file:
        program = bytearray(file.read())
    program[18:20] = b"\xf3\x00"  # RISC-V
    for name, archive, said in (
            ("missing", f"{scratch}/nowhere.tar.gz", "there is no file"),
            ("truncated", truncated, "is it complete"),
            ("other", broken("other", **{LIST: None}), "holds no Cinnabar"),
            ("incomplete", broken("incomplete", **{LIST: f"{LIST}\nbin/cinnabar\nshare/gone\n".encode()}), "share/gone is missing"),
            ("outside", broken("outside", **{LIST: f"{LIST}\n../../evil\n".encode()}), "'../../evil'"),
            ("machine", broken("machine", bin__cinnabar=bytes(program)), "is the program for unknown"),
            ("script", broken("script", bin__cinnabar=b"#!/bin/sh\n"), "is the program for unknown")):
        check_refusal(source, scratch, name, archive, said)
    check_refusal(source, scratch, "unwritable", whole, "cannot be made", prefix="/dev/null/prefix")
    check_space(source, scratch, whole)
    check_sums(source, scratch, whole)


def check_space(source, scratch, whole):
    full = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=512k none "$0" && "$@"; status=$?; find "$0" -mindepth 1; exit $status']
    os.makedirs(f"{scratch}/full")
    if subprocess.run([*full[:2], "mount", "-t", "tmpfs", "none", f"{scratch}/full"], check=False, capture_output=True).returncode != 0:
        FAILURES.append("no space: no mount namespace is granted here, so this could not be tested")
        return
    done = install(source, "--prefix", f"{scratch}/full/prefix", whole, before=[*full, f"{scratch}/full"])
    expect(f"no space: gave {done.returncode}, said {done.stderr!r}", done.returncode == 1 and "is there space?" in done.stderr)
    expect(f"no space: left {done.stdout}", done.stdout == "")


def check_sums(source, scratch, whole):
    """SHA256SUMS beside the archive: absent, right, wrong, of something else"""
    for name, line, said in (("right", hashlib.sha256(open(whole, "rb").read()).hexdigest() + "  whole.tar.gz\n", None),
                             ("wrong", "0" * 64 + "  whole.tar.gz\n", "SHA-256 differs"), ("foreign", "0" * 64 + "  x.tar.gz\n", "does not name")):
        folder = f"{scratch}/sums-{name}"
        os.makedirs(folder)
        shutil.copy(whole, folder)
        with open(f"{folder}/SHA256SUMS", "w", encoding="utf-8") as file:
            file.write(line)
        if said:
            check_refusal(source, scratch, f"sum-{name}", f"{folder}/whole.tar.gz", said)
        else:
            done = install(source, "--prefix", f"{folder}/prefix", f"{folder}/whole.tar.gz")
            expect(f"right sum: {done.stderr}", done.returncode == 0)


def check_installation(source, scratch):
    """New, over an older version, from the unpacked archive; and away again, from a path with a space."""
    home = f"{scratch}/some where"
    prefix = f"{home}/.local"
    os.makedirs(home)
    older = pack(f"{scratch}/older.tar.gz", release(source, share__cinnabar__old=b"old"))
    newer = pack(f"{scratch}/newer.tar.gz", release(source, share__cinnabar__new=b"new"))
    with tarfile.open(newer) as archive:
        archive.extractall(scratch)
    unpacked = f"{scratch}/cinnabar-0-linux-none"
    shutil.copy(f"{source}/packaging/install.sh", unpacked)
    for name, command in (("older", [f"{source}/packaging/install.sh", older]), ("newer", [f"{source}/packaging/install.sh", newer]),
                          ("unpacked", [f"{unpacked}/install.sh"])):
        done = subprocess.run(["sh", *command], check=False, capture_output=True, text=True, env={**os.environ, "HOME": home})
        expect(f"{name}: gave {done.returncode}: {done.stderr}", done.returncode == 0)
        there = tree(prefix)
        listed = there.get(LIST, b"").decode().split()
        expect(f"{name}: {sorted(there)} is there, {sorted(listed)} is listed", sorted(listed) == sorted(n for n in there if not n.endswith("/")))
        expect(f"{name}: the unit is {there.get(UNIT)}", there.get(UNIT) == f'[Service]\nExecStart="{prefix}/bin/cinnabar" daemon\n'.encode())
        expect(f"{name}: the program cannot be run", os.access(f"{prefix}/bin/cinnabar", os.X_OK))
    expect("a file of the older version is still there", not os.path.exists(f"{prefix}/share/cinnabar/old"))
    done = install(source, "--prefix", prefix, "--uninstall")
    expect(f"--uninstall gave {done.returncode}, left {sorted(tree(home))}", done.returncode == 0 and not tree(home))
    done = install(source, "--prefix", prefix, "--uninstall")
    expect(f"--uninstall of nothing said {done.stderr!r}", done.returncode == 1 and "is not installed in" in done.stderr)
    for wrong in (["--nonsense"], ["a", "b"], ["--prefix"]):
        expect(f"{wrong} was taken", install(source, *wrong).returncode == 2)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="cinnabar-installer-") as scratch:
        check_installation(sys.argv[1], scratch)
        check_refusals(sys.argv[1], scratch)
    for text in FAILURES:
        print(text)
    sys.exit(1 if FAILURES else 0)


if __name__ == "__main__":
    main()
