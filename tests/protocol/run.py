#!/usr/bin/env python3
"""Plays protocol scripts against a language server.

    run.py [--carrier stdio|proxy|socket] [--fresh] [--timeout SECONDS] [--verbose] SCRIPT... -- PROGRAM [ARGUMENT...]

The carrier says how the messages travel: `stdio` starts "PROGRAM lsp --in-process" for each script, `proxy` starts
"PROGRAM lsp --socket PATH" for each (one daemon for all, which the first proxy starts), `socket` starts one "PROGRAM
daemon --socket PATH" and connects to it by itself. ARGUMENTs are added behind these.

A script is a list of steps with "---" lines between them. A step sends one message and says what comes back:

    // Prose. Ignored wherever it stands.
    {"id": 1, "method": "shutdown"}
    # {"id": 1, "result": null}

Sending: the step's lines that begin with neither "//" nor "#" are one JSON value; "jsonrpc" is added to an object that
does not have it. "!body TEXT" sends the rest of the line as one message, whatever it is; "!raw TEXT" sends it as bare
bytes, without a header. In both, \\r \\n \\\\ \\xHH mean what they do in Python. "!close" ends the server's input. A step may
send nothing and only wait.

Expecting: each "# " line that begins with "{" must match the server's next message; lines that begin with "#  " (two
spaces) continue it. Members that the pattern does not name are not looked at; arrays must match element by element.
Patterns for a value:  "$any" anything   "$absent" the member must not be there   "$/REGEX/" a string in which it is found
"$NAME" captures the value at its first use and must equal it later, in messages that are sent, too.
"# exit N" waits for the server's end and compares its exit code (over `socket`: waits for the connection's end). "# ignore METHOD"
skips notifications of that method from there on. Everything that arrives must be expected, in its order: silence is
checked without waiting.
"""
import argparse
import json
import queue
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time


class Failure(Exception):
    pass


def framed(body):
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


class Server:
    """The other side of one talk; a thread cuts its output into messages."""

    def __init__(self, timeout, out):
        self.timeout = timeout
        self.out = out
        self.messages = queue.Queue()
        self.ended = False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        out = self.out
        try:
            while header := out.readline():
                length = int(re.fullmatch(rb"Content-Length: (\d+)\r\n", header)[1])
                if out.readline() != b"\r\n":
                    raise ValueError("no blank line after the header")
                self.messages.put(json.loads(out.read(length)))
        except (ValueError, TypeError) as error:
            self.messages.put(Failure(f"the server's output is not framed JSON: {error}"))
        self.messages.put(None)

    def receive(self):
        """The next message, or None at the end of the output and ever after."""
        if self.ended:
            return None
        try:
            message = self.messages.get(timeout=self.timeout)
        except queue.Empty:
            raise Failure(f"nothing arrived within {self.timeout} s") from None
        if isinstance(message, Failure):
            raise message
        self.ended = message is None
        return message


class ProcessServer(Server):
    """A process that is talked to over its standard input and output."""

    def __init__(self, command, timeout):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        super().__init__(timeout, self.process.stdout)

    def send(self, data):
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Failure("the server no longer reads") from None

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass

    def check_exit(self, expected):
        try:
            code = self.process.wait(timeout=self.timeout)
        except subprocess.TimeoutExpired:
            raise Failure(f"the server did not end within {self.timeout} s") from None
        if code != expected:
            raise Failure(f"expected exit code {expected}, found {code}")

    def kill(self):
        self.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class SocketServer(Server):
    """One connection to a daemon."""

    def __init__(self, path, timeout):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        super().__init__(timeout, self.socket.makefile("rb"))

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            raise Failure("the server no longer reads") from None

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def check_exit(self, expected):
        """A connection's end carries no code; that the output has ended was seen before."""

    def kill(self):
        self.socket.close()


class Carrier:
    """Makes a Server for each script."""

    def __init__(self, kind, program, timeout):
        self.kind, self.program, self.timeout = kind, program, timeout
        self.folder = tempfile.TemporaryDirectory(prefix="cinnabar-")
        self.path = self.folder.name + "/s"
        self.daemon = None
        if kind == "socket":
            self.daemon = subprocess.Popen([program[0], "daemon", "--socket", self.path] + program[1:])
            self.wait_until(self.connects, "the daemon does not listen")

    def wait_until(self, condition, failure):
        end = time.monotonic() + self.timeout
        while not condition():
            if time.monotonic() > end:
                raise Failure(f"{failure} within {self.timeout} s")
            time.sleep(0.01)

    def connects(self):
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(self.path) == 0

    def connect(self):
        if self.kind == "socket":
            return SocketServer(self.path, self.timeout)
        way = ["lsp", "--socket", self.path] if self.kind == "proxy" else ["lsp", "--in-process"]
        return ProcessServer([self.program[0]] + way + self.program[1:], self.timeout)

    def end(self):
        """Asks the daemon to go, as a newer proxy does."""
        with socket.socket(socket.AF_UNIX) as wish:
            if self.kind != "stdio" and wish.connect_ex(self.path) == 0:
                wish.sendall(b"cinnabar drain 0\n")
                wish.recv(256)
                self.wait_until(lambda: not self.connects(), "the daemon does not go")
        if self.daemon and self.daemon.wait(timeout=self.timeout) != 0:
            raise Failure(f"the daemon ended with {self.daemon.returncode}")
        self.folder.cleanup()


