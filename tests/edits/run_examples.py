"""Runs the examples in the documentation of functions: [[imports, function's name, [text, ...]], ...] as JSON on standard
input. The first text of each is the function as it was; where its examples do not pass, because a package is missing, the
function is left out. Prints how many texts passed, and each that did not; ends with 1 if there is one.

Each runs in a process of its own, with limits of time and memory. Standard library only.
"""
import contextlib
import doctest
import json
import os
import resource
import sys
import tempfile

SECONDS, BYTES = 5, 1 << 30


def examples_pass(imports, name, text):
    names = {"__name__": "examples"}
    exec(compile(f"{imports}\n\n{text}\n", "examples", "exec"), names)
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    for test in doctest.DocTestFinder(recurse=False).find(names[name], "f", module=False, globs=names):
        runner.run(test, out=lambda said: None)
    return runner.tries > 0 and runner.failures == 0


def passes(*asked):
    child = os.fork()
    if child == 0:
        status = 1
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
            resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
            status = 0 if examples_pass(*asked) else 1
        except BaseException:  # whatever a changed function may raise
            status = 1
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1] == 0


def run_all():
    counted, functions, wrong = 0, 0, 0
    for imports, name, texts in json.load(sys.stdin):
        with contextlib.suppress(Exception):  # once for all: what a process begins with costs nothing
            exec(compile(imports, "imports", "exec"), {})
        if not passes(imports, name, texts[0]):
            continue
        functions += 1
        for text in texts[1:]:
            counted += 1
            if not passes(imports, name, text):
                wrong += 1
                print(f"its examples fail now:\n{text}")
    print(f"{counted} texts of {functions} functions")
    return 1 if wrong else 0


def main():
    with tempfile.TemporaryDirectory() as folder:  # where examples write what they write
        os.chdir(folder)
        status = run_all()
        os.chdir("/")
    sys.exit(status)


if __name__ == "__main__":
    main()
