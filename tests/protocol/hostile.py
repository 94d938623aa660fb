#!/usr/bin/env python3
"""What strangers, other programs and a bad environment may do to the proxy and the daemon, as tables.

    hostile.py PROGRAM [TEST...]

PROGRAM is the echo server, whose ways in are the real program's. Whatever is in the way, the editor's initialize is
answered within 15 s with a result or with what is in the way, a proxy outlives its editor by 5 s at most, and who has not
read the token's file learns nothing. Needs Linux.
"""
import concurrent.futures
import contextlib
import fcntl
import hashlib
import hmac
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from client import Gone, ProxyClient, SocketClient, wait_until

PROGRAM = ""
ANSWERED_WITHIN, GONE_WITHIN = 15, 5  # seconds


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Stranger:
    """Listens where a daemon should and answers each line with what `answer(line)` gives; None: closes, "": nothing."""

    def __init__(self, address, answer):
        self.answer, self.heard = answer, b""
        self.listener = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(address)
        self.listener.listen()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._talk, args=[self.listener.accept()[0]], daemon=True).start()

    def _talk(self, peer):
        with peer, contextlib.suppress(OSError):
            while piece := peer.recv(100_000):
                self.heard += piece
                answer = self.answer(piece.decode(errors="replace"))
                if answer is None:
                    return
                peer.sendall(answer.encode())


class Place:
    """A folder with whatever daemon or stranger is in it; ends what it began."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="cinnabar-")
        self.path = self.folder.name + "/s"
        self.ends = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ends.close()
        for entry in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                words = open(f"/proc/{entry}/cmdline", "rb").read().split(b"\0")
                if words[1:2] == [b"daemon"] and self.path.encode() in words:
                    os.kill(int(entry), signal.SIGKILL)
        self.folder.cleanup()

    def daemon(self, *arguments, files=None):
        limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))) if files else None
        log = open(self.folder.name + "/log", "wb")
        process = subprocess.Popen([PROGRAM, "daemon", "--socket", self.path, *arguments], stderr=log, preexec_fn=limit)
        log.close()
        self.ends.callback(process.wait)
        self.ends.callback(process.kill)
        wait_until(self.reachable, "the daemon listens")
        return process

    def log(self):
        return open(self.folder.name + "/log", encoding="utf-8").read()

    def reachable(self):
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(self.path) == 0

    def stranger(self, answer):
        stranger = Stranger(self.path, answer)
        self.ends.callback(stranger.listener.close)

    def lock(self, name):
        file = open(self.path + name, "w", encoding="ascii")
        os.chmod(self.path + name, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        self.ends.callback(file.close)

    def fill(self, count):
        """Clients that have begun a session."""
        for _ in range(count):
            client = SocketClient(self.path)
            self.ends.callback(client.socket.close)
            client.initialize()

    def silent(self, count, port=None):
        for _ in range(count):
            quiet = socket.socket(socket.AF_INET if port else socket.AF_UNIX)
            self.ends.callback(quiet.close)
            quiet.connect(("127.0.0.1", port) if port else self.path)

    def proxy(self, *arguments, files=None):
        limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))) if files else None
        client = ProxyClient([PROGRAM, "lsp", "--socket", self.path, *arguments], timeout=60, preexec_fn=limit)
        self.ends.callback(client.process.wait)
        self.ends.callback(client.process.kill)
        return client


def stopped(place):
    os.kill(place.daemon().pid, signal.SIGSTOP)


def unfinished(place):
    """Its queue of clients is full, and nobody takes them."""
    listener = socket.socket(socket.AF_UNIX)
    place.ends.callback(listener.close)
    listener.bind(place.path)
    listener.listen(0)
    for _ in range(2):
        waiting = socket.socket(socket.AF_UNIX)
        place.ends.callback(waiting.close)
        waiting.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            waiting.connect(place.path)


def without_descriptors(place):
    """Two proxies' worth of clients have taken the last ones."""
    place.daemon(files=24)
    place.silent(40)


