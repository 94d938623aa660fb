#!/usr/bin/env python3
"""Draws icon.png: a crystal of cinnabar, 128 x 128, smoothed by four samples a side of each pixel. The same bytes every time."""
import os
import struct
import zlib

SIZE, SAMPLES = 128, 4
# Facets of the crystal, as polygons in [0, 1]^2 with their colours.
FACETS = [([(.50, .06), (.86, .34), (.50, .42)], (232, 74, 60)), ([(.50, .06), (.50, .42), (.14, .34)], (201, 48, 44)),
          ([(.14, .34), (.50, .42), (.50, .94)], (146, 26, 34)), ([(.86, .34), (.50, .94), (.50, .42)], (176, 36, 40))]


def inside(x, y, polygon):
    signs = [(bx - ax) * (y - ay) - (by - ay) * (x - ax) for (ax, ay), (bx, by) in zip(polygon, polygon[1:] + polygon[:1])]
    return all(sign >= 0 for sign in signs) or all(sign <= 0 for sign in signs)


def pixel(column, row):
    total, alpha = [0, 0, 0], 0
    for i in range(SAMPLES * SAMPLES):
        x, y = (column + (i % SAMPLES + .5) / SAMPLES) / SIZE, (row + (i // SAMPLES + .5) / SAMPLES) / SIZE
        colour = next((colour for polygon, colour in FACETS if inside(x, y, polygon)), None)
        if colour:
            total, alpha = [a + b for a, b in zip(total, colour)], alpha + 1
    return bytes([*(value // max(1, alpha) for value in total), 255 * alpha // SAMPLES ** 2])


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


rows = b"".join(b"\0" + b"".join(pixel(column, row) for column in range(SIZE)) for row in range(SIZE))
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "icon.png"), "wb") as file:
    file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", SIZE, SIZE, 8, 6, 0, 0, 0))
               + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))
