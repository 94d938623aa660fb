#!/usr/bin/env python3
"""An adapter file in another type, or for another number of draft rows: export.py IN OUT [--kind q8_0] [--block-length N]"""
import argparse
from pathlib import Path

from adapter_file import TYPES, read_adapter, read_rank, write_adapter
from base import read_shape
from network import Adapter
from vocabulary import MODEL, open_model


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--kind", default="q8_0", choices=sorted(TYPES))
    parser.add_argument("--block-length", type=int, default=8, help="rows of a draft that the file asks the program for")
    parser.add_argument("--model", default=MODEL)
    options = parser.parse_args()
    adapter = Adapter(read_shape(open_model(options.model)), read_rank(options.source))
    read_adapter(options.source, adapter)
    write_adapter(options.target, adapter, options.kind, options.block_length)
    print(f"{options.target}: {options.target.stat().st_size / 1e6:.1f} MB, rank {adapter.rank}")


if __name__ == "__main__":
    main()
