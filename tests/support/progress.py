#!/usr/bin/env python3
"""Runs a command for as long as it gets on, however busy the machine is.

    progress.py [--still SECONDS] [--cpu SECONDS] -- COMMAND...
    progress.py --self-test

It is ended, and fails, when neither it nor any process it started has used processor time or written anything for so long
(default 300), or when they have used so much processor time together (default 3600): both say nothing about how long that
takes beside other work. Its output comes through as it is.
"""
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time

SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER: orphans among the descendants stay descendants
TICKS = os.sysconf("SC_CLK_TCK")


def descendants(root):
    """Processor seconds of each process below `root`, by pid."""
    parents, used = {}, {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = open(f"/proc/{entry}/stat", "rb").read().rpartition(b")")[2].split()
        except OSError:
            continue
        parents[int(entry)] = int(fields[1])
        used[int(entry)] = sum(map(int, fields[11:15])) / TICKS  # its own, and of children it has waited for
    below, grew = {root}, True
    while grew:
        more = {pid for pid, parent in parents.items() if parent in below} - below
        grew = bool(more)
        below |= more
    return {pid: used[pid] for pid in below - {root}}


def run(command, still, cpu):
    """(exit status, why it was ended)."""
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    moved = [time.monotonic()]

    def carry():
        while piece := os.read(process.stdout.fileno(), 65536):
            moved[0] = time.monotonic()
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()

    reader = threading.Thread(target=carry, daemon=True)
    reader.start()
    most, at_last_move, why = {}, 0, None
    while process.poll() is None:
        for pid, seconds in descendants(os.getpid()).items():
            most[pid] = max(seconds, most.get(pid, 0))
        total = sum(most.values())
        if total > at_last_move + 0.05:
            moved[0], at_last_move = time.monotonic(), total
        if time.monotonic() - moved[0] > still:
            why = f"nothing has moved for {still} s"
        elif total > cpu:
            why = f"it has used {cpu} s of processor time"
        if why:
            break
        time.sleep(min(0.5, still / 4))
    for pid in descendants(os.getpid()) if why else ():
        os.kill(pid, signal.SIGKILL)
    status = process.wait()
    reader.join(5)
    return status, why


def self_test():
    cases = [(["true"], 5, 60, 0, None), (["sh", "-c", "exit 3"], 5, 60, 3, None), (["sleep", "60"], 1, 60, -9, "nothing has moved"),
             (["sh", "-c", "sleep 60 & wait"], 1, 60, -9, "nothing has moved"),
             (["sh", "-c", "for i in 1 2 3; do sleep 2; echo on; done"], 5, 60, 0, None),
             (["sh", "-c", "(while :; do :; done) & wait"], 5, 1, -9, "processor time")]
    for command, still, cpu, status, why in cases:
        found = run(command, still, cpu)
        assert found[0] == status and (why in found[1] if why else found[1] is None), (command, found)
    print(f"{len(cases)} commands tried")


def main():
    arguments = sys.argv[1:]
    if arguments == ["--self-test"]:
        return self_test()
    if "--" not in arguments:
        sys.exit(__doc__)
    cut = arguments.index("--")
    given = dict(zip(arguments[:cut:2], map(float, arguments[1:cut:2])))
    status, why = run(arguments[cut + 1:], given.get("--still", 300), given.get("--cpu", 3600))
    if why:
        print(f"progress.py: ended, {why}", file=sys.stderr)
    sys.exit(1 if why else status if status >= 0 else 128 - status)


if __name__ == "__main__":
    main()
