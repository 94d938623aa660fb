#!/usr/bin/env python3
"""Twenty unmasking trajectories of every sampler that a family's authors use, on the tiny models that make_golden.py and
make_families.py made.

Needs numpy and gguf, as make_golden.py does. Run from anywhere, some minutes on one core:
  python3 tests/golden/make_trajectories.py [MODEL ...]
It rewrites tests/golden/models/*/trajectories.json from the models' files and the decoders of oracle.py, in float64.

THE FORM: {"samplers": [{"sampler": NAME, "commit": {rule, ...}, "runs": [...]}]}. A run of "in_place" has
  "canvas" (masks included) and "steps", one a forward: [position, token, position, token, ...] as committed, ascending. Where
  the rule masks positions again (p2, remdm, wino) a step has all that is another token after it, mask tokens among them.
A run of "blocks" has "prompt" and such steps; positions count from the prompt's first token. One of "growing" has "prefix",
  "suffix" and "steps": the hole's tokens after each forward.
Run i is the first input from the seed i on whose trajectory stays the same under noise of NOISE on every logit: what decides
between nearly equal numbers is rounding, which an engine in float32 does in its own order.
"""
import json
import os
import struct
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dit_oracle  # noqa: E402
import layer_files  # noqa: E402
import moe_oracle  # noqa: E402
import oracle  # noqa: E402
from tiny_models import LLADA_LAYER, LLADA_OUTER  # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "models")
RUNS, NOISE, NOISY_RUNS = 20, 1e-3, 2
CLEAR = 1e-4  # by how much an expert must be preferred to one that is not chosen


