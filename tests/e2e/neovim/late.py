#!/usr/bin/env python3
"""The README's configuration in real Neovim 0.12: what Tab does when the user has gone on typing since the answer came.

    late.py FOLDER     Neovim is installed into FOLDER first (install.sh)

A small server answers each request with the same text at its cursor, after a while where a case says so. Each case types,
waits for the ghost text, types on and presses Tab in one burst; the file on disk has to be what the case says.
"""
import json
import os
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def serve(answer, delay, mark):
    """The language server: on standard input and output. Where answers come late, it is one; the file `mark` says that it was asked."""
    out, asked = threading.Lock(), 0

    def send(message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        with out:
            sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            sys.stdout.buffer.flush()

    def complete(request):
        place = request["params"]["position"]
        items = [{"insertText": answer, "range": {"start": place, "end": place}}]
        send({"id": request["id"], "result": {"items": items}})

    while header := sys.stdin.buffer.readline():
        length = int(header.split(b":")[1])
        while sys.stdin.buffer.readline().strip():
            pass
        message = json.loads(sys.stdin.buffer.read(length))
        if message.get("method") == "textDocument/inlineCompletion":
            asked += 1
            open(mark, "w", encoding="utf-8").close()
            if delay and asked > 1:
                send({"id": message["id"], "result": None})  # what is shown stays
            else:
                threading.Timer(delay, complete, [message]).start()
        elif message.get("method") == "exit":
            return
        elif "id" in message and "method" in message:
            capabilities = {"textDocumentSync": {"openClose": True, "change": 2}, "inlineCompletionProvider": True}
            send({"id": message["id"], "result": {"capabilities": capabilities} if message["method"] == "initialize" else None})


ONE, TWO = "price * count)", "open(name):\n    pass"
# what it is, the answer, after how many seconds, what is typed before the ghost text, and behind it before Tab, the file
CASES = [
    ("at once", ONE, 0, "sum(", "", "sum(price * count)"),
    ("typed along", ONE, 0, "sum(", "pri", "sum(price * count)"),
    ("typed along to its last letter", ONE, 0, "sum(", ONE[:-1], "sum(price * count)"),
    ("something else", ONE, 0, "sum(", "x", "sum(x"),
    ("along, then something else", ONE, 0, "sum(", "prix", "sum(prix"),
    ("all of it and more", ONE, 0, "sum(", ONE + ";", "sum(price * count);"),
    ("taken back", ONE, 0, "sum(", "<BS>", "sum"),
    ("taken back and typed again", ONE, 0, "sum(", "<BS>(", "sum(price * count)"),
    ("taken back and something else", ONE, 0, "sum(", "<BS>[", "sum["),
    ("something in front of it", ONE, 0, "sum(", "<Home>y<End>", "ysum("),
    ("a word of more bytes than letters", "größe * n", 0, "é = ", "grö", "é = größe * n"),
    ("several lines", TWO, 0, "with ", "", "with open(name):\n    pass"),
    ("several lines, typed along", TWO, 0, "with ", "open(", "with open(name):\n    pass"),
    ("several lines, typed into the second", TWO, 0, "with ", "open(name):<CR>    p", "with open(name):\n    pass"),
    ("another line", ONE, 0, "sum(", "<CR>", "sum("),
    ("an answer that comes late", ONE, 0.4, "sum(", "x + ", "sum(x + "),
]


class Editor:
    def __init__(self, nvim, folder, answer, delay):
        self.nvim, self.address, self.file = nvim, folder + "/listen", folder + "/a.txt"
        home = {name: folder for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")}
        open(self.file, "w", encoding="utf-8").close()
        server = json.dumps([sys.executable, os.path.abspath(__file__), "--serve", answer, str(delay), folder + "/asked"])
        self.process = subprocess.Popen(
            [nvim, "--headless", "-V0", "--clean", "-u", HERE + "/readme.lua", "--listen", self.address, self.file],
            env={**os.environ, **home, "CINNABAR": server},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def remote(self, *arguments):
        return subprocess.run([self.nvim, "--server", self.address, *arguments], capture_output=True, text=True, timeout=60,
                              check=False).stdout.strip()

    def wait(self, what, condition, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end or self.process.poll() is not None:
                raise SystemExit(f"not within {seconds} s: {what}")
            time.sleep(0.02)

    def ready(self):
        clients = "luaeval('#vim.lsp.get_clients({bufnr = 0}) > 0 and vim.lsp.get_clients()[1].initialized or false')"
        self.wait("Neovim listens", lambda: os.path.exists(self.address))
        self.wait("the server is initialized", lambda: self.remote("--remote-expr", clients) in ("v:true", "true"))

    def shows(self):
        marks = ('luaeval(\'#vim.api.nvim_buf_get_extmarks(0, vim.api.nvim_get_namespaces()["nvim.lsp.inline_completion"] or 0,'
                 " 0, -1, {})')")
        return self.remote("--remote-expr", marks) not in ("0", "")

    def written(self):
        self.remote("--remote-send", "<Esc>:write<CR>")
        self.wait("the file is written", lambda: self.remote("--remote-expr", "&modified") == "0")
        return open(self.file, encoding="utf-8").read().rstrip("\n")


def play(nvim, case):
    """What is on disk after Tab, and after one undo."""
    _, answer, delay, before, behind, _ = case
    with tempfile.TemporaryDirectory(prefix="cinnabar-nvim-") as folder:
        editor = Editor(nvim, folder, answer, delay)
        try:
            editor.ready()
            editor.remote("--remote-send", "i" + before)
            if delay:
                editor.wait("a request", lambda: os.path.exists(folder + "/asked"))
            else:
                editor.wait("ghost text", editor.shows)
            editor.remote("--remote-send", behind + ("" if delay else "<Tab>"))
            if delay:
                editor.wait("ghost text", editor.shows)
                editor.remote("--remote-send", "<Tab>")
            time.sleep(0.1)
            found = editor.written()
            editor.remote("--remote-send", "u")
            return found, editor.written()
        finally:
            editor.process.kill()
            editor.process.wait()


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    cache = os.path.abspath(sys.argv[1])
    subprocess.run([HERE + "/install.sh", cache], check=True)
    wrong = 0
    for case in CASES:
        found, undone = play(cache + "/nvim", case)
        right = found == case[5]
        # Accepting is undone by itself: what was typed stays.
        accepted = case[5].endswith(case[1])
        if accepted and right and case[0] != "typed along to its last letter":
            right = case[3] in undone and undone != found
        wrong += not right
        print(f"{'ok   ' if right else 'WRONG'} {case[0]}: {found!r}, undone {undone!r}", flush=True)
    sys.exit(f"{wrong} of {len(CASES)} cases are wrong" if wrong else 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2], float(sys.argv[3]), sys.argv[4])
    else:
        main()
