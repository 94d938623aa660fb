#!/usr/bin/env python3
"""Draws demo/watch.svg: what `cinnabar complete FILE:LINE:COL --watch` shows step by step, as an animation for the README.

    demo/make_picture.py build/release/cinnabar

The frames are the program's own, read from a terminal; their times are left out, so the same program draws the same picture.
Standard library only.
"""
import argparse
import fcntl
import html
import os
import pty
import re
import struct
import termios
from pathlib import Path

HERE = Path(__file__).resolve().parent
FILE, LINE, COLUMN = "python/inventory.py", 25, 16
SECONDS, LAST = 0.7, 3.0  # a step's time on the screen, and the finished answer's
COLOURS = {"0": "#d4d4d4", "32": "#7ec699", "33": "#e5c07b", "90": "#7f848e"}
SIZE, WIDTH, HEIGHT = 14, 8.43, 20  # of a letter and a line, in pixels
SURROUNDINGS = (6, 3)  # lines of the file that are shown before and after the answer


def recorded(program, options):
    """All that the program writes to a terminal of 100 columns."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        os.chdir(HERE)
        os.execv(program, [program, "complete", f"{FILE}:{LINE}:{COLUMN}", "--watch", "--mode", "diffusion", *options])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    out = b""
    while True:
        try:
            part = os.read(terminal, 1 << 16)
        except OSError:  # the program has ended
            break
        if not part:
            break
        out += part
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status != 0:
        raise SystemExit(f"make_picture.py: {program} ended with {status}: {out.decode(errors='replace')}")
    return out.decode()


def spans(text):
    """(colour, letters) of text with escape sequences."""
    colour = "0"
    for part in re.split(r"(\x1b\[\d*m)", text):
        code = re.fullmatch(r"\x1b\[(\d*)m", part)
        if code:
            colour = code[1] or "0"
        elif part:
            yield colour, part


def frames(output):
    """Of each step the answer so far, as spans; last the answer itself, without what is cut off it."""
    found = []
    for screen in output.split("\r\x1b[J")[1:]:
        lines = screen.split("\r\n")
        if "\x1b[90mstep " in screen:
            found.append(list(spans(lines[0])))
        else:
            answer = re.sub(r"^ *return ", " ", re.sub(r"\x1b\[\d*m", "", lines[0]))
            found.append([("32", answer)])
    return found


def text_at(x, y, parts):
    inner = "".join(f'<tspan fill="{COLOURS[colour]}">{html.escape(text)}</tspan>' for colour, text in parts)
    return f'<text xml:space="preserve" x="{x:g}" y="{y:g}">{inner}</text>'


def picture(output):
    source = (HERE / FILE).read_text().splitlines()
    first, last = LINE - 1 - SURROUNDINGS[0], LINE + SURROUNDINGS[1]
    shown, steps = source[first:last], frames(output)
    before = source[LINE - 1][:COLUMN - 1].rstrip()
    total = SECONDS * (len(steps) - 1) + LAST
    columns = max(len(before) + sum(len(text) for _, text in step) for step in steps)
    width, height = 2 * SIZE + WIDTH * max(columns, *map(len, shown)), HEIGHT * (len(shown) + 3)
    style, body = [], []
    for number, line in enumerate(shown):
        line = before if first + number == LINE - 1 else line
        body.append(text_at(SIZE, HEIGHT * (number + 1.5), [("0", line)]))
    y = HEIGHT * (LINE - 1 - first + 1.5)
    for number, step in enumerate(steps):
        begin = 100 * SECONDS * number / total
        end = 100 * SECONDS * (number + 1) / total if number + 1 < len(steps) else 100
        style.append(f"@keyframes s{number} {{ 0%, {begin:.3f}% {{ opacity: 0 }} {begin + 0.001:.3f}%, {end:.3f}% {{ opacity: 1 }} "
                     f"{min(end + 0.001, 100):.3f}%, 100% {{ opacity: {int(end == 100)} }} }}\n"
                     f".s{number} {{ opacity: {int(end == 100)}; animation: s{number} {total:g}s infinite }}")
        label = f"step {number + 1}" if number + 1 < len(steps) else f"{len(steps) - 1} forward passes"
        body.append(f'<g class="s{number}">{text_at(SIZE + WIDTH * len(before), y, step)}'
                    f'{text_at(SIZE, height - HEIGHT * 0.8, [("90", label)])}</g>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" role="img" '
            'aria-label="Masks settle into text, step by step">\n<style>\n'
            f"text {{ font: {SIZE}px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace }}\n"
            + "\n".join(style) + '\n</style>\n<rect width="100%" height="100%" rx="8" fill="#1e1e1e"/>\n'
            + "\n".join(body) + "\n</svg>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    chosen, options = parser.parse_known_args()
    (HERE / "watch.svg").write_text(picture(recorded(str(chosen.program.resolve()), options)))


if __name__ == "__main__":
    main()
