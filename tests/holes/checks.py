#!/usr/bin/env python3
"""Checks the held-out holes, how answers to them are scored, and the commands that this needs:  checks.py CINNABAR"""
import collections
import contextlib
import io
import json
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import fit_gate
import held_out
import tested_lines

CINNABAR = sys.argv.pop() if len(sys.argv) > 1 else ""


def hole(prefix, middle, suffix):
    return {"id": "x", "language": "javascript", "prefix": prefix, "middle": middle, "suffix": suffix}


class Holes(unittest.TestCase):
    def test_there_are_a_thousand_of_all_kinds(self):
        holes = list(held_out.joined())
        self.assertEqual(len({h["id"] for h in holes}), 1000)
        self.assertEqual(collections.Counter(h["language"] for h in holes), held_out.LANGUAGES)
        self.assertEqual({h["kind"] for h in holes}, set(held_out.KINDS))
        for h in holes:
            self.assertTrue(h["middle"].strip(), h["id"])
            self.assertEqual(h["middle"], h["middle"].rstrip(), h["id"])

    def test_every_file_has_a_licence_that_allows_it(self):
        for file in held_out.read("held_out_files"):
            self.assertTrue(held_out.collect.licences.allowed(file["licence"]), file["path"])


class TestedLines(unittest.TestCase):
    def test_there_are_nearly_two_hundred_and_each_is_licensed(self):
        holes = tested_lines.read(tested_lines.FILE)
        self.assertGreater(len(holes), 180)
        self.assertEqual(len({h["id"] for h in holes}), len(holes))
        for h in holes:
            self.assertIn(h["licence"], ("MIT", "BSD-3-Clause"))
            self.assertTrue(h["prefix"].endswith("\n"), h["id"])
            self.assertTrue(h["suffix"].startswith("\n") or h["middle"].endswith("\n"), h["id"])

    def test_what_stood_there_passes_and_nothing_does_not(self):
        for h in tested_lines.read(tested_lines.FILE)[::40]:
            for text, passes in ((h["middle"], True), ("", False)):
                found = tested_lines.passes(h["imports"], h["function"], h["prefix"] + text + h["suffix"], [])
                self.assertEqual(found, passes, h["id"])

    def test_an_answer_that_does_not_end_is_stopped(self):
        text = 'def f():\n    """\n    >>> f()\n    """\n    while True:\n        pass'
        self.assertFalse(tested_lines.passes("", "f", text, [], seconds=1))


TINY = Path(__file__).resolve().parent.parent / "golden" / "models" / "qwen2_block"


class Gate(unittest.TestCase):
    def test_a_fit_of_few_answers_is_a_gate_of_model_json(self):
        rows = [(str(i), [([-0.1 * (i % 10), -0.1 * (i % 10), 0.5, 1.0], i % 10 < 5)], [[-0.1 * (i % 10), -0.1 * (i % 10), 0.5, 1.0]])
                for i in range(40)]
        precision, recall, _ = fit_gate.crossed(rows, rounds=1)["balanced"]
        self.assertGreater(precision, 95)  # what decides is among the features
        self.assertGreater(recall, 80)
        with contextlib.redirect_stdout(io.StringIO()) as said:
            fit_gate.print_gate(*fit_gate.fitted(rows))
        gate = json.loads("{" + said.getvalue() + "}")["gate"]
        self.assertEqual(list(gate), ["constant", "sum", "least", "least_margin", "log_tokens", "balanced", "quiet"])
        self.assertTrue(0 < gate["balanced"] <= gate["quiet"] < 1)


