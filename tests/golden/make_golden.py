#!/usr/bin/env python3
"""Tiny random models of each family and what a correct engine must make of them.

Needs only numpy (2.4.6) and gguf; the versions of the last run are in every expected.json.
Run from anywhere, some minutes on one core:   python3 tests/golden/make_golden.py
It rewrites tests/golden/models/*. Nothing depends on the machine: weights come from fixed seeds, all arithmetic is float64.

This file is the oracle: one masked forward over whole sequences, no caches, no batches, and decoders that are as literal
as the papers. It shares no code with the engine on purpose.

THE MODELS (every one V=288, E=32; byte b is token b, then the specials of SPECIALS)
  qwen2_block    Qwen2 form: q/k/v bias, tied head, block-causal, shift 1                         float32
  qwen3_block    Qwen3 form: q/k norm, no bias, own head, blocks, shift 0 (SDAR)                  bfloat16, two shards
  fast_dllm      Qwen2 form: q/k/v bias, tied head, blocks of 8 in sub-blocks of 4, shift 1 (Fast-dLLM v2)   bfloat16
  rope_*         llama_gguf's form as a folder, causal, with scaled rotary embeddings: linear, llama3, yarn, partial bfloat16
  llama_gguf     GGUF, architecture "llama": q/k rows permuted for interleaved rotation; F32, F16 and Q8_0 tensors
  qwen2_gguf     GGUF, architecture "qwen2": not permuted, bias, tied head; Q8_0 with F32 norms
  dream          Dream form: Qwen2 tensors, no head_dim in config.json (E = D / H), full attention, shift 1    bfloat16
  llada          LLaDA tensor names and config keys, full attention, shift 0                                bfloat16
  dreamon        as dream plus expand and erase; erase is the end-of-text token, as in the released model     bfloat16
  qwen2_gated    qwen2_block's weights by reference; holds two PEFT folders: adapter_gated, adapter_plain     float32
Every folder has expected.json. Those with a Hugging Face form also have config.json, tokenizer.json, *.safetensors.

THE FORM OF expected.json
  format         1
  made_with      versions, "arithmetic"
  model          what to open, relative to expected.json's folder ("." or "model.gguf" or "../qwen2_block")
  adapters       {"gated": FOLDER, "plain": FOLDER} or {}
  spec           the ModelSpec, field by field under the same names; attention and infill as their enumerators' names
  logits         list of
    name, tokens [T], clean (integer C), adapter ("none" | "gated" | "plain"), rows [R], values [R][V],
    scores [R] of {best, best_logit, second_logit, log_sum_exp, entropy} over the allowed tokens (see ALLOWED)
    bf16_attention_error: largest |difference| of a value when k, v and perhaps q and the probabilities are rounded to
                   bfloat16 (oracle.ROUNDINGS) and all else stays exact: a tolerance for an engine is a small multiple of it.
    Row i < C is clean: sees rows 0..i, never an adapter that is gated. Rows C..T-1 are one block: each sees all rows,
    gated adapter active. C = T: plain causal. C = 0: full attention, or, where the spec's attention is blocks, every row sees
    to the end of its own block of block_length, tiled from row 0. values[r] belongs to row rows[r] *as computed*: no
    shift is applied. A plain adapter acts on every row. values are rounded to 6 significant digits, logits to no
    temperature.
  autoregressive list of {name, prompt, tokens}: greedy, base weights, causal; tokens are only the new ones.
  block_diffusion list of
    name, prompt, block (B), blocks, adapter ("none"|"gated"), commit {rule, ...}, steps, tokens, denoise_forwards, clean_forwards
    steps: list of {block, commits}; commits is a list of [position, token], ascending by position; a step is one forward
    of the block's B rows. Positions count from the prompt's first token. tokens: the B * blocks new ones.
    Where the spec's attention is blocks, there is sub_block, the first block holds the prompt's last tokens (not in tokens), and
    a step that commits a block's first token alone is a forward of clean rows (oracle.tiled_block_diffusion).
    clean_forwards counts the prompt's and one for every block but the last (which need not be run clean).
  remasking      qwen2_gated alone: list of
    name, prompt, block (B), blocks, adapter, commit {rule, keep, sure}, steps, tokens (B * blocks), denoise_forwards
    steps: list of {kept, against, remasked, unread, commits}, one a forward: provisional tokens kept, those among them that
    are not the base's choice, those masked again, and those appended unread; commits as above, all tokens of the step.
  in_place       list of
    name, canvas (masks included), commit {rule, ...}, steps, result (the canvas at the end), forwards
    steps: list of commits (as above), one per forward; a step may be empty where the schedule grants no commit.
  expand_erase   list of
    name, prefix, suffix, masks (how many at the start), limit, broadcast_erase, max_steps, steps, middle, forwards,
    finished (no mask left; else the step limit was reached)
    prefix begins with bos and suffix ends with end of text. steps: list of {commit: [position, token], middle: [...] after it};
    position counts from the prefix's first token, before the expansion or removal.
  noise          every trajectory was also run with every logit changed by independent noise of at most +- this, with
                 bfloat16 keys and values in all of oracle.ROUNDINGS, and with both, and came out the same each time: an
                 engine that is exact but for one of these roundings must agree exactly.

ALLOWED. A choice is made among the tokens that are not in spec.never_generated; probabilities and entropies (natural
logarithm) are of the softmax over these alone. Argmax ties: smallest id. Where the spec has expand or erase they are
forbidden too, except in expand_erase.

AUTOREGRESSIVE: token of position p = argmax of clean row p - 1, in every family (shift or not).

BLOCK DIFFUSION. The clean text is `prompt` and grows. A block starts at s = length of the clean text and spans s .. s+B-1, all
masks. A step runs the B rows (mask token or revealed token each) as block rows behind the clean ones. Candidate of masked
position p: shift 0: row p. Shift 1: row p - 1, which for p = s is the last *clean* row (base weights, causal; it does not
change within the block; the row s+B-1 then predicts nothing). Candidate token = argmax; c = its probability; H = entropy.
Only masked positions are candidates, and at least one is committed a step:
  threshold      {tau}     all with c >= tau; if none, the best c
  factor         {factor}  sort c descending; rank r = 1, 2, ...: stop at the first r > 1 with c < 1 - factor / (r + 1); commit those before
  quota          {count}   the `count` best c
  entropy_bound  {bound}   sort H ascending; commit while the running sum <= bound (sum includes the one looked at); at least one
Equal c or H: lower position first. When the block has no mask left its tokens become clean text (keys and values from the base weights).

REMASKING (gated adapter, shift 1). The clean text is `prompt`, the tokens known so far, and provisional tokens, none at first.
A step runs all of it as clean rows (base weights) and looks at the provisional tokens in order: one stays whose probability
is at least `keep` times that of the row's best token; from the first that does not, they are dropped. What stays is known now,
and so is the base's best token behind it. Block rows of B masks behind what stays (in place of the base's token and of B - 1
behind it) then say B provisional tokens, row by row, for what follows the base's token. If the first n of them reach
the wanted number of tokens and each has a probability >= `sure`, they are known, too, and all is done.

IN PLACE. Every row sees all. shift 1: candidate of p from row p - 1. Rules:
  threshold      {tau, block}
                 blocks of `block` positions from the first mask on; only masks of the first block that has masks are candidates
  llada_quota    {steps, block} steps for each block; the block's masks m: every step commits m // steps of them, the first
                 m % steps steps one more; highest c first
  maskgit_plus | topk_margin | entropy  {steps, eps}
                 Dream's: t_i = 1 + (eps - 1) * i / steps; step i commits floor(masks * (1 - t_(i+1) / t_i)), the last step all;
                 best first by c | c minus the second largest probability | sum p ln(p + 1e-10)
  Equal values: lower position first.

EXPAND AND ERASE (DreamOn, greedy). A step runs prefix + middle + suffix, positions from 0 anew. Candidates as in place, shift 1,
with expand and erase allowed; expand is forbidden when the middle's length >= limit. Commits the one masked position with the
largest sum p ln p (ties: lower position). expand: the position becomes two masks. erase: the position is removed; with
broadcast_erase and only masks behind it in the middle, those go too. Ends without masks or after max_steps.
"""
import importlib.metadata
import itertools
import json
import os
import platform
import sys

