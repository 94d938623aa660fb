#!/usr/bin/env python3
"""Writes the manual page from what `cinnabar --help` and `cinnabar COMMAND --help` print, which is the program's own table.

    manual.py PAGE PROGRAM...     PROGRAM: with what runs it before it, where it is for another machine
"""
import re
import subprocess
import sys

OPTION = re.compile(r"^  --([a-z0-9-]+)(?: ([A-Z]+))? +(.*)$")


def help_of(program, *command):
    return subprocess.run([*program, *command, "--help"], check=True, capture_output=True, text=True).stdout


def commands(overview):
    """(name, arguments) in the table's order"""
    found = []
    for line in overview.split("Commands:\n")[1].split("\n\n")[0].split("\n"):
        left = line[2:].split("  ")[0].split(" ")
        name = [word for word in left if re.fullmatch(r"[a-z][a-z-]*", word)]
        found.append((name, left[len(name):]))
    return found


def roff(text):
    """Text as troff takes it literally."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in text.split("\n"))


def command_section(program, name, arguments):
    text = help_of(program, *name)
    head, _, options = text.partition("\nOptions:\n")
    said = head.split("\n", 1)[1].strip()
    lines = [f'.SS "cinnabar {roff(" ".join(name + arguments))}"', roff(said)]
    names = []
    for line in options.split("\n"):
        option = OPTION.match(line)
        if option:
            names.append((option[1], option[2] or "", option[3]))
    return lines, names


def page(program):
    version = subprocess.run([*program, "--version"], check=True, capture_output=True, text=True).stdout.split()[1]
    table = commands(help_of(program))
    out = [f'.TH CINNABAR 1 "" "cinnabar {version}" "User Commands"', ".SH NAME",
           r"cinnabar \- local code completion with a masked\-diffusion language model", ".SH SYNOPSIS"]
    out += [f'.B cinnabar\n{roff(" ".join(name + ["[OPTION...]"] + arguments))}\n.br' for name, arguments in table]
    out += [".SH DESCRIPTION", roff(
        "Completes code where it is typed, by a language model that runs on this machine. Editors start 'cinnabar lsp', which "
        "talks to one daemon for all of the user's editors and starts it when none runs. 'cinnabar setup EDITOR' tells an editor "
        "about it, 'cinnabar doctor' says what is wrong."), ".SH COMMANDS"]
    known = {}
    for name, arguments in table:
        lines, options = command_section(program, name, arguments)
        out += lines
        if options:
            out += [".PP", "Options: " + ", ".join(f"\\fB\\-\\-{roff(option)}\\fR" for option, _, _ in options)]
        for option, value, said in options:
            known.setdefault((option, value, said), []).append(" ".join(name))
    out += [".SH OPTIONS", "Each command names the options that it takes."]
    for option, value, said in known:
        out += [".TP", f"\\fB\\-\\-{roff(option)}\\fR" + (f" \\fI{value}\\fR" if value else ""), roff(said)]
    out += [".SH EXIT STATUS", roff("0: done; 1: failed; 2: wrong usage. 'cinnabar status' gives 3 when no daemon runs."),
            ".SH FILES", ".TP", "$XDG_RUNTIME_DIR/cinnabar/cinnabar.sock", "The daemon's socket, its log beside it.", ".TP",
            roff(".cinnabarignore"), "In a workspace: files to leave alone, in the form of .gitignore."]
    return "\n".join(out) + "\n"


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    text = page(sys.argv[2:])
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
