"""Cuts holes into files the way a person at an editor leaves them: short ones mostly, at lines and inside lines.

Pure functions over text; the standard library only. A hole is (start, end) in characters of the text: what stands between
is the middle that a model should write, what follows from `end` on is given behind the cursor.
"""
import bisect
import re

# kind -> share. A keystroke's hole is mostly the rest of a line; bodies and runs of lines are what one waits for.
SHARES = {"rest": 28, "line": 18, "arguments": 14, "mid": 10, "statement": 10, "lines": 10, "body": 10}
MOST_LINES = 24  # of a body or statement
WORD_EDGE = re.compile(r"(?<=\w)(?=\W)|(?<=\W)(?=\w)|(?<=[^\w\s])(?=[^\w\s])")
OPENER = re.compile(r"[:{]\s*$")
BRACKETS = {"(": ")", "[": "]", "{": "}"}


class Lines:
    """A text's lines by number: where each starts, its content, its indentation."""

    def __init__(self, text):
        self.text = text
        self.starts = [0] + [m.end() for m in re.finditer("\n", text)]

    def __len__(self):
        return len(self.starts)

    def end(self, i):
        """Offset of the newline of line i, or of the text's end."""
        return self.starts[i + 1] - 1 if i + 1 < len(self.starts) else len(self.text)

    def content(self, i):
        return self.text[self.starts[i] : self.end(i)]

    def indent(self, i):
        line = self.content(i)
        return len(line) - len(line.lstrip(" \t"))

    def blank(self, i):
        return not self.content(i).strip()

    def number_at(self, offset):
        return bisect.bisect_right(self.starts, offset) - 1


def whole_line(lines, i, _pick):
    """The line's content; its indentation stays before the hole, its newline behind."""
    return lines.starts[i] + lines.indent(i), lines.starts[i] + len(lines.content(i).rstrip())


def rest_of_line(lines, i, pick):
    """From an edge of a word, or inside a word once in four times, to the line's end."""
    line = lines.content(i).rstrip()
    first = lines.indent(i) + 1
    if len(line) - first < 3:
        return None
    edges = [m.start() for m in WORD_EDGE.finditer(line) if first <= m.start() < len(line) - 1]
    at = pick.randrange(first, len(line) - 1) if not edges or pick.random() < 0.25 else pick.choice(edges)
    return lines.starts[i] + at, lines.starts[i] + len(line)


def middle_of_line(lines, i, pick):
    """Between two edges of words of one line; something that is no white space stays behind the hole."""
    line = lines.content(i).rstrip()
    edges = [m.start() for m in WORD_EDGE.finditer(line) if m.start() > lines.indent(i)]
    if len(edges) < 3:
        return None
    a, b = sorted(pick.sample(range(len(edges)), 2))
    b = min(b, a + 12)
    return lines.starts[i] + edges[a], lines.starts[i] + edges[b]


def matching(text, at, limit):
    """Offset of the bracket that closes the one at `at`, strings left out as far as one line tells; None beyond `limit`."""
    stack, quote, offset = [], "", at
    while offset < min(len(text), limit):
        char = text[offset]
        if quote:
            if char == "\\":
                offset += 1
            elif char == quote or char == "\n":
                quote = ""
        elif char in "\"'`":
            quote = char
        elif char in BRACKETS:
            stack.append(BRACKETS[char])
        elif char in ")]}":
            if not stack or stack.pop() != char:
                return None
            if not stack:
                return offset
        offset += 1
    return None


def argument_list(lines, i, pick):
    """What stands between a pair of round brackets, or the end of it; the closer is given."""
    line = lines.content(i)
    openers = [m.start() for m in re.finditer(r"(?<=[\w>])\(", line)]
    if not openers:
        return None
    start = lines.starts[i] + pick.choice(openers)
    close = matching(lines.text, start, start + 400)
    if close is None or close - start < 3:
        return None
    begin = start + 1
    commas = [m.end() for m in re.finditer(r", ?", lines.text[begin:close])]
    if commas and pick.random() < 0.4:
        begin += pick.choice(commas)
    return (begin, close) if close - begin >= 2 else None


def statement(lines, i, _pick):
    """A line and the following ones until its brackets are closed."""
    start = lines.starts[i] + lines.indent(i)
    depth, j = 0, i
    while j < min(len(lines), i + MOST_LINES):
        bare = re.sub(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", "", lines.content(j))
        depth += sum(bare.count(c) for c in "([") - sum(bare.count(c) for c in ")]")
        if depth <= 0:
            return start, lines.starts[j] + len(lines.content(j).rstrip())
        j += 1
    return None


def block_end(lines, i, indent):
    """The last line from i on that is indented at least `indent`; blank lines at the end do not count."""
    last = i - 1
    for j in range(i, min(len(lines), i + MOST_LINES)):
        if lines.blank(j):
            continue
        if lines.indent(j) < indent:
            return last
        last = j
    return None if last == i + MOST_LINES - 1 else last


def several_lines(lines, i, pick):
    """Two to six lines of one block."""
    last = block_end(lines, i, lines.indent(i))
    if last is None or last <= i:
        return None
    last = min(last, i + pick.randrange(1, 6))
    while lines.blank(last):
        last -= 1
    if last <= i:
        return None
    return lines.starts[i] + lines.indent(i), lines.starts[last] + len(lines.content(last).rstrip())


def whole_body(lines, i, _pick):
    """All that is indented under a line that opens a block."""
    if not OPENER.search(lines.content(i)) or i + 1 >= len(lines):
        return None
    first = i + 1
    while first < len(lines) and lines.blank(first):
        first += 1
    if first >= len(lines) or lines.indent(first) <= lines.indent(i):
        return None
    last = block_end(lines, first, lines.indent(i) + 1)
    if last is None or last < first:
        return None
    return lines.starts[first] + lines.indent(first), lines.starts[last] + len(lines.content(last).rstrip())


CUTTERS = {"rest": rest_of_line, "line": whole_line, "arguments": argument_list, "mid": middle_of_line, "statement": statement,
           "lines": several_lines, "body": whole_body}


def cut(text, pick, lines=None):
    """(kind, start, end) of one hole, or None when the place that was drawn has none. `pick`: a random.Random."""
    lines = lines or Lines(text)
    kind = pick.choices(list(SHARES), weights=list(SHARES.values()))[0]
    i = pick.randrange(len(lines))
    if lines.blank(i) or i < 2:
        return None
    hole = CUTTERS[kind](lines, i, pick)
    if hole is None or hole[1] - hole[0] < 2 or not lines.text[hole[0] : hole[1]].strip():
        return None
    return kind, hole[0], hole[1]
