#!/usr/bin/env python3
"""Installs into a new prefix, uses what is there while the source tree cannot be seen, and takes it away again.

    check.py BUILD SOURCE      BUILD: a finished build; SOURCE: the source tree, which holds it

The source tree is hidden by an empty file system mounted over it in a mount namespace of our own; where the kernel grants none,
the program still runs from a copy of the installation that never lay near the tree, in another folder.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

FILES = ["bin/cinnabar", "share/cinnabar/models/default/parts.json", "share/man/man1/cinnabar.1",
         "share/bash-completion/completions/cinnabar", "share/zsh/site-functions/_cinnabar",
         "share/fish/vendor_completions.d/cinnabar.fish", "share/systemd/user/cinnabar.socket",
         "share/systemd/user/cinnabar.service", "share/doc/cinnabar/LICENSE", "share/doc/cinnabar/NOTICE", "share/doc/cinnabar/LICENCES",
         "share/cinnabar/models/make_model.py", "share/cinnabar/models/making/fetch.py", "share/cinnabar/models/coder-1.5b/model.json",
         "share/cinnabar/models/default/LICENSE", "share/cinnabar/models/default/NOTICE", "share/cinnabar/uninstall.sh",
         "share/cinnabar/installed.txt", *(
             f"share/nvim/site/pack/cinnabar/opt/cinnabar/{file}" for file in ("plugin/cinnabar.lua", "doc/cinnabar.txt", "doc/tags"))]
CODE = "def add(first, second):\n    return first + \n"
FAILURES = []


def expect(what, holds):
    if not holds:
        FAILURES.append(what)


def run(*command, **options):
    done = subprocess.run(command, check=False, capture_output=True, text=True, **options)
    if done.returncode != 0:
        FAILURES.append(f"{' '.join(command)} gave {done.returncode}: {done.stdout[-500:]}{done.stderr[-1500:]}")
    return done.stdout


def tree(folder):
    return sorted(os.path.relpath(os.path.join(place, name), folder) for place, _, names in os.walk(folder) for name in names)


def hiding(source):
    """The beginning of a command that cannot see `source`."""
    hide = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs none "$0" && [ -z "$(ls -A "$0")" ] && exec "$@"', source]
    if subprocess.run(hide + ["true"], check=False, capture_output=True).returncode == 0:
        return hide
    print("no mount namespace here: the source tree stays in sight")
    return []


def check_files(prefix):
    present = tree(prefix)
    for file in FILES:
        expect(f"{file} is not installed", file in present)
    with open(f"{prefix}/share/cinnabar/installed.txt", encoding="utf-8") as file:
        expect("installed.txt does not list just what is installed", sorted(file.read().split("\n")[:-1]) == present)
    with open(f"{prefix}/share/systemd/user/cinnabar.service", encoding="utf-8") as file:
        expect("the unit names another program", f'ExecStart="{prefix}/bin/cinnabar" daemon\n' in file.read())
    with open(f"{prefix}/share/man/man1/cinnabar.1", encoding="utf-8") as file:
        page = file.read()
    expect("a line of the manual is taken for a request of its own", not re.search(r"(?m)^\.[a-z]{3}", page))
    listed = run(f"{prefix}/bin/cinnabar", "complete", "--help")
    for line in listed.split("\n"):
        if line.startswith("  --"):
            name = line.split()[0].replace("-", "\\-")
            expect(f"the manual does not name {name}", name in page)


def check_shells(prefix):
    for shell, file in (("bash", "share/bash-completion/completions/cinnabar"), ("zsh", "share/zsh/site-functions/_cinnabar"),
                        ("fish", "share/fish/vendor_completions.d/cinnabar.fish")):
        if shutil.which(shell):
            run(shell, "-n", f"{prefix}/{file}")
    script = f'source "{prefix}/share/bash-completion/completions/cinnabar"; COMP_WORDS=(cinnabar stat); COMP_CWORD=1; _cinnabar; '
    expect("bash does not complete a command", run("bash", "-c", script + 'echo "${COMPREPLY[@]}"').strip() == "status")


def check_program(prefix, hide):
    with tempfile.TemporaryDirectory() as elsewhere:
        with open(f"{elsewhere}/sum.py", "w", encoding="utf-8") as file:
            file.write(CODE)
        answer = run(*hide, f"{prefix}/bin/cinnabar", "complete", "sum.py:2:20", cwd=elsewhere)
        expect(f"complete said {answer!r}", "second" in answer)
        where = run(*hide, f"{prefix}/bin/cinnabar", "model", "list", cwd=elsewhere)
        expect(f"the model is {where!r}", f"{prefix}/share/cinnabar/models/default" in where)


def check_setup(prefix, home):
    """Each editor's file is written on --yes only, and --undo leaves no file of ours."""
    environment = {**os.environ, "HOME": home, "XDG_CONFIG_HOME": "", "XDG_RUNTIME_DIR": home}
    program = f"{prefix}/bin/cinnabar"
    for editor in ("neovim", "helix", "emacs"):
        run(program, "setup", editor, env=environment, stdin=subprocess.DEVNULL)
        expect(f"setup {editor} wrote without being told to: {tree(home)}", not tree(home))
        run(program, "setup", editor, "--yes", env=environment)
        texts = []
        for name in tree(home):
            with open(f"{home}/{name}", encoding="utf-8") as file:
                texts.append(file.read())
        expect(f"setup {editor} wrote {texts}", len(texts) == 1 and prefix in texts[0])
        run(program, "setup", editor, "--undo", "--yes", env=environment)
        expect(f"setup {editor} --undo left {tree(home)}", not tree(home))
    report = run(program, "doctor", env=environment)
    expect(f"doctor said {report}", "BAD" not in report and "every part has its checksum" in report)
    expect(f"doctor says nothing of a GPU: {report}", "(cuda" in report or "not used: " in report)
    os.rename(f"{prefix}/share/cinnabar/models", home + "/models")
    without = subprocess.run([program, "doctor"], check=False, capture_output=True, text=True, env=environment)
    os.rename(home + "/models", f"{prefix}/share/cinnabar/models")
    expect(f"doctor without a model said {without.stdout}", without.returncode == 1 and "BAD   model" in without.stdout)


def check_removal(prefix):
    run(f"{prefix}/share/cinnabar/uninstall.sh")
    expect(f"left behind: {tree(prefix)}", os.listdir(prefix) == ["bin"] and os.listdir(f"{prefix}/bin") == ["other"])


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    build, source = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="cinnabar-install-") as folder:
        prefix = os.path.realpath(folder) + "/some where"  # a path with a space
        os.makedirs(prefix + "/bin")
        with open(prefix + "/bin/other", "w", encoding="utf-8"):  # somebody else's: it stays
            pass
        run("cmake", "--install", build, "--prefix", prefix, "--strip")
        os.rename(prefix + "/bin/other", folder + "/other")
        check_files(prefix)
        os.rename(folder + "/other", prefix + "/bin/other")
        check_shells(prefix)
        check_program(prefix, hiding(source))
        os.makedirs(folder + "/home")
        check_setup(prefix, folder + "/home")
        check_removal(prefix)
    for text in FAILURES:
        print(text)
    sys.exit(1 if FAILURES else 0)


if __name__ == "__main__":
    main()
