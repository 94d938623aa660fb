#!/usr/bin/env python3
"""What `cinnabar status` says of a daemon that runs, and of one that does not.

    status.py PROGRAM [ARGUMENT...]     the arguments are the daemon's, such as its model
"""
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

from client import Document, ProxyClient, SocketClient, wait_until

COMMAND = []


class Status(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cinnabar-")
        self.addCleanup(folder.cleanup)
        self.path = folder.name + "/s"

    def daemon(self):
        process = subprocess.Popen([COMMAND[0], "daemon", "--socket", self.path, *COMMAND[1:]], stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        wait_until(lambda: os.path.exists(self.path), "the daemon listens")
        return process

    def status(self, *arguments):
        return subprocess.run([COMMAND[0], "status", "--socket", self.path, *arguments], capture_output=True, text=True,
                              timeout=60, check=False)

    def direct(self):
        client = SocketClient(self.path, timeout=60)
        self.addCleanup(client.socket.close)
        return client

    def completed(self, client):
        """Has one completion made."""
        client.initialize()
        document = Document(client, "file:///w/a.txt", "plaintext", "foo(; \n")
        self.assertTrue(client.answer(document.ask({"line": 0, "character": 6}))["result"]["items"])

    def test_none(self):
        """No daemon: a line that says so, an exit status of its own, and none is started."""
        said = self.status()
        self.assertEqual((said.returncode, said.stdout), (3, ""))
        self.assertRegex(said.stderr, r"no daemon runs \(no daemon listens at .*/s\)")
        self.assertFalse(os.path.exists(self.path))

    def test_json(self):
        """The same as the request cinnabar/status, but for the client that asks."""
        daemon = self.daemon()
        client = self.direct()
        self.completed(client)
        said = json.loads(self.status("--json").stdout)
        asked = client.request("cinnabar/status", None)["result"]
        self.assertEqual(said.keys(), asked.keys())
        self.assertEqual(said["pid"], daemon.pid)
        self.assertEqual(said["clients"], 1)
        self.assertEqual(said["model"], asked["model"])
        self.assertRegex(said["model"]["device"], r"^cpu \(plain, 1 thread")
        self.assertGreater(said["residentBytes"], 1 << 20)
        self.assertEqual(said["queue"].keys(), {"waiting", "running"})
        for stage in ["queue", "prompt", "denoise", "post", "total"]:
            self.assertEqual(said["milliseconds"][stage]["n"], 1, stage)
            self.assertEqual(said["milliseconds"][stage].keys(), {"n", "p50", "p95", "p99"})
        self.assertGreater(said["milliseconds"]["denoise"]["p50"], 0)
        counts = {name: said["counts"][name] for name in ["offered", "shown", "partlyAccepted", "accepted", "failed",
                                                          "modelLoads", "modelFailures", "resumed"]}
        self.assertEqual(counts, {"offered": 1, "shown": 0, "partlyAccepted": 0, "accepted": 0, "failed": 0,
                                  "modelLoads": 1, "modelFailures": 0, "resumed": 0})

    def test_text(self):
        """For a person: a line for each."""
        self.daemon()
        self.completed(self.direct())
        said = self.status()
        self.assertEqual((said.returncode, said.stderr), (0, ""))
        for line in [
            r"^daemon +\d+\.\d+\.\d+, process \d+, up \d+ s, at .*/s$",
            r"^model +\S+ \(ready\)$",
            r"^device +cpu",
            r"^memory +\d+ MiB",
            r"^clients +1$",
            r"^queue +\d+ waiting, \d+ running$",
            r"^ +queue +1 +\d+\.\d\d +\d+\.\d\d +\d+\.\d\d$",
            r"^ +prompt +1 ",
            r"^ +denoise +1 ",
            r"^ +post +1 ",
            r"^ +cached +0 +- +- +-$",
            r"^requests +1: 1 by the model",
            r"^acceptance +1 offered, 0 shown",
            r"^trouble +0 requests failed, 0 had nothing to show in time, 0 of 1 model loads failed, 0 sessions",
        ]:
            self.assertRegex(said.stdout, "(?m)" + line)

    def test_resumed(self):
        """An editor whose daemon died is counted by the next daemon."""
        editor = ProxyClient([COMMAND[0], "lsp", "--socket", self.path, *COMMAND[1:]], timeout=60)
        self.addCleanup(editor.process.wait)
        self.addCleanup(editor.process.kill)
        self.completed(editor)
        first = json.loads(self.status("--json").stdout)
        self.assertEqual(first["counts"]["resumed"], 0)
        os.kill(first["pid"], signal.SIGKILL)
        wait_until(lambda: (said := self.status("--json")).returncode == 0 and json.loads(said.stdout)["counts"]["resumed"] == 1,
                   "the next daemon has the editor")
        os.kill(json.loads(self.status("--json").stdout)["pid"], signal.SIGTERM)

    def test_request_settings(self):
        """A setting of requests loads no model anew, and gives a second editor its own value."""
        self.daemon()
        first, second = self.direct(), self.direct()
        self.completed(first)
        first.notify("workspace/didChangeConfiguration", {"settings": {"cinnabar": {"promptBytes": 1000, "deadlineMs": 9000}}})
        document = Document(first, "file:///w/b.txt", "plaintext", "foo(; \n")
        self.assertTrue(first.answer(document.ask({"line": 0, "character": 6}))["result"]["items"])
        second.initialize(initializationOptions={"promptBytes": 2000, "mode": "autoregressive", "repairs": 0})
        document = Document(second, "file:///w/c.txt", "plaintext", "foo(; \n")
        self.assertTrue(second.answer(document.ask({"line": 0, "character": 6}))["result"]["items"])
        counts = first.request("cinnabar/status", None)["result"]["counts"]
        self.assertEqual((counts["modelLoads"], counts["failed"], counts["requests"]), (1, 0, 3))
        for client in [first, second]:
            said = [message["params"] for message in client.notifications if message["method"] == "didChangeStatus"]
            self.assertNotIn("shared with an editor", json.dumps(said))

    def test_stranger(self):
        """What answers otherwise is no daemon of ours."""
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path)
            listener.listen()

            def answer():
                with listener.accept()[0] as peer:
                    peer.sendall(b"220 ready\n")
                    peer.recv(1000)

            threading.Thread(target=answer, daemon=True).start()
            said = self.status()
        self.assertEqual((said.returncode, said.stdout), (1, ""))
        self.assertIn("is no daemon of ours", said.stderr)


if __name__ == "__main__":
    COMMAND = sys.argv[1:]
    unittest.main(argv=sys.argv[:1], verbosity=2)
