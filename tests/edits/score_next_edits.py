#!/usr/bin/env python3
"""Scores next-edit suggestions of the real program: python3 tests/edits/score_next_edits.py PROGRAM [--least=SCORE] [SCENARIOS] [OPTION...]

Each scenario opens a document over `PROGRAM lsp --in-process`, makes its edits, asks once (textDocument/copilotInlineEdit),
applies what comes and compares with what was expected. deltaChrF is how much of the way from the text before to the expected
one is covered, by character n-grams (chrF, 1 to 6, beta 2), 0 to 100, over the scenarios that expect an edit. Score as
published for next-edit models: deltaChrF * 2 * shown * quiet / (shown + quiet) / 100.
"""
import collections
import json
import subprocess
import sys
import time
from pathlib import Path


class Client:
    def __init__(self, program, options):
        self.process = subprocess.Popen([program, "lsp", "--in-process", *options], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.next_id = 0
        self.request("initialize", {"processId": None, "rootUri": None, "capabilities": {
            "general": {"positionEncodings": ["utf-32"]}}})
        self.notify("initialized", {})

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def notify(self, method, params):
        self.send({"method": method, "params": params})

    def request(self, method, params):
        self.next_id += 1
        self.send({"id": self.next_id, "method": method, "params": params})
        while True:
            message = self.receive()
            if message.get("id") == self.next_id and "method" not in message:
                if "error" in message:
                    sys.exit(f"{method}: {message['error']}")
                return message["result"]
            if "id" in message and "method" in message:
                self.send({"id": message["id"], "result": None})

    def receive(self):
        length = 0
        while line := self.process.stdout.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        if not length:
            sys.exit("the program has ended")
        return json.loads(self.process.stdout.read(length))


def position(text, at):
    return {"line": text.count("\n", 0, at), "character": at - (text.rfind("\n", 0, at) + 1)}


def offset(text, at):
    lines = text.split("\n")
    return sum(len(line) + 1 for line in lines[:at["line"]]) + at["character"]


def grams(text, n):
    return collections.Counter(text[i:i + n] for i in range(len(text) - n + 1))


def chrf(given, expected):
    total = 0
    for n in range(1, 7):
        a, b = grams(given, n), grams(expected, n)
        common = sum((a & b).values())
        precision, recall = common / max(sum(a.values()), 1), common / max(sum(b.values()), 1)
        total += 5 * precision * recall / max(4 * precision + recall, 1e-9)
    return 100 * total / 6


def delta_chrf(before, given, expected):
    start = chrf(before, expected)
    return 100 * max(0.0, min(1.0, (chrf(given, expected) - start) / max(100 - start, 1e-9)))


def replaced(text, change):
    old, new = change
    if text.count(old) < 1:
        sys.exit(f"a scenario's text lacks {old!r}")
    return text.replace(old, new, 1), text.index(old)


def play(client, number, scenario):
    uri, text, version = f"file:///scenario/{number}/{scenario['path']}", scenario["text"], 1
    client.notify("textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": scenario["language"], "version": 1,
                                                            "text": text}})
    cursor = 0
    for change in scenario["edits"]:
        version += 1
        after, at = replaced(text, change)
        client.notify("textDocument/didChange", {
            "textDocument": {"uri": uri, "version": version},
            "contentChanges": [{"range": {"start": position(text, at), "end": position(text, at + len(change[0]))},
                                "text": change[1]}]})
        text, cursor = after, at + len(change[1])
    start = time.monotonic()
    edits = client.request("textDocument/copilotInlineEdit", {
        "textDocument": {"uri": uri, "version": version}, "position": position(text, cursor)})["edits"]
    took = 1000 * (time.monotonic() - start)
    given = text
    for edit in sorted(edits, key=lambda e: -offset(text, e["range"]["start"])):
        begin, end = offset(text, edit["range"]["start"]), offset(text, edit["range"]["end"])
        given = given[:begin] + edit["text"] + given[end:]
    client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    return text, given, edits, took


def main():
    program, *rest = sys.argv[1:]
    least = float(rest.pop(0).split("=")[1]) if rest and rest[0].startswith("--least=") else None
    path = rest.pop(0) if rest and not rest[0].startswith("-") else Path(__file__).with_name("next_edits.jsonl")
    scenarios = [json.loads(line) for line in Path(path).read_text().splitlines() if line.strip()]
    client = Client(program, rest)
    shown = quiet = right = wanted = unwanted = 0
    deltas, times = [], []
    for number, scenario in enumerate(scenarios):
        text, given, edits, took = play(client, number, scenario)
        times.append(took)
        if scenario["expected"] is None:
            unwanted += 1
            quiet += not edits
            said = "quiet" if not edits else "NOT QUIET " + repr(edits[0]["text"])
        else:
            wanted += 1
            expected = text
            for change in scenario["expected"]:
                expected, _ = replaced(expected, change)
            shown += bool(edits)
            deltas.append(delta_chrf(text, given, expected))
            right += given == expected
            said = f"{deltas[-1]:5.1f}" + (" exact" if given == expected else "" if edits else " nothing shown")
        print(f"{scenario['id']:28} {said}")
    mean = sum(deltas) / max(len(deltas), 1)
    s, q = 100 * shown / max(wanted, 1), 100 * quiet / max(unwanted, 1)
    times.sort()
    score = mean * 2 * s * q / max(s + q, 1e-9) / 10000
    print(f"\nshown {s:.0f} % of {wanted}, exact {right}, deltaChrF {mean:.1f}; quiet {q:.0f} % of {unwanted}; "
          f"score {score:.2f}; "
          f"p50 {times[len(times) // 2]:.0f} ms, p95 {times[int(len(times) * 0.95)]:.0f} ms")
    if least is not None and (score < least or q < 95):
        sys.exit(f"the score is below {least}, or less than 95 % are quiet")


if __name__ == "__main__":
    main()
