#!/usr/bin/env python3
"""Installs what ./dev package has made into bare Debian systems without a network, uses it there, and takes it away again.

    bare_system.py SOURCE [SUITE...]     by default bookworm; bullseye, whose C library is the oldest that is served; and too-old, a
                                         bullseye whose C library seems older, which has to be said well

A system is what debootstrap calls minbase: no compiler, no library that something else wanted. It is kept in
SOURCE/build/e2e/SUITE.tar. The archive is installed by a user, the .deb by root. Needs root, for debootstrap and chroot.
"""
import glob
import os
import platform
import re
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
TOO_OLD = "too-old"
DEBIAN = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
USER = 1000
CODE = "def add(first, second):\n    return first + \n"
# A process of its own in a system of its own: no network, not even the loopback; the packages are in /mnt, for reading only.
ENTER = ["unshare", "--net", "--mount", "--pid", "--fork", "sh", "-c", """
mount --bind "$2" "$1/mnt" && mount -o remount,bind,ro "$1/mnt" && mount -t proc none "$1/proc" && mount -t tmpfs none "$1/tmp" &&
mount -t tmpfs none "$1/dev" && mknod -m 666 "$1/dev/null" c 1 3 && mknod -m 666 "$1/dev/urandom" c 1 9 || exit 125
exec chroot --userspec="$3" "$1" env -i HOME="$4" PATH="$4/.local/bin:/usr/sbin:/usr/bin:/sbin:/bin" LANG=C.UTF-8 sh -c "$5"
""", "sh"]
FAILURES = []


def expect(what, holds):
    if not holds:
        FAILURES.append(what)
        print(f"FAILED: {what}", flush=True)


def mirror():
    """Where this system has its packages from, if it is a Debian one."""
    wanted = ["Identifier: Packages", "Component: main", "Codename: bookworm"]
    found = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)", *wanted],
                           check=False, capture_output=True, text=True).stdout.split()
    return found[:1]


def make_root(source, suite, folder):
    kept = f"{source}/build/e2e/{suite}.tar"
    if not os.path.exists(kept):
        os.makedirs(os.path.dirname(kept), exist_ok=True)
        script = [] if os.path.exists(f"/usr/share/debootstrap/scripts/{suite}") else ["/usr/share/debootstrap/scripts/sid"]
        where = mirror()
        if script and not where:
            sys.exit(f"bare_system.py: debootstrap does not know {suite}, and no package source of this system is Debian's to have it from")
        subprocess.run(["debootstrap", "--variant=minbase", suite, folder, *where, *script], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["tar", "-cf", kept + ".new", "-C", folder, "."], check=True)
        os.rename(kept + ".new", kept)
    else:
        subprocess.run(["tar", "-xpf", kept, "-C", folder], check=True)
    os.makedirs(f"{folder}/home/user", exist_ok=True)
    os.chown(f"{folder}/home/user", USER, USER)
    os.chmod(folder, 0o755)


def make_older(root, program):
    """The newest version of its symbols that the program asks for goes from the C library, and dpkg knows an older one."""
    wanted = re.findall(r"GLIBC_(2\.[0-9]+)", subprocess.run(["readelf", "--dyn-syms", "--wide", program], check=True,
                                                           capture_output=True, text=True).stdout)
    newest = max(wanted, key=lambda version: int(version.split(".")[1]))
    libraries = [path for path in glob.glob(f"{root}/lib/*-linux-gnu/*.so") if not os.path.islink(path)]
    for path in libraries:
        with open(path, "r+b") as file:
            content = file.read()
            file.seek(0)
            file.write(content.replace(f"\0GLIBC_{newest}\0".encode(), f"\0GLIBC_{newest[:-1]}x\0".encode()))
    status = f"{root}/var/lib/dpkg/status"
    with open(status, encoding="utf-8") as file:
        packages = re.sub(r"(?m)(^Package: libc6\n(?:.+\n)*?Version: ).+", r"\g<1>2.30-1", file.read())
    with open(status, "w", encoding="utf-8") as file:
        file.write(packages)


class System:
    def __init__(self, root, packages):
        self.root, self.packages = root, packages

    def run(self, script, user=USER):
        home = "/root" if user == 0 else "/home/user"
        started = time.monotonic()
        done = subprocess.run([*ENTER, self.root, self.packages, f"{user}:{user}", home, "cd && " + script],
                              check=False, capture_output=True, text=True, errors="replace", timeout=600)
        if done.returncode == 125:
            sys.exit(f"bare_system.py: the system cannot be entered: {done.stderr}")
        print(f"  {time.monotonic() - started:5.1f} s  {script}", flush=True)
        return done

    def good(self, script, user=USER):
        done = self.run(script, user)
        expect(f"{script} gave {done.returncode}: {done.stdout[-1500:]}{done.stderr[-1500:]}", done.returncode == 0)
        return done.stdout

    def files(self):
        """Everything but what dpkg and the test itself keep about what they did."""
        left_out = re.compile(r"(var/lib/dpkg|var/log|var/cache)/|home/user/sum\.py$")
        found = {os.path.relpath(f"{place}/{name}", self.root) for place, folders, files in os.walk(self.root) for name in folders + files}
        return {name for name in found if not left_out.match(name)}


