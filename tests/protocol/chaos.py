#!/usr/bin/env python3
"""Kills the daemon with SIGKILL at random moments while several editors type, and checks what they see.

    chaos.py [--kills N] [--clients N] [--seed N] [--echo] -- PROGRAM [ARGUMENT...]

Each client is a proxy ("PROGRAM lsp --socket PATH"). After every key it asks for a completion. Checked: every request has
exactly one answer; after each kill every client gets a real answer again; no proxy ends; and with --echo (the program
is the echo server), at the end and after each tenth kill, the daemon's text of every document equals the editor's.
A run repeats its keys by --seed; the moments of death are the scheduler's. With the real program say --eagerness eager:
what is held back as likely wrong is no answer that only a living daemon gives.
"""
import argparse
import os
import random
import signal
import sys
import tempfile
import threading
import time

from client import Document, Gone, ProxyClient, wait_until


class Typist(threading.Thread):
    """Types until told to stop. `real` counts answers with an item, which only a living daemon gives."""

    def __init__(self, number, command, seed, echo):
        super().__init__()
        self.client = ProxyClient(command, timeout=60)
        self.client.initialize()
        self.documents = [Document(self.client, f"file:///c{number}/{i}.py", "later" if echo and i else "python",
                                   "def f(values):\n    return sum(", seed=f"{seed}.{number}.{i}") for i in range(2)]
        self.random = random.Random(f"{seed}.{number}")
        self.stopped, self.asked, self.real, self.trouble = threading.Event(), 0, 0, None
        self.hold, self.held = threading.Event(), threading.Event()

    def run(self):
        try:
            while not self.stopped.is_set():
                self.type_one()
                if self.hold.is_set():
                    self.held.set()
                    time.sleep(0.01)
                else:
                    self.held.clear()
        except (Gone, OSError) as error:
            self.trouble = f"{type(error).__name__}: {error}"

    def type_one(self):
        if self.hold.is_set():
            return
        document = self.random.choice(self.documents)
        number = document.ask(document.type())
        self.asked += 1
        if self.random.random() < 0.2:
            self.client.notify("$/cancelRequest", {"id": number})
        time.sleep(self.random.uniform(0, 0.02))
        answer = self.client.answer(number)
        if answer.get("result", {}).get("items"):
            self.real += 1

    def wrong_documents(self):
        wrong = []
        for document in self.documents:
            seen = known_of(document)
            if seen != (document.text, document.version):
                wrong.append(f"{document.uri}: the editor has {(document.text, document.version)}, the daemon {seen}")
        return wrong


def known_of(document):
    """The text and version that the daemon has of it, as soon as it has any."""
    seen = []

    def knows():
        seen[:] = [document.at_server()]
        return seen[0] is not None

    wait_until(knows, f"the daemon knows {document.uri}")
    return seen[0]


def daemon_process(path):
    """The process that holds the daemon's lock, or None: the one whose command line says so."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                words = open(f"/proc/{entry}/cmdline", "rb").read().split(b"\0")
            except OSError:
                continue
            if b"daemon" in words[1:2] and path.encode() in words:
                return int(entry)
    return None


def compare(typists):
    for typist in typists:
        typist.hold.set()
    for typist in typists:
        typist.held.wait(60)
    wrong = [line for typist in typists for line in typist.wrong_documents()]
    for typist in typists:
        typist.hold.clear()
    return wrong


def kill_often(options, typists, path, chance):
    """Problems found."""
    problems = []
    for kill in range(options.kills):
        time.sleep(chance.uniform(0.02, 0.6))
        wanted = [typist.real + 1 for typist in typists]
        wait_until(lambda: daemon_process(path), "a daemon is there", 60)
        os.kill(daemon_process(path), signal.SIGKILL)
        wait_until(lambda wanted=wanted: all(t.real >= least or t.trouble for t, least in zip(typists, wanted)),
                   f"every client has a real answer after kill {kill + 1}", 60)
        problems += [f"client {i}: {t.trouble}" for i, t in enumerate(typists) if t.trouble]
        if options.echo and kill % 10 == 9:
            problems += compare(typists)
        if problems:
            break
    return problems


def run(options, command):
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="cinnabar-") as folder:
        path = folder + "/s"
        proxy = [command[0], "lsp", "--socket", path] + command[1:]
        typists = [Typist(i, proxy, options.seed, options.echo) for i in range(options.clients)]
        for typist in typists:
            typist.start()
        start = time.monotonic()
        try:
            problems = kill_often(options, typists, path, chance)
            problems += compare(typists) if options.echo and not problems else []
        except AssertionError as late:  # of wait_until: the run ends, the daemon is still to be ended
            problems = [str(late)]
        finally:
            for typist in typists:
                typist.stopped.set()
            for typist in typists:
                typist.join()
        for i, typist in enumerate(typists):
            problems += [f"client {i}: {fault}" for fault in typist.client.faults]
            problems += [f"client {i}: no answer to {number}" for number in typist.client.open_requests]
            typist.client.end_politely()
            if (status := typist.client.close()) != 0:
                problems.append(f"client {i}: its proxy ended with {status}")
        if (daemon := daemon_process(path)) is not None:
            os.kill(daemon, signal.SIGTERM)
            wait_until(lambda: daemon_process(path) is None, "the daemon ends")
        asked, real = sum(t.asked for t in typists), sum(t.real for t in typists)
        slowest = max(max(t.client.answer_times.values(), default=0) for t in typists)
        print(f"{options.kills} kills, {options.clients} clients, {time.monotonic() - start:.1f} s: {asked} requests, "
              f"each with one answer, {real} of them from a living daemon; the slowest took {slowest * 1000:.0f} ms")
        return problems


def main():
    if "--" not in sys.argv:
        sys.exit(__doc__)
    cut = sys.argv.index("--")
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--clients", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--echo", action="store_true", help="the program is the echo server: compare documents")
    problems = run(parser.parse_args(sys.argv[1:cut]), sys.argv[cut + 1:])
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
