#!/usr/bin/env python3
"""Writes the tags of a Vim help file, as :helptags does, which needs Neovim: helptags.py HELP TAGS"""
import os
import re
import sys


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        found = re.findall(r"(?:^|(?<=\s))\*([^*\s|]+)\*(?=\s|$)", file.read(), re.M)
    lines = sorted(f"{tag}\t{os.path.basename(sys.argv[1])}\t/*{tag}*\n" for tag in found)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.writelines(lines)


if __name__ == "__main__":
    main()
