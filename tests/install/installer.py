#!/usr/bin/env python3
"""packaging/install.sh with small archives: what it installs and takes away, and that a refusal leaves everything as it was; and
what ./dev install says at its end.

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
        one_line = done.stderr.startswith("install: ") and done.stderr.count("\n") == 1
        ends_well = not done.stderr.rstrip().endswith(":")
        expect(f"{name}: said {done.stderr!r}", one_line and ends_well and said in done.stderr)
        now = tree(home)
        expect(f"{name}: {sorted(set(now) ^ set(was))} came or went", now == was)


def check_refusals(source, scratch):
    whole = pack(f"{scratch}/whole.tar.gz", release(source, share__cinnabar__data=os.urandom(1 << 20)))

    def broken(name, **changes):
        return pack(f"{scratch}/{name}.tar.gz", release(source, **changes))

    with open(whole, "rb") as file:
        content = file.read()

    def bytes_in(name, data):
        with open(f"{scratch}/{name}.tar.gz", "wb") as file:
            file.write(data)
        return f"{scratch}/{name}.tar.gz"
    with open(shutil.which("true"), "rb") as file:
        program = bytearray(file.read())
    program[18:20] = b"\xf3\x00"  # RISC-V
    for name, archive, said in (
            ("missing", f"{scratch}/nowhere.tar.gz", "there is no file"),
            ("truncated", bytes_in("truncated", content[:len(content) // 2]), "is there space?): "),
            ("garbage", bytes_in("garbage", b"hello " * 1000), "is there space?): "),
            ("empty", bytes_in("empty", b""), "is there space?): "),
            ("other", broken("other", **{LIST: None}), "holds no Cinnabar"),
            ("incomplete", broken("incomplete", **{LIST: f"{LIST}\nbin/cinnabar\nshare/gone\n".encode()}), "share/gone is missing"),
            ("short-list", broken("short-list", **{LIST: b"bin/cinnabar\n"}), "its list lacks share/cinnabar/installed.txt"),
            ("outside", broken("outside", **{LIST: f"{LIST}\n../../evil\n".encode()}), "'../../evil'"),
            ("machine", broken("machine", bin__cinnabar=bytes(program)), "is the program for unknown"),
            ("script", broken("script", bin__cinnabar=b"#!/bin/sh\n"), "is the program for unknown")):
        check_refusal(source, scratch, name, archive, said)
    check_refusal(source, scratch, "unwritable", whole, "cannot be made", prefix="/dev/null/prefix")
    check_places(source, scratch, whole)
    check_space(source, scratch, whole)
    check_sums(source, scratch, whole)


def check_places(source, scratch, whole):
    """What stands where a file or a folder is to be is named, and everything is left as it was."""
    for name, file, said in (("folder", "bin/cinnabar/mine", "bin/cinnabar is a folder"), ("file", "share", "share is no folder")):
        prefix = f"{scratch}/place-{name}"
        os.makedirs(os.path.dirname(f"{prefix}/{file}"))
        with open(f"{prefix}/{file}", "w", encoding="utf-8") as mine:
            mine.write("mine\n")
        was = tree(prefix)
        check_refusal(source, scratch, f"taken-{name}", whole, said, prefix=prefix)
        expect(f"taken-{name}: {sorted(set(tree(prefix)) ^ set(was))} came or went", tree(prefix) == was)


def check_names(source, scratch, whole):
    """Names with a meaning for the shell, sed or systemd."""
    for name, in_unit, printed in (("a|b&c", "a|b&c", "'{}'"), ("a 'b'", "a 'b'", None),
                                   ('q"\\', 'q\\"\\\\', "'{}'"), ("100%", "100%%", "{}")):
        prefix, here = f"{scratch}/names/{name}", f"{scratch}/names"
        done = install(source, "--prefix", prefix, whole)
        expect(f"{name}: gave {done.returncode}: {done.stderr}", done.returncode == 0 and not done.stderr)
        unit = f'[Service]\nExecStart="{here}/{in_unit}/bin/cinnabar" daemon\n'.encode()
        expect(f"{name}: the unit is {tree(prefix).get(UNIT)}", tree(prefix).get(UNIT) == unit)
        command = printed.format(f"{prefix}/share/cinnabar/uninstall.sh") if printed else None
        expect(f"{name}: said {done.stdout}", command is None or f" {command} removes it" in done.stdout)
        removal = done.stdout.split("is installed in ")[-1].split("; ", 1)[-1].split(" removes it.")[0]
        subprocess.run(["sh", "-c", removal], check=False, capture_output=True)
        expect(f"{name}: {removal} left {sorted(tree(prefix))}", not os.path.exists(prefix))


def check_hints(source, scratch):
    """What `./dev install` prints last can be pasted, whatever the folder is called: its own text with nothing built."""
    with open(f"{source}/dev", encoding="utf-8") as file:
        text = file.read().removesuffix('main "$@"\n')
    with open(f"{scratch}/dev", "w", encoding="utf-8") as file:
        file.write(text + """need_program() { :; }
install_into() { mkdir -p "$2/bin"; printf '#!/bin/sh\\necho cinnabar 0\\n' >"$2/bin/cinnabar"; chmod +x "$2/bin/cinnabar"; }
cmd_install "$@"
""")
    for name in ("plain", "two words", "it's", "a$HOME"):
        prefix = f"{scratch}/hints/{name}"
        done = subprocess.run(["bash", f"{scratch}/dev", prefix], check=False, capture_output=True, text=True)
        expect(f"dev install in {name}: gave {done.returncode}: {done.stderr}", done.returncode == 0)
        removal = done.stdout.split("./dev uninstall ")[-1].split(" takes it away")[0]
        path = done.stdout.split("~/.profile: ")[-1].strip()
        script = f'printf "%s\\n" {removal}; {path}; echo "$PATH"'
        pasted = subprocess.run(["sh", "-c", script], check=False, capture_output=True, text=True)
        expect(f"dev install in {name}: said {done.stdout}, which is {pasted.stdout}{pasted.stderr}",
               pasted.stdout == f"{prefix}\n{prefix}/bin:{os.environ['PATH']}\n")


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
                             ("wrong", "0" * 64 + "  whole.tar.gz\n", "SHA-256 differs"),
                             ("foreign", "0" * 64 + "  x.tar.gz\n", "does not name")):
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
        files = sorted(n for n in there if not n.endswith("/"))
        expect(f"{name}: {files} is there, {sorted(listed)} is listed", sorted(listed) == files)
        unit = f'[Service]\nExecStart="{prefix}/bin/cinnabar" daemon\n'.encode()
        expect(f"{name}: the unit is {there.get(UNIT)}", there.get(UNIT) == unit)
        expect(f"{name}: the program cannot be run", os.access(f"{prefix}/bin/cinnabar", os.X_OK))
    for inside in (".", "new/inside"):
        was = tree(unpacked)
        done = subprocess.run(["sh", "install.sh", "--prefix", inside], check=False, capture_output=True, text=True, cwd=unpacked)
        expect(f"--prefix {inside} in the archive gave {done.returncode}: {done.stderr}",
               done.returncode == 1 and "is the archive itself" in done.stderr and tree(unpacked) == was)
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
        check_hints(sys.argv[1], scratch)
        check_names(sys.argv[1], scratch, f"{scratch}/whole.tar.gz")
    for text in FAILURES:
        print(text)
    sys.exit(1 if FAILURES else 0)


if __name__ == "__main__":
    main()
