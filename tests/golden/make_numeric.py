"""Writes tests/golden/kernels/numeric.bin: random blocks of every block format and their expansion.

Needs the Python packages gguf and numpy; the expansion is gguf.quants.dequantize, an implementation independent of ours.
Usage: python3 tests/golden/make_numeric.py tests/golden/kernels/numeric.bin

Layout, little endian: for each format u32 name length, name, u32 source bytes, u32 values, source, f32 values.
"""
import struct
import sys

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGML_QUANT_SIZES
from gguf.quants import dequantize

FORMATS = ["F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "IQ4_NL", "Q4_K", "Q5_K", "Q6_K", "Q2_K", "Q3_K",
           "IQ4_XS", "MXFP4"]
HALF_OFFSETS = {"Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "IQ4_NL": [0],
                "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "Q2_K": [80, 82], "Q3_K": [108],
                "IQ4_XS": [0], "MXFP4": []}
BLOCKS = 8


def source_bytes(name, rng):
    """Random bytes, with finite scales: small, ordinary, subnormal and negative ones."""
    values, size = GGML_QUANT_SIZES[Type[name]]
    if values == 1:
        halves = rng.standard_normal(512).astype(np.float16)
        halves[:4] = [0.0, -0.0, 6e-8, 65504.0]
        return halves.view(np.uint8) if name == "F16" else (halves.astype(np.float32).view(np.uint32) >> 16).astype(
            np.uint16).view(np.uint8)
    blocks = rng.integers(0, 256, size=(BLOCKS, size), dtype=np.uint8)
    for offset in HALF_OFFSETS[name]:
        scales = (rng.standard_normal(BLOCKS) * 0.05).astype(np.float16)
        scales[0] = 3e-7
        scales[1] = 0
        blocks[:, offset:offset + 2] = scales.view(np.uint8).reshape(BLOCKS, 2)
    return blocks.reshape(-1)


def main():
    rng = np.random.default_rng(20261121)
    with open(sys.argv[1], "wb") as out:
        for name in FORMATS:
            source = source_bytes(name, rng)
            expanded = dequantize(source, Type[name]).astype("<f4").reshape(-1)
            out.write(struct.pack("<I", len(name)) + name.encode())
            out.write(struct.pack("<II", source.size, expanded.size) + source.tobytes() + expanded.tobytes())


if __name__ == "__main__":
    main()
