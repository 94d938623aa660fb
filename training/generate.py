#!/usr/bin/env python3
"""The base's own continuations, as examples: what verified drafts have to agree with is what the base itself writes.

    generate.py DATA OUT [--split train] [--tokens 48] [--batch 32] [--most N] [--minutes M]

Takes the prompts of DATA's shards (the answers are left out), lets the base go on greedily in batches with kept keys and
values, and writes shards of the same form (ends = 0) to OUT.
"""
import argparse
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

import loss
import vocabulary
from base import load_base
from network import Network, grouped_mask
from sequences import Sequences
from shards import Examples, write_all


@torch.no_grad()
def continuations(network, head, ids, length, tokens):
    """Greedy continuations [N, tokens] of the first length[n] tokens of ids [N, T]."""
    n, clean = ids.shape
    device = ids.device
    shape = network.shape
    with network.uncompiled():  # every batch has a shape of its own
        past, rows = network.clean(ids)
    room = [tuple(F.pad(x, (0, 0, 0, tokens)) for x in kv) for kv in past]
    token = loss.choices(rows[torch.arange(n, device=device), length - 1], head)
    made = [token]
    seen = torch.zeros((n, 1, clean + tokens), dtype=torch.bool, device=device)
    seen[:, 0, :clean] = torch.arange(clean, device=device)[None] < length[:, None]
    for step in range(tokens - 1):
        seen[:, 0, clean + step] = True
        mask = grouped_mask(seen[:, :, : clean + step + 1], shape.heads // shape.kv_heads, network.base.embedding.dtype)
        last = network.extend(token[:, None], (length + step)[:, None], mask, room, clean + step)
        token = loss.choices(last[:, 0], head)
        made.append(token)
    return torch.stack(made, 1)


def cut_at_end(tokens):
    """Up to the base's end of text."""
    return tokens[: tokens.index(loss.END_OF_TEXT)] if loss.END_OF_TEXT in tokens else tokens


def generate(network, head, sequences, tokens, batch, minutes=1e9, most=1 << 30, least=8):
    """Examples of what the base writes behind the prompts of `sequences`, made until the minutes are over."""
    examples, start = Examples(), time.monotonic()
    order = sorted(range(min(len(sequences), most)), key=lambda i: int(sequences.hole[i]))
    batches = [order[i : i + batch] for i in range(0, len(order), batch)]
    for number in torch.randperm(len(batches)).tolist():  # in any order, so that a run cut short is no choice of lengths
        chosen = batches[number]
        ids, _, hole, _, _ = sequences.batch(chosen, head.device, prompts_only=True)
        made = continuations(network, head, ids, hole, tokens).tolist()
        for row, i in enumerate(chosen):
            answer = cut_at_end(made[row])
            if len(answer) >= least:
                prompt = sequences.ids[i][: int(sequences.hole[i])].tolist()
                examples.add(prompt + answer, int(sequences.body[i]), len(prompt), 0, int(sequences.language[i]))
        spent = time.monotonic() - start
        print(f"{len(examples)} sequences, {len(examples) * tokens / spent:.0f} tokens/s", file=sys.stderr, flush=True)
        if spent > 60 * minutes:
            break
    return examples


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--split", default="train")
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--most", type=int, default=1 << 30, help="sequences at most")
    parser.add_argument("--minutes", type=float, default=1e9, help="stop and write what is there")
    parser.add_argument("--model", default=vocabulary.MODEL)
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    base = load_base(vocabulary.open_model(options.model), "cuda" if torch.cuda.is_available() else "cpu")
    examples = generate(Network(base), loss.head_of(base.embedding), Sequences(options.data, options.split), options.tokens,
                        options.batch, options.minutes, options.most)
    print(write_all(examples, options.out, options.split, {"generated_tokens": options.tokens, "from": options.split}))


if __name__ == "__main__":
    main()