# What is in the way: how it gets there, and what initialize's answer then says; "" a result.
STATES = {
    "nothing": (lambda place: None, ""),
    "full": (lambda place: (place.daemon("--clients", "3"), place.fill(3)), "as many clients as it takes"),
    "silent clients": (lambda place: (place.daemon("--clients", "3"), place.silent(50)), ""),
    "stopped": (stopped, ""),
    "no descriptors": (without_descriptors, "as many clients as it takes"),
    "start lock": (lambda place: place.lock(".start"), "another program is starting a daemon"),
    "place lock": (lambda place: place.lock(".lock"), "does not listen"),
    "full queue": (unfinished, "lets nobody in"),
    "mute": (lambda place: place.stranger(lambda line: ""), "does not answer"),
    "half a line": (lambda place: place.stranger(lambda line: "cinnabar re"), "does not answer"),
    "closes": (lambda place: place.stranger(lambda line: None), "ends every connection"),
    "mute behind its greeting": (lambda place: place.stranger(
        lambda line: "cinnabar ready 99.0\n" if line.startswith("cinnabar hello") else ""), "does not answer"),
    "another protocol": (lambda place: place.stranger(lambda line: "220 welcome\r\n"), "no daemon of ours"),
    "always ending": (lambda place: place.stranger(lambda line: "cinnabar draining 99.0\n"), "is ending"),
    "a word of another version": (lambda place: place.stranger(lambda line: "cinnabar later 99.0\n"), "does not know"),
    "others may enter": (lambda place: os.chmod(place.folder.name, 0o755), "can be entered by others"),
}


class Waiting(unittest.TestCase):
    """Whatever the daemon's state."""

    def answer(self, state):
        """What initialize is answered, in how many seconds, and how long the proxy then outlives its editor."""
        with Place() as place:
            STATES[state][0](place)
            proxy = place.proxy()
            begun = time.monotonic()
            answer = proxy.request("initialize", {"processId": None, "capabilities": {}})
            answered = time.monotonic() - begun
            proxy.close()
            return answer.get("error", {}).get("message", ""), answered, time.monotonic() - begun - answered

    def test_initialize(self):
        """Each state has its answer in time: a result, or what is in the way."""
        with concurrent.futures.ThreadPoolExecutor(len(STATES)) as pool:
            found = dict(zip(STATES, pool.map(self.answer, STATES)))
        for state, (said, answered, ended) in found.items():
            with self.subTest(state):
                told = STATES[state][1]
                self.assertEqual(said, "") if told == "" else self.assertIn(told, said)
                self.assertLess(answered, ANSWERED_WITHIN)
                self.assertLess(ended, GONE_WITHIN)

    def outlived(self, case):
        """How long a proxy that still searches outlives its editor."""
        state, way = case
        with Place() as place:
            STATES[state][0](place)
            editor = subprocess.Popen(["sleep", "1000"])
            place.ends.callback(editor.wait)
            place.ends.callback(editor.kill)
            proxy = place.proxy()
            proxy.ask("initialize", {"processId": editor.pid, "capabilities": {}})
            time.sleep(0.5)
            begun = time.monotonic()
            if way == "its process":
                editor.kill()
                editor.wait()
            else:
                proxy.process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                proxy.process.wait(2 * GONE_WITHIN)
            return time.monotonic() - begun

    def test_editor_goes(self):
        """A proxy hears its editor while it searches: the end of its input, and the end of its process."""
        cases = [(state, way) for state in ["mute", "start lock", "full queue", "closes", "full", "mute behind its greeting"]
                 for way in ["its input", "its process"]]
        with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
            for case, seconds in zip(cases, pool.map(self.outlived, cases)):
                with self.subTest(case):
                    self.assertLess(seconds, GONE_WITHIN)

    def test_editor_gone_before(self):
        """An editor whose process has ended already is not waited for."""
        editor = subprocess.Popen(["true"])
        editor.wait()
        for extra in [[], ["--in-process"]]:
            with Place() as place, self.subTest(extra):
                proxy = place.proxy(*extra)
                proxy.ask("initialize", {"processId": editor.pid, "capabilities": {}})
                self.assertEqual(proxy.process.wait(GONE_WITHIN), 1)

    def test_in_process(self):
        """A server in one process ends with its editor's process, too."""
        editor = subprocess.Popen(["sleep", "1000"])
        with Place() as place:
            server = place.proxy("--in-process")
            server.initialize(processId=editor.pid)
            editor.kill()
            editor.wait()
            self.assertEqual(server.process.wait(GONE_WITHIN), 1)

    def test_few_descriptors(self):
        """Neither proxy nor daemon dies of a low limit of descriptors without a word."""
        for files in range(3, 16):
            with Place() as place, self.subTest(files):
                proxy = place.proxy(files=files)
                try:
                    said = proxy.request("initialize", {"processId": None, "capabilities": {}}, ANSWERED_WITHIN)
                except Gone:
                    said = {}  # a process that cannot even begin
                self.assertGreaterEqual(proxy.process.poll() or 0, 0, "ended by a signal")
                self.assertTrue("result" in said or "error" in said or files < 6, said)
                in_process = place.proxy("--in-process", files=files)
                with contextlib.suppress(Gone):
                    in_process.request("initialize", {"processId": None, "capabilities": {}}, ANSWERED_WITHIN)
                self.assertGreaterEqual(in_process.process.poll() or 0, 0, "ended by a signal")

    def test_direct(self):
        """An editor that connects to the socket by itself is told that there is no room, too."""
        with Place() as place:
            place.daemon("--clients", "3")
            place.fill(3)
            client = SocketClient(place.path)
            place.ends.callback(client.socket.close)
            said = client.request("initialize", {"processId": None, "capabilities": {}})
            self.assertIn("3 clients, no more are taken", said["error"]["message"])

    def test_log(self):
        """Who is sent away again and again fills no log."""
        with Place() as place:
            place.daemon("--clients", "3")
            place.fill(3)
            for _ in range(2000):
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.connect(place.path)
            wait_until(lambda: "too many clients" in place.log(), "they are sent away")
            place.fill(0)
            self.assertLess(len(place.log().splitlines()), 300)

    def test_tries(self):
        """A proxy that finds no room tries a few times a second at most, and ever less often."""
        tries = []
        with Place() as place:
            place.stranger(lambda line: (tries.append(line), "cinnabar full 99.0\n")[1])
            place.proxy().request("initialize", {"processId": None, "capabilities": {}})
            time.sleep(4)
        self.assertLess(len(tries), 10)


