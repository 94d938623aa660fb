#!/usr/bin/env python3
"""One run on a rented GPU in one process, against the wall clock: gpu.py WORK --minutes M [--generate M] [option of train.py ...]

WORK holds data/ (shards of examples, shards.py), shape.json (the model's shape, --write-shape) and, sooner or later,
model.gguf; the file `ready` says that it is all there, and may hold the minutes to train. Until then the process compiles and times its steps on a random
base of that shape, so that a slow transfer costs nothing. Then the base writes continuations of the examples' prompts into
WORK/made (unless an earlier run brought them back), and the adapter is trained on them and on the text.

Results: WORK/run/adapter.gguf, log.jsonl, arguments.json; WORK/made for the next run.

    gpu.py WORK --write-shape [MODEL]      writes WORK/shape.json
"""
import dataclasses
import json
import sys
import time
from pathlib import Path

import torch

import loss
import vocabulary
from base import Shape, copy_into, load_base, random_base, read_shape
from generate import generate
from sequences import Sequences
from shards import write_all
from train import Trainer, arguments, train

MADE_TOKENS = 64
DEFAULTS = ("--rank 64 --rate 8e-4 --rows 384 --longest 448 --batch 48 --lengths 1 2 3 4 4 6 8 8 --revealed 0.15 --decay 0.9 "
            "--kind q8_0 --save-minutes 2 --judge-minutes 2.5").split()


def say(text, start=time.monotonic()):
    print(f"{time.monotonic() - start:6.1f} s  {text}", flush=True)


def rehearse(trainer, sequences, held_out):
    """Every shape of the run once, at rate 0, and how fast it goes."""
    steps = 6 if trainer.device == "cuda" else 1
    for _ in range(2):  # the first compiles
        rows, start = 0, time.monotonic()
        for number in range(steps):
            chosen = [(number * trainer.options.batch + i) % len(sequences) for i in range(trainer.options.batch)]
            value, _, judged = trainer.step(sequences, chosen, 0.0)
            rows += judged
        spent = time.monotonic() - start
        say(f"random base: {steps * trainer.options.batch * trainer.options.rows / spent:.0f} block rows/s, {rows / spent:.0f} judged, "
            f"{steps / spent:.2f} steps/s, loss {float(value):.2f}")
    trainer.judge(held_out, 4)
    generate(trainer.network, trainer.head, held_out, 4, 16, most=16 if trainer.device == "cuda" else 1, least=0)
    trainer.optimizer.state.clear()
    if trainer.device == "cuda":
        say(f"memory: {torch.cuda.max_memory_allocated() >> 20} MiB")


def make_continuations(work, trainer, minutes, batch):
    for split, limit in (("held_out", 1e9), ("train", minutes)):
        if not (work / "made" / f"{split}.json").exists():
            sequences = Sequences(work / "data", split)
            examples = generate(trainer.network, trainer.head, sequences, MADE_TOKENS, batch, limit)
            say(f"{split}: " + str(write_all(examples, work / "made", split, {"generated_tokens": MADE_TOKENS, "from": split})))


def main():
    work, words = Path(sys.argv[1]), sys.argv[2:]
    if words[:1] == ["--write-shape"]:
        shape = read_shape(vocabulary.open_model(*words[1:] or [vocabulary.MODEL]))
        (work / "shape.json").write_text(json.dumps(dataclasses.asdict(shape)) + "\n")
        return
    minutes = float(words.pop(words.index("--generate") + 1)) if "--generate" in words else 1.0
    words = [w for w in words if w != "--generate"]
    batch = 512 if torch.cuda.is_available() else 16
    options = arguments([str(work / "run"), "--data", str(work / "data"), *DEFAULTS, *words])
    torch.manual_seed(options.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    base = random_base(Shape(**json.loads((work / "shape.json").read_text())), device)
    trainer = Trainer(options, base)
    say(f"{device}, torch {torch.__version__}")
    rehearse(trainer, Sequences(work / "data", "train"), Sequences(work / "data", "held_out"))
    while not (work / "ready").exists():
        time.sleep(0.2)
    options.minutes = float((work / "ready").read_text().strip() or options.minutes)
    copy_into(base, load_base(vocabulary.open_model(work / "model.gguf"), device))
    trainer.head.copy_(loss.head_of(base.embedding))
    say("the base is there")
    make_continuations(work, trainer, minutes, batch)
    options.data = [work / "made", work / "made", work / "data"]
    options.held_out = [work / "made", work / "data"]
    train(options, trainer)
    say("done")


if __name__ == "__main__":
    main()
