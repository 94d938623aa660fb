#!/usr/bin/env python3
"""Gathers the licences' texts of what is linked into the program: licences.py OUTPUT SOURCE...

A SOURCE is a file of such texts, or NAME=FILE: a package's file named copyright, or one that a Debian package has installed here,
whose copyright file is meant.
"""
import os
import subprocess
import sys


def copyright_of(file):
    if os.path.basename(file) == "copyright":
        return file
    owner = subprocess.run(["dpkg-query", "--search", file], check=True, capture_output=True, text=True).stdout
    return f"/usr/share/doc/{owner.split(':')[0]}/copyright"


def text_of(source):
    name, _, file = source.rpartition("=")
    path = copyright_of(os.path.realpath(file)) if name else file
    with open(path, encoding="utf-8") as text:
        return (f"==== {name}\n\n" if name else "") + text.read().strip() + "\n"


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    text = "\n".join(text_of(source) for source in sys.argv[2:])
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