def mac(token, said, port, proxy_nonce, daemon_nonce):
    return hmac.new(token.encode(), f"cinnabar {said} {port} {proxy_nonce} {daemon_nonce}".encode(), hashlib.sha256).hexdigest()


class Tcp(unittest.TestCase):
    """A port that anybody may listen on, and anybody may call."""

    def setUp(self):
        self.place = Place()
        self.addCleanup(self.place.__exit__)
        self.port, self.token_file = free_port(), self.place.folder.name + "/token"

    def token(self):
        return open(self.token_file, encoding="ascii").read().strip()

    def daemon(self, port=None):
        """Listens on its socket first; its token is there a moment later."""
        before = self.token() if os.path.exists(self.token_file) else ""
        process = self.place.daemon("--tcp", str(port or self.port), "--token-file", self.token_file)
        wait_until(lambda: os.path.exists(self.token_file) and self.token() not in ("", before), "the daemon has written its token")
        return process

    def proxy(self, port=None):
        return self.place.proxy("--tcp", str(port or self.port), "--token-file", self.token_file)

    def test_squatters(self):
        """Who has taken the port and does not know the token gets neither token nor text, whatever it answers."""
        self.daemon()

        def relayed(line):
            """Has the real daemon, on its own port, answer."""
            with socket.create_connection(("127.0.0.1", self.port), timeout=10) as real:
                real.sendall(line.encode())
                return real.recv(1000).decode()

        answers = {
            "mute": lambda line: "",
            "ready": lambda line: "cinnabar ready 0.1.0\n",
            "proof without one": lambda line: "cinnabar proof 0.1.0\n",
            "a proof of nothing": lambda line: f"cinnabar proof 0.1.0 {'0' * 64} {'1' * 64}\n",
            "our own words": lambda line: line.replace("knock", "proof"),
            "our nonce as proof": lambda line: f"cinnabar proof 0.1.0 {line.split()[-1]} {line.split()[-1]}\n",
            "the daemon's words": relayed,
        }
        for name, answer in answers.items():
            with self.subTest(name):
                squatted = free_port()
                squatter = Stranger(("127.0.0.1", squatted), answer)
                said = self.proxy(squatted).request("initialize", {"processId": None, "capabilities": {}}, ANSWERED_WITHIN)
                squatter.listener.close()
                self.assertRegex(said["error"]["message"], "has not proven|does not answer")
                self.assertRegex(squatter.heard.decode(), r"\A(cinnabar knock [0-9.]+ [0-9a-f]{64}\n)+\Z")
                self.assertNotIn(self.token(), squatter.heard.decode())

    def test_callers(self):
        """Who calls and does not know the token is refused, whatever it says."""
        self.daemon()
        nonce, other = "a" * 64, "b" * 64

        def after_knock(answer):
            def talk(peer):
                peer.sendall(f"cinnabar knock 0 {nonce}\n".encode())
                words = peer.recv(1000).decode().split()
                self.assertEqual(words[:2] + [len(words[3])], ["cinnabar", "proof", 64])
                self.assertEqual(words[4], mac(self.token(), "proof", self.port, nonce, words[3]))
                peer.sendall(answer(words).encode())
            return talk

        cases = {
            "no proof": after_knock(lambda words: "cinnabar hello 0\n"),
            "the daemon's own proof": after_knock(lambda words: f"cinnabar hello 0 {words[4]}\n"),
            "a second knock": after_knock(lambda words: f"cinnabar knock 0 {other}\n"),
            "the token itself": after_knock(lambda words: f"cinnabar hello 0 {self.token()}\n"),
            "a proof for another verb": after_knock(
                lambda words: f"cinnabar drain 0 {mac(self.token(), 'hello', self.port, nonce, words[3])}\n"),
            "a proof for another port": after_knock(
                lambda words: f"cinnabar hello 0 {mac(self.token(), 'hello', self.port + 1, nonce, words[3])}\n"),
            "no knock": lambda peer: peer.sendall(f"cinnabar hello 0 {mac(self.token(), 'hello', self.port, '', '')}\n".encode()),
            "a short nonce": lambda peer: peer.sendall(b"cinnabar knock 0 abc\n"),
        }
        for name, talk in cases.items():
            with self.subTest(name), socket.create_connection(("127.0.0.1", self.port), timeout=10) as peer:
                talk(peer)
                self.assertEqual(peer.makefile("rb").read(), b"cinnabar refused 0.1.0\n")
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as peer:
            after_knock(lambda words: f"cinnabar hello 0 {mac(self.token(), 'hello', self.port, nonce, words[3])}\n")(peer)
            self.assertEqual(peer.makefile("rb").readline(), b"cinnabar ready 0.1.0\n")

    def test_silent(self):
        """Connections that say nothing, in whatever number, keep nobody out."""
        self.daemon()
        self.place.silent(300, self.port)
        self.assertIn("capabilities", self.proxy().initialize())
        self.assertIn("capabilities", self.place.proxy().initialize())

    def test_new_token(self):
        """Each daemon has a token of its own; proxies read it when they need it; a second daemon on the port changes nothing."""
        with open(self.token_file, "w", encoding="ascii") as file:
            file.write("0123456789abcdef" * 4)
        os.chmod(self.token_file, 0o600)
        first = self.daemon()
        token = self.token()
        self.assertRegex(token, "^[0-9a-f]{64}$")
        self.assertNotEqual(token, "0123456789abcdef" * 4)
        second = subprocess.run([PROGRAM, "daemon", "--socket", self.place.path + "2", "--tcp", str(self.port), "--token-file",
                                 self.token_file], capture_output=True, timeout=20, check=False)
        self.assertEqual((second.returncode, self.token()), (1, token))
        proxy = self.proxy()
        proxy.initialize()
        first.kill()
        first.wait()
        self.daemon()
        self.assertNotEqual(self.token(), token)
        wait_until(lambda: "result" in proxy.request("workspace/executeCommand", {"command": "echo.document", "arguments": ["x"]}),
                   "the proxy is with the next daemon", 30)

    def test_bad_token_files(self):
        """A token file that is a link, or that others may read, is neither used nor replaced."""
        for name in ["link", "open"]:
            with self.subTest(name):
                path = self.place.folder.name + "/" + name
                if name == "link":
                    os.symlink(self.place.folder.name + "/elsewhere", path)
                else:
                    open(path, "w", encoding="ascii").close()
                    os.chmod(path, 0o644)
                said = subprocess.run([PROGRAM, "daemon", "--socket", self.place.path, "--tcp", str(self.port), "--token-file",
                                       path], capture_output=True, text=True, timeout=20, check=False)
                self.assertEqual(said.returncode, 1)
                self.assertRegex(said.stderr, "token file .* (is no file|can be read by others)")
        self.assertFalse(os.path.exists(self.place.folder.name + "/elsewhere"))