def read_safetensors(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = f.read()
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        raw = data[begin:end]
        if entry["dtype"] == "BF16":
            values = (np.frombuffer(raw, "<u2").astype(np.uint32) << np.uint32(16)).view(np.float32)
        else:
            values = np.frombuffer(raw, "<f4")
        yield name, values.reshape(entry["shape"]).astype(np.float64)


def read_model(name):
    folder = os.path.join(ROOT, name)
    with open(os.path.join(folder, "expected.json"), encoding="utf-8") as f:
        spec = json.load(f)["spec"]
    stored = {}
    for file in sorted(os.listdir(folder)):
        if file.endswith(".safetensors"):
            stored.update(read_safetensors(os.path.join(folder, file)))
    return KINDS.get(name, oracle.Model)(spec, read_weights(spec, stored, NAMES.get(name, layer_files.LLAMA)))


KINDS = {"mdlm": dit_oracle.DitModel, "bd3lm": dit_oracle.DitModel, "llada_moe": moe_oracle.MoeModel, "llada2": moe_oracle.MoeModel}
NAMES = {"llada": layer_files.Names(LLADA_OUTER, LLADA_LAYER, "model.transformer.blocks."), "mdlm": layer_files.DIT,
         "bd3lm": layer_files.DIT, "llada_moe": layer_files.MOE, "llada2": layer_files.LLADA2}


def read_weights(spec, stored, names):
    """The other way round of layer_files.tensors_of."""
    weights = {ours: stored[theirs] for ours, theirs in names.outer.items() if theirs in stored}
    for layer in range(spec["layers"]):
        for ours, theirs in names.layer.items():
            for kind, end in (("weight", ""), ("bias", ".bias")):
                if f"{names.prefix}{layer}.{theirs}.{kind}" in stored:
                    weights[f"{layer}.{ours}{end}"] = stored[f"{names.prefix}{layer}.{theirs}.{kind}"]
        if names.fused:
            edges = np.cumsum([spec["heads"], spec["kv_heads"]]) * spec["head_size"]
            parts = np.split(stored[f"{names.prefix}{layer}.{names.fused}.weight"], edges)
            weights.update(zip((f"{layer}.{part}" for part in "qkv"), parts))
        if "experts" in spec and layer >= spec["experts"]["dense_layers"]:
            weights.update(read_experts(spec["experts"], stored, names, layer))
    return weights


def read_experts(experts, stored, names, layer):
    start = f"{names.prefix}{layer}."
    yield f"{layer}.router", stored[start + names.experts["router"]]
    if experts["choice_bias"]:
        yield f"{layer}.choice_bias", stored[start + names.experts["choice_bias"]]
    for part in ("gate", "up", "down"):
        each = (start + names.experts["experts"].format(index=i, part=part) for i in range(experts["count"]))
        yield f"{layer}.experts.{part}", np.stack([stored[name] for name in each])
        if experts["shared_ffn"]:
            yield f"{layer}.shared.{part}", stored[start + names.experts["shared"].format(part=part)]


REMASKING = {"p2": oracle.p2, "remdm": oracle.remdm, "wino": oracle.wino}


def flat(commits):
    return [number for pair in commits for number in pair]


def in_place(model, random, rule):
    spec = model.spec
    canvas = [spec["bos"], *map(int, random.integers(0, 256, 7)), *[spec["mask"]] * 12, *map(int, random.integers(0, 256, 6)),
              spec["end_of_text"]]
    decode = REMASKING.get(rule["rule"], oracle.in_place)
    return {"canvas": canvas}, lambda m: [flat(step) for step in decode(m, canvas, rule)["steps"]]


def blocks(model, random, rule):
    prompt = [int(t) for t in random.integers(0, 256, int(random.integers(9, 25)))]

    def decode(m):
        found = oracle.tiled_block_diffusion(m, prompt, 2, rule, rule.get("sub_block", m.spec["block_length"]))
        return [flat(step["commits"]) for step in found["steps"]]
    return {"prompt": prompt}, decode


def growing(model, random, rule):
    spec, longest = model.spec, 96
    prefix = [spec["bos"], *map(int, random.integers(0, 256, 7))]
    suffix = [*map(int, random.integers(0, 256, 6)), spec["end_of_text"]]

    def decode(m):
        found = oracle.expand_erase(m, prefix, suffix, rule["masks"], rule["limit"], rule["broadcast"], longest)
        return [step["middle"] for step in found["steps"]] if found["finished"] and found["middle"] else None
    return {"prefix": prefix, "suffix": suffix}, decode


def is_clear(model, kind_of_decode):
    """Whether decoding is possible and no row was nearly sent to other experts."""
    fresh = model.variant()
    return kind_of_decode(fresh) is not None and getattr(fresh, "margin", np.inf) > CLEAR


def record(model, kind, rule):
    runs = []
    for seed in range(RUNS):
        random = np.random.default_rng(1000 + seed)
        while True:
            given, decode = kind(model, random, rule)
            steps = decode(model)
            if is_clear(model, decode) and all(decode(model.variant(noise=NOISE, noise_seed=i + 1)) == steps for i in range(NOISY_RUNS)):
                break
        runs.append({**given, "steps": steps})
    return {"sampler": kind.__name__, "commit": rule, "runs": runs}


THRESHOLD = {"rule": "threshold", "tau": 0.9, "block": 4}
P2, REMDM = {"rule": "p2", "steps": 5}, {"rule": "remdm", "remasked": 2}
WINO = {"rule": "wino", "tau": 0.5, "tau_back": 0.6}
FACTOR, BOUND = {"rule": "factor", "factor": 1.0}, {"rule": "entropy_bound", "bound": 0.35}
SAMPLERS = {
    "llada": [(in_place, {"rule": "llada_quota", "steps": 4, "block": 6}), (in_place, {"rule": "llada_quota", "steps": 12, "block": 12}),
              (in_place, THRESHOLD), (in_place, P2), (in_place, {"rule": "p2", "block": 6}), (in_place, REMDM),
              (in_place, {"rule": "remdm", "remasked": 1, "again": 3, "block": 6}), (in_place, WINO), (in_place, {**WINO, "block": 6})],
    "dream": [(in_place, {"rule": rule, "steps": steps, "eps": 1e-3}) for rule in ("maskgit_plus", "topk_margin", "entropy")
              for steps in (5, 12)] + [(in_place, rule) for rule in (THRESHOLD, {**P2, "confidence": "margin"}, REMDM)],
    "qwen3_block": [(blocks, {"rule": "threshold", "tau": 0.85}), (blocks, {"rule": "quota", "count": 2}), (blocks, BOUND)],
    "dreamon": [(growing, {"rule": "entropy", "count": 1, "masks": 6, "limit": limit, "broadcast": broadcast})
                for limit, broadcast in ((16, False), (8, False), (16, True))],
    "mdlm": [(in_place, {**THRESHOLD, "block": 8}), (in_place, {"rule": "llada_quota", "steps": 4, "block": 12}), (in_place, REMDM)],
    "llada_moe": [(in_place, {"rule": "llada_quota", "steps": 4, "block": 4}), (in_place, THRESHOLD)],
    "bd3lm": [(blocks, {"rule": "threshold", "tau": 0.9}), (blocks, {"rule": "quota", "count": 1})],
    "llada2": [(blocks, {"rule": "threshold", "tau": 0.9}), (blocks, {"rule": "quota", "count": 2})],
    "fast_dllm": [(blocks, {"rule": "threshold", "tau": 0.9, "sub_block": 4}), (blocks, {**FACTOR, "sub_block": 4})],
}


def main():
    for name in sys.argv[1:] or SAMPLERS:
        model, samplers = read_model(name), SAMPLERS[name]
        found = [record(model, kind, rule) for kind, rule in samplers]
        path = os.path.join(ROOT, name, "trajectories.json")
        lines = []
        for sampler in found:
            runs = ",\n".join("  " + json.dumps(run, separators=(",", ":")) for run in sampler["runs"])
            lines.append(f' {{"sampler": "{sampler["sampler"]}", "commit": {json.dumps(sampler["commit"])}, "runs": [\n{runs}]}}')
        with open(path, "w", encoding="utf-8") as f:
            f.write('{"samplers": [\n' + ",\n".join(lines) + "\n]}\n")
        print(f"{name}: {len(found)} samplers, {os.path.getsize(path)} bytes", flush=True)


if __name__ == "__main__":
    main()
