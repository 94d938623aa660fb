#!/usr/bin/env python3
"""A language server for tests of the plugins: what it answers is known, and what it is told is written down.

    scripted_server.py SCRIPT LOG

SCRIPT is read anew for every request: {"delay": seconds, "lines": [[text, ...], ...], "replaces": n, "progress": false, "edits": {}}.
Where the text of the cursor's line up to the cursor is the beginning of a text, the answer is the rest of it; the others of its list are
alternatives. Of "edits" the old text that comes first in the document is the next edit, unless it was rejected. With "progress", commands
work until they are cancelled. LOG gets every message, one a line.
"""
import json
import sys
import threading
import time

script, log = sys.argv[1], open(sys.argv[2], "a", encoding="utf-8", buffering=1)
documents, rejected, lock = {}, set(), threading.Lock()


COMMANDS = [f"cinnabar.{name}" for name in ("accepted", "fillHoles", "completeFunction", "rewrite", "nextEditAccepted", "nextEditRejected")]


def send(message):
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    with lock:
        sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        sys.stdout.buffer.flush()


def receive():
    length = 0
    while (line := sys.stdin.buffer.readline().strip()):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return json.loads(sys.stdin.buffer.read(length)) if length else None


def items(params, plan):
    lines = documents[params["textDocument"]["uri"]].split("\n")
    at = params["position"]
    before = lines[at["line"]].encode("utf-16-le")[:2 * at["character"]].decode("utf-16-le")
    for texts in plan["lines"]:
        first = texts[0]
        if before.strip() and first.startswith(before.lstrip()) and first != before.lstrip():
            wanted = texts if params["context"]["triggerKind"] == 1 else texts[:1]
            end = {**at, "character": at["character"] + plan.get("replaces", 0)}
            return [{"insertText": text[len(before.lstrip()):], "range": {"start": at, "end": end},
                     "command": {"title": "", "command": "cinnabar.accepted", "arguments": [number]}}
                    for number, text in enumerate(wanted)]
    return []


def next_edits(params):
    uri = params["textDocument"]["uri"]
    edits = {old: new for old, new in read_script().get("edits", {}).items() if old in documents[uri] and old not in rejected}
    if not edits:
        return []
    old = min(edits, key=documents[uri].index)  # not the script's order: Lua writes the members of an object in any
    before = documents[uri].partition(old)[0]
    line, column = before.count("\n"), len(before.rpartition("\n")[2])
    return [{"text": edits[old], "textDocument": params["textDocument"], "command": {
        "title": "", "command": "cinnabar.nextEditAccepted", "arguments": [old]}, "range": {
        "start": {"line": line, "character": column}, "end": {"line": line, "character": column + len(old)}}}]


def answer(number, params):
    plan = read_script()
    found = items(params, plan)  # of the text as it was when it was asked for
    time.sleep(plan.get("delay", 0))
    send({"id": number, "result": {"items": found}})


def read_script():
    with open(script, encoding="utf-8") as file:
        return json.load(file)


def work(number):
    """Begins what only a cancellation ends."""
    send({"id": f"progress{number}", "method": "window/workDoneProgress/create", "params": {"token": number}})
    send({"method": "$/progress", "params": {"token": number, "value": {"kind": "begin", "title": "working", "cancellable": True}}})


def cancel(number):
    send({"method": "$/progress", "params": {"token": number, "value": {"kind": "end"}}})
    send({"id": number, "error": {"code": -32800, "message": "cancelled"}})


def handle(message):
    method, params, number = message.get("method"), message.get("params"), message.get("id")
    if method == "initialize":
        send({"id": number, "result": {"capabilities": {
            "textDocumentSync": 1, "positionEncoding": "utf-16", "inlineCompletionProvider": {},
            "executeCommandProvider": {"commands": COMMANDS}}}})
        send({"method": "didChangeStatus", "params": {"busy": False, "kind": "Normal", "message": ""}})
    elif method == "textDocument/didOpen":
        documents[params["textDocument"]["uri"]] = params["textDocument"]["text"]
    elif method == "textDocument/didChange":
        documents[params["textDocument"]["uri"]] = params["contentChanges"][-1]["text"]
    elif method == "textDocument/inlineCompletion":
        threading.Thread(target=answer, args=(number, params), daemon=True).start()
    elif method == "workspace/executeCommand" and read_script().get("progress"):
        work(number)
    elif method == "window/workDoneProgress/cancel":
        cancel(params["token"])
    elif method == "textDocument/copilotInlineEdit":
        send({"id": number, "result": {"edits": next_edits(params)}})
    elif method == "exit":
        sys.exit(0)
    elif number is not None and method:
        if params and params.get("command") == "cinnabar.nextEditRejected":
            rejected.add(params["arguments"][0])
        send({"id": number, "result": None})


while (received := receive()):
    log.write(json.dumps(received) + "\n")
    handle(received)
