#!/usr/bin/env python3
"""Scores rewrites by instruction by running tests: python3 tests/edits/score_rewrites.py PROGRAM [TASKS] [OPTION...]

A task is a Python function, an instruction and assertions that hold once it is done. The program rewrites the function
(`PROGRAM rewrite FILE:1-LAST INSTRUCTION`); the assertions run on what it prints, in a process of their own.
"""
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path


def passes(code, test):
    source = f"SOURCE = {code!r}\n{code}\n{test}\n"
    try:
        return subprocess.run([sys.executable, "-I", "-c", source], capture_output=True, timeout=20, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def main():
    program, *rest = sys.argv[1:]
    path = rest.pop(0) if rest and not rest[0].startswith("-") else Path(__file__).with_name("rewrites.jsonl")
    tasks = [json.loads(line) for line in Path(path).read_text().splitlines() if line.strip()]
    right = refused = tokens = forwards = 0
    with tempfile.TemporaryDirectory() as folder:
        for task in tasks:
            file = Path(folder) / task["path"]
            file.write_text(task["text"])
            if passes(task["text"], task["test"]):
                sys.exit(f"{task['id']}: its test passes before anything is done")
            done = subprocess.run([program, "rewrite", f"{file}:1-{task['text'].count(chr(10))}", task["instruction"], *rest],
                                  capture_output=True, text=True, timeout=300, check=False)
            said = re.search(r"(\d+) tokens, (\d+) forwards", done.stderr)
            if said:
                tokens, forwards = tokens + int(said[1]), forwards + int(said[2])
            ok = done.returncode == 0 and passes(done.stdout, task["test"])
            right += ok
            refused += done.returncode != 0
            print(f"{task['id']:20} {'passes' if ok else 'refused: ' + done.stderr.strip() if done.returncode else 'fails'}")
    print(f"\n{right} of {len(tasks)} pass their tests ({100 * right / len(tasks):.0f} %), {refused} refused; "
          f"{forwards / max(tokens, 1):.2f} forwards a token")


if __name__ == "__main__":
    main()
