"""An editor in Python: requests, notifications, one document that is typed into. For the tests of how bytes are carried.

Every answer is checked to be the one answer to a request that was sent: a second one, or one to nothing, is kept in
`faults`. Threads: a reader of its own; calls from one thread.
"""
import json
import random
import re
import socket
import subprocess
import threading
import time


class Gone(Exception):
    """The server has ended or does not answer."""


def framed(message):
    body = json.dumps(message, ensure_ascii=False).encode()
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def wait_until(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


class Client:
    def __init__(self, write, out, timeout=20):
        self.write, self.out, self.timeout = write, out, timeout
        self.answers, self.arrived = {}, threading.Condition()
        self.open_requests, self.faults, self.notifications = {}, [], []
        self.last_id, self.ended = 0, False
        self.answer_times = {}
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            while header := self.out.readline():
                length = int(re.fullmatch(rb"Content-Length: (\d+)\r\n", header)[1])
                self.out.readline()
                self._take(json.loads(self.out.read(length)))
        except (OSError, ValueError, TypeError) as error:
            self.faults.append(f"the output broke: {error!r}")
        with self.arrived:
            self.ended = True
            self.arrived.notify_all()

    def _take(self, message):
        with self.arrived:
            if "method" in message:
                self.notifications.append(message)
                if "id" in message:
                    self.send({"id": message["id"], "result": [{}] if message["method"] == "workspace/configuration" else None})
            elif message.get("id") in self.open_requests:
                self.answer_times[message["id"]] = time.monotonic() - self.open_requests.pop(message["id"])
                self.answers[message["id"]] = message
            else:
                self.faults.append(f"an answer to nothing, or a second one: {message}")
            self.arrived.notify_all()

    def send(self, message):
        try:
            self.write(framed({"jsonrpc": "2.0", **message}))
        except OSError as error:
            raise Gone(str(error)) from None

    def notify(self, method, params):
        self.send({"method": method, "params": params})

    def ask(self, method, params):
        """Sends a request and returns its id."""
        with self.arrived:
            self.last_id += 1
            number = self.last_id
            self.open_requests[number] = time.monotonic()
        self.send({"id": number, "method": method, "params": params})
        return number

    def answer(self, number, timeout=None):
        with self.arrived:
            if not self.arrived.wait_for(lambda: number in self.answers or self.ended, timeout or self.timeout):
                raise Gone(f"no answer to request {number}")
            if number not in self.answers:
                raise Gone("the server ended")
            return self.answers.pop(number)

    def request(self, method, params, timeout=None):
        return self.answer(self.ask(method, params), timeout)

    def initialize(self, **extra):
        answer = self.request("initialize", {"processId": None, "capabilities": {}, **extra})
        if "error" in answer:
            raise Gone(answer["error"]["message"])
        self.notify("initialized", {})
        return answer["result"]

    def end_politely(self):
        self.request("shutdown", None)
        self.notify("exit", None)


class ProxyClient(Client):
    """Talks to a process over its standard input and output."""

    def __init__(self, command, timeout=20, **popen):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, **popen)
        out = open(self.process.stdout.fileno(), "rb", closefd=False)
        super().__init__(self._write_all, out, timeout)

    def _write_all(self, data):
        while data:
            data = data[self.process.stdin.write(data):]

    def resident_kib(self):
        status = open(f"/proc/{self.process.pid}/status", encoding="ascii").read()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]), int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])

    def close(self):
        self.process.stdin.close()
        try:
            return self.process.wait(self.timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("the proxy outlives its editor") from None


class SocketClient(Client):
    def __init__(self, path, timeout=20, first=b""):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.sendall(first)
        super().__init__(self.socket.sendall, self.socket.makefile("rb"), timeout)


class Document:
    """An open document that is typed into; positions are utf-16, the text may hold any character."""

    PIECES = ["x", "_", "(", ")", "é", "€", "𝒳", "\n", "    ", "value", "\r\n", ""]

    def __init__(self, client, uri, language="later", text="", seed=0):
        self.client, self.uri, self.text, self.version = client, uri, text, 1
        self.random = random.Random(seed)
        client.notify("textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": language, "version": 1, "text": text}})

    def position(self, index):
        before = self.text[:index].replace("\r\n", "\n\0")  # one line end; offsets within the last line stay right
        line = before.count("\n")
        last = self.text[:index].rsplit("\n", 1)[-1]
        return {"line": line, "character": len(last.encode("utf-16-le")) // 2}

    def _spot(self):
        """A place between characters that is not inside a \\r\\n."""
        index = self.random.randint(0, len(self.text))
        return index + 1 if self.text[index - 1:index + 1] == "\r\n" else index

    def type(self):
        """One random edit; returns the place behind it."""
        start, end = sorted((self._spot(), self._spot()))
        end = min(end, start + 8)
        if self.text[end - 1:end + 1] == "\r\n":
            end -= 1
        piece = self.random.choice(self.PIECES)
        # A lone \r that meets a \n would change what counts as one line end.
        if self.text[:start].endswith("\r") or piece.endswith("\r"):
            piece += "x"
        change = {"range": {"start": self.position(start), "end": self.position(end)}, "text": piece}
        self.text = self.text[:start] + piece + self.text[end:]
        self.version += 1
        self.client.notify("textDocument/didChange",
                           {"textDocument": {"uri": self.uri, "version": self.version}, "contentChanges": [change]})
        return self.position(start + len(piece))

    def ask(self, position):
        return self.client.ask("textDocument/inlineCompletion",
                               {"textDocument": {"uri": self.uri}, "position": position, "context": {"triggerKind": 2}})

    def at_server(self):
        """(text, version) as the echo server has them; None while it is being replaced."""
        answer = self.client.request("workspace/executeCommand", {"command": "echo.document", "arguments": [self.uri]})
        result = answer.get("result")
        return (result["text"], result["version"]) if result else None
