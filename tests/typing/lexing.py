"""Strings, comments and brackets of a source text, roughly: enough to say what stands before a cursor, and what an editor pairs.

    regions, partners = scan(text, language)

`regions` has a letter a character: "c" code, "s" inside a string (behind its opening quote, up to and with the closing one), "#" in
a comment (behind its mark). `partners` says for each opening bracket or quote where it is closed.
"""
C_LIKE = {"c", "cpp", "csharp", "css", "dart", "go", "java", "javascript", "javascriptreact", "kotlin", "php", "rust", "scala", "scss",
          "swift", "typescript", "typescriptreact"}
HASH = {"elixir", "makefile", "perl", "php", "python", "r", "ruby", "shellscript", "toml", "yaml"}
DASHES = {"lua", "sql", "haskell"}
MARKUP = {"html", "xml", "markdown"}
BACKTICKS = {"javascript", "javascriptreact", "typescript", "typescriptreact", "go"}
CLOSERS = {"(": ")", "[": "]", "{": "}"}


class _Scan:
    def __init__(self, text, language):
        self.text, self.language, self.at = text, language, 0
        self.regions, self.partners, self.open = ["c"] * len(text), {}, []

    def run(self):
        while self.at < len(self.text):
            self.step()
        return "".join(self.regions), self.partners

    def mark(self, begin, end, letter):
        end = min(end, len(self.text))
        self.regions[begin:end] = letter * (end - begin)
        self.at = max(end, self.at + 1)

    def comment(self):
        text, at, language = self.text, self.at, self.language
        line_marks = ["//"] * (language in C_LIKE - {"css"}) + ["--"] * (language in DASHES)
        if language in HASH and (at == 0 or text[at - 1] in " \t\n;("):
            line_marks.append("#")
        for begin, end in [("/*", "*/")] * (language in C_LIKE or language == "sql") + [("<!--", "-->")] * (language in MARKUP):
            if text.startswith(begin, at):
                found = text.find(end, at + len(begin))
                self.mark(at + len(begin), len(text) if found < 0 else found + len(end), "#")
                return True
        for mark in line_marks:
            if text.startswith(mark, at):
                found = text.find("\n", at)
                self.mark(at + len(mark), len(text) if found < 0 else found, "#")
                return True
        return False

    def string(self):
        text, at = self.text, self.at
        quote = text[at]
        if quote not in "\"'`" or (quote == "`" and self.language not in BACKTICKS):
            return False
        if self.language == "markdown" or (self.language in MARKUP and not self.in_tag()):
            return False
        if quote == "'" and at and (text[at - 1].isalnum() or text[at - 1] == "_"):
            return False
        if quote == "'" and self.language == "rust" and text[at + 1:at + 2] != "\\" and text[at + 2:at + 3] != "'":
            return False
        triple = text[at:at + 3] if text[at:at + 3] == quote * 3 else None
        mark = triple or quote
        end = at + len(mark)
        while end < len(text) and not text.startswith(mark, end):
            if text[end] == "\n" and not triple and quote != "`":
                break
            end += 2 if text[end] == "\\" else 1
        if not triple and end < len(text) and text[end] == quote and "\n" not in text[at:end]:
            self.partners[at] = end
        self.mark(at + len(mark), min(end + len(mark), len(text)) if end < len(text) and text[end] != "\n" else end, "s")
        return True

    def in_tag(self):
        return self.text.rfind("<", 0, self.at) > self.text.rfind(">", 0, self.at)

    def step(self):
        if self.comment() or self.string():
            return
        c = self.text[self.at]
        if c in CLOSERS:
            self.open.append((c, self.at))
        elif c in CLOSERS.values():
            while self.open and CLOSERS[self.open[-1][0]] != c:
                self.open.pop()
            if self.open:
                self.partners[self.open.pop()[1]] = self.at
        self.at += 1


def scan(text, language):
    return _Scan(text, language).run()


def kind_before(text, regions, at):
    """What stands before position `at`, whose text to come is text[at:]."""
    line = text[text.rfind("\n", 0, at) + 1:at]
    if not line.strip():
        return "indented blank line" if line else "blank line"
    if at and regions[at - 1:at + 1] != "c" * 2 and (regions[at - 1] == "#" or (at < len(text) and regions[at] == "#")):
        return "comment"
    if at < len(text) and regions[at] == "s":
        return "open string"
    last, following = text[at - 1], text[at:at + 1]
    word = last.isalnum() or last == "_"
    if word:
        return "part of a word" if following.isalnum() or following == "_" else "word"
    if last in " \t":
        before = line.rstrip()[-1]
        return "blank behind a word" if before.isalnum() or before in "_)]" else "blank behind punctuation"
    for mark in ("::", "->", "=>", "=", ".", "(", "[", "{", "<", ">", ",", ":"):
        if text[:at].endswith(mark):
            return f"after {mark}" if mark not in "<>," else "after other punctuation"
    return "after other punctuation"
