#!/usr/bin/env python3
"""Checks the held-out holes, how answers to them are scored, and the commands that this needs:  checks.py CINNABAR"""
import collections
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import held_out
import score_syntax

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


class Scores(unittest.TestCase):
    def test_nodes_are_counted_in_the_whole_text(self):
        texts = [("python", "x = f(1)\n"), ("python", "x = f(1))\n"), ("javascript", "f(a;\n"), ("python", "x = f(1)\n")]
        counts = score_syntax.count_damage(CINNABAR, texts)
        self.assertEqual(counts[0], 0)
        self.assertEqual(counts[3], 0)
        self.assertGreater(counts[1], 0)
        self.assertGreater(counts[2], 0)

    def test_a_closer_too_many(self):
        call = hole("f(", "a", ");")
        self.assertTrue(score_syntax.doubled("a)", call))
        self.assertTrue(score_syntax.doubled("g(a))\n", call))
        self.assertFalse(score_syntax.doubled("g(a)", call))
        self.assertFalse(score_syntax.doubled("a]", call))

    def test_where_an_answer_ends(self):
        line = hole("x = ", "f(1);", "\n")
        self.assertIs(score_syntax.ending(line, "f(1);", {}), True)
        self.assertIs(score_syntax.ending(line, "f(1);\ng();", {}), False)
        self.assertIs(score_syntax.ending(line, "h(1);", {}), None)
        self.assertIs(score_syntax.ending(line, "f(", {}), None)
        self.assertIs(score_syntax.ending(line, "f(", {"x": {"text": "1);\ng()"}}), False)
        self.assertIs(score_syntax.ending(line, "f(", {"x": {"text": "2);"}}), None)

    def test_distance(self):
        self.assertEqual(score_syntax.edit_distance("kitten", "sitting"), 3)
        self.assertEqual(score_syntax.edit_distance("", "ab"), 2)
        self.assertEqual(score_syntax.edit_distance("abc", "abc"), 0)


TINY = Path(__file__).resolve().parent.parent / "golden" / "models" / "qwen2_block"


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
        self.assertIn("cost = total_price(", alone)
        self.assertNotIn("def total_price", alone)
        beside = self.run_program("prompt", place, "--workspace-context", "on")
        self.assertIn("shop.py:1 defines total_price, named on the cursor's line", beside)
        self.assertIn("# shop.py\ndef total_price(items, factor):", beside)
        self.assertLess(beside.index("# shop.py"), beside.index("cost = total_price("))  # the stablest first

    def test_infill_says_how_sure_it_is_and_what_it_read(self):
        hole = {"id": 1, "prefix": self.text[:-1], "suffix": "\n", "path": f"{self.folder}/main.py", "max_tokens": 8,
                "workspace": str(self.folder)}
        answer = json.loads(self.run_program("infill", "--jsonl", "--details", given=json.dumps(hole)))
        self.assertEqual([piece[0] for piece in answer["context"]], ["shop.py"])
        self.assertGreater(len(answer["confidence"]), 0)
        self.assertTrue(all(0 <= p <= 1 for _, p, _ in answer["confidence"]))

    def test_a_former_answer_is_ended_and_judged_again(self):
        hole = {"id": 1, "prefix": "x = [", "suffix": "]\n", "language": "python", "raw": "1]\ny = 2"}
        answer = json.loads(self.run_program("infill", "--jsonl", "--details", given=json.dumps(hole)))
        self.assertEqual((answer["raw"], answer["text"], answer["nfe"]), ("1", "1", 0))


if __name__ == "__main__":
    unittest.main()
