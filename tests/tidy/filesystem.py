#!/usr/bin/env python3
"""std::filesystem's functions throw unless they are given a std::error_code: they always are (an empty path, a folder
that is gone or a name that cannot be read ended the program once)."""
import re

import tidy

CALL = re.compile(r"\b(?:filesystem|fs)::(absolute|canonical|weakly_canonical|relative|proximate|copy\w*|create_\w+|current_path|"
                  r"equivalent|exists|file_size|hard_link_count|is_\w+|last_write_time|permissions|read_symlink|remove\w*|rename|"
                  r"resize_file|space|status|symlink_status|temp_directory_path|(?:recursive_)?directory_iterator)\s*\(")
LAST_IS_ERROR = re.compile(r"(?:^|,)\s*\w*(?:error|ignored)\w*\s*$|^\s*\w*status\s*$")  # a file_status cannot fail


def _arguments(code, at):
    depth = 1
    for end in range(at, len(code)):
        depth += {"(": 1, ")": -1}.get(code[end], 0)
        if depth == 0:
            return code[at:end]
    return code[at:]


def check(root):
    complaints = []
    for path in tidy.files(root, tidy.FOLDERS, tidy.CPP):
        code = tidy.bare_code(tidy.read(root, path))
        for match in CALL.finditer(code):
            if not LAST_IS_ERROR.search(_arguments(code, match.end())):
                complaints.append(f"{path}:{tidy.line_of(code, match.start())}: std::filesystem::{match[1]} may throw: "
                                  "give it a std::error_code (error, ignored) as last argument")
    return complaints


GOOD = {"engine/a.cc": "auto a = std::filesystem::absolute(f(x, y), error);\nstd::filesystem::path p(q);\n"
                       "// std::filesystem::exists(p)\nif (fs::exists(folder / file, ignored)) return;\n"}
CASES = [
    ("absolute", {"daemon/a.cc": "auto a = std::filesystem::absolute(p);\n"}, "daemon/a.cc:1: std::filesystem::absolute may throw"),
    ("one of two", {"daemon/a.cc": "\nauto a = std::filesystem::absolute(f(x, error));\n"}, "daemon/a.cc:2:"),
    ("an iterator", {"lsp/a.cc": "for (auto& f : std::filesystem::directory_iterator(p)) g(f);\n"}, "directory_iterator may throw"),
]

if __name__ == "__main__":
    tidy.main(check, GOOD, CASES)