import numpy as np
from gguf import GGMLQuantizationType as Ggml

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import oracle  # noqa: E402
import tiny_models as tiny  # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "models")
NOISE = 0.03     # largest disturbance of a logit that must not change a trajectory
NOISY_RUNS = 2   # how many disturbed runs for each way of rounding
MAX_TRIES = 20000  # prompts tried until one is that robust


def six_digits(x):
    return float(f"{x:.6g}")


class Recorder:
    """Collects one model's expected values; the prompts of trajectories are searched for robustness."""

    def __init__(self, name, source, spec, weights, seed, gated=None, plain=None):
        self.folder = os.path.join(ROOT, name)
        self.name, self.spec, self.random = name, spec, np.random.default_rng(seed)
        as_double = {n: np.asarray(x, np.float64) for n, x in weights.items()}
        self.model = oracle.Model(spec, as_double, gated)
        self.plain = oracle.Model(spec, {n: np.asarray(x, np.float64) for n, x in plain.items()}) if plain else None
        self.out = {"format": 1, "made_with": {"python": platform.python_version(), "numpy": np.__version__,
                                               "gguf": importlib.metadata.version("gguf"),
                                               "arithmetic": "float64, weights as stored"},
                    "model": source, "adapters": {}, "spec": spec, "logits": [], "autoregressive": [],
                    "block_diffusion": [], "in_place": [], "expand_erase": [], "noise": NOISE}

    def text(self, count):
        return [int(t) for t in self.random.integers(0, 256, count)]

    def logits(self, name, tokens, clean, rows, adapter="none"):
        model = self.plain if adapter == "plain" else self.model
        exact = model.logits(tokens, clean, adapter == "gated")
        rough = [model.variant(rounded=r).logits(tokens, clean, adapter == "gated") for r in oracle.ROUNDINGS]
        if adapter == "gated":  # the point of gating: clean rows are the base model's, bit for bit
            assert np.array_equal(exact[:clean], model.logits(tokens, clean, False)[:clean])
        allowed = oracle.allowed_mask(self.spec)
        keys = ("best", "best_logit", "second_logit", "log_sum_exp", "entropy")
        judged = [oracle.judge(exact[r], allowed) for r in rows]
        self.out["logits"].append({
            "name": name, "tokens": tokens, "clean": clean, "adapter": adapter, "rows": rows,
            "values": [[six_digits(x) for x in exact[r]] for r in rows],
            "scores": [{k: j[k] if k == "best" else six_digits(j[k]) for k in keys} for j in judged],
            "bf16_attention_error": six_digits(max(np.abs(exact - r)[rows].max() for r in rough))})

    def robust(self, kind, name, draw, decode, useful=lambda result: True):
        """Records the first drawn input whose trajectory is useful and survives noise and bf16 attention."""
        for attempt in range(MAX_TRIES):
            given = draw()
            exact = decode(self.model, **given)
            if not useful(exact):
                continue
            noisy = (self.model.variant(rounded=r, noise=NOISE, noise_seed=i + 1)
                     for i in range(NOISY_RUNS) for r in ((), *oracle.ROUNDINGS))
            rounded = (self.model.variant(rounded=r) for r in oracle.ROUNDINGS)
            if all(decode(m, **given) == exact for m in itertools.chain(rounded, noisy)):
                self.out.setdefault(kind, []).append({"name": name, **self.renamed(given), **exact})
                print(f"  {kind} {name}: try {attempt + 1}", flush=True)
                return
        raise SystemExit(f"{self.name} {kind} {name}: no robust input in {MAX_TRIES} tries")

    @staticmethod
    def renamed(given):
        names = {"rule": "commit"}
        given = {**given}
        if "gated" in given:
            given["adapter"] = "gated" if given.pop("gated") else "none"
        given.pop("count", None)
        return {names.get(k, k): v for k, v in given.items()}

    def write(self):
        path = os.path.join(self.folder, "expected.json")
        os.makedirs(self.folder, exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(compact_json(self.out))
        total = sum(os.path.getsize(os.path.join(d, x)) for d, _, xs in os.walk(self.folder) for x in xs)
        print(f"{self.name}: {total} bytes")


def compact_json(value, depth=0):
    """Objects and lists of objects over several lines, lists of plain values on one: readable and diffable, yet small."""
    pad = " " * (depth + 1)
    if isinstance(value, dict) and depth < 3:
        inner = (f"{pad}{json.dumps(k)}: {compact_json(v, depth + 1)}" for k, v in value.items())
        return "{\n" + ",\n".join(inner) + "\n" + " " * depth + "}" + ("\n" if depth == 0 else "")
    if isinstance(value, list) and value and isinstance(value[0], (dict, list)):
        inner = (pad + compact_json(v, depth + 1) for v in value)
        return "[\n" + ",\n".join(inner) + "\n" + " " * depth + "]"
    return json.dumps(value, separators=(", ", ": ") if isinstance(value, dict) else (",", ": "))


COMMIT_RULES = [{"rule": "threshold", "tau": 0.9}, {"rule": "factor", "factor": 1.0}, {"rule": "quota", "count": 2},
                {"rule": "entropy_bound", "bound": 0.35}]


def record_block_causal(r, gated=False, length=20, blocks=3, rules=COMMIT_RULES):
    tokens = r.text(13) + [r.spec["mask"]] * 2 + r.text(1) + [r.spec["mask"]] * 5
    r.logits("causal", tokens[:13], 13, [0, 6, 12])
    r.logits("block", tokens, 13, [12, 13, 15, 20])
    if gated:
        r.logits("gated block", tokens, 13, [12, 13, 15, 20], "gated")
        r.logits("plain adapter, causal", tokens[:13], 13, [0, 12], "plain")
        r.logits("plain adapter, block", tokens, 13, [13, 20], "plain")
    r.robust("autoregressive", "greedy", lambda: {"prompt": r.text(length), "count": 24}, oracle.autoregressive)
    for rule in rules:
        def draw(rule=rule):
            return {"prompt": r.text(length), "block": 8, "blocks": blocks, "rule": rule, "gated": gated}

        def several(result, rule=rule):
            sizes = [len(s["commits"]) for s in result["steps"]]
            return rule["rule"] == "quota" or (max(sizes) > 2 and min(sizes) == 1)
        r.robust("block_diffusion", rule["rule"], draw, oracle.block_diffusion, several)
    if gated:
        record_remasking(r, length)


def record_tiled(r, sub_block, lengths):
    mask = r.spec["mask"]
    tokens = r.text(21) + [mask] * 2 + r.text(1)
    r.logits("blocks", tokens, 0, [3, 7, 8, 15, 16, 20, 21, 23])
    for rule in COMMIT_RULES:
        for length in lengths:
            def draw(rule=rule, length=length):
                return {"prompt": r.text(length), "blocks": 3, "rule": rule, "sub_block": sub_block}

            def several(result, rule=rule):
                return rule["rule"] == "quota" or max(len(s["commits"]) for s in result["steps"]) > 1
            r.robust("block_diffusion", f"{rule['rule']} behind {length}", draw, oracle.tiled_block_diffusion, several)


def record_remasking(r, length):
    def draw():
        rule = {"rule": "remasking", "keep": 0.05, "sure": 0.3}
        return {"prompt": r.text(length), "block": 4, "blocks": 5, "rule": rule, "gated": True}

    def everything(result):
        return all(any(s[what] for s in result["steps"]) for what in ("kept", "against", "remasked", "unread"))
    r.robust("remasking", "remasking", draw, oracle.remasking_diffusion, everything)


def record_full(r, rules):
    mask, bos, end = r.spec["mask"], r.spec["bos"], r.spec["end_of_text"]
    r.logits("full", [bos] + r.text(9) + [mask] * 6 + r.text(7) + [end], 0, [0, 9, 12, 15, 23])
    for rule in rules:
        def draw(rule=rule):
            return {"canvas": [bos] + r.text(11) + [mask] * 16 + r.text(10) + [end], "rule": rule}

        def several(result, rule=rule):
            return rule["rule"] != "threshold" or max(map(len, result["steps"])) > 2
        r.robust("in_place", rule["rule"], draw, oracle.in_place, several)


def record_expand_erase(r):
    bos, end = r.spec["bos"], r.spec["end_of_text"]

    def draw(masks, limit, broadcast):
        return lambda: {"prefix": [bos] + r.text(8), "suffix": r.text(7) + [end], "masks": masks, "limit": limit,
                        "broadcast_erase": broadcast, "max_steps": 48}

    def useful(needs_limit, limit):
        def check(result):
            kinds = [s["commit"][1] for s in result["steps"]]
            expands, erases = kinds.count(r.spec["expand"]), kinds.count(r.spec["erase"])
            reached = max(len(s["middle"]) for s in result["steps"]) >= limit
            return result["finished"] and expands and erases and len(result["middle"]) > 3 and (reached or not needs_limit)
        return check

    def dropped_several(result):
        lengths = [len(s["middle"]) for s in result["steps"]]
        return useful(False, 99)(result) and min(b - a for a, b in zip(lengths, lengths[1:])) < -1
    r.robust("expand_erase", "no broadcast", draw(6, 24, False), oracle.expand_erase, useful(False, 24))
    r.robust("expand_erase", "limit reached", draw(6, 9, False), oracle.expand_erase, useful(True, 9))
    r.robust("expand_erase", "broadcast", draw(8, 24, True), oracle.expand_erase, dropped_several)


LLADA_RULES = [{"rule": "llada_quota", "steps": 5, "block": 8}, {"rule": "threshold", "tau": 0.9, "block": 8}]
DREAM_RULES = [{"rule": k, "steps": 12, "eps": 1e-3} for k in ("maskgit_plus", "topk_margin", "entropy")]


def make_qwen2_block_and_gated():
    spec = tiny.make_spec("tiny qwen2", qkv_bias=True, tied_head=True, attention="block_causal", infill="suffix_then_prefix",
                          logits_shift=1, fim_prefix=260, fim_middle=261, fim_suffix=262)
    weights = tiny.random_weights(spec, 11)
    config = tiny.qwen_config(spec, "Qwen2ForCausalLM", "qwen2", cinnabar_block_length=8,
                              cinnabar_infill_layout="suffix_then_prefix")
    tiny.write_hf(f"{ROOT}/qwen2_block", spec, weights, config, "F32")
    r = Recorder("qwen2_block", ".", spec, weights, 12)
    record_block_causal(r)
    r.write()

    gated, plain = tiny.random_adapter(spec, 13, 4, 8), tiny.random_adapter(spec, 14, 4, 4)
    tiny.write_adapter(f"{ROOT}/qwen2_gated/adapter_gated", gated, 4, 8, True)
    tiny.write_adapter(f"{ROOT}/qwen2_gated/adapter_plain", plain, 4, 4, False)
    as_double = {n: (a.astype(np.float64), b.astype(np.float64), s) for n, (a, b, s) in gated.items()}
    r = Recorder("qwen2_gated", "../qwen2_block", spec, weights, 15, as_double, tiny.merged(weights, plain))
    r.out["adapters"] = {"gated": "adapter_gated", "plain": "adapter_plain"}
    record_block_causal(r, gated=True)
    r.write()


def make_qwen3_block():
    spec = tiny.make_spec("tiny qwen3", layers=3, qk_norm=True, attention="blocks", infill="prefix_then_suffix",
                          rope_theta=1e6, fim_prefix=260, fim_middle=261, fim_suffix=262)
    weights = tiny.round_to(tiny.random_weights(spec, 21), "BF16")
    config = tiny.qwen_config(spec, "SDARForCausalLM", "sdar", block_size=8)
    tiny.write_hf(f"{ROOT}/qwen3_block", spec, weights, config, "BF16", shards=2)
    r = Recorder("qwen3_block", ".", spec, weights, 22)
    record_tiled(r, 8, (20, 24))
    r.write()


def make_fast_dllm():
    spec = tiny.make_spec("tiny fast-dllm", qkv_bias=True, tied_head=True, attention="blocks", infill="prefix_then_suffix",
                          logits_shift=1, fim_prefix=260, fim_middle=261, fim_suffix=262)
    weights = tiny.round_to(tiny.random_weights(spec, 71), "BF16")
    config = tiny.qwen_config(spec, "Fast_dLLM_QwenForCausalLM", "Fast_dLLM_Qwen", bd_size=8, cinnabar_sub_block=4)
    tiny.write_hf(f"{ROOT}/fast_dllm", spec, weights, config, "BF16")
    r = Recorder("fast_dllm", ".", spec, weights, 72)
    record_tiled(r, 4, (21, 24))
    r.write()


SCALINGS = {"linear": {"rope_type": "linear", "factor": 4.0},
            "llama3": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                       "original_max_position_embeddings": 64},
            "yarn": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 128}}


