#!/usr/bin/env python3
"""What `cinnabar daemon --record` writes, and what `cinnabar replay` makes of it.

    recording.py PROGRAM [ARGUMENT...] [--only TEST]      the arguments are the daemon's, such as its model
"""
import json
import os
import stat
import subprocess
import sys
import tempfile
import unittest

from client import Document, SocketClient, wait_until

COMMAND = []
PYTHON = '''def mean(values):
    """The arithmetic mean."""
    total = sum(values)
    return 

def largest(values):
    best = values[0]
    for value in values:
        if value > best:
            best = value
    return best
'''


class Recording(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cinnabar-")
        self.addCleanup(folder.cleanup)
        self.folder, self.file = folder.name, folder.name + "/recording"

    def record(self):
        """A few requests of all kinds; returns what the daemon logged."""
        path = self.folder + "/s"
        with open(self.folder + "/log", "w+", encoding="utf-8") as log:
            daemon = subprocess.Popen([COMMAND[0], "daemon", "--socket", path, "--record", self.file, *COMMAND[1:]], stderr=log)
            try:
                wait_until(lambda: os.path.exists(path), "the daemon listens", 60)
                client = SocketClient(path, timeout=120)
                self.addCleanup(client.socket.close)
                client.initialize()
                document = Document(client, "file:///w/private_folder/means.py", "python", PYTHON)
                place = {"line": 3, "character": 11}
                for trigger in [2, 1]:
                    client.request("textDocument/inlineCompletion", {"textDocument": {"uri": document.uri}, "position": place,
                                                                     "context": {"triggerKind": trigger}}, 120)
                text = Document(client, "file:///w/a.txt", "plaintext", "foo(; \n")
                client.answer(text.ask({"line": 0, "character": 6}), 120)
                # Prefetches and warmings of the two go on for a while.
                wait_until(lambda: client.request("cinnabar/status", None)["result"]["queue"] == {"waiting": 0, "running": 0},
                           "the daemon rests", 60)
            finally:
                daemon.terminate()
                daemon.wait(60)
            log.seek(0)
            return log.read()

    def replay(self, *arguments):
        return subprocess.run([COMMAND[0], "replay", *arguments], capture_output=True, text=True, timeout=300, check=False)

    def lines(self):
        with open(self.file, encoding="utf-8") as file:
            return file.read().splitlines(keepends=True)

    def write(self, lines):
        with open(self.file, "w", encoding="utf-8") as file:
            file.writelines(lines)

    def test_same(self):
        """What was recorded comes again, to the bit; the file is the user's alone and names no folder."""
        log = self.record()
        self.assertIn(f"records every request to the model, with its text, in {self.file}", log)
        self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o600)
        lines = self.lines()
        self.assertGreaterEqual(len(lines), 3)
        self.assertNotIn("private_folder", "".join(lines))
        self.assertNotIn("def mean", log)
        self.assertEqual([line for line in lines if json.loads(line)["candidates"] == 3][1:], [])
        said = self.replay(self.file)
        self.assertEqual((said.returncode, said.stderr), (0, ""), said.stdout)
        for number in range(1, len(lines) + 1):
            self.assertRegex(said.stdout, rf"(?m)^line {number}: (same|not compared)")
        self.assertRegex(said.stdout, rf"{len(lines)} requests: \d+ same, 0 different, 0 not compared, 0 not run\n$")

    def test_different(self):
        """Another text, and another number of answers: each its line, and exit status 1."""
        self.record()
        lines = self.lines()[:2]
        for at, change in enumerate([lambda answers: answers[0].update(text="other"), lambda answers: answers.append(answers[0])]):
            record = json.loads(lines[at])
            change(record["answers"])
            lines[at] = json.dumps(record) + "\n"
        self.write(lines)
        said = self.replay(self.file)
        self.assertEqual(said.returncode, 1)
        self.assertRegex(said.stdout, r'(?m)^line 1: different: recorded "other" \(\w+\), now "')
        self.assertRegex(said.stdout, r"(?m)^line 2: different: recorded \d answers, now \d")

    def test_damaged(self):
        """A line that is cut, and one with a wrong member, are named; the others are run."""
        self.record()
        lines = self.lines()
        wrong = json.loads(lines[0])
        wrong["before"] = None
        self.write([lines[0][:100] + "\n", lines[0], json.dumps(wrong) + "\n", lines[1][:-20]])
        said = self.replay(self.file)
        self.assertEqual(said.returncode, 1)
        self.assertRegex(said.stderr, r"recording, line 1: not a whole line of a recording: ")
        self.assertRegex(said.stderr, r"recording, line 3: record\.before: expected string, found null")
        self.assertRegex(said.stderr, r"recording, line 4: not a whole line of a recording: ")
        self.assertRegex(said.stdout, r"(?m)^line 2: same")
        self.assertIn("4 requests: 1 same, 0 different, 0 not compared, 3 not run", said.stdout)

    def test_no_file(self):
        """No file, an empty one, no argument."""
        self.assertRegex(self.replay(self.file).stderr, r"recording: cannot be read")
        self.write([])
        self.assertRegex(self.replay(self.file).stderr, r"recording: is empty")
        self.assertEqual((self.replay(self.file).returncode, self.replay().returncode), (1, 2))

    def test_open_file(self):
        """A file that others may read is not recorded into: the daemon says so and ends."""
        self.write([])
        os.chmod(self.file, 0o644)
        said = subprocess.run([COMMAND[0], "daemon", "--socket", self.folder + "/s", "--record", self.file, *COMMAND[1:]],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(said.returncode, 1)
        self.assertIn("others may read it; expected mode 0600", said.stderr)


if __name__ == "__main__":
    only = sys.argv.index("--only") if "--only" in sys.argv else len(sys.argv)
    COMMAND = sys.argv[1:only]
    unittest.main(argv=sys.argv[:1] + [f"Recording.{name}" for name in sys.argv[only + 1:]], verbosity=2)
