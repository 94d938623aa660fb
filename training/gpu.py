#!/usr/bin/env python3
"""One run on a rented GPU in one process, against the wall clock:
gpu.py WORK --minutes M [--throughput N] [--generate M] [--trials M] [--sampler M] [option of train.py ...]

WORK holds data/ (shards of examples, shards.py), shape.json (the model's shape, --write-shape) and, sooner or later,
model.gguf; the file `ready` says that it is all there, and may hold other minutes. Until then the process compiles and times
its steps on a random base of that shape, so that a slow transfer costs nothing; with --throughput it first writes
WORK/throughput.md, the first N cases' rows a second by batch, length, compilation and precision. Then, within the minutes: the base writes
continuations of the examples' prompts into WORK/made for --generate minutes (unless an earlier run brought them back); the
adapter is trained on continuations and text for what time is left; a sampler head behind it for --sampler minutes
(experiments/sampler.py); and last, so that one which fails costs nothing else, each of TRIALS is trained from the start for --trials
minutes, and WORK/trials/table.md says what each came to.

Results: WORK/run/adapter.gguf, log.jsonl, arguments.json; WORK/sampler/sampler.gguf; WORK/made for the next run.

    gpu.py WORK --write-shape [MODEL]      writes WORK/shape.json
"""
import dataclasses
import json
import sys
import time
from pathlib import Path

import torch

import vocabulary
from base import Shape, copy_into, load_base, random_base, read_shape
from generate import generate
from network import Network
from sequences import Sequences
from shards import write_all
from train import Trainer, arguments, load_held_out, train

MADE_TOKENS = 64
MADE_SHARE = 6  # times that a continuation counts against an example of the text: every row of it is on the base's path
DEFAULTS = ("--rank 64 --rate 8e-4 --rows 384 --longest 448 --batch 48 --lengths 1 2 3 4 4 6 8 8 --revealed 0.15 --decay 0.9 "
            "--kind q8_0 --save-minutes 2 --judge-minutes 2.5").split()
LAST_WORDS = 0.2  # minutes that measuring and saving take at the end
TRIAL_WORDS = 0.1  # the same of a trial, with what it compiles

# What is tried against the defaults, at equal time. The first is the defaults themselves; then what no GPU has tried yet
# (README.md has the others' figures).
TRIALS = ("", "--hard 1 --labels text", "--lengths 4 8 16", "--lengths 8 16 32", "--revealed 0", "--ends 10", "--rank 32", "--rank 128",
          "--products attention", "--products ffn", "--drafter 1", "--drafter 3", "--rate 4e-4", "--rate 1.6e-3", "--hard 0", "--hard 1")

# Steps that --throughput times: batch, length of its sequences, compiled, precision of base and products.
THROUGHPUT = ((48, 448, False, "bfloat16"), (48, 448, False, "float32"), (48, 448, True, "bfloat16"), (48, 448, True, "float32"),
              *((batch, longest, False, "bfloat16") for batch in (16, 32, 64, 96) for longest in (448, 256, 640)),
              (48, 256, False, "bfloat16"), (48, 640, False, "bfloat16"))


START = time.monotonic()


def say(text):
    print(f"{time.monotonic() - START:6.1f} s  {text}", flush=True)


def rehearse(trainer, sequences, held_out):
    """Every shape of the run once, at rate 0, and how fast it goes."""
    for _ in range(2):  # the first compiles
        rehearse_steps(trainer, sequences, 6 if trainer.device == "cuda" else 1)
    trainer.judge(held_out, 4)
    generate(trainer.network, trainer.head, held_out, 4, 16, most=16 if trainer.device == "cuda" else 1, least=0)
    trainer.train_sampler()
    rehearse_steps(trainer, sequences, 1)
    if trainer.device == "cuda":
        say(f"memory: {torch.cuda.max_memory_allocated() >> 20} MiB")


def rehearse_steps(trainer, sequences, steps):
    """Block rows a second of so many steps at rate 0."""
    rows, start, batch = 0, time.monotonic(), trainer.options.batch
    for number in range(steps):
        value, _, judged = trainer.step(sequences, [(number * batch + i) % len(sequences) for i in range(batch)], 0.0)
        rows += judged
    value = float(value)  # waits for the device
    spent = time.monotonic() - start
    trainer.optimizer.state.clear()
    say(f"rehearsed: {steps * batch * trainer.options.rows / spent:.0f} block rows/s, {rows / spent:.0f} judged, "
        f"{steps / spent:.2f} steps/s, loss {value:.2f}")
    return steps * batch * trainer.options.rows / spent


def write_throughput(work, options_of, shape, device, sequences, cases):
    """A table of what each case does a second, at the same number of rows a step; one that has no memory stands in it, too."""
    lines = ["| batch | length | compiled | precision | block rows a second | MiB |", "|---|---|---|---|---|---|"]
    for batch, longest, compiled, precision in cases:
        options = options_of("throughput")
        options.batch, options.longest, options.compile = batch, longest, True  # all of that length, compiled or not
        if device == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        try:
            trainer = Trainer(options, Network(random_base(shape, device, getattr(torch, precision)), compiled))
            rehearse_steps(trainer, sequences, 2 if device == "cuda" else 1)  # compiles
            rate = f"{rehearse_steps(trainer, sequences, 4 if device == 'cuda' else 1):.0f}"
        except torch.OutOfMemoryError:
            rate = "no memory"
        memory = torch.cuda.max_memory_allocated() >> 20 if device == "cuda" else ""
        lines.append(f"| {batch} | {longest} | {'yes' if compiled else 'no'} | {precision} | {rate} | {memory} |")
        (work / "throughput.md").write_text("\n".join(lines) + "\n")
        say(lines[-1])


