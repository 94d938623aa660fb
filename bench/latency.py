#!/usr/bin/env python3
"""Latency as an editor sees it: recorded typing, replayed against the real daemon over `cinnabar lsp`.

    latency.py [--keys N] [--changes N] [SESSION...] -- PROGRAM [ARGUMENT...]

Each session (default: those in sessions/) is typed at its recorded pace; every key sends its change and asks for a
completion at once. Printed: time from key to reply of the requests that no later key overtook, all answers' shares by
kind as the daemon counts them, and its times by stage. Then a file of 10,000 lines is changed a key at a time: time from
didChange to the answer of a small request behind it, which the daemon gives when the change and the new tree are there,
beside the same request without a change: once beside the model, which reads a new prompt at every change and has all the
cores to do so, and once in a daemon that could not load it.
"""
import argparse
import contextlib
import glob
import json
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "protocol"))
from client import ProxyClient, wait_until  # noqa: E402

LINES = 10_000


def percentile(values, p):
    return sorted(values)[max(0, -(-len(values) * p // 100) - 1)]  # nearest rank


def line_of(name, values, ps):
    return f"{name:34}" + "".join(f"  p{p} {percentile(values, p) * 1000:8.2f} ms" for p in ps) + f"  n {len(values)}"


def status(client):
    return client.request("cinnabar/status", None)["result"]


def open_document(client, uri, language, text):
    client.notify("textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": language, "version": 1, "text": text}})


def change(client, uri, version, line, begin, end, text):
    span = {"start": {"line": line, "character": begin}, "end": {"line": line, "character": end}}
    client.notify("textDocument/didChange", {"textDocument": {"uri": uri, "version": version},
                                             "contentChanges": [{"range": span, "text": text}]})


def ask(client, uri, line, begin, text):
    """At the place where `text` ends, which was put in at (line, begin)."""
    last = text.rsplit("\n", 1)[-1]
    units = len(last.encode("utf-16-le")) // 2
    position = {"line": line + text.count("\n"), "character": units if "\n" in text else begin + units}
    return client.ask("textDocument/inlineCompletion",
                      {"textDocument": {"uri": uri}, "position": position, "context": {"triggerKind": 2}})


def type_session(client, path, most):
    with open(path, encoding="utf-8") as file:
        session = json.load(file)
    uri = f"file:///bench/{session['source']}"
    open_document(client, uri, session["language"], session["text"])
    before, numbers, overtaken = status(client)["counts"], [], set()
    due = time.monotonic()
    for version, (pause, line, begin, end, text) in enumerate(session["keys"][:most], 2):
        due += pause / 1000
        time.sleep(max(0, due - time.monotonic()))
        with client.arrived:
            overtaken |= client.open_requests.keys() & set(numbers)
        change(client, uri, version, line, begin, end, text)
        numbers.append(ask(client, uri, line, begin, text))
    answers = {number: client.answer(number) for number in numbers}
    with_text = sum(bool(answer.get("result", {}).get("items")) for answer in answers.values())
    times = [client.answer_times[number] for number in numbers if number not in overtaken]
    after = status(client)["counts"]
    count = {name: after[name] - before[name] for name in after}
    print(f"\n{os.path.basename(path)}: {len(numbers)} keys, {with_text} answers with text")
    print(line_of("key to reply, not overtaken", times, (50, 95, 99)))
    shares = ["fromCache", "fromModel", "empty", "superseded", "stale", "cancelled", "failed"]
    print("shares: " + ", ".join(f"{name} {100 * count[name] / len(numbers):.1f} %" for name in shares))
    client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})


def typed(session):
    """The whole file, as it is when all keys are typed."""
    lines = session["text"].split("\n")
    for _, line, begin, end, text in session["keys"]:
        units = lines[line].encode("utf-16-le")
        whole = (units[:2 * begin] + text.encode("utf-16-le") + units[2 * end:]).decode("utf-16-le")
        lines[line:line + 1] = whole.split("\n")
    return lines


