"""Checks of training/edits.py: that edits come one behind another to what they should, and what is like what."""
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import edits  # noqa: E402

OLD = """import a


def f(x):
    log("one", x)
    y = x + 1
    log("two", y)
    return y


def g(x):
    log("three", x)
    return x
""".split("\n")
NEW = [line.replace("log(", "logger.info(") for line in OLD]


def done(text, pairs):
    for old, new in pairs:
        assert old in text, f"{old!r} is not in\n{text}"
        text = text.replace(old, new, 1)
    return text


def check_hunks():
    found = edits.hunks(OLD, NEW)
    assert [hunk[:2] for hunk in found] == [(4, 5), (6, 7), (11, 12)]
    assert edits.applied(OLD, found) == NEW
    assert edits.nearest_first(found, found[1])[0] is found[1]
    changes = [edits.change_of(OLD, hunk) for hunk in found]
    assert edits.is_like(changes[0], changes[1])
    assert not edits.is_like(changes[0], ({"a"}, {"b"}))
    assert not edits.is_like((set(), set()), (set(), set()))


def check_pairs():
    """Every scenario ends at what the later version has there, whatever its order."""
    made = list(edits.of_pair("\n".join(OLD), "\n".join(NEW), random.Random(1)))
    assert [bool(one["expected"]) for one in made] == [True, False], made
    assert len(made[0]["edits"]) == 1 and len(made[0]["expected"]) == 2
    for one in made:
        assert done(one["text"], one["edits"] + (one["expected"] or [])) in "\n".join(NEW) + "\n"
    assert edits.as_pair("a\na\n", 2, 4, "b\n") == ["a\na\n", "a\nb\n"]  # with what makes it the only place
    assert edits.as_pair("a\n", 0, 0, "b\n") is None


def check_synthetic():
    text = "\n".join(["def total(values):", "    found = total(values) + total(values)", "    found: int = 1", "    other: int = found",
                      "    log.info(found)", "    log.info(values)", "    return found", ""])
    kinds = {}
    for seed in range(60):
        for one in edits.of_file(text, random.Random(seed)):
            kinds.setdefault(one["kind"], set()).add(one["expected"] is None)
            assert done(one["text"], one["edits"] + (one["expected"] or [])) != one["text"]
    assert kinds == {kind: {True, False} for kind in edits.SYNTHETIC}, kinds


if __name__ == "__main__":
    check_hunks()
    check_pairs()
    check_synthetic()
    print("edits as they should be")