class Script:
    """Plays one script's steps against one server."""

    def __init__(self, server, verbose):
        self.server = server
        self.verbose = verbose
        self.captures = {}
        self.ignored = set()

    def play(self, text):
        line_number = 1
        for step in re.split(r"^---\n", text, flags=re.MULTILINE):
            self.play_step(step.split("\n"), line_number)
            line_number += step.count("\n") + 1
        self.server.close()
        if (message := self.next_message()) is not None:
            raise Failure(f"unexpected message after the last step: {json.dumps(message)}")

    def play_step(self, lines, first_number):
        expectations, sent = [], []
        for number, line in enumerate(lines, first_number):
            if line.startswith("//"):
                continue
            if line.startswith("#  ") and expectations:
                expectations[-1][1] += " " + line[2:].strip()
            elif line.startswith("#"):
                expectations.append([number, line[1:].strip()])
            elif line.startswith("!"):
                self.send_directive(line)
            else:
                sent.append(line)
        if "".join(sent).strip():
            self.send_json("\n".join(sent), first_number)
        for number, expectation in expectations:
            try:
                self.check(expectation)
            except Failure as failure:
                raise Failure(f"line {number}: {failure}") from None

    def send_directive(self, line):
        if line.startswith(("!raw ", "!body ")):
            kind, text = line.split(" ", 1)
            data = text.encode("ascii").decode("unicode_escape").encode("latin-1")
            self.server.send(data if kind == "!raw" else framed(data))
        elif line == "!close":
            self.server.close()
        else:
            raise Failure(f"unknown directive: {line}")

    def send_json(self, text, number):
        try:
            message = self.filled_in(json.loads(text))
        except ValueError as error:
            raise Failure(f"step at line {number}: {error}") from None
        if isinstance(message, dict):
            message.setdefault("jsonrpc", "2.0")
        body = json.dumps(message, ensure_ascii=False).encode()
        if self.verbose:
            print("->", body.decode())
        self.server.send(framed(body))

    def filled_in(self, value):
        """`value` with captured names replaced."""
        if isinstance(value, dict):
            return {name: self.filled_in(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.filled_in(element) for element in value]
        if isinstance(value, str) and value.startswith("$") and value[1:] in self.captures:
            return self.captures[value[1:]]
        return value

    def next_message(self):
        while True:
            message = self.server.receive()
            if self.verbose:
                print("<-", json.dumps(message, ensure_ascii=False))
            if message is None or "id" in message or message.get("method") not in self.ignored:
                return message

    def check(self, expectation):
        if expectation.startswith("exit "):
            if (message := self.next_message()) is not None:
                raise Failure(f"expected the end, found {json.dumps(message)}")
            self.server.check_exit(int(expectation[5:]))
        elif expectation.startswith("ignore "):
            self.ignored.add(expectation[7:])
        elif expectation.startswith("{"):
            message = self.next_message()
            if message is None:
                raise Failure("expected a message, found the end of the output")
            if problem := self.mismatch(json.loads(expectation), message, "message"):
                raise Failure(f"{problem}\n  in {json.dumps(message, ensure_ascii=False)}")
        else:
            raise Failure(f"not an expectation: {expectation}")

    def mismatch(self, pattern, value, path):
        """What differs, or None."""
        if isinstance(pattern, str) and pattern.startswith("$"):
            return self.mismatch_pattern(pattern, value, path)
        if isinstance(pattern, dict) and isinstance(value, dict):
            for name, member in pattern.items():
                if member == "$absent":
                    if name in value:
                        return f"{path}.{name}: expected absent"
                elif name not in value:
                    return f"{path}.{name}: missing"
                elif problem := self.mismatch(member, value[name], f"{path}.{name}"):
                    return problem
            return None
        if isinstance(pattern, list) and isinstance(value, list) and len(pattern) == len(value):
            parts = enumerate(zip(pattern, value))
            return next(filter(None, (self.mismatch(p, v, f"{path}[{i}]") for i, (p, v) in parts)), None)
        # Python holds True == 1; JSON does not.
        if pattern == value and isinstance(pattern, bool) == isinstance(value, bool):
            return None
        return f"{path}: expected {json.dumps(pattern)}, found {json.dumps(value, ensure_ascii=False)}"

    def mismatch_pattern(self, pattern, value, path):
        if pattern == "$any":
            return None
        if pattern.startswith("$/"):
            if isinstance(value, str) and re.search(pattern[2:-1], value):
                return None
            return f"{path}: expected a string with {pattern[1:]}, found {json.dumps(value)}"
        if self.captures.setdefault(pattern[1:], value) != value:
            return f"{path}: expected {json.dumps(self.captures[pattern[1:]])}, found {json.dumps(value)}"
        return None


def play_file(path, carrier, options):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    server = carrier.connect()
    try:
        Script(server, options.verbose).play(text)
    except Failure as failure:
        print(f"{path}: {failure}", file=sys.stderr)
        return False
    finally:
        server.kill()
    return True


def main():
    if "--" not in sys.argv:
        sys.exit(__doc__)
    cut = sys.argv.index("--")
    parser = argparse.ArgumentParser(description="Plays protocol scripts against a language server.")
    parser.add_argument("--carrier", choices=["stdio", "proxy", "socket"], default="stdio")
    parser.add_argument("--fresh", action="store_true", help="a daemon of its own for each script")
    parser.add_argument("--timeout", type=float, default=20, help="seconds to wait for one message (20)")
    parser.add_argument("--verbose", action="store_true", help="print every message")
    parser.add_argument("scripts", nargs="+")
    options = parser.parse_args(sys.argv[1:cut])
    failed = []
    for scripts in [[path] for path in options.scripts] if options.fresh else [options.scripts]:
        carrier = Carrier(options.carrier, sys.argv[cut + 1:], options.timeout)
        failed += [path for path in scripts if not play_file(path, carrier, options)]
        carrier.end()
    print(f"{len(options.scripts) - len(failed)} of {len(options.scripts)} scripts passed over {options.carrier}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
