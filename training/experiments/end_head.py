#!/usr/bin/env python3
"""Does the base know where a hole ends? A small head on its clean rows, trained alone, as a signal that leaves every answer as
it is: what the rules of daemon and engine (engine/decoding/hole_end.h, daemon/syntax) have to be compared with. On a CPU.

    end_head.py DATA [--examples N] [--held-out N] [--hidden H]

DATA holds shards of train and held_out (shards.py). The rows that predict an answer's words say "no", the row behind its last
word says "yes". Prints how many held-out holes it ends rightly (yes at the end and nowhere before), by threshold.
"""
import argparse
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import vocabulary  # noqa: E402
from base import load_base  # noqa: E402
from network import Network  # noqa: E402
from sequences import Sequences  # noqa: E402


@torch.no_grad()
def rows_of(network, sequences, most):
    """(rows [M, D], is the end [M], hole's number [M]) of the first `most` examples."""
    rows, ends, holes = [], [], []
    for i in range(min(most, len(sequences))):
        ids, _, hole, end, _ = sequences.batch([i], "cpu")
        said = network.clean(ids[:, : int(end)])[1][0, int(hole) - 1 :]
        rows.append(said.float())
        ends.append(torch.arange(len(said)) == len(said) - 1)
        holes.append(torch.full((len(said),), i))
    return torch.cat(rows), torch.cat(ends), torch.cat(holes)


def fit(rows, ends, hidden):
    head = torch.nn.Sequential(torch.nn.Linear(rows.shape[1], hidden), torch.nn.SiLU(), torch.nn.Dropout(0.3), torch.nn.Linear(hidden, 1))
    optimizer = torch.optim.AdamW(head.parameters(), lr=1e-3, weight_decay=0.05)
    steps, batch = 1500, 512
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * (1 - step / steps)
        some = torch.randint(len(rows), (batch,))
        F.binary_cross_entropy_with_logits(head(rows[some])[:, 0], ends[some].float()).backward()
        optimizer.step()
        optimizer.zero_grad()
    return head.eval()


def report(sure, ends, holes):
    print("| threshold | holes | ended rightly, % | too early | not at all |\n|---|---|---|---|---|")
    for threshold in (0.3, 0.5, 0.7):
        said, count = sure > threshold, int(ends.sum())
        early = {int(h) for h in holes[said & ~ends]}
        missed = {int(h) for h in holes[ends & ~said]} - early
        right = 100 * (count - len(early) - len(missed)) / count
        print(f"| {threshold} | {count} | {right:.1f} | {len(early)} | {len(missed)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--held-out", type=int, default=400)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    network = Network(load_base(vocabulary.open_model()))
    rows, ends, _ = rows_of(network, Sequences(options.data, "train"), options.examples)
    print(f"{len(rows)} rows of {int(ends.sum())} holes", flush=True)
    head = fit(rows, ends, options.hidden)
    rows, ends, holes = rows_of(network, Sequences(options.data, "held_out"), options.held_out)
    with torch.no_grad():
        report(torch.sigmoid(head(rows)[:, 0]), ends, holes)


if __name__ == "__main__":
    main()
