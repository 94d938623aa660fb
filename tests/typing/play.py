#!/usr/bin/env python3
"""Types scripts in any language server, and keeps what it shows as `cinnabar eval typing` does.

    play.py ANSWERS -- PROGRAM [ARGUMENT...] < scripts.jsonl     a server that answers textDocument/inlineCompletion
    play.py before.jsonl -- older/cinnabar lsp --in-process < scripts.jsonl
    cinnabar eval typing scripts.jsonl --answers before.jsonl --most 0          the tables

What is sent is the same, key by key, as daemon/commands/evaluation/typist.cc sends it; only the server is another
program, of another commit or of other people. So its answers can be set beside ours. A server that does not know
`cinnabar/status` is given a second before each place. What the model said where nothing is shown is not known this way.
"""
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "protocol"))
from client import ProxyClient  # noqa: E402

PAUSE = 250  # ms; before a key that comes later, what was asked for is shown
WAIT = 300   # s, for one answer


def units(text):
    return len(text.encode("utf-16-le")) // 2


class Text:
    """A document by lines; positions are (line, UTF-16 units)."""

    def __init__(self, text):
        self.text = text

    def offset(self, line, character):
        start = 0
        for _ in range(line):
            start = self.text.index("\n", start) + 1
        end = start
        while end < len(self.text) and self.text[end] != "\n" and units(self.text[start:end]) < character:
            end += 1
        return end

    def replace(self, begin, end, inserted):
        begin, end = self.offset(*begin), self.offset(*end)
        self.text = self.text[:begin] + inserted + self.text[end:]

    def bytes_between(self, begin, end):
        return len(self.text[self.offset(*begin):self.offset(*end)].encode())


class Typist:
    def __init__(self, command):
        self.client = ProxyClient(command, WAIT)
        sync = self.client.initialize(capabilities={})["capabilities"].get("textDocumentSync")
        self.sends_all = (sync.get("change") if isinstance(sync, dict) else sync) == 1  # 2: changes
        while (model := self.status().get("model", {})).get("state", "ready") != "ready":
            if model["state"] == "failed":
                sys.exit(model.get("description", "the model cannot be loaded"))
            time.sleep(0.05)

    def status(self):
        return self.client.request("cinnabar/status", None).get("result") or {}

    def settle(self):
        while queue := self.status().get("queue"):
            if not queue["waiting"] and not queue["running"]:
                return
            time.sleep(0.005)
        time.sleep(1)

    def ask(self, uri, cursor):
        return self.client.ask("textDocument/inlineCompletion", {
            "textDocument": {"uri": uri}, "position": dict(zip(("line", "character"), cursor)), "context": {"triggerKind": 2}})

    def send(self, uri, text, version, key):
        _, line, character, end_line, end_character, inserted, *_ = key
        begin, end = (line, character), (end_line, end_character)
        if begin == end and not inserted:
            return version
        text.replace(begin, end, inserted)
        span = {"start": {"line": line, "character": character}, "end": {"line": end_line, "character": end_character}}
        change = {"text": text.text} if self.sends_all else {"range": span, "text": inserted}
        self.client.notify("textDocument/didChange", {"textDocument": {"uri": uri, "version": version + 1}, "contentChanges": [change]})
        return version + 1

    def answer_at(self, uri, text, cursor):
        start = time.monotonic()
        result = self.client.answer(self.ask(uri, cursor)).get("result") or []
        answer = {"ms": (time.monotonic() - start) * 1000, "raw": "", "confidence": []}
        items = result["items"] if isinstance(result, dict) else result
        if items:
            span = items[0].get("range") or {"start": dict(zip(("line", "character"), cursor))}
            ends = {end: (at["line"], at["character"]) for end, at in span.items()}
            answer.update(shown=items[0]["insertText"], covered=text.bytes_between(ends["start"], cursor),
                          replaced=text.bytes_between(cursor, ends.get("end", cursor)))
        return answer

    def type(self, script):
        """Yields the answers at the script's places."""
        uri, text, version = f"file:///typing/{script['path']}", Text(script["text"]), 1
        self.client.notify("textDocument/didOpen", {"textDocument": {
            "uri": uri, "languageId": script["language"], "version": 1, "text": script["text"]}})
        places, asked = list(script["places"]), None
        for at, key in enumerate(script["keys"]):
            if not places:
                break
            late, judged, cursor = key[0] >= PAUSE, places[0]["key"] == at, tuple(key[6:8])
            if asked is not None and late:
                self.client.answer(asked)
            asked = None
            if judged:
                self.settle()
            version = self.send(uri, text, version, key)
            if judged:
                yield {"id": places.pop(0)["id"], **self.answer_at(uri, text, cursor)}
                continue
            overtaken = places[0]["key"] == at + 1 and script["keys"][at + 1][0] < PAUSE
            if key[0] > 0 and not overtaken:
                asked = self.ask(uri, cursor)
        self.client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})


def main():
    if len(sys.argv) < 4 or sys.argv[2] != "--":
        sys.exit(__doc__)
    answers, typist = sys.argv[1], Typist(sys.argv[3:])
    with open(answers, "a", encoding="utf-8") as out:
        for line in sys.stdin:
            script = json.loads(line)
            for answer in typist.type(script):
                out.write(json.dumps(answer) + "\n")
                out.flush()
            print(f"{script['id']}: typed", file=sys.stderr)


if __name__ == "__main__":
    main()
