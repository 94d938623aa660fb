#!/usr/bin/env python3
"""Trains the gated adapter on one GPU or a CPU, against the wall clock.

    train.py OUT --data FOLDER [FOLDER ...] --minutes M [--rank R] [--resume FILE] ...

Each step: clean rows of some sequences run once without gradients, then random blocks against their keys and values
(blocks.py), and the loss against the base's own words (loss.py). The learning rate warms up, stays, and decays over the last
part of the time, so that a run always ends annealed. OUT gets adapter.gguf (every --save-minutes and at the end, written
under another name and renamed), log.jsonl, and arguments.json with the hashes of the data.
"""
import argparse
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F

import blocks
import loss
import vocabulary
from adapter_file import read_adapter, read_rank, write_adapter, write_sampler
from base import load_base
from experiments.drafter import Drafter
from network import PRODUCTS, Adapter, Network, grouped_mask
from experiments.sampler import Sampler
from sequences import Sequences


def arguments(words=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders with train.json and its shards")
    parser.add_argument("--held-out", type=Path, nargs="*", default=[], help="folders with held_out.json")
    parser.add_argument("--minutes", type=float, default=20, help="wall clock from the first step to the end")
    parser.add_argument("--model", default=vocabulary.MODEL)
    parser.add_argument("--resume", type=Path, help="an adapter file to go on from")
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--products", default="all", choices=sorted(PRODUCTS), help="which of a layer's products get pairs")
    parser.add_argument("--drafter", type=int, default=0, help="layers of a block drafter to train in the adapter's place (experiments)")
    parser.add_argument("--rate", type=float, default=6e-4, help="peak learning rate")
    parser.add_argument("--fall", type=float, default=0.35, help="last share of the time in which the rate goes to zero")
    parser.add_argument("--batch", type=int, default=32, help="sequences a step")
    parser.add_argument("--try-batch", type=int, nargs="*", default=[], help="batches to time first; the fastest a row is used")
    parser.add_argument("--longest", type=int, default=1024, help="tokens of a sequence; with --compile all have this length")
    parser.add_argument("--rows", type=int, default=384, help="block rows a sequence and step")
    parser.add_argument("--lengths", type=int, nargs="+", default=[4, 8, 8, 16, 16, 32], help="block lengths, drawn evenly")
    parser.add_argument("--revealed", type=float, default=0.3, help="share of blocks that are partly revealed")
    parser.add_argument("--off-path", type=float, default=0.1, help="weight of rows behind a word that is not the base's own")
    parser.add_argument("--ends", type=float, default=1.0, help="weight of the row at a hole's end against the others")
    parser.add_argument("--decay", type=float, default=0.95, help="weight of a row against the row before it")
    parser.add_argument(
        "--hard", type=float, default=0.5, help="share of the target that is a choice alone; the rest: the base's distribution"
    )
    parser.add_argument("--labels", default="base", choices=("base", "text"), help="whose choice that is")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--block-length", type=int, default=8, help="rows of a draft that the file asks the program for")
    parser.add_argument("--kind", default="f16", help="type of the saved tensors: f16, q8_0")
    parser.add_argument("--save-minutes", type=float, default=3)
    parser.add_argument("--judge-minutes", type=float, default=5, help="between held-out measurements")
    parser.add_argument("--judged", type=int, default=128, help="held-out sequences at the end")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(words)
    if options.drafter and options.resume:
        parser.error("--resume goes on from an adapter, not from a drafter")
    return options


def rate_at(done, options):
    """Learning rate at a share of the time: 3 % warm-up, constant, linear to zero."""
    return options.rate * min(1.0, done / 0.03, max(0.0, (1 - done) / options.fall))


def optimizer_of(module):
    return torch.optim.AdamW(module.parameters(), lr=0, betas=(0.9, 0.98), weight_decay=0.01, fused=True)


@dataclass
class Judged:
    """The M rows with a target, of one batch."""

    rows: blocks.Rows
    judged: torch.Tensor  # [N, R] which of the rows they are
    student: torch.Tensor  # [M, D] what the rows come to
    known: torch.Tensor  # [M, D] the base's rows that know what they should say
    is_end: torch.Tensor  # [M] they should say that the hole ends
    before: torch.Tensor  # [M] the word before the one that each predicts
    text: torch.Tensor  # [M] that word, as the text has it


class Trainer:
    def __init__(self, options, network=None):
        self.options = options
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.network = network or Network(load_base(vocabulary.open_model(options.model), self.device), options.compile)
        base = self.network.base
        self.head = loss.head_of(base.embedding)
        rank = read_rank(options.resume) if options.resume else options.rank
        self.adapter = Drafter(base, options.drafter) if options.drafter else Adapter(base.shape, rank, options.products)
        self.adapter.to(self.device)
        if options.resume:
            read_adapter(options.resume, self.adapter)
        self.sampler = None
        self.optimizer = optimizer_of(self.adapter)
        self.generator = torch.Generator().manual_seed(options.seed)
        self.skipped = 0  # updates whose gradient was no number

    def rows_of(self, sequences, chosen, draw_options, generator, near_end=0):
        """The Judged of one batch."""
        fixed = self.options.longest if self.options.compile else None
        ids, body, hole, end, ends = sequences.batch(chosen, self.device, longest=fixed)
        drafts = isinstance(self.adapter, Drafter)
        past, teacher = self.network.clean(ids, self.adapter.read if drafts else ())
        # Of a text's example any place behind the tag; of a generated one its own words, and as many before them.
        start = torch.where(ends, body + 8, torch.maximum(body + 8, 2 * hole - end))
        if near_end:
            start = torch.maximum(start, end - near_end)
        flat = loss.choices(teacher.flatten(0, 1), self.head).view(ids.shape)
        run = blocks.agreement(ids, flat, start, end)
        rows = blocks.draw(ids, start, end, ends, run, draw_options, generator)
        group = self.network.shape.heads // self.network.shape.kv_heads
        mask = grouped_mask(blocks.seen(rows, ids.shape[1]), group, self.head.dtype)
        if drafts:
            student = self.adapter.block(self.network, rows.ids, rows.positions, mask, past)
        else:
            student = self.network.block(rows.ids, rows.positions, mask, past, self.adapter)
        judged = rows.weight > 0
        at = rows.first + rows.index  # the clean row that knows what this row should say
        known = teacher.gather(1, at.clamp(max=ids.shape[1] - 1)[:, :, None].expand(-1, -1, teacher.shape[2]))
        is_end = (at + 1 == end[:, None]) & ends[:, None]
        word = lambda place: ids.gather(1, place.clamp(max=ids.shape[1] - 1))[judged]
        return Judged(rows, judged, student[judged], known[judged], is_end[judged], word(at), word(at + 1))

    def said(self, judged):
        """The judged rows as the head gets them."""
        if not self.sampler:
            return judged.student
        return self.sampler(judged.student, F.embedding(judged.before, self.network.base.embedding))

    def step(self, sequences, chosen, rate):
        """One update, of the sampler where there is one. (loss a row, hit rate, rows judged)."""
        trained = self.sampler or self.adapter
        with torch.set_grad_enabled(not self.sampler):
            batch = self.rows_of(sequences, chosen, self.options, self.generator)
        weight = batch.rows.weight[batch.judged]
        total, hits, _, _ = loss.distil(self.said(batch), batch.known, self.head, batch.is_end, weight / weight.sum(), self.options.hard,
                                        batch.text if self.options.labels == "text" else None)
        total.backward()
        norm = torch.nn.utils.clip_grad_norm_(trained.parameters(), 1.0)
        if torch.isfinite(norm):
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            self.optimizer.step()
        else:  # one such update would make every weight useless
            self.skipped += 1
        self.optimizer.zero_grad(set_to_none=True)
        return total.detach(), hits.float().mean(), len(weight)

    def train_sampler(self):
        """From now on steps train a sampler head behind the adapter as it is."""
        self.sampler = Sampler(self.network.shape.width).to(self.device)
        self.optimizer = optimizer_of(self.sampler)

    @torch.no_grad()
    def judge(self, sequences, most=128):
        """Held-out measures with blocks of 8 masks at fixed anchors: tokens a draft, hit rate a row; and at the last four
        places before a hole's end: how often the row there says so, where the base agrees with the text so far, and how often
        another does."""
        options = argparse.Namespace(lengths=[8], rows=48, revealed=0.0, off_path=0.0, decay=1.0, ends=1.0)
        generator = torch.Generator().manual_seed(7)
        runs, rates, ends, told, right = [], [], 0, 0, 0
        order = list(range(min(most, len(sequences))))
        for at in range(0, len(order), 16):
            for near_end in (0, 4):
                with self.network.uncompiled():
                    batch = self.rows_of(sequences, order[at : at + 16], options, generator, near_end)
                weight = torch.ones(len(batch.before), device=self.device)
                _, hits, _, choice = loss.distil(self.said(batch), batch.known, self.head, batch.is_end, weight)
                if near_end:
                    says = choice == loss.CLASSES
                    ends, told = ends + int(batch.is_end.sum()), told + int(says.sum())
                    right += int((says & batch.is_end).sum())
                else:
                    spread = torch.zeros(batch.judged.shape, dtype=torch.bool, device=self.device)
                    spread[batch.judged] = hits
                    run, rate = blocks.accepted(batch.rows, spread)
                    runs.append(run), rates.append(rate)
        measures = {"blocks": sum(map(len, runs)), "ends": ends, "ends_told": told, "ends_right": right}
        if measures["blocks"]:  # of text few blocks are the base's own from end to end: rather look at its continuations
            measures["tokens_a_draft"] = round(1 + float(torch.cat(runs).mean()), 3)
            measures["hits"] = [round(x, 3) for x in torch.cat(rates).mean(0).tolist()]
        return measures


def fastest_batch(trainer, sequences, options, say):
    """Rows a second for each batch of --try-batch, at rate 0; the best one. What does not fit into memory is passed over."""
    rates = {}
    for batch in options.try_batch:
        try:
            for _ in (False, True):  # the first round compiles
                rows, start = 0, time.monotonic()
                for number in range(4):
                    chosen = [(number * batch + i) % len(sequences) for i in range(batch)]
                    rows += trainer.step(sequences, chosen, 0.0)[2]
            rates[batch] = rows / (time.monotonic() - start)
        except torch.OutOfMemoryError:
            trainer.optimizer.zero_grad(set_to_none=True)
            torch.cuda.empty_cache()
        say(tried=batch, rows_a_second=round(rates.get(batch, 0)))
    trainer.optimizer.state.clear()
    return max(rates, key=rates.get)


def save(options, trainer, **notes):
    if trainer.sampler:
        write_sampler(options.out / "sampler.gguf", trainer.sampler)
    elif options.drafter:
        torch.save(trainer.adapter.state_dict(), options.out / "drafter.pt")
    else:
        write_adapter(options.out / "adapter.gguf", trainer.adapter, options.kind, options.block_length, notes)


def load_held_out(folders):
    return {folder.name: Sequences(folder, "held_out") for folder in folders}


def train(options, trainer=None, sequences=None, held_out=None, keep=True):
    """What the run came to, by held-out folder; with `keep` the adapter is written, too."""
    options.out.mkdir(parents=True, exist_ok=True)
    hashes = {str(f.name): json.loads((f / "train.json").read_text())["files"] for f in options.data}
    (options.out / "arguments.json").write_text(json.dumps({**vars(options), "hashes": hashes}, indent=1, default=str) + "\n")
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    trainer = trainer or Trainer(options)
    sequences, held_out = sequences or Sequences(options.data, "train"), held_out or load_held_out(options.held_out)
    log = open(options.out / "log.jsonl", "a", buffering=1)

    def say(**record):
        log.write(json.dumps(record) + "\n")
        print(json.dumps(record), flush=True)

    trained = trainer.sampler or trainer.adapter
    say(sequences=len(sequences), parameters=sum(p.numel() for p in trained.parameters()), device=trainer.device)
    if options.try_batch:
        options.batch = fastest_batch(trainer, sequences, options, say)
    start = saved = judged = reported = time.monotonic()
    order, number, rows_seen, recent = [], 0, 0, []
    while (elapsed := time.monotonic() - start) < 60 * options.minutes:
        if len(order) < options.batch:
            order = torch.randperm(len(sequences), generator=trainer.generator).tolist()
        chosen, order = order[: options.batch], order[options.batch :]
        value, hit, rows = trainer.step(sequences, chosen, rate_at(elapsed / 60 / options.minutes, options))
        number, rows_seen = number + 1, rows_seen + rows
        recent.append((value, hit))
        now = time.monotonic()
        if now - reported > 15 or number == 1:
            mean = [float(sum(x) / len(recent)) for x in zip(*recent)]
            say(minute=round((now - start) / 60, 2), step=number, rows=rows_seen, rows_a_second=round(rows_seen / (now - start)),
                loss=round(mean[0], 4), hits=round(mean[1], 4), skipped=trainer.skipped)
            if not math.isfinite(mean[0]) or trainer.skipped > 8 + number // 100:
                raise SystemExit("the loss or its gradient is no number")
            recent, reported = [], now
        if keep and now - saved > 60 * options.save_minutes:
            save(options, trainer)
            saved = now
        if now - judged > 60 * options.judge_minutes:
            say(minute=round((now - start) / 60, 2), **{k: trainer.judge(s, 48) for k, s in held_out.items()})
            judged = time.monotonic()
    if keep:
        save(options, trainer, rows=rows_seen, steps=number)
    measured = {k: trainer.judge(s, options.judged) for k, s in held_out.items()}
    say(done=True, rows=rows_seen, **measured)
    return {"rows": rows_seen, **measured}


if __name__ == "__main__":
    train(arguments())
