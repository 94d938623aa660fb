#!/usr/bin/env python3
"""How bytes are carried: the daemon's place, the proxies around it, and what happens when one of them goes wrong.

    carrying.py PROGRAM [TEST...]

PROGRAM is the echo server, whose ways in are the real program's; Limits.test_memory can be asked of that, too. Needs Linux.
"""
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest

from client import Client, Document, Gone, ProxyClient, SocketClient, wait_until

PROGRAM = ""


def processes(path):
    """Pids of the daemons at `path`."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = open(f"/proc/{entry}/cmdline", "rb").read().split(b"\0")
        except OSError:
            continue
        if words[1:2] == [b"daemon"] and path.encode() in words:
            found.append(int(entry))
    return found


class Carrying(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="cinnabar-")
        self.path = self.folder.name + "/s"
        self.clients = []

    def tearDown(self):
        for client in self.clients:
            self.assertEqual(client.faults, [])
            if isinstance(client, ProxyClient) and client.process.poll() is None:
                client.process.kill()
                client.process.wait()
        for pid in processes(self.path):
            os.kill(pid, signal.SIGKILL)
        self.folder.cleanup()

    def proxy(self, *arguments, **popen):
        client = ProxyClient([PROGRAM, "lsp", "--socket", self.path, *arguments], **popen)
        self.clients.append(client)
        return client

    def daemon(self, *arguments, **popen):
        process = subprocess.Popen([PROGRAM, "daemon", "--socket", self.path, *arguments], stderr=subprocess.PIPE, **popen)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        wait_until(self.reachable, "the daemon listens")
        return process

    def direct(self, first=b""):
        client = SocketClient(self.path, first=first)
        self.clients.append(client)
        return client

    def reachable(self):
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(self.path) == 0

    def only_daemon(self):
        found = processes(self.path)
        self.assertEqual(len(found), 1)
        return found[0]

    def echo(self, client, text="abc", language="python"):
        document = Document(client, "file:///d", language, text)
        return client.answer(document.ask(document.position(len(text))))["result"]["items"][0]["insertText"]


class Place(Carrying):
    """The socket's folder, file and lock."""

    def test_start_race(self):
        """Twenty proxies that start at once share one daemon."""
        proxies = [self.proxy() for _ in range(20)]
        asked = [proxy.ask("initialize", {"processId": None, "capabilities": {}}) for proxy in proxies]
        for proxy, number in zip(proxies, asked):
            self.assertEqual(proxy.answer(number)["result"]["serverInfo"]["name"], "echo")
        self.only_daemon()
        log = open(self.path + ".log", encoding="utf-8").read()
        self.assertEqual(log.count("came"), 20, log)

    def test_stale_socket(self):
        """A socket file whose daemon was killed is no obstacle."""
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(self.path)
        self.proxy().initialize()
        self.only_daemon()

    def test_second_daemon(self):
        """A second daemon leaves the place to the first, and ends well."""
        first = self.daemon()
        second = subprocess.run([PROGRAM, "daemon", "--socket", self.path], timeout=20, check=False)
        self.assertEqual(second.returncode, 0)
        self.assertEqual(processes(self.path), [first.pid])
        self.direct().initialize()

    def test_file_in_the_way(self):
        """What is no socket is not removed; initialize says what is wrong."""
        with open(self.path, "w", encoding="utf-8") as file:
            file.write("precious")
        with self.assertRaisesRegex(Gone, r"the daemon ended at once \(exit status 1\); its log is .*/s\.log"):
            self.proxy().initialize()
        self.assertIn("is in the way", open(self.path + ".log", encoding="utf-8").read())
        self.assertEqual(open(self.path, encoding="utf-8").read(), "precious")

    def test_modes(self):
        """Folder 0700, socket and locks 0600, whatever the umask."""
        self.path = self.folder.name + "/new/s"
        self.proxy(umask=0).initialize()
        for name, mode in [("", 0o700), ("/s", 0o600), ("/s.lock", 0o600), ("/s.log", 0o600)]:
            self.assertEqual(stat.S_IMODE(os.stat(self.folder.name + "/new" + name).st_mode), mode, name)

    def test_open_folder(self):
        """A folder that others may enter is refused."""
        os.chmod(self.folder.name, 0o755)
        with self.assertRaisesRegex(Gone, "can be entered by others, expected mode 0700"):
            self.proxy().initialize()
        self.assertEqual(processes(self.path), [])

    def test_linked_folder(self):
        """So is a link where the folder should be."""
        os.mkdir(self.folder.name + "/real", 0o700)
        os.symlink(self.folder.name + "/real", self.folder.name + "/link")
        self.path = self.folder.name + "/link/s"
        with self.assertRaisesRegex(Gone, "is no folder"):
            self.proxy().initialize()

    def test_default_place(self):
        """Without --socket: $XDG_RUNTIME_DIR/cinnabar/cinnabar.sock."""
        process = subprocess.Popen([PROGRAM, "daemon"], env={**os.environ, "XDG_RUNTIME_DIR": self.folder.name})
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        self.path = self.folder.name + "/cinnabar/cinnabar.sock"
        wait_until(self.reachable, "the daemon listens")

    def test_activation(self):
        """A listening socket that was handed over (systemd) is used, and stays when the daemon goes."""
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path)
            os.chmod(self.path, 0o600)
            listener.listen()
            script = 'exec 3<&"$0" && export LISTEN_PID=$$ LISTEN_FDS=1 && exec "$@"'
            process = subprocess.Popen(["bash", "-c", script, str(listener.fileno()), PROGRAM, "daemon", "--socket",
                                        self.path, "--idle-exit", "1"], pass_fds=[listener.fileno()])
            self.proxy().initialize()
            self.assertEqual(self.only_daemon(), process.pid)
            self.clients[0].process.kill()
            self.assertEqual(process.wait(10), 0)
            self.assertTrue(os.path.exists(self.path))

    def test_no_network(self):
        """Without --tcp the daemon has no socket but unix ones."""
        pid = self.daemon().pid
        self.direct().initialize()
        inodes = set()
        for fd in os.listdir(f"/proc/{pid}/fd"):
            if match := re.fullmatch(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{fd}")):
                inodes.add(match[1])
        unix = {line.split()[6] for line in open("/proc/net/unix", encoding="ascii").readlines()[1:]}
        self.assertTrue(inodes)
        self.assertLessEqual(inodes, unix)


class Ends(Carrying):
    """How daemon and proxy end."""

    def test_drain(self):
        """SIGTERM: answers in flight go out, nobody new is let in, the files are gone, the status is 0."""
        daemon = self.daemon()
        client = self.direct()
        client.initialize()
        document = Document(client, "file:///d", "later", "abc")
        number = document.ask(document.position(3))
        self.assertIsNotNone(document.at_server())  # the request before has arrived
        daemon.terminate()
        self.assertEqual(client.answer(number)["result"]["items"][0]["insertText"], "abc<echo>")
        self.assertEqual(daemon.wait(10), 0)
        self.assertFalse(os.path.exists(self.path))

    def test_drain_is_bounded(self):
        """An answer that never comes does not keep the daemon; a second SIGTERM ends it at once."""
        for signals, low, high in [(1, 4, 8), (2, 0, 2)]:
            daemon = self.daemon()
            client = self.direct()
            client.initialize()
            document = Document(client, "file:///d", "slow", "abc")
            document.ask(document.position(3))
            self.assertIsNotNone(document.at_server())
            start = time.monotonic()
            for _ in range(signals):
                daemon.terminate()
                time.sleep(0.2)
            self.assertEqual(daemon.wait(20), 0)
            self.assertTrue(low <= time.monotonic() - start <= high, time.monotonic() - start)

    def test_stdio_drain(self):
        """The same over standard input and output."""
        client = ProxyClient([PROGRAM, "lsp", "--in-process"])
        self.clients.append(client)
        client.initialize()
        document = Document(client, "file:///d", "later", "abc")
        number = document.ask(document.position(3))
        self.assertIsNotNone(document.at_server())
        client.process.terminate()
        self.assertEqual(client.answer(number)["result"]["items"][0]["insertText"], "abc<echo>")
        self.assertEqual(client.process.wait(10), 0)

    def test_idle(self):
        """Without clients the daemon ends by itself; with one it stays."""
        daemon = self.daemon("--idle-exit", "1")
        client = self.direct()
        client.initialize()
        time.sleep(1.5)
        self.assertIsNone(daemon.poll())
        client.socket.shutdown(socket.SHUT_RDWR)
        self.assertEqual(daemon.wait(10), 0)

    def test_editor_closes(self):
        """The end of its input ends the proxy, not the daemon."""
        proxy = self.proxy()
        proxy.initialize()
        self.assertEqual(proxy.close(), 1)
        self.only_daemon()

    def test_editor_dies(self):
        """The death of the process named in initialize ends the proxy, though its input stays open."""
        editor = subprocess.Popen(["sleep", "1000"])
        proxy = self.proxy()
        proxy.initialize(processId=editor.pid)
        self.assertIsNone(proxy.process.poll())
        editor.kill()
        editor.wait()
        self.assertEqual(proxy.process.wait(10), 1)

    def test_polite(self):
        """shutdown and exit: 0."""
        proxy = self.proxy()
        proxy.initialize()
        proxy.end_politely()
        self.assertEqual(proxy.process.wait(10), 0)


class Replacement(Carrying):
    """A daemon that goes is replaced, and the editor does not notice."""

    def test_killed(self):
        """After kill -9 the requests it owed have empty answers, and the next daemon knows the documents."""
        proxy = self.proxy()
        proxy.initialize(workspaceFolders=[{"uri": "file:///w", "name": "w"}])
        first = self.only_daemon_of(proxy)
        document = Document(proxy, "file:///d", "slow", "a𝒳\r\nb")
        other = Document(proxy, "file:///e", "python", "gone")
        for _ in range(50):
            document.type()
        owed = document.ask({"line": 0, "character": 0})
        command = proxy.ask("workspace/executeCommand", {"command": "echo.document", "arguments": ["file:///d"]})
        self.assertEqual(proxy.answer(command)["result"]["text"], document.text)
        proxy.notify("textDocument/didClose", {"textDocument": {"uri": other.uri}})
        os.kill(first, signal.SIGKILL)
        self.assertEqual(proxy.answer(owed)["result"], {"items": []})
        wait_until(lambda: document.at_server() is not None, "the next daemon knows the document")
        self.assertEqual(document.at_server(), (document.text, document.version))
        self.assertIsNone(other.at_server())
        self.assertNotEqual(self.only_daemon(), first)
        document.type()
        self.assertEqual(document.at_server(), (document.text, document.version))

    def only_daemon_of(self, proxy):
        proxy.request("workspace/executeCommand", {"command": "echo.document", "arguments": ["file:///none"]})
        return self.only_daemon()

    def test_killed_after_shutdown(self):
        """After shutdown no new daemon is started; exit still means 0."""
        proxy = self.proxy()
        proxy.initialize()
        self.assertIsNone(proxy.request("shutdown", None)["result"])
        os.kill(self.only_daemon(), signal.SIGKILL)
        wait_until(lambda: not processes(self.path), "the daemon is gone")
        time.sleep(0.3)
        self.assertEqual(processes(self.path), [])
        proxy.notify("exit", None)
        self.assertEqual(proxy.process.wait(10), 0)

    def test_upgrade(self):
        """A proxy of a newer version has the old daemon replaced; the old proxy goes on with the new daemon."""
        old = self.proxy("--version", "0.9.0")
        old.initialize()
        document = Document(old, "file:///d", "later", "text")
        first = self.only_daemon()
        number = document.ask(document.position(4))
        self.assertIsNotNone(document.at_server())
        new = self.proxy("--version", "0.10.0")
        new.initialize()
        self.assertEqual(old.answer(number)["result"]["items"][0]["insertText"], "text<echo>")
        wait_until(lambda: document.at_server() == ("text", 1), "the old proxy is with the new daemon")
        wait_until(lambda: first not in processes(self.path), "the old daemon ends")
        command = open(f"/proc/{self.only_daemon()}/cmdline", "rb").read()
        self.assertIn(b"0.10.0", command)

    def test_older_proxy(self):
        """A proxy of an older version takes the newer daemon as it is."""
        self.proxy("--version", "2.0").initialize()
        first = self.only_daemon()
        self.proxy("--version", "1.9").initialize()
        self.assertEqual(self.only_daemon(), first)

    def test_program_replaced(self):
        """A daemon whose program's file was replaced is asked to go, too."""
        program = self.folder.name + "/program"
        subprocess.run(["cp", PROGRAM, program], check=True)
        client = ProxyClient([program, "lsp", "--socket", self.path])
        self.clients.append(client)
        client.initialize()
        first = self.only_daemon()
        subprocess.run(["cp", PROGRAM, program + ".new"], check=True)
        os.rename(program + ".new", program)
        client = ProxyClient([program, "lsp", "--socket", self.path])
        self.clients.append(client)
        client.initialize()
        wait_until(lambda: first not in processes(self.path), "the old daemon ends")
        self.assertEqual(os.readlink(f"/proc/{self.only_daemon()}/exe"), program)


class Limits(Carrying):
    """Who gets in, and how much of anything there is."""

    def test_memory(self):
        """The proxy's peak stays within 10 MiB while an ordinary session goes on."""
        proxy = self.proxy()
        proxy.initialize()
        document = Document(proxy, "file:///d", "python", "value = compute(index)  # and so on\n" * 10_000)
        for key in range(200):
            position = document.type()
            if key % 40 == 0:
                proxy.answer(document.ask(position), 100)
        now, peak = proxy.resident_kib()
        print(f"proxy: {now} KiB resident with a document of {len(document.text)} bytes, {peak} KiB at its peak", file=sys.stderr)
        self.assertLessEqual(peak, 10 * 1024)

    def test_slow_reader(self):
        """A client that asks and does not read is dropped; the daemon's memory stays bounded and others are served."""
        daemon = self.daemon()
        slow = socket.socket(socket.AF_UNIX)
        self.addCleanup(slow.close)
        slow.connect(self.path)
        line = "x" * 200_000
        reader = Client(slow.sendall, open(os.devnull, "rb"))  # sends only
        wait_until(lambda: reader.ended, "nothing is read")
        reader.ask("initialize", {"processId": None, "capabilities": {}})
        wait_until(lambda: slow.recv(1, socket.MSG_PEEK), "initialize is answered")
        document = Document(reader, "file:///d", "python", line)
        with self.assertRaises(Gone):
            for _ in range(100_000):
                document.ask(document.position(len(line)))
        status = open(f"/proc/{daemon.pid}/status", encoding="ascii").read()
        self.assertLess(int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]), 120_000)
        client = self.direct()
        client.initialize()
        self.assertEqual(self.echo(client), "abc<echo>")
        daemon.terminate()
        self.assertIn("does not read", daemon.stderr.read().decode())

    def test_slow_editor(self):
        """An editor that pauses gets everything later: the proxy holds little, and nothing is lost."""
        proxy = self.proxy()
        proxy.initialize()
        line = "y" * 20_000
        document = Document(proxy, "file:///d", "python", line)
        real_read = proxy.out
        with proxy.arrived:  # the reader thread stands still at its next message
            numbers = []
            for _ in range(200):
                proxy.last_id += 1
                numbers.append(proxy.last_id)
                proxy.open_requests[proxy.last_id] = time.monotonic()
                proxy.send({"id": proxy.last_id, "method": "textDocument/inlineCompletion", "params": {
                    "textDocument": {"uri": document.uri}, "position": document.position(len(line)),
                    "context": {"triggerKind": 2}}})
            time.sleep(0.5)
        self.assertIsNotNone(real_read)
        for number in numbers:
            self.assertEqual(len(proxy.answer(number)["result"]["items"]), 1)

    def test_tcp(self):
        """TCP: on the loopback only, and only with the token of a file that nobody else can read."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = str(probe.getsockname()[1])
        token_file = self.folder.name + "/token"
        self.daemon("--tcp", port, "--token-file", token_file)
        self.assertEqual(stat.S_IMODE(os.stat(token_file).st_mode), 0o600)
        listening = [line.split()[1] for line in open("/proc/net/tcp", encoding="ascii").readlines()[1:]
                     if line.split()[3] == "0A" and line.split()[1].endswith(f":{int(port):04X}")]
        self.assertEqual(listening, [f"0100007F:{int(port):04X}"])
        proxy = self.proxy("--tcp", port, "--token-file", token_file)
        proxy.initialize()
        self.assertEqual(self.echo(proxy), "abc<echo>")
        token = open(token_file, encoding="ascii").read().strip()
        wrong = (token[:-1] + ("1" if token[-1] == "0" else "0")).encode()
        for first, answer in [(b"cinnabar hello 0 " + wrong + b"\n", b"cinnabar refused 0.1.0\n"),
                              (b"cinnabar hello 0\n", b"cinnabar refused 0.1.0\n"), (b"cinnabar drain 0\n", b"cinnabar refused 0.1.0\n"),
                              (b"Content-Length: 2\r\n\r\n{}", b""), (b"GET / HTTP/1.1\r\n\r\n", b"")]:
            with socket.create_connection(("127.0.0.1", int(port)), timeout=10) as stranger:
                stranger.sendall(first)
                self.assertEqual(stranger.makefile("rb").read(), answer, first)
        self.assertEqual(self.echo(proxy), "abc<echo>")
        os.chmod(token_file, 0o644)
        refused = subprocess.run([PROGRAM, "daemon", "--socket", self.path + "2", "--tcp", port, "--token-file", token_file],
                                 capture_output=True, timeout=20, check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn(b"can be read by others", refused.stderr)


class Peer(Carrying):
    def test_other_user(self):
        """Another user is sent away by the daemon even where the files would let them in. Needs root to become one."""
        if os.geteuid() != 0:
            print("not root: nobody else to connect as; nothing was tested", file=sys.stderr)
            os._exit(77)  # ctest counts it as skipped
        daemon = self.daemon()
        os.chmod(self.folder.name, 0o755)
        os.chmod(self.path, 0o666)
        child = os.fork()
        if child == 0:
            os._exit(self.sent_away_as(65534))
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
        daemon.terminate()
        self.assertIn("is another user", daemon.stderr.read().decode())

    def sent_away_as(self, user):
        """0 when this process, become `user`, can connect and gets no word."""
        try:
            os.setuid(user)
            with socket.socket(socket.AF_UNIX) as stranger:
                stranger.settimeout(10)
                stranger.connect(self.path)
                stranger.sendall(b"cinnabar hello 0\n")
                return 0 if stranger.recv(100) == b"" else 1
        except ConnectionError:
            return 0
        except OSError:
            return 2


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2, warnings="ignore")
