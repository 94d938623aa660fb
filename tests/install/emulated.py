#!/usr/bin/env python3
"""Looks at what ./dev package has made for aarch64, and runs it under qemu-user with the oldest C library that is served:

    emulated.py SOURCE

The program says its version, `cinnabar doctor` is content, and the embedded model completes a line. Doctor asks for the daemon by
starting the program itself, which qemu-user cannot do where the kernel knows no emulated programs: `cinnabar status` is run here instead.
"""
import filecmp
import glob
import os
import re
import subprocess
import sys
import tempfile

CODE = "def add(first, second):\n    return first + \n"
NO_DAEMON = 3  # exit status of `cinnabar status`
FAILURES = []


def expect(what, holds):
    if not holds:
        FAILURES.append(what)
        print(f"FAILED: {what}", flush=True)


def output(*command, **options):
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=1800, **options)
    print(f"  {' '.join(command[-3:])}", flush=True)
    return done.stdout + done.stderr


def check_debian(deb, work, program):
    fields = output("dpkg-deb", "--field", deb, "Architecture", "Depends")
    expect(f"fields of the Debian package: {fields}", "Architecture: arm64" in fields and "Depends: libc6 (>= 2.31)" in fields)
    subprocess.run(["dpkg-deb", "-x", deb, f"{work}/deb"], check=True)
    expect("archive and Debian package hold the same program", filecmp.cmp(f"{work}/deb/usr/bin/cinnabar", program, shallow=False))


def check_program(source, work, program):
    with open(f"{work}/sum.py", "w", encoding="utf-8") as file:
        file.write(CODE)
    cinnabar = ["qemu-aarch64", "-cpu", "max", "-L", f"{source}/build/sysroot/aarch64", program]
    where = {"cwd": work, "env": {"HOME": work, "XDG_RUNTIME_DIR": work, "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}}
    said = output(*cinnabar, "--version", **where)
    expect(f"--version said {said!r}", re.match(r"cinnabar \d", said))
    said = output(*cinnabar, "doctor", **where)
    bad = re.findall(r"^BAD +(\S+)", said, re.M)
    expect(f"doctor said {said}", set(bad) <= {"daemon"} and "every part has its checksum" in said)
    done = subprocess.run([*cinnabar, "status", "--json"], check=False, capture_output=True, timeout=600, **where)
    expect(f"status gave {done.returncode}, said {done.stderr!r}", done.returncode == NO_DAEMON)
    said = output(*cinnabar, "complete", "sum.py:2:20", **where)
    expect(f"complete said {said!r}", "second" in said)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    source = os.path.abspath(sys.argv[1])
    archives, debs = glob.glob(f"{source}/build/packages/*-linux-aarch64.tar.gz"), glob.glob(f"{source}/build/packages/*_arm64.deb")
    if len(archives) != 1 or len(debs) != 1:
        sys.exit(f"emulated.py: {source}/build/packages does not hold an archive and a .deb file for aarch64; ./dev package makes them")
    with tempfile.TemporaryDirectory(prefix="cinnabar-emulated-") as work:
        subprocess.run(["tar", "-xzf", archives[0], "-C", work], check=True)
        program, = glob.glob(f"{work}/*/bin/cinnabar")
        check_debian(debs[0], work, program)
        said = output("sh", f"{source}/build/packages/install.sh", "--prefix", f"{work}/prefix", archives[0])
        expect(f"install.sh said {said!r}", said.startswith("install: this is the program for aarch64, and this machine is "))
        check_program(source, work, program)
    print("passed" if not FAILURES else f"{len(FAILURES)} checks failed")
    sys.exit(1 if FAILURES else 0)


if __name__ == "__main__":
    main()
