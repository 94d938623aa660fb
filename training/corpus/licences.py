"""Which files of a package may be trained on, by machine-readable licence statements alone.

A name counts only when it is one of ALLOWED, letter for letter (case aside): no substring decides. A file without a
statement that covers it is left out. No licence's text is interpreted; the GPL and MPL families are additionally refused
by name when a file's own head speaks of them.
"""
import fnmatch
import re

# Short names as SPDX, Debian's copyright format and package metadata write them, in lower case.
ALLOWED = frozenset("""
mit expat x11 isc mit-0 mit/x11 mit-license x/mit
bsd-2-clause bsd-3-clause bsd-3-clause~google bsd-c3 bsd-2-clauses bsd-3-clauses bsd bsd-3-clause-google bsd-3 bsd-2 0bsd bsd-new
apache-2.0 apache-2 apache
python-2.0 psf-2.0 psf psfl
zlib unlicense cc0-1.0 cc0 public-domain curl postgresql ncsa unicode-dfs-2016
""".split()) | {"expat with embedded exception"}  # the last: fmtlib's, which gives more than Expat

COPYLEFT = re.compile(r"General Public Licen[sc]e|Mozilla Public|\b[AL]?GPL|Creative Commons|Common Development|"
                      r"Eclipse Public|SPDX-License-Identifier:[^\n]*(GPL|MPL|EPL|CDDL|SSPL)", re.I)
HEAD = 3000  # characters of a file in which it names its own licence

# Classifiers of Python packages that name one licence exactly.
CLASSIFIERS = {
    "License :: OSI Approved :: MIT License": "mit",
    "License :: OSI Approved :: BSD License": "bsd",
    "License :: OSI Approved :: Apache Software License": "apache-2.0",
    "License :: OSI Approved :: ISC License (ISCL)": "isc",
    "License :: OSI Approved :: Python Software Foundation License": "psf-2.0",
}


def allowed(expression):
    """True when a licence expression can be met by allowed names: one side of an `or`, all sides of an `and`."""
    if expression.strip().lower() in ALLOWED:
        return True
    text = re.sub(r"[()]", " ", expression.strip().lower())
    text = re.sub(r"\s+with\s+\S+(\s+exception)?", " unknown-exception", text)
    if not text:
        return False
    text = re.sub(r"\s*,\s*(and|or)\s+", r" \1 ", text)
    if re.search(r"\bor\b", text):
        return any(allowed(side) for side in re.split(r"\bor\b", text) if side.strip())
    if re.search(r"\band\b|,", text):
        return all(allowed(side) for side in re.split(r"\band\b|,", text) if side.strip())
    return text.strip() in ALLOWED


def speaks_of_copyleft(text):
    return COPYLEFT.search(text[:HEAD]) is not None


class Copyright:
    """A Debian copyright file in the machine-readable format: licence short names by path."""

    def __init__(self, text, suffixes):
        """`suffixes`: paths in the package differ from the source tree's (binary packages), so that a pattern may match
        behind any folder."""
        self.rules = []  # (compiled pattern, expression), the last match wins
        for paragraph in re.split(r"\n\s*\n", text.replace("\r", "")):
            fields = self.fields(paragraph)
            if "files" in fields and fields.get("license"):
                pattern = self.compile(fields["files"].split(), suffixes)
                self.rules.append((pattern, fields["license"].split("\n")[0].strip()))

    @staticmethod
    def fields(paragraph):
        found, name = {}, None
        for line in paragraph.split("\n"):
            if line[:1] in " \t" and name:
                found[name] += "\n" + line.strip()
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                found[name] = value.strip()
        return found

    @staticmethod
    def compile(globs, suffixes):
        lead = "(?:.*/)?" if suffixes else ""
        return re.compile(lead + "(?:" + "|".join(fnmatch.translate(g.removeprefix("./")) for g in globs) + ")", re.S)

    def expression(self, path):
        """The licence expression that covers `path`, or None."""
        found = None
        for pattern, expression in self.rules:
            if pattern.match(path):
                found = expression
        return found


def of_wheel(metadata):
    """The licence expression of a wheel's METADATA, or None when nothing exact is said."""
    head = metadata.split("\n\n")[0]
    match = re.search(r"^License-Expression: (.+)$", head, re.M)
    if match:
        return match[1].strip()
    names = {CLASSIFIERS.get(c.strip(), "unknown") for c in re.findall(r"^Classifier: (License :: .+)$", head, re.M)}
    if names:
        return " and ".join(sorted(names))
    match = re.search(r"^License: (\S[^\n]{0,40})$", head, re.M)
    return match[1].strip() if match else None


def of_npm(package_json):
    """The licence expression of a package.json, or None."""
    licence = package_json.get("license")
    if isinstance(licence, dict):
        licence = licence.get("type")
    return licence if isinstance(licence, str) and licence.strip() else None
