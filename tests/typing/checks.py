#!/usr/bin/env python3
"""Checks the scripts for `cinnabar eval typing` and the command:  checks.py CINNABAR"""
import json
import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import lexing
import make_scripts

CINNABAR = sys.argv.pop() if len(sys.argv) > 1 else ""
HERE = Path(__file__).resolve().parent
TINY = HERE.parent / "golden" / "models" / "qwen2_block"


def offset(text, line, character):
    begin = 0
    for _ in range(line):
        begin = text.index("\n", begin) + 1
    rest = text[begin:].split("\n", 1)[0].encode("utf-16-le")
    assert 2 * character <= len(rest), "behind the line's end"
    return begin + len(rest[:2 * character].decode("utf-16-le"))


def replayed(script):
    """(text, cursor) after each key."""
    text = script["text"]
    for _, line, character, end_line, end_character, inserted, cursor_line, cursor_character in script["keys"]:
        begin, end = offset(text, line, character), offset(text, end_line, end_character)
        text = text[:begin] + inserted + text[end:]
        yield text, offset(text, cursor_line, cursor_character)


class Scripts(unittest.TestCase):
    def test_each_set_has_about_a_hundred_places_in_a_dozen_languages(self):
        for name in make_scripts.SETS:
            scripts = list(make_scripts.scripts(name))
            places = [place for script in scripts for place in script["places"]]
            self.assertGreater(len(places), 90)
            self.assertEqual(len({place["id"] for place in places}), len(places))
            self.assertGreaterEqual(len({script["language"] for script in scripts}), 12)
            self.assertGreaterEqual(len({place["kind"] for place in places}), 14)
            self.assertEqual(scripts, list(make_scripts.scripts(name)))  # the seed says all

    def test_no_file_is_in_both_sets(self):
        dev, blind = ({script["id"].split("/")[0] for script in make_scripts.scripts(name)} for name in ("dev", "blind"))
        self.assertFalse(dev & blind)

    def test_keys_write_what_comes_next(self):
        for name in make_scripts.SETS:
            for script in make_scripts.scripts(name):
                states = list(replayed(script))
                for place in script["places"]:
                    text, cursor = states[place["key"]]
                    self.assertTrue(make_scripts.worth_judging(place.get("hole", place["next"])), place["id"])
                    if "hole" in place:  # a closer stands behind the cursor, and comes next in the file, too
                        self.assertEqual(text[cursor], (place["next"] + " " * 600)[len(place["hole"])], place["id"])

    def test_an_editor_pairs_and_types_over(self):
        text = "def f(a):\n    return {\n        'k': g(a),\n    }\n"
        editor = make_scripts.Editor("", text, "", "python", True, random.Random(1), typos=0)
        editor.write()
        states = [after for _, after, *_ in editor.keys]
        self.assertIn("def f()", states)
        self.assertIn("def f(a)", states)
        self.assertIn("def f(a):\n    return {\n        \n    }", states)
        self.assertIn("def f(a):\n    return {\n        ''\n    }", states)
        self.assertEqual(states[-1], text)

    def test_what_stands_before_a_cursor(self):
        for text, at, kind in (("x = names[i]", 10, "after ["), ("foo.bar", 4, "after ."), ("foo.bar", 5, "part of a word"),
                               ("a = 'b'", 5, "open string"), ("a  # b", 4, "comment"), ("a\n  b", 4, "indented blank line"),
                               ("a\nb", 2, "blank line"), ("return a", 7, "blank behind a word"), ("a, b", 3, "blank behind punctuation"),
                               ("f(a)", 1, "word"), ("x<T>", 2, "after other punctuation")):
            regions, _ = lexing.scan(text, "python")
            self.assertEqual(lexing.kind_before(text, regions, at), kind, text[:at])


