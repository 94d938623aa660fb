#!/usr/bin/env python3
"""junit_summary.py FILE...: one summary of ctest's --output-junit files, ending with "N passed, N failed, N skipped".

Exits 0 only when something passed and nothing failed. A test that ctest could not start (its program is missing, a fixture
failed) is written as "skipped" by ctest; here it counts as failed: only a test that asked for it is skipped.
"""
import sys
import tempfile
import xml.etree.ElementTree as xml
from pathlib import Path

SLOWEST = 3


def outcome(case):
    """"passed", "failed" or "skipped" of one <testcase>."""
    status = case.get("status", "")
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    if status == "disabled":
        return "skipped"
    skipped = case.find("skipped")
    if skipped is not None or status == "notrun":
        reason = skipped.get("message", "") if skipped is not None else ""
        return "skipped" if reason.startswith("SKIP_") else "failed"
    return "passed" if status == "run" else "failed"


def summary(paths):
    """(lines to print, exit status)."""
    names = {"passed": [], "failed": [], "skipped": []}
    times, lines = [], []
    for path in paths:
        try:
            cases = list(xml.parse(path).getroot().iter("testcase"))
        except (OSError, xml.ParseError) as error:
            lines.append(f"cannot read {path}: {error}")
            names["failed"].append(Path(path).stem)
            continue
        for case in cases:
            name = f"{case.get('name')} ({Path(path).stem})"
            names[outcome(case)].append(name)
            times.append((float(case.get("time") or 0), name))
    slow = [f"{name} {seconds:.1f} s" for seconds, name in sorted(times, reverse=True)[:SLOWEST] if seconds >= 1]
    if slow:
        lines.append("slowest: " + ", ".join(slow))
    lines += [f"skipped: {name}" for name in names["skipped"]] + [f"FAILED: {name}" for name in names["failed"]]
    lines.append(", ".join(f"{len(names[kind])} {kind}" for kind in ("passed", "failed", "skipped")))
    return lines, 0 if names["passed"] and not names["failed"] else 1


_CASES = [  # testcases, last line, exit status
    ('<testcase name="a" status="run" time="0.1"/>', "1 passed, 0 failed, 0 skipped", 0),
    ('<testcase name="a" status="fail"><failure message=""/></testcase>', "0 passed, 1 failed, 0 skipped", 1),
    ('<testcase name="a" status="run"/><testcase name="b" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/></testcase>',
     "1 passed, 0 failed, 1 skipped", 0),
    ('<testcase name="a" status="run"/><testcase name="b" status="notrun"><skipped message="Unable to find executable"/>'
     '</testcase>', "1 passed, 1 failed, 0 skipped", 1),
    ('<testcase name="a" status="disabled"><skipped message="Disabled"/></testcase>', "0 passed, 0 failed, 1 skipped", 1),
    ("", "0 passed, 0 failed, 0 skipped", 1),
    ("<testcase", "0 passed, 1 failed, 0 skipped", 1),
]


def self_test():
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for cases, last, status in _CASES:
            path = Path(folder) / "stage.xml"
            path.write_text(f"<testsuite>{cases}</testsuite>", encoding="utf-8")
            lines, found = summary([str(path)])
            if (lines[-1], found) != (last, status):
                print(f"{cases}: expected {last} and {status}, got {lines[-1]} and {found}")
                bad += 1
    print(f"{len(_CASES)} result files tried")
    return 1 if bad else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(self_test())
    text, code = summary(sys.argv[1:])
    print("\n".join(text))
    sys.exit(code)