class Commands(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()
        (self.folder / "shop.py").write_text("def total_price(items, factor):\n    return 1\n")
        (self.folder / ".env.py").write_text("def total_price_secret():\n    return 1\n")
        self.text = "from shop import total_price\n\ncost = total_price(\n"
        (self.folder / "main.py").write_text(self.text)

    def run_program(self, *arguments, given=""):
        done = subprocess.run([CINNABAR, *arguments, "--model", TINY], input=given, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_prompt_says_what_is_read_and_why(self):
        place = f"{self.folder}/main.py:3:20"
        alone = self.run_program("prompt", place)
        self.assertIn("cost = total_price", alone)  # its "(" is for the answer to spell
        self.assertNotIn("def total_price", alone)
        beside = self.run_program("prompt", place, "--workspace-context", "on")
        self.assertIn("shop.py:1 defines total_price, named on the cursor's line", beside)
        self.assertIn("# shop.py\ndef total_price(items, factor):", beside)
        self.assertLess(beside.index("# shop.py"), beside.index("cost = total_price"))  # the stablest first

    def test_infill_says_how_sure_it_is_and_what_it_read(self):
        hole = {"id": 1, "prefix": self.text[:-1], "suffix": "\n", "path": f"{self.folder}/main.py", "max_tokens": 8,
                "workspace": str(self.folder)}
        answer = json.loads(self.run_program("infill", "--jsonl", "--details", given=json.dumps(hole)))
        self.assertEqual([piece[0] for piece in answer["context"]], ["shop.py"])
        self.assertGreater(len(answer["confidence"]), 0)
        self.assertTrue(all(0 <= p <= 1 for _, p, _ in answer["confidence"]))

    def test_the_trajectory_is_the_canvas_after_every_forward(self):
        hole = {"id": 1, "prefix": "x = [", "suffix": "]\n", "max_tokens": 8, "stop": "hole"}
        answer = json.loads(self.run_program("infill", "--jsonl", "--trajectory", "--mode", "diffusion", given=json.dumps(hole)))
        steps = answer["trajectory"]
        self.assertEqual(len(steps), answer["nfe"])
        open_places = [sum(place is None for place in step) for step in steps]
        self.assertGreater(open_places[0], open_places[-1])  # masks are null and become fewer
        settled = [place for place in steps[-1] if place is not None]
        self.assertTrue(all(isinstance(token, int) and 0 <= p <= 1 for token, p in settled))

    def test_logits_of_judged_rows_say_what_was_committed(self):
        hole = {"id": 1, "prefix": "x = [", "suffix": "]\n", "max_tokens": 4, "stop": "hole"}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "logits"
            path.write_bytes(b"kept")  # rows are added
            answer = json.loads(self.run_program("infill", "--jsonl", "--trajectory", "--mode", "autoregressive", "--logits", path,
                                                 given=json.dumps(hole)))
            told, data = answer["logits"], path.read_bytes()
        vocabulary, rows = told["vocabulary"], told["rows"]
        self.assertEqual((told["begin"], told["file"]), (4, str(path)))
        self.assertEqual(len(data), 4 + 4 * vocabulary * len(rows))
        self.assertEqual([forward for forward, _ in rows], list(range(answer["nfe"])))  # one row a forward
        free = [(row, step[row]) for row, step in enumerate(answer["trajectory"]) if step[row][1] < 1]  # not spelt by healing
        self.assertGreater(len(free), 0)
        for row, (token, _) in free:
            logits = struct.unpack_from(f"<{vocabulary}f", data, told["begin"] + 4 * vocabulary * row)
            self.assertEqual(logits[token], max(logits[:256]))  # of those that may be chosen: no special tokens

    def test_logits_that_cannot_be_written_are_an_error(self):
        hole = {"id": 1, "prefix": "x = [", "suffix": "]\n", "max_tokens": 1}
        said = subprocess.run([CINNABAR, "infill", "--jsonl", "--logits", "/nowhere/logits"], input=json.dumps(hole),
                              capture_output=True, text=True, check=False)
        self.assertEqual(said.returncode, 1)
        self.assertIn("/nowhere/logits: cannot be written", json.loads(said.stdout)["error"])

    def test_a_former_answer_is_ended_and_judged_again(self):
        hole = {"id": 1, "prefix": "x = [", "suffix": "]\n", "language": "python", "raw": "1]\ny = 2"}
        answer = json.loads(self.run_program("infill", "--jsonl", "--details", given=json.dumps(hole)))
        self.assertEqual((answer["raw"], answer["text"], answer["nfe"]), ("1", "1", 0))

    def test_parse_counts_nodes(self):
        texts = [{"id": 1, "language": "python", "text": "x = f(1))\n"}, {"id": 2, "path": "a.js", "text": "f(a);\n"}]
        done = subprocess.run([CINNABAR, "parse", "--jsonl"], input="\n".join(map(json.dumps, texts)), capture_output=True,
                              text=True, check=True)
        wrong, right = map(json.loads, done.stdout.splitlines())
        self.assertGreater(wrong["errors"] + wrong["missing"], 0)
        self.assertEqual((right["id"], right["errors"], right["missing"]), (2, 0, 0))

    def test_an_evaluation_goes_on_and_compares_modes(self):
        holes, answers, card = (str(self.folder / name) for name in ("holes.jsonl", "answers.jsonl", "card.md"))
        cut = [{"id": str(i), "kind": "line", "language": "python", "prefix": "x = [", "middle": f"{i}", "suffix": "]\n"}
               for i in range(3)]
        Path(holes).write_text("".join(json.dumps(hole) + "\n" for hole in cut))
        common = ("eval", holes, "--answers", answers, "--max-tokens", "8")
        first = self.run_program(*common, "--most", "2")
        self.assertIn("| all | 2 |", first)
        self.assertEqual(len(Path(answers).read_text().splitlines()), 2)
        self.assertIn("| all | 3 |", self.run_program(*common))
        self.assertEqual(len(Path(answers).read_text().splitlines()), 3)
        Path(card).write_text("before\n<!-- cinnabar eval -->\nold\n<!-- end of cinnabar eval -->\nbehind\n")
        both = self.run_program(*common, "--mode", "autoregressive", "--into", card)
        self.assertIn("**verified**", both)
        self.assertIn("**autoregressive**", both)
        self.assertEqual(Path(card).read_text(),
                         f"before\n<!-- cinnabar eval -->\n{both}<!-- end of cinnabar eval -->\nbehind\n")
        # Nothing is open any more: no model is needed.
        done = subprocess.run([CINNABAR, *common, "--model", "/nonexistent"], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, both))

    def test_a_mode_of_a_holes_own_is_not_asked(self):
        holes, answers = self.folder / "holes.jsonl", self.folder / "answers.jsonl"
        holes.write_text('{"id": "1", "kind": "line", "language": "python", "prefix": "x = ", "middle": "1", "suffix": "\\n",'
                         ' "mode": "autoregressive"}\n')
        for _ in range(2):
            done = self.run_program("eval", str(holes), "--answers", str(answers), "--max-tokens", "8")
            self.assertTrue(done.startswith("**verified**"), done)
            self.assertEqual([json.loads(line)["mode"] for line in answers.read_text().splitlines()], ["verified"])

    def test_answers_from_elsewhere_are_scored(self):
        holes, answers = self.folder / "holes.jsonl", self.folder / "answers.jsonl"
        holes.write_text('{"id": "1", "kind": "line", "language": "python", "prefix": "x = ", "middle": "1", "suffix": ""}\n')
        answers.write_text('{"id": "1", "text": "1", "nfe": 1, "tokens": 1, "ms": 5}\n')
        done = self.run_program("eval", str(holes), "--answers", str(answers), "--most", "0")
        self.assertIn("| all | 1 | 100.0 | 100.0 | 100.0 | 100.0 | 0.0 | 0.0 | 100.0 | 1 |", done)

    def test_an_evaluation_says_what_is_wrong(self):
        holes = self.folder / "holes.jsonl"
        for text, complaint in (("", "no holes"), ("[]\n", ":1: expected a JSON object"),
                                ('{"id": "1"}\n', '"prefix" is missing'), ('{"id": 1}\n', '"id" is number')):
            holes.write_text(text)
            done = subprocess.run([CINNABAR, "eval", str(holes)], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(complaint, done.stderr)


if __name__ == "__main__":
    unittest.main()