class Command(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.script = {"id": "s", "path": "a.py", "language": "python", "text": "",
                       "keys": [[100, 0, 0, 0, 0, "x", 0, 1], [100, 0, 1, 0, 1, " ", 0, 2], [100, 0, 2, 0, 2, "=", 0, 3]],
                       "places": [{"id": "s:1", "key": 0, "kind": "part of a word", "next": " = 1"},
                                  {"id": "s:3", "key": 2, "kind": "after =", "next": " 1"}]}

    def run_program(self, *arguments, status=0):
        scripts = self.folder / "scripts.jsonl"
        scripts.write_text(json.dumps(self.script) + "\n")
        done = subprocess.run([CINNABAR, "eval", "typing", scripts, *arguments], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def test_a_run_goes_on_where_it_stopped(self):
        answers, card = self.folder / "a.jsonl", self.folder / "card.md"
        card.write_text("<!-- cinnabar eval typing -->\nold\n<!-- end of cinnabar eval typing -->\n")
        common = ("--answers", answers, "--max-tokens", "4", "--into", card, "--eagerness", "eager")
        first = self.run_program("--model", TINY, *common).stdout
        self.assertIn("| all | 2 |", first)
        self.assertIn("| python | 2 |", first)
        self.assertIn("| after = | 1 |", first)
        self.assertEqual(card.read_text(), f"<!-- cinnabar eval typing -->\n{first}<!-- end of cinnabar eval typing -->\n")
        # Nothing is open any more: no model is needed.
        self.assertEqual(self.run_program("--model", "/nonexistent", *common).stdout, first)
        lines = answers.read_text().splitlines()
        self.assertEqual([json.loads(line)["id"] for line in lines], ["s:1", "s:3"])
        answers.write_text(lines[0] + "\n")
        self.run_program("--model", TINY, *common)
        self.assertEqual([json.loads(line)["id"] for line in answers.read_text().splitlines()], ["s:1", "s:3"])

    def test_details_say_what_was_shown(self):
        (self.folder / "a.jsonl").write_text('{"id": "s:1", "shown": " = 1", "raw": " = 1"}\n{"id": "s:3", "raw": " 1"}\n')
        out = self.run_program("--answers", self.folder / "a.jsonl", "--details", "--most", "0").stdout
        first, second = map(json.loads, out.splitlines()[:2])
        self.assertEqual((first["outcome"], first["before"], first["shown"]), ("exact", "x", " = 1"))
        self.assertEqual((second["outcome"], second["withheld"]), ("nothing", "exact"))
        self.assertIn("| all | 2 | 1 | 1 | 0 | 0 | 0 | 1 | 0 |", out)

    def test_another_server_is_typed_in_like_our_own(self):
        """play.py, with a server whose answers are known, which wants whole texts; positions are UTF-16 units."""
        plan, answers = self.folder / "plan.json", self.folder / "a.jsonl"
        plan.write_text(json.dumps({"lines": [["größe 𝒳.end"], ["m = 2"]], "replaces": 4}))
        self.script.update(text="größe 𝒳\nn = 1\n", keys=[[300, 0, 8, 0, 8, ".", 0, 9], [300, 1, 0, 1, 1, "m", 1, 1]],
                           places=[{"id": f"s:{key}", "key": key, "kind": "word", "next": "x"} for key in (0, 1)])
        player = [sys.executable, HERE / "play.py", answers, "--"]
        server = [sys.executable, HERE.parent / "e2e" / "scripted_server.py", plan, self.folder / "log"]
        subprocess.run([*player, *server], input=json.dumps(self.script) + "\n", text=True, check=True, capture_output=True)
        shown = [json.loads(line) for line in answers.read_text().splitlines()]
        self.assertEqual([[one.get(name) for name in ("id", "shown", "covered", "replaced")] for one in shown],
                         [["s:0", "end", 0, 0], ["s:1", " = 2", 0, 4]])
        self.assertIn("| all | 2 | 2 |", self.run_program("--answers", answers, "--most", "0").stdout)

    def test_what_is_wrong_is_said(self):
        self.script["keys"] = [[1]]
        self.assertIn("scripts.jsonl:1: key 0 is not seven numbers and a text", self.run_program(status=1).stderr)


if __name__ == "__main__":
    unittest.main()
