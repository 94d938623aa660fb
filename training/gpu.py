#!/usr/bin/env python3
"""One run on a rented GPU in one process, against the wall clock:
gpu.py WORK --minutes M [--generate M] [--trials M] [option of train.py ...]

WORK holds data/ (shards of examples, shards.py), shape.json (the model's shape, --write-shape) and, sooner or later,
model.gguf; the file `ready` says that it is all there, and may hold the minutes to train. Until then the process compiles and times its steps on a random
base of that shape, so that a slow transfer costs nothing. Then the base writes continuations of the examples' prompts into
WORK/made (unless an earlier run brought them back), and the adapter is trained on them and on the text.

With --trials each of TRIALS is trained from the start for so many minutes before the run, and WORK/trials/table.md says what
each came to.

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
from network import Network
from sequences import Sequences
from shards import write_all
from train import Trainer, arguments, train

MADE_TOKENS = 64
DEFAULTS = ("--rank 64 --rate 8e-4 --rows 384 --longest 448 --batch 48 --lengths 1 2 3 4 4 6 8 8 --revealed 0.15 --decay 0.9 "
            "--kind q8_0 --save-minutes 2 --judge-minutes 2.5").split()

# What is tried against the defaults, at equal time. The first is the defaults themselves.
TRIALS = ("", "--rank 32", "--rank 128", "--rate 4e-4", "--rate 1.6e-3", "--hard 0", "--hard 1", "--lengths 4 8 16", "--lengths 8 16 32",
          "--revealed 0", "--off-path 0.3", "--drafter 1", "--drafter 2")


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


def run_trials(work, options_of, network, minutes):
    """Trains each trial into WORK/trials and writes their table; what fails (no memory left, say) stands in it, too."""
    lines = ["| trial | million rows | tokens a draft: own continuations | text | hits, % |", "|---|---|---|---|---|"]
    for number, words in enumerate(TRIALS):
        options = options_of(f"trials/{number}", words.split())
        options.minutes, options.judge_minutes = minutes, float("inf")
        torch.manual_seed(options.seed)
        try:
            result = train(options, Trainer(options, network))
            made, data = result["made"], result["data"]
            hits = " ".join(f"{100 * hit:.0f}" for hit in made.get("hits", []))
            line = f"{result['rows'] / 1e6:.2f} | {made.get('tokens_a_draft')} | {data.get('tokens_a_draft')} | {hits}"
        except (RuntimeError, SystemExit) as error:
            torch.cuda.empty_cache()
            line = f"{str(error).splitlines()[0][:80]} | | |"
        lines.append(f"| {words or 'defaults'} | {line} |")
        (work / "trials/table.md").write_text("\n".join(lines) + "\n")
        say(lines[-1])


def take(words, option, otherwise, kind=float):
    """What stands behind an option, taken out of the words that are for train.py."""
    if option not in words:
        return otherwise
    at = words.index(option)
    value = kind(words[at + 1])
    del words[at : at + 2]
    return value


def main():
    work, words = Path(sys.argv[1]), sys.argv[2:]
    if words[:1] == ["--write-shape"]:
        shape = read_shape(vocabulary.open_model(*words[1:] or [vocabulary.MODEL]))
        (work / "shape.json").write_text(json.dumps(dataclasses.asdict(shape)) + "\n")
        return
    minutes, trial_minutes = take(words, "--generate", 1.0), take(words, "--trials", 0.0)
    resume = take(words, "--resume", None, Path)  # not for trials: they start from nothing
    batch = 512 if torch.cuda.is_available() else 16

    def options_of(out, further=()):
        made = work / "made"
        return arguments([str(work / out), "--data", str(made), str(made), str(work / "data"), "--held-out", str(made), str(work / "data"),
                          *DEFAULTS, *words, *further])

    options = options_of("run")
    options.resume = resume
    torch.manual_seed(options.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    base = random_base(Shape(**json.loads((work / "shape.json").read_text())), device)
    network = Network(base, options.compile)
    trainer = Trainer(options, network)
    say(f"{device}, torch {torch.__version__}")
    rehearse(trainer, Sequences(work / "data", "train"), Sequences(work / "data", "held_out"))
    while not (work / "ready").exists():
        time.sleep(0.2)
    options.minutes = float((work / "ready").read_text().strip() or options.minutes)
    copy_into(base, load_base(vocabulary.open_model(work / "model.gguf"), device))
    trainer = Trainer(options, network)
    say("the base is there")
    make_continuations(work, trainer, minutes, batch)
    if trial_minutes:
        run_trials(work, options_of, network, trial_minutes)
    train(options, trainer)
    say("done")


if __name__ == "__main__":
    main()
