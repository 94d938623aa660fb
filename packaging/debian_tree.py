#!/usr/bin/env python3
"""Completes the tree of a Debian package (debian_tree.cmake): debian_tree.py SHARE PACKAGE VERSION TEXT...

SHARE: the tree's usr/share. TEXT: what its copyright file says besides the licence of its own.
"""
import gzip
import os
import re
import sys
import time

APACHE = "On Debian systems the text of the Apache License, Version 2.0, is in /usr/share/common-licenses/Apache-2.0.\n"
OURS = """This is {package}, Copyright {year} The Cinnabar authors, licensed under the Apache License, Version 2.0.
""" + APACHE
CHANGES = """{package} ({version}) unstable; urgency=medium

  * Release {version}.

 -- The Cinnabar authors <authors@cinnabar.invalid>  {date}
"""


def without_apache(text):
    """LICENCES, with a pointer in place of a licence that every Debian system has."""
    sections = re.split(r"(?m)^(?===== )", text)
    return "".join(section.split("\n", 1)[0] + "\n\n" + APACHE + "\n" if re.search(r"Apache License\s+Version 2\.0, January 2004", section)
                   else section for section in sections)


def compress(path, content):
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 9, file, 0) as packed:
        packed.write(content)


def main():
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    share, package, version, *texts = sys.argv[1:]
    doc = f"{share}/doc/{package}"
    os.makedirs(doc, exist_ok=True)
    when = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())))
    parts = [OURS.format(package=package, year=when.tm_year)]
    for text in texts:
        with open(text, encoding="utf-8") as file:
            parts.append(without_apache(file.read()))
    with open(f"{doc}/copyright", "w", encoding="utf-8") as file:
        file.write("\n".join(parts))
    date = time.strftime("%a, %d %b %Y %H:%M:%S +0000", when)
    compress(f"{doc}/changelog.gz", CHANGES.format(package=package, version=version, date=date).encode())
    for name in ("LICENSE", "LICENCES", "NOTICE"):  # the copyright file has them
        if os.path.exists(f"{doc}/{name}"):
            os.remove(f"{doc}/{name}")
    manual = f"{share}/man/man1/cinnabar.1"
    if os.path.exists(manual):
        with open(manual, "rb") as file:
            compress(manual + ".gz", file.read())
        os.remove(manual)


if __name__ == "__main__":
    main()