def make_ropes():
    for i, kind in enumerate((*SCALINGS, "partial")):
        changes = {"rope_scaling": SCALINGS[kind]} if kind in SCALINGS else {"rotary": 16}
        more = {"rope_scaling": SCALINGS[kind]} if kind in SCALINGS else {"partial_rotary_factor": 0.5}
        spec = tiny.make_spec(f"tiny {kind} rope", layers=1, heads=2, kv_heads=1, attention="block_causal",
                              infill="prefix_then_suffix", logits_shift=1, fim_prefix=260, fim_middle=261, fim_suffix=262, **changes)
        weights = tiny.round_to(tiny.random_weights(spec, 81 + i), "BF16")
        folder = f"rope_{kind}"
        tiny.write_hf(f"{ROOT}/{folder}", spec, weights, tiny.qwen_config(spec, "LlamaForCausalLM", "llama", **more), "BF16")
        r = Recorder(folder, ".", spec, weights, 91 + i)
        r.logits("causal", r.text(40), 40, [1, 20, 39])
        r.write()


def make_gguf(name, spec, architecture, seed, types):
    os.makedirs(f"{ROOT}/{name}", exist_ok=True)
    weights = tiny.write_gguf(f"{ROOT}/{name}/model.gguf", spec, tiny.random_weights(spec, seed), architecture, types)
    r = Recorder(name, "model.gguf", spec, weights, seed + 1)
    record_block_causal(r, rules=COMMIT_RULES[:1], blocks=2)
    r.write()


