#!/usr/bin/env python3
"""One pipeline: an editor (invoked, and while typing), `complete` and `infill --jsonl` give the same text for the same hole
under the same settings.

    same_answers.py PROGRAM [--holes N] [--complete N] [ARGUMENT...]     the arguments are every way's, such as a model
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

from client import Document, ProxyClient

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SETTINGS = ["--prompt-bytes=500", "--max-tokens=48", "--deadline-ms=120000"]
EXTENSIONS = {"c": "c", "cpp": "cc", "csharp": "cs", "css": "css", "go": "go", "html": "html", "java": "java",
              "javascript": "js", "json": "json", "kotlin": "kt", "lua": "lua", "php": "php", "python": "py", "ruby": "rb",
              "rust": "rs", "shellscript": "sh", "typescript": "ts", "typescriptreact": "tsx"}

# Places where the ways once differed, or could: (language, text with the cursor at ‸).
SPECIAL = [
    ("python", "def total(items):\n    ‸pass\n\n\ndef mean(items):\n    return total(items) / len(items)\n"),
    ("python", "def total(items):\n    # TODO: sum them up‸\n\n\ndef mean(items):\n    return total(items) / len(items)\n"),
    ("javascript", "function add(a, b) {\n  ‸throw new Error(\"not implemented\");\n}\n"),
    ("python", "def area(width, height):\r\n    return ‸\r\n\r\nprint(area(2, 3))\r\n"),
    ("python", "a = [1, 2, 3]\nfor x in a:\n    ‸\nprint(a)\n"),
    ("plaintext", "for i in range(3):\n    ‸\n"),
    ("plaintext", "The days of the week are Monday, ‸\n"),
    ("python", "import os\nimport os\n‸\n"),
    ("python", "‸"),
]


class Hole:
    def __init__(self, name, language, prefix, suffix):
        self.name, self.language, self.prefix, self.suffix = name, language, prefix, suffix
        self.file = "hole." + EXTENSIONS.get(language, "txt")

    @staticmethod
    def at_cursor(name, language, text):
        return Hole(name, language, *text.split("‸"))


def spread(items, count):
    """So many of them, from all over the list."""
    return [items[i * len(items) // count] for i in range(min(count, len(items)))]


def cut_holes():
    """Of real files: tests/holes."""
    for name in ["single_line", "multi_line"]:
        with open(f"{TESTS}/holes/{name}.jsonl", encoding="utf-8") as lines:
            for line in map(json.loads, lines):
                yield Hole(line["id"], line["language"], line["prefix"], line["suffix"])


def planned_holes():
    """Of the annotated cases of every language: tests/plans."""
    for file in sorted(os.listdir(f"{TESTS}/plans")):
        with open(f"{TESTS}/plans/{file}", encoding="utf-8") as text:
            cases = re.findall(r"^== (.*)\n((?:.*\n)*?)--$", text.read(), re.M)
        with_cursor = [(name, source) for name, source in cases if source.count("‸") == 1]
        for name, source in spread(with_cursor, 2):
            yield Hole.at_cursor(f"{file} {name}", file.removesuffix(".txt"), re.sub("[«»]", "", source))


def holes(count):
    chosen = [Hole.at_cursor(f"special {i}", *case) for i, case in enumerate(SPECIAL)] + list(planned_holes())
    return (chosen + spread(list(cut_holes()), max(count - len(chosen), 0)))[:count]


class Editor:
    """One server in a process of its own; every hole is a new document."""

    def __init__(self, program, arguments, trigger, eagerness):
        self.client = ProxyClient([program, "lsp", "--in-process", *SETTINGS, *arguments], timeout=120,
                                  stderr=subprocess.DEVNULL)
        self.trigger = trigger
        self.client.initialize(initializationOptions={"alternatives": 1, "eagerness": eagerness, "prefetch": False})

    def ask(self, hole):
        document = Document(self.client, f"file:///w/{abs(hash(hole.name))}/{hole.file}", hole.language,
                            hole.prefix + hole.suffix)
        answer = self.client.request("textDocument/inlineCompletion", {
            "textDocument": {"uri": document.uri}, "position": document.position(len(hole.prefix)),
            "context": {"triggerKind": self.trigger}})
        self.client.notify("textDocument/didClose", {"textDocument": {"uri": document.uri}})
        items = answer["result"]["items"]
        return items[0]["insertText"] if items else ""

    def close(self):
        self.client.end_politely()
        self.client.close()


def infill(program, arguments, eagerness, chosen):
    lines = [{"prefix": hole.prefix, "suffix": hole.suffix, "language": hole.language, "path": hole.file} for hole in chosen]
    said = subprocess.run([program, "infill", "--jsonl", *SETTINGS, f"--eagerness={eagerness}", *arguments],
                          input="".join(json.dumps(line) + "\n" for line in lines), capture_output=True, text=True,
                          timeout=600, check=True)
    return [json.loads(line)["text"] for line in said.stdout.splitlines()]


def complete(program, arguments, eagerness, hole):
    line = hole.prefix.count("\n") + 1
    column = len(hole.prefix.rsplit("\n", 1)[-1].encode()) + 1
    with tempfile.TemporaryDirectory(prefix="cinnabar-") as folder:
        path = f"{folder}/{hole.file}"
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(hole.prefix + hole.suffix)
        said = subprocess.run([program, "complete", "--json", *SETTINGS, f"--eagerness={eagerness}", *arguments,
                               f"{path}:{line}:{column}"], capture_output=True, text=True, timeout=120, check=True)
    answers = json.loads(said.stdout)["answers"]
    return answers[0]["text"] if answers else ""


def differences(program, arguments, chosen, completed):
    """Lines that say what differs; and how many holes had a text."""
    found, shown = [], 0
    for what, trigger, eagerness in [("invoked", 1, "eager"), ("typing", 2, "balanced")]:
        editor = Editor(program, arguments, trigger, eagerness)
        lines = infill(program, arguments, eagerness, chosen)
        for i, hole in enumerate(chosen):
            texts = {f"editor, {what}": editor.ask(hole), "infill": lines[i]}
            if i < completed:
                texts["complete"] = complete(program, arguments, eagerness, hole)
            shown += any(texts.values())
            if len(set(texts.values())) > 1:
                found.append(f"{hole.name} ({eagerness}): " + ", ".join(f"{way}: {text!r}" for way, text in texts.items()))
        editor.close()
    return found, shown


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--holes", type=int, default=100)
    parser.add_argument("--complete", type=int, default=10, help="of them by `complete`, too, which loads the model each time")
    options, arguments = parser.parse_known_args()
    chosen = holes(options.holes)
    found, shown = differences(options.program, arguments, chosen, options.complete)
    print(*found, sep="\n")
    print(f"{len(chosen)} holes in {len({hole.language for hole in chosen})} languages, {shown} answers, "
          f"{len(found)} differences")
    enough = shown >= len(chosen) // 4  # else nothing was compared
    return 0 if not found and enough else 1


if __name__ == "__main__":
    sys.exit(main())
