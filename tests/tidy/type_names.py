#!/usr/bin/env python3
"""Type names: no two types of one namespace tree (base, kernels, engine, lsp, daemon) have the same name."""
import re
import sys

import tidy

# tree -> name -> why it may name several types. A name that no longer needs its exception is a complaint too.
_FORM = "forms of one type, of which a build or a device has one"
_MEMBER = "always said with its class before it"
_RENAME = "to be renamed"
EXCEPTIONS = {
    "kernels": {"Context": _FORM, "Device": _FORM, "Grid": _FORM, "Lanes": _FORM, "PartSums": _FORM, "PartWeights": _FORM,
                "Recording": _FORM,
                "Call": "local to one operation's file", "Operands": _RENAME},
    "engine": {"Kind": _MEMBER, "Part": _MEMBER},
    "lsp": {"Kind": _MEMBER, "Context": "local to one request's file"},
    "daemon": {"Kind": _MEMBER, "Entry": _MEMBER, "Stage": _MEMBER},
}
# A definition: the name of a member that is defined outside of its class ends at "::" and is none.
DEFINITION = re.compile(r"^[ \t]*(?:template\s*<[^{;]*?>\s*)?(?:class|struct|union|enum(?:\s+class)?)\s+"
                        r"(?:alignas\([^)]*\)\s*)?(\w+)(?!\w|::)(?:\s+final)?\s*(?::[^;{]*)?\{", re.M)


def check(root):
    places = {tree: {} for tree in tidy.FOLDERS}
    for tree in tidy.FOLDERS:
        for path in tidy.files(root, [tree], tidy.CPP):
            text = tidy.bare_code(tidy.read(root, path))
            for match in DEFINITION.finditer(text):
                places[tree].setdefault(match[1], []).append(f"{path}:{tidy.line_of(text, match.start(1))}")
    complaints = []
    for tree, names in places.items():
        allowed = EXCEPTIONS.get(tree, {})
        for name, found in sorted(names.items()):
            if len(found) > 1 and name not in allowed:
                complaints.append(f"{found[1]}: another type named {name} is at {found[0]}: rename one, or say in "
                                  "EXCEPTIONS why both may have the name")
        complaints += [f"type_names.py: {tree} has no two types named {name}: its exception can go"
                       for name in allowed if len(names.get(name, [])) < 2]
    return complaints


GOOD = {
    "engine/a.h": "class Forward;\nstruct Slot {\n  int at;\n  enum class Kind : int { a };\n};\n// struct Slot {\n",
    "engine/a.cc": "struct Engine::Slot {};\nstruct Slots {};\nconst char* text = \"struct Slot {\";\n",
    "lsp/a.h": "struct Slot {};\nclass A {\n  enum class Kind { a };\n};\nclass B {\n  enum class Kind { b };\n};\n",
}
CASES = [
    ("two files", {"engine/b.h": "\nstruct Slot {};\n"}, "engine/b.h:2: another type named Slot is at engine/a.h:2"),
    ("one file", {"lsp/b.h": "class Twice final : public A {};\nnamespace x {\nenum class Twice : int { a };\n}\n"},
     "lsp/b.h:3: another type named Twice"),
    ("in a class", {"engine/b.h": "class B {\n  struct Slot {};\n};\n"}, "engine/b.h:2: another type named Slot"),
    ("a template", {"engine/b.h": "template <typename T>\nstruct Slot {};\n"}, "another type named Slot"),
    ("idle exception", {"lsp/a.h": "struct Slot {};\n"}, "lsp has no two types named Kind"),
    ("in a folder of the tree", {"engine/model/b.h": "struct Slot {};\n"}, "engine/model/b.h:1: another type named Slot"),
]

if __name__ == "__main__":
    if "--self-test" in sys.argv[1:]:
        EXCEPTIONS = {"lsp": {"Kind": _MEMBER}}
    tidy.main(check, GOOD, CASES)
