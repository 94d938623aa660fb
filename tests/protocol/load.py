#!/usr/bin/env python3
"""Many editors on one daemon: each types so many keys a second and asks for a completion at each.

    load.py [--clients 50] [--keys 5] [--seconds 300] -- PROGRAM [ARGUMENT...]

Each client is a connection of its own to "PROGRAM daemon --socket PATH". Printed: answers by kind, times from key to
answer, the daemon's memory from second to second as far as it moved, and its own p95 by stage where it tells them
(cinnabar/status). Exits with 1 for an error answer other than a cancelled or superseded one, a lost or double answer,
or a connection that ended.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time

from client import Document, Gone, SocketClient, wait_until

HARMLESS = {-32800, -32801}  # cancelled, content modified


def resident_mib(pid):
    status = open(f"/proc/{pid}/status", encoding="ascii").read()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024


class Typist(threading.Thread):
    def __init__(self, number, path, options):
        super().__init__()
        self.client = SocketClient(path, timeout=120)
        self.client.initialize(capabilities={"general": {"positionEncodings": ["utf-16"]}})
        self.document = Document(self.client, f"file:///load/{number}.py", "python", "def total(items):\n    return ", seed=number)
        self.options, self.numbers, self.trouble = options, [], None
        self.pause = 1 / options.keys
        self.offset = number / options.clients * self.pause  # not all at the same moment

    def run(self):
        try:
            start = time.monotonic() + self.offset
            for key in range(int(self.options.seconds * self.options.keys)):
                time.sleep(max(0, start + key * self.pause - time.monotonic()))
                self.numbers.append(self.document.ask(self.document.type()))
            self.answers = [self.client.answer(number) for number in self.numbers]
        except (Gone, OSError) as error:
            self.trouble, self.answers = str(error), []


def percentiles(values):
    values = sorted(values)
    return (
        ", ".join(f"p{p} {values[min(len(values) - 1, len(values) * p // 100)] * 1000:.1f} ms" for p in (50, 95, 99)) if values else "none"
    )


def watch_memory(pid, typists):
    seen = []
    while any(typist.is_alive() for typist in typists):
        seen.append(resident_mib(pid))
        time.sleep(1)
    return seen


def report(typists, memory, status):
    problems = [f"client {i}: {typist.trouble}" for i, typist in enumerate(typists) if typist.trouble]
    problems += [f"client {i}: {fault}" for i, typist in enumerate(typists) for fault in typist.client.faults]
    answers = [answer for typist in typists for answer in typist.answers]
    times = [seconds for typist in typists for seconds in typist.client.answer_times.values()]
    shown = sum(bool(answer.get("result", {}).get("items")) for answer in answers)
    codes = [answer["error"]["code"] for answer in answers if "error" in answer]
    problems += [f"error {code}" for code in sorted(set(codes) - HARMLESS)]
    asked = sum(len(typist.numbers) for typist in typists)
    if len(answers) != asked:
        problems.append(f"{asked} requests, {len(answers)} answers")
    print(f"{asked} requests, {len(answers)} answers: {shown} with text, {len(answers) - shown - len(codes)} empty, {len(codes)} errors")
    print(f"key to answer: {percentiles(times)}")
    if memory:
        print(f"resident memory of the daemon, MiB: first {memory[0]:.0f}, middle {memory[len(memory) // 2]:.0f}, "
              f"last {memory[-1]:.0f}, most {max(memory):.0f}")
    print(f"by the daemon's own account: {json.dumps(status.get('result'))}")
    return problems


def main():
    if "--" not in sys.argv:
        sys.exit(__doc__)
    cut = sys.argv.index("--")
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--keys", type=float, default=5, help="keys a second of each client")
    parser.add_argument("--seconds", type=float, default=300)
    options = parser.parse_args(sys.argv[1:cut])
    command = sys.argv[cut + 1:]
    with tempfile.TemporaryDirectory(prefix="cinnabar-") as folder:
        path = folder + "/s"
        daemon = subprocess.Popen([command[0], "daemon", "--socket", path] + command[1:], stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: os.path.exists(path), "the daemon listens")
            typists = [Typist(i, path, options) for i in range(options.clients)]
            for typist in typists:
                typist.start()
            memory = watch_memory(daemon.pid, typists)
            problems = report(typists, memory, typists[0].client.request("cinnabar/status", {}))
        finally:
            daemon.terminate()
            status = daemon.wait(30)
        if status != 0:
            problems.append(f"the daemon ended with {status}")
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
