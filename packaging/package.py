#!/usr/bin/env python3
"""Makes what a release consists of in build/packages: package.py [--check]

    cinnabar-VERSION-linux-ARCH.tar.gz    program, model, plugins, installer; needs glibc 2.31 and no other library
    cinnabar_*.deb, cinnabar-model-default_*.deb
    cinnabar-VERSION-linux-ARCH.cdx.json  bill of materials (sbom.py)
    install.sh, SHA256SUMS

ARCH: this machine's and aarch64, for which Debian's cross compiler and qemu-user (it writes the manual page) have to be there.

The same commit makes the same bytes on the same system: times are the commit's, or SOURCE_DATE_EPOCH. --check makes them once more
from a copy of the source in another folder, without a compiler cache, and compares. Python 3.11 or newer, a Debian system.
"""
import argparse
import gzip
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NEWEST_GLIBC = (2, 31)  # Debian 11's and Ubuntu 20.04's
C_LIBRARY = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
FETCHED = ("grammars", "sentencepiece", "sysroot")  # folders of build/ that a copy of the source takes along, so that it needs no network
JOBS = os.environ.get("DEV_JOBS", str(os.cpu_count() or 2))
MACHINE = platform.machine()
CROSS = "aarch64"  # this machine's preset is "package", the other's has its machine's name


def fail(text):
    sys.exit(f"package.py: {text}")


def run(*command, **options):
    print("+", " ".join(command), flush=True)
    if subprocess.run(command, check=False, **options).returncode != 0:
        fail(f"failed: {' '.join(command)}")


def output(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def commit_time():
    if os.environ.get("SOURCE_DATE_EPOCH"):
        return os.environ["SOURCE_DATE_EPOCH"]
    try:
        return output("git", "log", "-1", "--format=%ct", cwd=ROOT).strip()
    except (OSError, subprocess.CalledProcessError):
        fail("this is no git checkout: SOURCE_DATE_EPOCH has to say what time the files get")


def machines():
    """For which ones packages are made, this one first."""
    if MACHINE == CROSS:
        return [MACHINE]
    missing = [tool for tool in (f"{CROSS}-linux-gnu-g++", f"qemu-{CROSS}") if not shutil.which(tool)]
    if missing:
        fail(f"the packages for {CROSS} need {' and '.join(missing)}: install the Debian packages g++-{CROSS}-linux-gnu and qemu-user")
    return [MACHINE, CROSS]


def build(root, machine, cached):
    """The program; returns the build folder."""
    preset = "package" if machine == MACHINE else machine
    folder = f"{root}/build/{preset}"
    launcher = "ccache" if cached and shutil.which("ccache") else ""
    run("cmake", "--preset", preset, f"-DCMAKE_C_COMPILER_LAUNCHER={launcher}", f"-DCMAKE_CXX_COMPILER_LAUNCHER={launcher}", cwd=root)
    run("ninja", "-C", folder, "-j", JOBS, "cinnabar", "cinnabar_generated")
    return folder


def check_program(program, root):
    """Complaints about what the program needs of the system it will run on, and what it says of the one that made it."""
    dynamic = output("readelf", "--dynamic", "--wide", program)
    needed = set(re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic)) - C_LIBRARY
    if needed:
        yield f"it needs {', '.join(sorted(needed))}"
    if re.search(r"\((RPATH|RUNPATH)\)", dynamic):
        yield "it names folders to look for libraries in"
    wanted = re.findall(r"(\w+)@GLIBC_([0-9.]+)", output("readelf", "--dyn-syms", "--wide", program))
    newer = [f"{symbol} of {version}" for symbol, version in wanted if tuple(map(int, version.split("."))) > NEWEST_GLIBC]
    if newer or not wanted:
        yield f"it needs a glibc newer than {'.'.join(map(str, NEWEST_GLIBC))}: {', '.join(newer)}"
    with open(program, "rb") as file:
        if root.encode() in file.read():
            yield f"the path {root} is in it"


def install(folder, scratch):
    """The tree of an installation below /usr/local, as the archive holds it."""
    run("cmake", "--install", folder, "--prefix", "/usr/local", "--strip",
        env={**os.environ, "DESTDIR": scratch}, stdout=subprocess.DEVNULL)
    return f"{scratch}/usr/local"