def rehearse_trials(options_of, network, sequences, enough):
    """Compiles what the trials need beside it, as far as there is time."""
    for words in TRIALS[1:]:
        if words.split()[0] not in ("--rank", "--products", "--drafter"):
            continue
        if enough():
            break
        say(f"rehearsing {words}")
        rehearse_steps(Trainer(options_of("trials", words.split()), network), sequences, 1)


def make_continuations(work, trainer, minutes, batch):
    for split, limit in (("held_out", 1e9), ("train", minutes)):
        if not (work / "made" / f"{split}.json").exists():
            sequences = Sequences(work / "data", split)
            examples = generate(trainer.network, trainer.head, sequences, MADE_TOKENS, batch, limit)
            say(f"{split}: " + str(write_all(examples, work / "made", split, {"generated_tokens": MADE_TOKENS, "from": split})))


def run_trials(work, options_of, network, minutes, data, end):
    """Trains each trial, as long as there is time, and writes their table; one that has no memory stands in it, too."""
    lines = ["| trial | million rows | tokens a draft: own continuations | text | hits, % | ends found | of | wrongly |",
             "|---|---|---|---|---|---|---|---|"]
    for number, words in enumerate(TRIALS):
        if time.monotonic() + 60 * minutes > end:
            break
        options = options_of(f"trials/{number}", words.split())
        options.minutes, options.judge_minutes, options.judged = minutes, float("inf"), 64
        torch.manual_seed(options.seed)
        try:
            trainer = Trainer(options, network)
            rehearse_steps(trainer, data[0], 1)  # what it compiles is no part of its time
            result = train(options, trainer, *data, keep=False)
            made, text = result["made"], result["data"]
            hits = " ".join(f"{100 * hit:.0f}" for hit in made.get("hits", []))
            line = (f"{result['rows'] / 1e6:.2f} | {made.get('tokens_a_draft')} | {text.get('tokens_a_draft')} | {hits} | "
                    f"{text['ends_right']} | "
                    f"{text['ends']} | {text['ends_told'] - text['ends_right']}")
        except (torch.OutOfMemoryError, SystemExit) as error:
            torch.cuda.empty_cache()
            line = f"{str(error).splitlines()[0][:80]} | | | | | |"
        lines.append(f"| {words or 'defaults'} | {line} |")
        (work / "trials/table.md").write_text("\n".join(lines) + "\n")
        say(lines[-1])


def train_sampler(options, trainer, minutes, data):
    """A sampler head behind the finished adapter, in a folder of its own: the run's arguments stay what they were."""
    trainer.train_sampler()
    options.out = options.out.with_name("sampler")
    options.minutes, options.judge_minutes, options.rate = minutes, float("inf"), 1e-3
    train(options, trainer, *data)


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
    generate_minutes, trial_minutes, sampler_minutes = (take(words, f"--{name}", 0.0) for name in ("generate", "trials", "sampler"))
    timed_cases = take(words, "--throughput", 0, int)
    resume = take(words, "--resume", None, Path)  # not for trials: they start from nothing
    made = work / "made"

    def options_of(out, further=()):
        return arguments([str(work / out), "--data", *[str(made)] * MADE_SHARE, str(work / "data"), "--held-out", str(made),
                          str(work / "data"), *DEFAULTS, *words, *further])

    options = options_of("run")
    options.resume = resume
    torch.manual_seed(options.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    shape = Shape(**json.loads((work / "shape.json").read_text()))
    sequences, ready = Sequences(work / "data", "train"), work / "ready"
    say(f"{device}, torch {torch.__version__}")
    write_throughput(work, options_of, shape, device, sequences, THROUGHPUT[:timed_cases])
    base = random_base(shape, device)
    network = Network(base, options.compile)
    rehearse(Trainer(options_of("run"), network), sequences, Sequences(work / "data", "held_out"))
    if trial_minutes:
        rehearse_trials(options_of, network, sequences, ready.exists)
    while not ready.exists():
        time.sleep(0.2)
    end = time.monotonic() + 60 * float(ready.read_text().strip() or options.minutes)
    copy_into(base, load_base(vocabulary.open_model(work / "model.gguf"), device))
    say("the base is there")
    trainer = Trainer(options, network)
    make_continuations(work, trainer, generate_minutes, 512 if device == "cuda" else 16)
    data = Sequences(options.data, "train"), load_held_out(options.held_out)
    trials = len(TRIALS) * (trial_minutes + TRIAL_WORDS) if trial_minutes else 0
    options.minutes = (end - time.monotonic()) / 60 - sampler_minutes - LAST_WORDS - trials
    say(f"{options.minutes:.2f} minutes for the run")
    train(options, trainer, *data)
    if sampler_minutes:
        train_sampler(options, trainer, sampler_minutes, data)
    if trial_minutes:
        run_trials(work, options_of, network, trial_minutes, data, end)
    say("done")


if __name__ == "__main__":
    main()
