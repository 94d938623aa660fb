#!/usr/bin/env python3
"""Sizes: header <= 150 lines, source <= 600, test <= 800, function <= 80. Exceptions by name, each with its reason."""
import re
import sys

import tidy

LIMITS = {"header": 150, "source": 600, "test": 800, "function": 80}
OTHER_SOURCES = (".py", ".ts", ".js", ".mjs", ".lua", ".sh")

# path, or path:function -> limit. A name that no longer needs its exception is a complaint too.
EXCEPTIONS = {}
_LEAD = re.compile(r"\s*(?:(?:public|private|protected)\s*:\s*)*")
_CONTROL = {"if", "for", "while", "switch", "catch", "do", "else", "try", "return", "constexpr", "sizeof", "alignof"}
_TAIL = re.compile(r"\)\s*(?:(?:const|noexcept|override|final|mutable|volatile|try|&&?|\s)+"
                   r"|noexcept\s*\([^()]*\)|->\s*[\w:<>,*&\s\[\].]+|requires\b.*|__attribute__\s*\(\(.*?\)\)|:(?!:).*)*$", re.S)
_NAME = re.compile(r"((?:\w+(?:<[^<>()]*>)?::)*(?:operator\s*(?:\(\)|\[\]|[^\s\w(]+|[\w:<>* ]+?)|~?\w+))\s*\(")


def _function_name(head):
    """The name when `head` (text before a brace) opens a function's body, else None."""
    head = re.sub(r"^\s*#[^\n]*$", "", head[_LEAD.match(head).end():], flags=re.M).strip()
    head = re.sub(r"^(?:template\s*<[^{}]*?>\s*(?=[\w\[])|\[\[.*?\]\])\s*", "", head, flags=re.S)
    if not head or head.endswith(("=", ",", "(", "return")) or re.search(r"\[[^\[\]]*\]\s*(\([^()]*\))?[^()]*$", head.split("(")[0]):
        return None
    match = _NAME.search(head)
    if not match or match[1] in _CONTROL or "=" in head[:match.start()] or not _TAIL.search(head):
        return None
    if re.match(r"(namespace|class|struct|union|enum|extern)\b", head):
        return None
    return match[1]


def _opens_member_value(head):
    """A brace inside a constructor's initialiser list: `A::A() : x_{1}, y_{2} {`."""
    return re.search(r"\)\s*(?:noexcept\s*)?:(?!:)", head) and re.search(r"[\w>]\s*$", head)


def functions(text):
    """(name, first line, lines) of every outermost function body, found by counting braces."""
    bare = re.sub(r"\\\n", " \n", tidy.bare_code(text))
    found, stack, head_start, parens, inside = [], [], 0, 0, 0
    for offset, char in enumerate(bare):
        if char in "()":
            parens = max(0, parens + (1 if char == "(" else -1))
        elif char == "{":
            head = bare[head_start:offset]
            name = None
            if parens == 0 and not inside and not _opens_member_value(head):
                name = _function_name(head)
            member_value = parens > 0 or bool(_opens_member_value(head)) and name is None and not inside
            first = head_start + _LEAD.match(head).end()
            stack.append((name, first, member_value, parens))
            inside += name is not None
            parens = 0
            if not member_value:
                head_start = offset + 1
        elif char == "}" and stack:
            name, first, member_value, parens = stack.pop()
            if name is not None:
                inside -= 1
                found.append((name, tidy.line_of(bare, first), bare.count("\n", first, offset) + 1))
            if not member_value:
                head_start = offset + 1
        elif char == ";" and parens == 0:
            head_start = offset + 1
    return found


def _kind(path):
    if path.startswith("tests/"):
        return "test"
    return "header" if path.endswith(tidy.HEADERS) else "source"


