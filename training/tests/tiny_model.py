#!/usr/bin/env python3
"""Writes the default model's first layers as a model of their own, to rehearse a run in minutes: tiny_model.py OUT [--layers 2]"""
import argparse
import sys
from pathlib import Path

import gguf

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import vocabulary  # noqa: E402

LISTS = ("tokenizer.ggml.tokens", "tokenizer.ggml.merges")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--layers", type=int, default=2)
    options = parser.parse_args()
    reader = vocabulary.open_model()
    writer = gguf.GGUFWriter(str(options.out), "qwen2")
    for key, field in reader.fields.items():
        if key in LISTS:
            writer.add_array(key, field.contents())
        elif key.startswith("qwen2."):
            value = options.layers if key == "qwen2.block_count" else field.contents()
            (writer.add_float32 if isinstance(value, float) else writer.add_uint32)(key, value)
    for tensor in reader.tensors:
        if not tensor.name.startswith("blk.") or int(tensor.name.split(".")[1]) < options.layers:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