class Environment(unittest.TestCase):
    """What the environment may be like."""

    def test_runtime_folder(self):
        """XDG_RUNTIME_DIR that names no usable folder counts as not set, and says so in one line."""
        own = tempfile.TemporaryDirectory(prefix="cinnabar-")
        self.addCleanup(own.cleanup)
        file = own.name + "/file"
        open(file, "w", encoding="ascii").close()
        cases = [("/nonexistent/folder", "cannot be looked at"), ("/proc", "belongs to user|cannot be used|"), (file, "is no folder"),
                 (own.name + "/" + "x" * 120, "is too long"), ("relative", "does not begin with"), (own.name, None), ("", None)]
        fallback = f"/tmp/cinnabar-{os.geteuid()}/cinnabar.sock"
        for folder, complaint in cases:
            with self.subTest(folder):
                said = subprocess.run([PROGRAM, "place"], env={**os.environ, "XDG_RUNTIME_DIR": folder}, capture_output=True,
                                      text=True, timeout=20, check=True)
                if folder == own.name:
                    self.assertEqual((said.stdout, said.stderr), (folder + "/cinnabar/cinnabar.sock\n", ""))
                    continue
                if folder == "/proc" and os.geteuid() == 0:
                    continue  # root's own, and any folder can be used by root
                self.assertEqual(said.stdout, fallback + "\n")
                self.assertEqual(len(said.stderr.splitlines()), 0 if complaint is None else 1)
                if complaint is not None:
                    self.assertRegex(said.stderr, complaint)

    def test_closed_descriptors(self):
        """Standard input, output and error that are closed in any combination: it ends, or serves; nothing lands in a file."""
        for closed in ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"]:
            with self.subTest(closed), Place() as place, Place() as other:
                for arguments in [["lsp", "--in-process"], ["lsp", "--socket", other.path]]:
                    stdin = subprocess.DEVNULL if "<&-" not in closed else None
                    ended = subprocess.run(["sh", "-c", f'exec "$0" "$@" {closed}', PROGRAM, *arguments], stdin=stdin,
                                           capture_output=True, timeout=20, check=False)
                    self.assertEqual(ended.returncode, 1, ended)
                process = subprocess.Popen(["sh", "-c", f'exec "$0" "$@" {closed}', PROGRAM, "daemon", "--socket", place.path])
                place.ends.callback(process.wait)
                place.ends.callback(process.kill)
                wait_until(place.reachable, "the daemon listens")
                client = SocketClient(place.path)
                self.assertIn("capabilities", client.initialize())
                client.socket.close()
                files = [os.readlink(f"/proc/{process.pid}/fd/{number}") for number in range(3)]
                for text in ["<&-", ">&-", "2>&-"]:
                    if text in closed.split():
                        self.assertEqual(files[["<&-", ">&-", "2>&-"].index(text)], "/dev/null")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2, warnings="ignore")