def check(root, exceptions=None):
    exceptions = EXCEPTIONS if exceptions is None else exceptions
    complaints, used = [], set()

    def judge(name, where, size, kind):
        limit = LIMITS[kind]
        if size > limit and name in exceptions:
            used.add(name)
            limit = exceptions[name]
        if size > limit:
            complaints.append(f"{where}: {size} lines; a {kind} has at most {limit}")

    folders = (*tidy.FOLDERS, "bench", "tests", "training", "models", "editor-plugins", "demo")
    for path in tidy.files(root, folders, tidy.CPP + OTHER_SOURCES):
        text = tidy.read(root, path)
        judge(path, path, text.count("\n") + (not text.endswith("\n")), _kind(path))
        if path.endswith(tidy.CPP) and not path.startswith("tests/"):
            for name, line, size in functions(text):
                judge(f"{path}:{name}", f"{path}:{line}: {name}", size, "function")
    for name in set(exceptions) - used:
        if (tidy.Path(root) / name.split(":")[0]).exists():
            complaints.append(f"tests/tidy/sizes.py: {name} does not need its exception")
    return sorted(complaints)


def _body(lines):
    return "".join(f"  x = {i};\n" for i in range(lines))


GOOD = {
    "kernels/a.h": "int f();\n" * 150,
    "engine/a.cc": "namespace a {\nclass B {\n public:\n  B() : x_{1}, y_(2) {\n" + _body(70) + "  }\n};\n" + "int g() { return 1; }\n" * 90
                   + "const char* t = R\"(\n" + "{\n" * 90 + ")\";\nint z[] = {\n" + "1,\n" * 90 + "};\n}\n",
    "tests/unit/a_test.cc": "int f();\n" * 800,
}
CASES = [
    ("header", {"kernels/a.h": "int f();\n" * 151}, "kernels/a.h: 151 lines; a header has at most 150"),
    ("source", {"engine/a.cc": "int f();\n" * 601}, "a source has at most 600"),
    ("python", {"training/a.py": "x = 1\n" * 601}, "a source has at most 600"),
    ("test", {"tests/unit/a_test.cc": "int f();\n" * 801}, "a test has at most 800"),
    ("function", {"daemon/a.cc": "int n;\nstatic int f(int a) {\n" + _body(79) + "}\n"}, "daemon/a.cc:2: f: 81 lines"),
    ("member function", {"lsp/a.cc": "int A::f(std::vector<int> a) const noexcept {\n" + _body(90) + "}\n"}, "A::f: 92 lines"),
    ("in a class", {"lsp/a.cc": "class A {\n public:\n  int f() override {\n" + _body(90) + "  }\n};\n"}, "lsp/a.cc:3: f: 92"),
    ("in an unnamed namespace", {"lsp/a.cc": "namespace {\nint f() {\n" + _body(90) + "}\n}\n"}, "lsp/a.cc:2: f"),
    ("template", {"lsp/a.cc": "template <typename T, int N>\nT f(T a) {\n" + _body(90) + "}\n"}, "f: 93 lines"),
    ("constructor", {"lsp/a.cc": "A::A(int a)\n    : x_{a}, y_(a) {\n" + _body(90) + "}\n"}, "A::A: 93 lines"),
    ("default argument", {"lsp/a.cc": "void f(P p = {}, int n = 0) {\n" + _body(90) + "}\n"}, "f: 92 lines"),
    ("with lambdas", {"lsp/a.cc": "void f() {\n  g([&](int i) {\n" + _body(90) + "  });\n}\n"}, "f: 94 lines"),
    ("brace in a literal", {"lsp/a.cc": "void f() {\n  char c = '}';\n" + _body(90) + "}\n"}, "f: 93 lines"),
    ("operator", {"lsp/a.cc": "bool operator==(A a, A b) {\n" + _body(90) + "}\n"}, "operator==: 92 lines"),
    ("trailing type", {"lsp/a.cc": "auto f(int a) -> std::vector<int> {\n" + _body(90) + "}\n"}, "f: 92 lines"),
    ("idle exception", {"kernels/backend.h": "int f();\n"}, "does not need its exception"),
]

if __name__ == "__main__":
    if "--self-test" in sys.argv:
        EXCEPTIONS = {"kernels/backend.h": 210}
    tidy.main(check, GOOD, CASES)