def make_full():
    spec = tiny.make_spec("tiny dream", width=96, heads=3, kv_heads=1, qkv_bias=True, rope_theta=1e6, logits_shift=1)
    weights = tiny.round_to(tiny.random_weights(spec, 41, head_std=0.6), "BF16")
    tiny.write_hf(f"{ROOT}/dream", spec, weights, tiny.qwen_config(spec, "DreamModel", "Dream", False), "BF16")
    r = Recorder("dream", ".", spec, weights, 42)
    record_full(r, DREAM_RULES + [{"rule": "threshold", "tau": 0.9}])
    r.write()

    spec = tiny.make_spec("tiny llada", heads=2, kv_heads=2, rope_theta=5e5, norm_epsilon=1e-5)
    weights = tiny.round_to(tiny.random_weights(spec, 51), "BF16")
    tiny.write_hf(f"{ROOT}/llada", spec, weights, tiny.llada_config(spec), "BF16")
    r = Recorder("llada", ".", spec, weights, 52)
    record_full(r, LLADA_RULES)
    r.write()

    spec = tiny.make_spec("tiny dreamon", qkv_bias=True, rope_theta=1e6, logits_shift=1, expand=259, erase=257)
    weights = tiny.random_weights(spec, 61)
    for token in (spec["expand"], spec["erase"]):  # so that they are chosen now and then
        weights["head"][token] *= 1.5
    weights = tiny.round_to(weights, "BF16")
    config = tiny.qwen_config(spec, "DreamModel", "Dream", expand_token_id=spec["expand"])
    tiny.write_hf(f"{ROOT}/dreamon", spec, weights, config, "BF16")
    r = Recorder("dreamon", ".", spec, weights, 62)
    record_full(r, [])
    record_expand_erase(r)
    r.write()


def main():
    make_qwen2_block_and_gated()
    make_qwen3_block()
    make_fast_dllm()
    make_ropes()
    block = dict(attention="block_causal", infill="prefix_then_suffix", logits_shift=1, fim_prefix=260, fim_middle=261,
                 fim_suffix=262)
    llama = tiny.make_spec("tiny llama", rope_interleaved=True, norm_epsilon=1e-5, **block)
    make_gguf("llama_gguf", llama, "llama", 31, lambda n: Ggml.F16 if n[-1] in "qkvo" else Ggml.F32 if n == "head" else Ggml.Q8_0)
    qwen2 = tiny.make_spec("tiny qwen2", qkv_bias=True, tied_head=True, rope_theta=1e6, **block)
    make_gguf("qwen2_gguf", qwen2, "qwen2", 35, lambda n: Ggml.Q8_0)
    make_full()


if __name__ == "__main__":
    main()
