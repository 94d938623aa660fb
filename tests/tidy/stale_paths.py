#!/usr/bin/env python3
"""Documents name only what exists: paths and tests in back-quotes, links, FILE:LINE:COL positions, ./dev commands."""
import glob
import itertools
import re
from pathlib import Path

import tidy

DOCUMENTS = ("README.md", "ARCHITECTURE.md", "HACKING.md", "NOTICE", "bench/README.md", "demo/README.md", "training/README.md")
TOP = {"base", "kernels", "engine", "lsp", "daemon", "editor-plugins", "models", "training", "bench", "tests",
       "cmake", "packaging", "demo", ".ci"}
ROOT_FILE = re.compile(r"^[A-Za-z.][\w.-]*\.(md|txt|json|py|sh|toml)$|^(LICENSE|NOTICE|dev|\.clang-\w+|\.gitattributes|\.editorconfig)$")
# Names of files that users, tools or model folders have, spoken of without meaning one of ours.
FOREIGN = {"config.json", "tokenizer.json", "vocab.json", "merges.txt", "adapter_config.json", "compile_commands.json",
           "parts.json", "settings.json", "package.json"}
TEST = re.compile(r"^(base|kernels|engine|lsp|daemon|tidy)\.([a-z][a-z0-9_]+)$")
POSITION = re.compile(r"^(.+?):(\d+):(\d+)$")


def _is_path(text):
    if not re.fullmatch(r"[\w.*{},/-]+", text) or text in FOREIGN:
        return False
    return text.split("/")[0] in TOP and ("/" in text) or bool(ROOT_FILE.match(text))


def _expand(text):
    """a/{b,c}.h -> a/b.h, a/c.h"""
    parts = re.split(r"\{([^{}]*)\}", text)
    choices = [[part] if i % 2 == 0 else part.split(",") for i, part in enumerate(parts)]
    return ["".join(choice) for choice in itertools.product(*choices)]


def _check_path(root, text):
    missing = [path for path in _expand(text) if not glob.glob(str(Path(root) / path.rstrip("/")))]
    return f"stale path {', '.join(missing)}" if missing else None


def _check_position(root, path, line, column):
    lines = tidy.read(root, path).split("\n") if (Path(root) / path).is_file() else None
    if lines is None:
        return f"stale path {path}"
    if not 1 <= line <= len(lines):
        return f"{path} has no line {line}"
    if not 1 <= column <= len(lines[line - 1]) + 1:
        return f"{path} line {line} has no column {column}"
    return None


def _check_test(root, folder, topic):
    if folder == "tidy":
        places = [f"tests/tidy/{topic.removesuffix('_can_fail')}.py", f"tests/support/{topic.removesuffix('_can_fail')}.py"]
    else:
        places = [f"tests/*/{folder}/**/{topic}_test.cc"]
    found = any(glob.glob(str(Path(root) / place), recursive=True) for place in places)
    return None if found else f"no test {folder}.{topic}"


def _check_word(root, word):
    test = TEST.match(word)
    if test:
        return _check_test(root, test[1], test[2])
    position = POSITION.match(word)
    if position and _is_path(position[1]):
        return _check_position(root, position[1], int(position[2]), int(position[3]))
    return _check_path(root, word) if _is_path(word) else None


def _commands(root):
    if not (Path(root) / "dev").is_file():
        return set()
    return {name.replace("_", "-") for name in re.findall(r"^cmd_(\w+)\(\)", tidy.read(root, "dev"), re.M)}


def _check_document(root, document, commands):
    found = []
    for number, line in enumerate(tidy.read(root, document).split("\n"), 1):
        words = [word for quoted in re.findall(r"`([^`]+)`", line) for word in quoted.split()]
        words += [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", line) if "://" not in target]
        words += re.findall(r"(?<![\w/.-])[\w./-]+:\d+:\d+", line)
        for word in words:
            complaint = _check_word(root, word.removeprefix("./"))
            if complaint:
                found.append(f"{document}:{number}: {complaint}")
        for command in re.findall(r"(?:`|^|\$ )\./dev ([a-z][a-z-]*)", line):
            if command not in commands:
                found.append(f"{document}:{number}: ./dev has no command {command}")
    return list(dict.fromkeys(found))


def check(root):
    commands = _commands(root)
    present = [document for document in (*DOCUMENTS, "dev", ".ci/run") if (Path(root) / document).is_file()]
    return [text for document in present for text in _check_document(root, document, commands)]


GOOD = {
    "README.md": "I said ./dev plainly. See `engine/a.h`, `engine/*.h`, `engine/{a,b}.h`, `engine/`, `build/x`,\n"
                 "[this](engine/a.h#x), `utf-8/16`, "
                 "`./dev test`, `cinnabar complete engine/a.h:2:4`.\n```\n./dev gpu-check\n```\n",
    "dev": "cmd_test() {\n}\ncmd_gpu_check() {\n}\n",
    "engine/a.h": "int\nabc\n",
    "engine/b.h": "",
    "ARCHITECTURE.md": "`engine.canvas`, `engine.bpe`, `tidy.sizes_can_fail`, engine.gone\n",
    "tests/unit/engine/decoding/canvas_test.cc": "",
    "tests/golden/engine/tokenizer/bpe_test.cc": "",
    "tests/tidy/sizes.py": "",
}
CASES = [
    ("file", {"README.md": "\nsee `engine/gone.h`\n"}, "README.md:2: stale path engine/gone.h"),
    ("glob", {"ARCHITECTURE.md": "`kernels/*.cu`\n"}, "ARCHITECTURE.md:1: stale path kernels/*.cu"),
    ("braces", {"HACKING.md": "`engine/{a,c}.h`\n"}, "stale path engine/c.h"),
    ("folder", {"bench/README.md": "`training/`\n"}, "stale path training/"),
    ("root file", {"HACKING.md": "`CONTRIBUTING.md`\n"}, "stale path CONTRIBUTING.md"),
    ("link", {"README.md": "[this](engine/gone.h)\n"}, "stale path engine/gone.h"),
    ("in a command", {"README.md": "`python3 training/train.py --fast`\n"}, "stale path training/train.py"),
    ("line", {"README.md": "`cinnabar complete engine/a.h:9:1`\n"}, "has no line 9"),
    ("column", {"dev": "cmd_demo() {\n  x engine/a.h:2:5\n}\n"}, "dev:2: engine/a.h line 2 has no column 5"),
    ("test", {"HACKING.md": "`lsp.canvas`\n"}, "no test lsp.canvas"),
    ("tidy test", {"HACKING.md": "`tidy.gone`\n"}, "no test tidy.gone"),
    ("command", {"README.md": "run `./dev fly`\n"}, "./dev has no command fly"),
]

if __name__ == "__main__":
    tidy.main(check, GOOD, CASES)
