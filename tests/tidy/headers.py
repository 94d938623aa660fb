#!/usr/bin/env python3
"""Headers: each opens with a comment that says what the file is for, then has #pragma once before any code."""
import tidy

SHORTEST = 40  # characters of the opening comment: a sentence, not the file's name again


def _check_header(text):
    lines = text.split("\n")
    opening = []
    for line in lines:
        if not line.startswith("//"):
            break
        opening.append(line.lstrip("/ "))
    if not opening:
        return "does not open with a comment that says what the file is for"
    if len(" ".join(opening)) < SHORTEST:
        return f"its opening comment is shorter than {SHORTEST} characters"
    code = [line.strip() for line in tidy.without_comments(text).split("\n") if line.strip()]
    if code[:1] != ["#pragma once"]:
        return "#pragma once must come before any code"
    if any(line == "using namespace std;" or line.startswith("using namespace ") for line in code):
        return "a header has no using namespace"
    return None


def check(root):
    folders = (*tidy.FOLDERS, "bench", "tests")
    complaints = [(path, _check_header(tidy.read(root, path))) for path in tidy.files(root, folders, tidy.HEADERS)]
    return [f"{path}: {complaint}" for path, complaint in complaints if complaint]


_HEAD = "// The thing that this file is about, said in a sentence.\n"
GOOD = {"engine/a.h": _HEAD + "//\n// More.\n#pragma once\n\n#include <vector>\n"}
CASES = [
    ("no comment", {"engine/a.h": "#pragma once\n" + _HEAD}, "engine/a.h: does not open with a comment"),
    ("short comment", {"lsp/a.h": "// a.h\n#pragma once\n"}, "shorter than"),
    ("no pragma", {"tests/support/a.h": _HEAD + "int f();\n"}, "tests/support/a.h: #pragma once"),
    ("include guard", {"daemon/a.h": _HEAD + "#ifndef A_H\n#define A_H\n#endif\n"}, "#pragma once"),
    ("late pragma", {"kernels/a.h": _HEAD + "#include <vector>\n#pragma once\n"}, "#pragma once"),
    ("pragma in a comment", {"kernels/a.h": _HEAD + "// #pragma once\nint f();\n"}, "#pragma once"),
    ("using namespace", {"kernels/a.h": _HEAD + "#pragma once\nusing namespace std;\n"}, "no using namespace"),
]

if __name__ == "__main__":
    tidy.main(check, GOOD, CASES)
