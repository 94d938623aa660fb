#!/usr/bin/env python3
"""Forwards a token of drafted decoding, followed forward by forward through the base's own continuations: the mean over all places
says too much of an adapter, since the program drafts anew where a draft was wrong, which is where guessing is hard.

    follow.py ADAPTER MADE [--sampler FILE] [--sequences N] [--threads N]

MADE holds held_out shards of generate.py. Every forward has eight masks behind each number of accepted tokens, as many rows as it
takes; the program has fewer, and finds drafts in the text besides.
"""
import argparse
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import blocks  # noqa: E402
import loss  # noqa: E402
from adapter_file import read_sampler  # noqa: E402
from network import grouped_mask  # noqa: E402
from prompt import TAGS  # noqa: E402
from experiments.sampler import Sampler  # noqa: E402
from sequences import Sequences  # noqa: E402
from train import Trainer, arguments  # noqa: E402

BLOCK = 8


def rows_behind(first, end, device):
    """A block of masks at every place from `first` on, where the base's word is known."""
    anchors = torch.arange(first, end, device=device)
    flat = lambda x: x.expand(len(anchors), BLOCK).reshape(1, -1)
    positions = flat(anchors[:, None] + torch.arange(BLOCK, device=device))
    return blocks.Rows(ids=torch.full_like(positions, TAGS["mask"]), positions=positions, first=flat(anchors[:, None]),
                       block=flat(torch.arange(len(anchors), device=device)[:, None]), weight=None, index=None, masked=None)


def runs(said, ids, rows, end):
    """Words of each block that are the continuation's, until the first that is not."""
    place = rows.positions[0] + 1
    hits = (said == ids[0, place.clamp(max=ids.shape[1] - 1)]) & (place < end)
    return hits.view(-1, BLOCK).int().cumprod(1).sum(1).tolist()


def follow(accepted):
    """The accepted tokens of each forward, from the first block on."""
    at, taken = 0, []
    while at < len(accepted) - 1:
        taken.append(accepted[at])
        at += 1 + accepted[at]
    return taken


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("adapter", type=Path)
    parser.add_argument("made", type=Path)
    parser.add_argument("--sampler", type=Path)
    parser.add_argument("--sequences", type=int, default=40)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    trainer = Trainer(arguments(["", "--data", "", "--resume", str(options.adapter)]))
    network, device = trainer.network, trainer.device
    sampler = None
    if options.sampler:
        sampler = Sampler(network.shape.width).to(device)
        read_sampler(options.sampler, sampler)
    sequences = Sequences(options.made, "held_out")
    tokens, forwards, taken = 0, 0, []
    for i in range(min(options.sequences, len(sequences))):
        ids, _, hole, end, _ = sequences.batch([i], device)
        past, _ = network.clean(ids)
        rows = rows_behind(int(hole), int(end), device)
        mask = grouped_mask(blocks.seen(rows, ids.shape[1]), network.shape.heads // network.shape.kv_heads, trainer.head.dtype)
        said = network.block(rows.ids, rows.positions, mask, past, trainer.adapter)[0]
        if sampler:
            before = ids[0, rows.positions[0].clamp(max=ids.shape[1] - 1)]
            said = sampler(said, F.embedding(before, network.base.embedding))
        accepted = follow(runs(loss.choices(said, trainer.head), ids, rows, int(end)))
        tokens, forwards = tokens + int(end) - int(hole), forwards + 1 + len(accepted)  # the prompt's own forward says the first word
        taken += accepted
    share = " ".join(f"{100 * sum(count > place for count in taken) / len(taken):.0f}" for place in range(BLOCK))
    print(f"{forwards / tokens:.3f} forwards a token; drafts accepted up to each place, %: {share}")


if __name__ == "__main__":
    main()