def main_thread_seconds(pid):
    """What the daemon's main thread has had of processor time, and how long it has waited for a core."""
    with open(f"/proc/{pid}/task/{pid}/schedstat", encoding="ascii") as file:
        worked, waited = file.read().split()[:2]
    return int(worked) / 1e9, int(waited) / 1e9


def change_long_file(client, path, count):
    with open(path, encoding="utf-8") as file:
        session = json.load(file)
    piece = typed(session)
    lines = (piece * (LINES // len(piece) + 1))[:LINES]
    uri = "file:///bench/long"
    open_document(client, uri, session["language"], "\n".join(lines))
    pid = status(client)["pid"]
    alone, changed, worked, served = [], [], [], []
    for number in range(count):
        line = number // 2 * 7919 % LINES  # all over the file: a key, and then it is taken back
        end = len(lines[line].encode("utf-16-le")) // 2
        for times, changes in [(alone, False), (changed, True)]:
            time.sleep(0.05)
            start, before = time.monotonic(), main_thread_seconds(pid)
            if changes:
                change(client, uri, number + 2, line, end, end + number % 2, "" if number % 2 else "x")
            status(client)
            times.append(time.monotonic() - start)
            if changes:
                work, wait = (now - then for now, then in zip(main_thread_seconds(pid), before))
                worked.append(work)
                served.append(work + wait)
    print(f"\n{LINES} lines of {session['language']}, {sum(map(len, lines)) // 1024} KiB, {count} changes")
    print(f"the first change, which parses the whole file: {changed.pop(0) * 1000:.0f} ms, "
          f"{worked.pop(0) * 1000:.0f} ms of processor time")
    served.pop(0)
    print(line_of("a small request alone", alone, (50, 99)))
    print(line_of("didChange and a small request", changed, (50, 99)))
    print(line_of("  in the daemon", served, (50, 99)))
    print(line_of("  processor time of the daemon", worked, (50, 99)))
    client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})


@contextlib.contextmanager
def daemon_client(program, arguments, state):
    """A client of a daemon of its own, whose model is in `state`."""
    with tempfile.TemporaryDirectory(prefix="cinnabar-") as folder:
        path = folder + "/s"
        daemon = subprocess.Popen([program, "daemon", "--socket", path, *arguments], stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: os.path.exists(path), "the daemon listens")
            client = ProxyClient([program, "lsp", "--socket", path], timeout=120)
            client.initialize(capabilities={"general": {"positionEncodings": ["utf-16"]}})
            wait_until(lambda: status(client)["model"]["state"] == state, f"the model is {state}", 120)
            yield client
            if client.faults:
                sys.exit("\n".join(client.faults))
            client.end_politely()
        finally:
            daemon.terminate()
            daemon.wait(30)


def main():
    if "--" not in sys.argv:
        sys.exit(__doc__)
    cut = sys.argv.index("--")
    parser = argparse.ArgumentParser()
    parser.add_argument("--keys", type=int, default=10_000, help="of each session at most")
    parser.add_argument("--changes", type=int, default=500, help="of the long file")
    parser.add_argument("sessions", nargs="*", default=sorted(glob.glob(os.path.join(HERE, "sessions", "*.json"))))
    options = parser.parse_args(sys.argv[1:cut])
    if options.changes < 2:
        parser.error("--changes: at least 2, for the first one parses the whole file and does not count")
    program, *arguments = sys.argv[cut + 1:]
    with daemon_client(program, arguments, "ready") as client:
        print(f"{status(client)['model']['description']}; load of the machine {os.getloadavg()[0]:.1f} at the start")
        for session in options.sessions:
            type_session(client, session, options.keys)
        print("\nby the daemon's account, ms: " + json.dumps(status(client)["milliseconds"]))
        for session in options.sessions:
            change_long_file(client, session, options.changes)
        print(f"\nresident memory of the daemon {status(client)['residentBytes'] >> 20} MiB; "
              f"load of the machine {os.getloadavg()[0]:.1f} at the end")
    with daemon_client(program, [*arguments, "--model", "/nonexistent"], "failed") as client:
        print("\nwithout a model:")
        for session in options.sessions:
            change_long_file(client, session, options.changes)


if __name__ == "__main__":
    main()