def check_program(system, where):
    """As somebody would try it who has just installed it."""
    report = system.good("cinnabar doctor")
    expect(f"{where}: doctor said {report}", "BAD" not in report and "every part has its checksum" in report)
    answer = system.good("cinnabar complete sum.py:2:20")
    expect(f"{where}: complete said {answer!r}", "second" in answer)
    # An exception is thrown and caught on the way: it is found by tables that the C library knows of.
    said = system.run("mkdir bad && printf '{' >bad/config.json && printf '\\1\\0\\0\\0\\0\\0\\0\\0{' >bad/model.safetensors && "
                      "cinnabar complete sum.py:2:20 --model bad; status=$?; rm -r bad; exit $status")
    expect(f"{where}: a bad model gave {said.returncode}, said {said.stderr!r}", said.returncode == 1 and "not valid JSON" in said.stderr)
    said = system.good("cinnabar lsp --in-process </dev/null; cinnabar --version")
    expect(f"{where}: --version said {said!r}", re.search(r"^cinnabar \d", said, re.M))


def compare(where, before, after):
    expect(f"{where}: came {sorted(after - before)}, went {sorted(before - after)}", before == after)


def check_archive(system, archive):
    before = system.files()
    system.good(f"sh /mnt/install.sh /mnt/{archive}")
    check_program(system, "archive")
    system.good("sh /mnt/install.sh --uninstall")
    compare("archive", before, system.files())


def check_debian(system, debs):
    before = system.files()
    system.good("dpkg --install " + " ".join(f"/mnt/{deb}" for deb in debs), user=0)
    check_program(system, "Debian packages")
    expect("dpkg --verify has something to say", system.good("dpkg --verify cinnabar cinnabar-model-default", user=0) == "")
    system.good("test -s /usr/share/doc/cinnabar/copyright && test -s /usr/share/doc/cinnabar-model-default/copyright && "
                "zcat /usr/share/man/man1/cinnabar.1.gz | grep -q 'cinnabar complete'")
    system.good("dpkg --purge cinnabar cinnabar-model-default", user=0)
    compare("Debian packages", before, system.files())


def check_refusal(system, archive, debs):
    """A C library that is too old: both ways say so, and nothing stays."""
    before = system.files()
    done = system.run(f"sh /mnt/install.sh /mnt/{archive}")
    expect(f"install.sh gave {done.returncode}, said {done.stderr!r}",
           done.returncode == 1 and done.stderr.startswith("install: the program does not run here (it needs glibc 2.31)"))
    compare("refused archive", before, system.files())
    done = system.run(f"dpkg --install /mnt/{debs[0]}", user=0)
    expect(f"dpkg gave {done.returncode}, said {done.stderr!r}", done.returncode != 0 and "depends on libc6" in done.stderr)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    source, suites = os.path.abspath(sys.argv[1]), sys.argv[2:] or ["bookworm", "bullseye", TOO_OLD]
    if os.geteuid() != 0:
        print("bare_system.py: not root, so no system can be made: skipped")
        sys.exit(SKIPPED)
    packages = f"{source}/build/packages"
    archives, debs = (sorted(os.path.basename(path) for what in names for path in glob.glob(f"{packages}/{what}")) for names in
                      ([f"*-linux-{platform.machine()}.tar.gz"], [f"*_{DEBIAN}.deb", "*_all.deb"]))
    if len(archives) != 1 or len(debs) != 2:
        sys.exit(f"bare_system.py: {packages} does not hold an archive and two .deb files; ./dev package makes them")
    for suite in suites:
        with tempfile.TemporaryDirectory(prefix="cinnabar-bare-") as root:
            print(f"{suite}:", flush=True)
            make_root(source, "bullseye" if suite == TOO_OLD else suite, root)
            with open(f"{root}/home/user/sum.py", "w", encoding="utf-8") as file:
                file.write(CODE)
            system = System(root, packages)
            if suite == TOO_OLD:
                make_older(root, f"{source}/build/package/cinnabar")
                check_refusal(system, archives[0], sorted(debs, key=lambda name: "model" in name))
            else:
                check_archive(system, archives[0])
                check_debian(system, debs)
    print(f"{len(suites)} passed, 0 failed" if not FAILURES else f"{len(FAILURES)} checks failed")
    sys.exit(1 if FAILURES else 0)


if __name__ == "__main__":
    main()
