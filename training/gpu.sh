#!/bin/bash
# One run on a rented GPU, without a network, against the wall clock: gpu.sh WORK MINUTES [option of train.py ...]
#
# WORK holds model.gguf (the default model's parts, joined) and data/ (shards of examples, shards.py), and the packages that
# the machine lacks are on PYTHONPATH (README.md, "On one GPU"). Checks the trainer, lets the base write continuations for a
# quarter of the time (or takes WORK/made, when an earlier run brought it back), trains on them and on the text for the rest.
# To go on from an adapter: --resume FILE; what is given last holds.
# Results: WORK/run/adapter.gguf, log.jsonl, arguments.json; WORK/made for the next run.
set -euo pipefail
work=$1 minutes=$2
shift 2
here=$(dirname "$(readlink -f "$0")")
start=$SECONDS
export PYTHONUNBUFFERED=1
cd "$here"
python3 tests/rehearse.py
if [ ! -f "$work/made/train.json" ]; then
  python3 generate.py "$work/data" "$work/made" --model "$work/model.gguf" --split held_out --batch 256 --tokens 64
  python3 generate.py "$work/data" "$work/made" --model "$work/model.gguf" --batch 512 --tokens 96 --minutes "$((minutes / 4))"
fi
left=$((minutes - (SECONDS - start + 59) / 60))
[ "$left" -ge 2 ] || { echo "only $left minutes left to train"; exit 1; }
python3 train.py "$work/run" --data "$work/made" "$work/made" "$work/data" --held-out "$work/made" "$work/data" \
  --model "$work/model.gguf" --minutes "$left" --rank 64 --rate 6e-4 --rows 512 --longest 736 --compile --try-batch 16 32 48 \
  --kind q8_0 --save-minutes 2 --judge-minutes 3 "$@"
