#!/usr/bin/env python3
"""The command line as people use it who do not know it yet, and as scripts do that go wrong.

    command_line.py PROGRAM [ARGUMENT...]     the arguments name a model
"""
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from end_daemon import end_daemon  # noqa: E402

PROGRAM, MODEL = "", []
INFO = ["model", "info"]


def run(*arguments, text="", **options):
    return subprocess.run([PROGRAM, *arguments], input=text, capture_output=True, text=True, timeout=60, check=False, **options)


class CommandLine(unittest.TestCase):
    def test_help(self):
        """Every way to ask for help, or for the version, is one."""
        overview, version = run("--help"), run("--version")
        for arguments, same in [(["-h"], overview), (["help"], overview), (["version"], version), (["-V"], version),
                                (["status", "-h"], run("status", "--help")), (["help", "status"], run("status", "--help")),
                                (["--help", "status"], run("status", "--help")), (["model", "info", "-h"], run("help", "model", "info")),
                                (["model", "-h"], run("model", "--help")), (["help", "bench"], run("bench", "--help"))]:
            with self.subTest(arguments):
                said = run(*arguments)
                self.assertEqual((said.returncode, said.stdout, said.stderr), (0, same.stdout, ""))
                self.assertTrue(said.stdout)
        self.assertIn("model verify", run("model", "--help").stdout)
        said = run("model")
        self.assertEqual(said.returncode, 2)
        self.assertIn("verify", said.stderr)

    def test_order(self):
        """What everybody needs leads."""
        named = [line.split()[0] for line in run("--help").stdout.splitlines() if line.startswith("  ") and line[2] != " "]
        self.assertEqual(named[:5], ["lsp", "daemon", "status", "complete", "fill"])

    def test_nearly(self):
        """Names that are nearly right are named; others are not guessed at."""
        cases = [(["staus"], "did you mean 'status'?"), (["complet"], "did you mean 'complete'?"), (["demon"], "did you mean 'daemon'?"),
                 (["status", "--jsn"], "did you mean 'json'?"), (["daemon", "--thread", "1"], "did you mean 'threads'?")]
        for arguments, hint in cases:
            with self.subTest(arguments):
                said = run(*arguments)
                self.assertEqual(said.returncode, 2)
                self.assertIn(hint, said.stderr)
        for arguments in [["frobnicate"], ["status", "--frobnicate"], ["x"]]:
            said = run(*arguments)
            self.assertEqual(said.returncode, 2)
            self.assertNotIn("did you mean", said.stderr)

    def test_full(self):
        """What cannot be written is no success."""
        line = '{"id":1,"text":"x = 1","language":"python"}\n'
        with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
            file.write("def f():\n    return 1\n")
            file.flush()
            for arguments in [["--help"], ["--version"], ["parse", "--jsonl"], ["plan", file.name + ":2:5"], ["model", "info", MODEL[1]],
                              ["status", "--help"], ["prompt", *MODEL, file.name + ":2:5"]]:
                with self.subTest(arguments), open("/dev/full", "w", encoding="ascii") as full:
                    said = subprocess.run([PROGRAM, *arguments], input=line, text=True, stdout=full, stderr=subprocess.PIPE,
                                          timeout=60, check=False)
                    self.assertEqual(said.returncode, 1)
                    self.assertIn("cannot be written", said.stderr)
                closed = subprocess.run(["sh", "-c", 'exec "$0" "$@" >&-', PROGRAM, *arguments], input=line, text=True,
                                        stderr=subprocess.PIPE, timeout=60, check=False)
                self.assertEqual(closed.returncode, 1)

    def test_models_by_name(self):
        """Added, listed, chosen, run by name, removed; what is no model's name says which there are."""
        with tempfile.TemporaryDirectory() as home:
            at = {"env": {**os.environ, "HOME": home, "XDG_DATA_HOME": "", "XDG_CONFIG_HOME": ""}, "cwd": home}

            def said(*arguments, status=0):
                done = run(*arguments, **at)
                self.assertEqual(done.returncode, status, (arguments, done.stdout, done.stderr))
                self.assertLess(len(done.stderr.splitlines()), 3, done.stderr)
                return done.stdout + done.stderr

            self.assertIn("--model", said("complete", "--help"))
            self.assertIn("there is no model 'tiny'", said("model", "info", "tiny", status=1))
            said("model", "add", "tiny", MODEL[1])
            self.assertEqual(os.listdir(f"{home}/.local/share/cinnabar/models"), ["tiny"])
            self.assertIn("tiny", said("model", "list"))
            self.assertIn("already", said("model", "add", "tiny", MODEL[1], status=1))
            with open(f"{home}/x.py", "w", encoding="ascii") as file:
                file.write("x = \n")
            by_name, by_path = (said("complete", *model, "x.py:1:5").split(" ms")[0] for model in (["--model", "tiny"], MODEL))
            self.assertEqual(by_name.splitlines()[:-1], by_path.splitlines()[:-1])  # the last line has times
            said("model", "use", "tiny")
            self.assertIn("* tiny", said("model", "list"))
            self.assertIn("models/tiny", said("model", "info"))
            self.assertIn("tiny is removed", said("model", "remove", "tiny"))
            self.assertNotIn("tiny", said("model", "list"))
            self.assertFalse(os.path.exists(f"{home}/.config/cinnabar/model"))
            self.assertIn("make_model.py coder-1.5b", said("model", "add", "coder-1.5b", status=1))
            self.assertIn("make_model.py coder-1.5b", said("complete", "--model", "coder-1.5b", "x.py:1:5", status=1))
            for wrong in (["add"], ["add", "x"], ["remove"], ["use"], ["use", "a", "b"]):
                said("model", *wrong, status=2)

    def test_byte_order_mark(self):
        """A byte order mark in front of a file is no column of its first line."""
        for mark in ["", "\ufeff"]:
            with self.subTest(mark), tempfile.NamedTemporaryFile("w", suffix=".py", encoding="utf-8") as file:
                file.write(mark + "def f(): return \n")
                file.flush()
                self.assertEqual(run("plan", file.name + ":1:17").returncode, 0)
                self.assertIn("has 17 columns", run("plan", file.name + ":1:18").stderr)

    def test_endless(self):
        """A line without end is not read without limit."""
        for arguments in [["replay", *MODEL, "/dev/zero"], ["eval", *MODEL, "/dev/zero"], ["plan", "/dev/zero:1:1"],
                          ["fill", *MODEL, "/dev/zero"]]:
            with self.subTest(arguments):
                # The address sanitizer reserves terabytes of addresses; there the time limit alone has to hold.
                limit = ("" if "ASAN_OPTIONS" in os.environ else f"ulimit -v {6 << 20}; ") + "exec \"$0\" \"$@\""
                said = subprocess.run(["sh", "-c", limit, PROGRAM, *arguments], capture_output=True, text=True, timeout=60, check=False)
                self.assertIn(said.returncode, (1, 2), said.stderr[-300:])
        with open("/dev/zero", "rb") as zero:
            said = subprocess.run([PROGRAM, "parse", "--jsonl"], stdin=zero, capture_output=True, timeout=60, check=False)
            self.assertEqual(said.returncode, 1)

    def test_paths(self):
        """An empty path, and a folder that is gone, end nothing but the command."""
        with tempfile.TemporaryDirectory() as folder:
            gone = folder + "/gone"
            for arguments in [["daemon", "--socket="], ["lsp", "--socket="], ["daemon", "--socket", folder + "/s", "--model="],
                              ["lsp", "--socket", folder + "/s", "--model="], ["lsp", "--in-process", "--adapter="],
                              ["lsp", "--in-process", "--model", "relative"], ["lsp", "--socket", folder + "/s", "--record="],
                              ["plan", "a.py:1:1"], ["prompt", *MODEL, "a.py:1:1"]]:
                with self.subTest(arguments):
                    os.mkdir(gone)
                    process = subprocess.Popen(["sh", "-c", 'cd "$1" && rmdir "$1" && shift && exec "$@"', "sh", gone, PROGRAM,
                                                *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                               stderr=subprocess.DEVNULL, env={**os.environ, "XDG_RUNTIME_DIR": folder})
                    try:
                        process.wait(1)
                    except subprocess.TimeoutExpired:
                        process.terminate()
                    self.assertGreaterEqual(process.wait(20), 0, "ended by a signal")
                    # A proxy may have started one, which goes on without it.
                    for path in [folder + "/s", folder + "/cinnabar/cinnabar.sock"]:
                        end_daemon(path)

    def test_end_while_loading(self):
        """Who is told to end while the model is being loaded does not wait for it."""
        with tempfile.TemporaryDirectory(prefix="cinnabar-") as folder:
            process = subprocess.Popen([PROGRAM, "daemon", "--socket", folder + "/s"], stderr=subprocess.DEVNULL)
            while not os.path.exists(folder + "/s"):
                time.sleep(0.01)
            begun = time.monotonic()
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(60), 0)
            self.assertLess(time.monotonic() - begun, 2)
            self.assertFalse(os.path.exists(folder + "/s"))


if __name__ == "__main__":
    PROGRAM, MODEL = os.path.abspath(sys.argv[1]), sys.argv[2:]
    unittest.main(argv=sys.argv[:1], verbosity=2, warnings="ignore")