def write_archive(path, tree, epoch):
    """The same tree makes the same bytes: sorted, root's, of one time, readable by all."""
    top = os.path.basename(path).removesuffix(".tar.gz")
    names = [os.path.relpath(os.path.join(place, name), tree) for place, folders, files in os.walk(tree) for name in folders + files]

    def plain(entry):
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.mtime = int(epoch)
        entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
        return entry

    with open(path, "wb") as file, gzip.GzipFile("", "wb", 6, file, 0) as packed, \
            tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name in ["", *sorted(names)]:
            archive.add(f"{tree}/{name}".rstrip("/"), f"{top}/{name}".rstrip("/"), recursive=False, filter=plain)


def debian_packages(folder, out, epoch, components):
    # CPack looks for what the packages want in its own folder.
    with tempfile.TemporaryDirectory(prefix="cinnabar-cpack-") as scratch:
        run("cpack", "-G", "DEB", "-D", f"CPACK_COMPONENTS_ALL={components}", "-B", scratch, cwd=folder,
            env={**os.environ, "SOURCE_DATE_EPOCH": epoch}, stdout=subprocess.DEVNULL)
        for name in os.listdir(scratch):
            if name.endswith(".deb"):
                shutil.move(f"{scratch}/{name}", f"{out}/{name}")


def write_sums(out):
    lines = [f"{digest(f'{out}/{name}')}  {name}\n" for name in sorted(os.listdir(out))]
    with open(f"{out}/SHA256SUMS", "w", encoding="utf-8") as file:
        file.writelines(lines)


def make(root, epoch, cached=True):
    """Everything, into ROOT/build/packages, which it returns."""
    out = f"{root}/build/packages"
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    run(sys.executable, f"{root}/editor-plugins/vscode/package.py")
    for machine in machines():
        make_for(root, machine, out, epoch, cached)
    shutil.copy(f"{root}/packaging/install.sh", out)
    write_sums(out)
    return out


def make_for(root, machine, out, epoch, cached):
    """Archive, bill of materials and Debian packages of one machine; the model's package is for all and comes with this one's."""
    folder = build(root, machine, cached)
    version = re.search(r"^CMAKE_PROJECT_VERSION:\w+=(.+)$", open(f"{folder}/CMakeCache.txt", encoding="utf-8").read(), re.M)[1]
    name = f"cinnabar-{version}-linux-{machine}"
    with tempfile.TemporaryDirectory(prefix="cinnabar-package-") as scratch:
        tree = install(folder, scratch)
        complaints = list(check_program(f"{tree}/bin/cinnabar", root))
        if complaints:
            fail("the program cannot be released: " + "; ".join(complaints))
        shutil.copy(f"{root}/packaging/install.sh", tree)
        write_archive(f"{out}/{name}.tar.gz", tree, epoch)
        run(sys.executable, f"{root}/packaging/sbom.py", root, folder, tree, f"{out}/{name}.cdx.json",
            env={**os.environ, "SOURCE_DATE_EPOCH": epoch})
    debian_packages(folder, out, epoch, "program;model" if machine == MACHINE else "program")


def copy_source(target):
    """What is in the repository, as it stands in the work tree, and what was fetched for a build."""
    for name in output("git", "ls-files", "-z", cwd=ROOT).split("\0")[:-1]:
        if os.path.lexists(f"{ROOT}/{name}"):
            os.makedirs(os.path.dirname(f"{target}/{name}"), exist_ok=True)
            shutil.copy2(f"{ROOT}/{name}", f"{target}/{name}", follow_symlinks=False)
    for name in FETCHED:
        if os.path.isdir(f"{ROOT}/build/{name}"):
            shutil.copytree(f"{ROOT}/build/{name}", f"{target}/build/{name}", symlinks=True)


def check(out, epoch):
    """The packages once more, from another folder."""
    with tempfile.TemporaryDirectory(prefix="cinnabar-again-") as target:
        copy_source(target)
        again = make(target, epoch, cached=False)
        names = sorted(set(os.listdir(out)) | set(os.listdir(again)))
        differ = [name for name in names if not (os.path.exists(f"{out}/{name}") and os.path.exists(f"{again}/{name}")
                                                 and digest(f"{out}/{name}") == digest(f"{again}/{name}"))]
        if differ:
            kept = f"{ROOT}/build/packages-again"
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(again, kept)
            fail(f"made again in another folder, these are different (see {kept}): {', '.join(differ)}")
    print(f"made again in another folder, all {len(names)} files are the same, byte for byte")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    chosen = parser.parse_args()
    epoch = commit_time()
    out = make(ROOT, epoch)
    if chosen.check:
        check(out, epoch)
    for name in sorted(os.listdir(out)):
        print(f"{os.path.getsize(f'{out}/{name}') / 1e6:9.1f} MB  {name}")


if __name__ == "__main__":
    main()
