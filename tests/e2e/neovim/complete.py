#!/usr/bin/env python3
"""Neovim 0.12, with nothing but its core, completes a function in a real file: keys, ghost text, Tab, :write.

    complete.py NVIM FILE LINE KEYS -- COMMAND...    LINE counts from 1; the keys are typed at its end

Checked: the ghost text that the core draws is what Tab inserts, and the file on disk is the buffer.
"""
import json
import os
import subprocess
import sys
import tempfile
import time

PATIENCE = 900  # seconds; what does not get on is ended sooner, by tests/support/progress.py
HERE = os.path.dirname(os.path.abspath(__file__))
GHOST = """luaeval('vim.json.encode(vim.tbl_map(function(mark) return mark[4] end, vim.api.nvim_buf_get_extmarks(0,
 vim.api.nvim_get_namespaces()["nvim.lsp.inline_completion"] or 0, 0, -1, {details = true})))')""".replace("\n", "")
READY = "luaeval('#vim.lsp.get_clients({bufnr = 0, name = \"cinnabar\"}) > 0 and vim.lsp.get_clients()[1].initialized or false')"


class Editor:
    def __init__(self, nvim, file, command, folder):
        self.nvim, self.address = nvim, folder + "/listen"
        home = {name: folder for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")}
        self.process = subprocess.Popen([nvim, "--headless", "--clean", "-u", HERE + "/init.lua", "--listen", self.address, file],
                                        env={**os.environ, **home, "CINNABAR": " ".join(command)}, stdin=subprocess.DEVNULL)
        self.log = folder + "/nvim/lsp.log"

    def remote(self, *arguments):
        return subprocess.run([self.nvim, "--server", self.address, *arguments], capture_output=True, text=True, timeout=PATIENCE,
                              check=False).stdout.strip()

    def keys(self, keys):
        self.remote("--remote-send", keys)

    def value(self, expression):
        return self.remote("--remote-expr", expression)

    def wait(self, what, condition):
        end = time.monotonic() + PATIENCE
        while not (found := condition()):
            if time.monotonic() > end or self.process.poll() is not None:
                if os.path.exists(self.log):
                    print(open(self.log, encoding="utf-8").read()[-3000:], file=sys.stderr)
                raise SystemExit(f"not within {PATIENCE} s: {what}")
            time.sleep(0.1)
        return found

    def ghost_text(self):
        """What the core shows behind the cursor, or ''."""
        marks = json.loads(self.value(GHOST) or "[]")
        lines = []
        for mark in marks:
            lines.append("".join(part for part, _ in mark.get("virt_text", [])))
            lines += ["".join(part for part, _ in line) for line in mark.get("virt_lines", [])]
        return "\n".join(lines)


def main():
    cut = sys.argv.index("--")
    nvim, file, line, keys = sys.argv[1:cut]
    with tempfile.TemporaryDirectory(prefix="cinnabar-nvim-") as folder:
        editor = Editor(nvim, file, sys.argv[cut + 1:], folder)
        try:
            editor.wait("Neovim listens", lambda: os.path.exists(editor.address))
            editor.wait("the language server is initialized", lambda: editor.value(READY) in ("v:true", "true", "1"))
            editor.keys(f"{line}GA")
            for key in keys:
                editor.keys(key)
                time.sleep(0.05)
            before = editor.value("getline('.')")

            asked, last = [time.monotonic()], [("", 0.0)]

            def shown():
                # The model may still have been on its way: asks again, but not so soon that it gives up on an answer.
                if not (text := editor.ghost_text()) and time.monotonic() > asked[0] + 10:
                    editor.keys("<Left><Right>")
                    asked[0] = time.monotonic()
                if text != last[0][0]:
                    last[0] = (text, time.monotonic())
                # Until it stays it may be the answer to an earlier key.
                return text if time.monotonic() > last[0][1] + 1 else ""
            ghost = editor.wait("ghost text", shown)
            print(f"shown behind {before!r}: {ghost!r}")
            start = editor.value("line('.')")
            editor.keys("<Tab>")
            editor.wait("Tab accepts", lambda: editor.value("getline('.')") != before)
            inserted = editor.value(f"join(getline({start}, '.'), \"\\n\")")
            if ghost.strip() not in inserted:
                raise SystemExit(f"Tab gave {inserted!r}, not the text shown")
            editor.keys("<Esc>:write<CR>")
            editor.wait("the file is written", lambda: editor.value("&modified") == "0")
            lines = editor.value('join(getline(1, "$"), "\\n")')
            if open(file, encoding="utf-8").read().rstrip("\n") != lines.rstrip("\n"):
                raise SystemExit("the file on disk is not the buffer")
            editor.keys(":qall!<CR>")
            editor.process.wait(PATIENCE)
        finally:
            if editor.process.poll() is None:
                editor.process.kill()


if __name__ == "__main__":
    main()
