"""The forward pass and the decoders of make_golden.py, as literal as possible, in float64. The semantics are stated there."""
import fractions
import math

import numpy as np


def to_bf16(x):
    """Nearest bfloat16, ties to even, as float64."""
    bits = np.ascontiguousarray(x, dtype=np.float32).view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) & np.uint32(0xFFFF0000)
    return rounded.view(np.float32).astype(np.float64)


def rms_norm(x, weight, eps):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) * weight


def layer_norm(x, weight, bias, eps):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred * centred).mean(-1, keepdims=True) + eps) * weight + bias


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def scaled_frequencies(spec, turned):
    """Rotary frequencies of a head's pairs and what cosines and sines are multiplied by (linear, Llama 3.1, YaRN 2309.00071)."""
    half, theta = turned // 2, spec["rope_theta"]
    plain = theta ** (-np.arange(half) / half)
    scaling = spec.get("rope_scaling") or {"rope_type": "default"}
    kind, factor = scaling["rope_type"], scaling.get("factor", 1)
    if kind == "default":
        return plain, 1.0
    if kind == "linear":
        return plain / factor, 1.0
    context = scaling["original_max_position_embeddings"]
    if kind == "llama3":
        low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
        wavelength = 2 * math.pi / plain
        smooth = (context / wavelength - low) / (high - low)
        between = (1 - smooth) * plain / factor + smooth * plain
        return np.where(wavelength > context / low, plain / factor, np.where(wavelength < context / high, plain, between)), 1.0
    assert kind == "yarn"
    def pair(turns):
        return turned * math.log(context / (turns * 2 * math.pi)) / (2 * math.log(theta))
    low, high = max(math.floor(pair(32)), 0), min(math.ceil(pair(1)), turned - 1)
    ramp = np.clip((np.arange(half) - low) / ((high - low) or 0.001), 0, 1)
    return plain / factor * ramp + plain * (1 - ramp), 0.1 * math.log(factor) + 1


# What engines with bfloat16 keys and values round in attention. "p": the normalised probabilities; "e": the exponentials,
# then divided by the sum of the exact ones; "E": by the sum of the rounded ones.
ROUNDINGS = (("kv",), ("q", "kv"), ("kv", "e"), ("q", "kv", "p"), ("q", "kv", "e"), ("q", "kv", "E"))


class Model:
    """Weights by the names of `tiny_models.random_weights`, linear layers as [outputs, inputs]."""

    def __init__(self, spec, weights, gated=None, noise=0.0, noise_seed=0, rounded=()):
        self.spec, self.w, self.gated = spec, weights, gated
        self.noise, self.random = noise, np.random.default_rng(noise_seed)
        self.rounded = rounded
        self.layout = None  # (places [T], unseen [T, T]): rows elsewhere than in their order, and what they do not see

    def variant(self, **changes):
        fields = dict(gated=self.gated, noise=self.noise, rounded=self.rounded)
        return type(self)(self.spec, self.w, **{**fields, **changes})

    def _linear(self, x, layer, name, clean, gated):
        out = x @ self.w[f"{layer}.{name}"].T
        if f"{layer}.{name}.bias" in self.w:
            out = out + self.w[f"{layer}.{name}.bias"]
        if gated and clean < len(x):
            a, b, scale = self.gated[f"{layer}.{name}"]
            out[clean:] += x[clean:] @ a.T @ b.T * scale
        return out

    def _norm(self, x, name):
        s, weight = self.spec, self.w[name]
        if s.get("layer_norm"):
            return layer_norm(x, weight, self.w[f"{name}.bias"], s["norm_epsilon"])
        return rms_norm(x, weight, s["norm_epsilon"])

    def _feed_forward(self, h, layer, clean, gated):
        up = self._linear(h, layer, "up", clean, gated)
        if not self.spec.get("gated_ffn", True):
            return self._linear(gelu_tanh(up), layer, "down", clean, gated)
        gate = self._linear(h, layer, "gate", clean, gated)
        return self._linear(gate / (1 + np.exp(-gate)) * up, layer, "down", clean, gated)

    def _rotate(self, x):
        if self.spec.get("learned_positions"):
            return x
        turned = self.spec.get("rotary") or self.spec["head_size"]
        half = turned // 2
        frequency, magnitude = scaled_frequencies(self.spec, turned)
        places = np.arange(len(x)) if self.layout is None else self.layout[0]
        angle = places[:, None, None] * frequency
        first, second, rest = x[..., :half], x[..., half:turned], x[..., turned:]
        cos, sin = magnitude * np.cos(angle), magnitude * np.sin(angle)
        return np.concatenate([first * cos - second * sin, second * cos + first * sin, rest], -1)

    def _attention(self, h, layer, clean, gated):
        s, rows = self.spec, len(h)
        q = self._linear(h, layer, "q", clean, gated).reshape(rows, s["heads"], -1)
        k = self._linear(h, layer, "k", clean, gated).reshape(rows, s["kv_heads"], -1)
        v = self._linear(h, layer, "v", clean, gated).reshape(rows, s["kv_heads"], -1)
        if s["qk_norm"]:
            q = rms_norm(q, self.w[f"{layer}.q_norm"], s["norm_epsilon"])
            k = rms_norm(k, self.w[f"{layer}.k_norm"], s["norm_epsilon"])
        q, k = self._rotate(q), self._rotate(k)
        if "q" in self.rounded:
            q = to_bf16(q)
        if "kv" in self.rounded:
            k, v = to_bf16(k), to_bf16(v)
        share = s["heads"] // s["kv_heads"]
        k, v = np.repeat(k, share, 1), np.repeat(v, share, 1)
        scores = np.einsum("qhe,khe->hqk", q, k) / math.sqrt(s["head_size"])
        index = np.arange(rows)
        if s["attention"] == "blocks":  # every row sees to the end of its own block
            unseen = index[None, :] // s["block_length"] > index[:, None] // s["block_length"]
        else:  # clean rows are causal, block rows see all
            unseen = (index[:, None] < clean) & (index[None, :] > index[:, None])
        if self.layout is not None:
            unseen = self.layout[1]
        scores = np.where(unseen, -np.inf, scores)
        e = np.exp(scores - scores.max(-1, keepdims=True))
        total = (to_bf16(e) if "E" in self.rounded else e).sum(-1, keepdims=True)
        probabilities = (to_bf16(e) if {"e", "E"} & {*self.rounded} else e) / total
        if "p" in self.rounded:
            probabilities = to_bf16(probabilities)
        return np.einsum("hqk,khe->qhe", probabilities, v).reshape(rows, -1)

    def logits(self, tokens, clean, gated=False):
        """[T, V] for T tokens, the first `clean` of them causal, the others one block."""
        s = self.spec
        x = self.w["embedding"][np.asarray(tokens)]
        if s.get("learned_positions"):
            x = x + self.w["positions"][:len(tokens)]
        for layer in range(s["layers"]):
            h = self._norm(x, f"{layer}.attention_norm")
            x = x + self._linear(self._attention(h, layer, clean, gated), layer, "o", clean, gated)
            x = x + self._feed_forward(self._norm(x, f"{layer}.ffn_norm"), layer, clean, gated)
        out = self._norm(x, "final_norm") @ self.w["embedding" if s["tied_head"] else "head"].T + self.w.get("head.bias", 0)
        if self.noise:
            out = out + self.random.uniform(-self.noise, self.noise, out.shape)
        return out


def allowed_mask(spec, expand_erase=False, may_expand=True):
    allowed = np.ones(spec["vocabulary"], bool)
    allowed[spec["never_generated"]] = False
    for name, use in (("expand", expand_erase and may_expand), ("erase", expand_erase)):
        if spec[name] >= 0:
            allowed[spec[name]] = use
    return allowed


def judge(row, allowed):
    """What may be said about one row of logits, over the allowed tokens."""
    row = np.where(allowed, row, -np.inf)
    best = int(row.argmax())
    p = softmax(row)
    log_sum_exp = row[best] + math.log(np.exp(row - row[best]).sum())
    positive = p[p > 0]
    two = np.sort(row)[-2:]
    return {"best": best, "best_logit": float(two[1]), "second_logit": float(two[0]), "log_sum_exp": float(log_sum_exp),
            "entropy": float(-(positive * np.log(positive)).sum()), "probability": float(p[best]),
            "margin": float(p[best] - np.sort(p)[-2]), "dream_entropy": float((p * np.log(p + 1e-10)).sum())}


def best_first(candidates, key):
    return sorted(candidates, key=lambda c: (-key(c), c["position"]))


def choose(candidates, rule):
    """The candidates to commit in this step by a rule that needs no history."""
    kind = rule["rule"]
    if kind == "threshold":
        passed = [c for c in candidates if c["probability"] >= rule["tau"]]
        return passed or best_first(candidates, lambda c: c["probability"])[:1]
    if kind == "factor":
        ranked, taken = best_first(candidates, lambda c: c["probability"]), 1
        while taken < len(ranked) and ranked[taken]["probability"] >= 1 - rule["factor"] / (taken + 2):
            taken += 1
        return ranked[:taken]
    if kind == "quota":
        return best_first(candidates, lambda c: c["probability"])[: rule["count"]]
    if kind == "entropy_bound":
        ranked, taken, total = best_first(candidates, lambda c: -c["entropy"]), 0, 0.0
        for c in ranked:
            total += c["entropy"]
            if total > rule["bound"] and taken:
                break
            taken += 1
            if total > rule["bound"]:
                break
        return ranked[:taken]
    raise ValueError(kind)


def candidates_of(logits, canvas, positions, spec, allowed, first_row=None):
    """Candidates of the masked ones among `positions`; logits row i is canvas row i, first_row replaces row positions[0]-1."""
    found = []
    for p in positions:
        if canvas[p] != spec["mask"]:
            continue
        row = logits[p - spec["logits_shift"]]
        if first_row is not None and p == positions[0]:
            row = first_row
        found.append({"position": p, **judge(row, allowed)})
    return found


def commit(canvas, chosen):
    for c in chosen:
        canvas[c["position"]] = c["best"]
    return [[c["position"], c["best"]] for c in sorted(chosen, key=lambda c: c["position"])]


def autoregressive(model, prompt, count):
    tokens, allowed = list(prompt), allowed_mask(model.spec)
    for _ in range(count):
        tokens.append(judge(model.logits(tokens, len(tokens))[-1], allowed)["best"])
    return {"tokens": tokens[len(prompt):]}


def block_diffusion(model, prompt, block, blocks, rule, gated):
    spec, clean, steps = model.spec, list(prompt), []
    allowed = allowed_mask(spec)
    for b in range(blocks):
        start = len(clean)
        canvas = clean + [spec["mask"]] * block
        positions = range(start, start + block)
        # With noise, the clean row keeps one value for the whole block, as in an engine that computes it once.
        first_row = model.logits(clean, start)[-1] if spec["logits_shift"] else None
        while spec["mask"] in canvas[start:]:
            logits = model.logits(canvas, start, gated)
            found = candidates_of(logits, canvas, positions, spec, allowed, first_row)
            steps.append({"block": b, "commits": commit(canvas, choose(found, rule))})
        clean = canvas
    return {"steps": steps, "tokens": clean[len(prompt):], "denoise_forwards": len(steps), "clean_forwards": blocks}


def tiled_block_diffusion(model, prompt, blocks, rule, sub_block):
    """Blocks tile the sequence from position 0, so the prompt's last tokens share the first one with masks. With the shift, the
    row in front of a block says its first token, which is committed before the masks run; the rest is said within the block."""
    spec, text, steps = model.spec, list(prompt), []
    size, allowed = spec["block_length"], allowed_mask(spec)
    for b in range(blocks):
        start = len(text) // size * size
        canvas = text + [spec["mask"]] * (start + size - len(text))
        if spec["logits_shift"] and len(text) == start:
            first = {"position": start, **judge(model.logits(text, len(text))[-1], allowed)}
            steps.append({"block": b, "commits": commit(canvas, [first])})
        while spec["mask"] in canvas[start:]:
            part = next(range(p, p + sub_block) for p in range(start, start + size, sub_block) if spec["mask"] in canvas[p:p + sub_block])
            found = candidates_of(model.logits(canvas, 0), canvas, part, spec, allowed)
            steps.append({"block": b, "commits": commit(canvas, choose(found, rule))})
        text = canvas
    return {"steps": steps, "tokens": text[len(prompt):], "denoise_forwards": len(steps)}


def remasking_diffusion(model, prompt, block, blocks, rule, gated):
    """What the masks said is provisional: the base reads it, keeps it up to the first token that it finds implausible, and says
    the token behind; masks behind that speak again. Provisional tokens that are sure and complete the answer are not read."""
    spec, answer, provisional, steps, count = model.spec, [], [], [], block * blocks
    allowed = allowed_mask(spec)
    assert gated and spec["logits_shift"] == 1 and rule["rule"] == "remasking"
    while len(answer) < count:
        text = prompt + answer
        base = model.logits(text + provisional, len(text) + len(provisional))[len(text) - 1:]
        kept = against = 0
        for token, row in zip(provisional, base):
            p = softmax(np.where(allowed, row, -np.inf))
            if p[token] < rule["keep"] * p.max():
                break
            kept, against = kept + 1, against + (int(p.argmax()) != token)
        step = provisional[:kept] + [judge(base[kept], allowed)["best"]]
        remasked = len(provisional) - kept
        canvas = text + provisional[:kept] + [spec["mask"]] * block  # its first mask stands for the base's own token
        said = [judge(row, allowed) for row in model.logits(canvas, len(text) + kept, gated)[-block:]]
        provisional, sure = [c["best"] for c in said], 0
        while sure < block and said[sure]["probability"] >= rule["sure"]:
            sure += 1
        left = count - len(answer) - len(step)
        unread = provisional[:left] if 0 < left <= sure else []
        commits = (step + unread)[:count - len(answer)]
        steps.append({"kept": kept, "against": against, "remasked": remasked, "unread": len(unread),
                      "commits": [[len(text) + i, token] for i, token in enumerate(commits)]})
        answer += commits
    return {"steps": steps, "tokens": answer, "denoise_forwards": len(steps)}


def in_place(model, canvas, rule):
    spec, canvas, kind = model.spec, list(canvas), rule["rule"]
    allowed, steps = allowed_mask(spec), []
    masks = [i for i, t in enumerate(canvas) if t == spec["mask"]]
    size = rule.get("block", len(masks))
    for block in [masks[i:i + size] for i in range(0, len(masks), size)]:
        step = 0
        while any(canvas[p] == spec["mask"] for p in block):
            found = candidates_of(model.logits(canvas, 0), canvas, block, spec, allowed)
            if kind == "threshold":
                chosen = choose(found, rule)
            elif kind == "llada_quota":
                count = len(block) // rule["steps"] + (step < len(block) % rule["steps"])
                chosen = best_first(found, lambda c: c["probability"])[:count]
            else:
                key = {"maskgit_plus": "probability", "topk_margin": "margin", "entropy": "dream_entropy"}[kind]
                chosen = best_first(found, lambda c, key=key: c[key])[: dream_quota(len(found), step, rule)]
            steps.append(commit(canvas, chosen))
            step += 1
    return {"steps": steps, "result": canvas, "forwards": len(steps)}


def p2(model, canvas, rule):
    """Every step judges all positions of the block; the surest share stays, and the others are masks. Returns the changes of
    each step, as [position, token], mask tokens among them."""
    spec, canvas, steps = model.spec, list(canvas), []
    allowed, mask = allowed_mask(spec), spec["mask"]
    hole = [i for i, t in enumerate(canvas) if t == mask]
    size = rule.get("block", len(hole))
    for block in [hole[i:i + size] for i in range(0, len(hole), size)]:
        count = rule.get("steps", len(block))
        for step in range(count):
            logits, before = model.logits(canvas, 0), list(canvas)
            found = [{"position": p, **judge(logits[p - spec["logits_shift"]], allowed)} for p in block]
            masked = math.floor(len(block) * (1 - fractions.Fraction(step + 1, count)))
            ranked = best_first(found, lambda c: c[rule.get("confidence", "probability")])
            for c in found:
                canvas[c["position"]] = mask
            commit(canvas, ranked[:len(block) - masked])
            steps.append(changes(before, canvas))
    return {"steps": steps, "result": canvas}


def changes(before, after):
    return [[i, t] for i, (b, t) in enumerate(zip(before, after)) if b != t]


def remdm(model, canvas, rule):
    """ReMDM's authors' loop around LLaDA's decoding: from 7/8 of a block's steps on, some steps begin by masking the least sure
    positions again and commit as many. One position a step otherwise. Changes as p2; a step's end has the next one's masks."""
    spec, canvas, steps = model.spec, list(canvas), []
    allowed, mask = allowed_mask(spec), spec["mask"]
    hole = [i for i, t in enumerate(canvas) if t == mask]
    size = rule.get("block", len(hole))
    shown = list(canvas)
    for block in [hole[i:i + size] for i in range(0, len(hole), size)]:
        sure, begin = dict.fromkeys(block, math.inf), len(block) * 7 // 8
        loops = rule.get("again", len(block))
        for step in range(len(block) + loops):
            again = begin <= step < begin + loops
            if again:
                for p in sorted(block, key=lambda p: (sure[p], p))[:rule["remasked"]]:
                    canvas[p], sure[p] = mask, math.inf
            if step > 0 or block[0] != hole[0]:
                steps.append(changes(shown, canvas))
                shown = list(canvas)
            found = candidates_of(model.logits(canvas, 0), canvas, block, spec, allowed)
            chosen = best_first(found, lambda c: c["probability"])[:rule["remasked"] if again else 1]
            sure.update({c["position"]: c["probability"] for c in chosen})
            commit(canvas, chosen)
    return {"steps": [*steps, changes(shown, canvas)], "result": canvas}


def wino(model, canvas, rule):
    """Behind the canvas stand masks for the block's positions, in the same places: they see all but the token in their own place.
    What they find improbable is masked again, fewer positions than the step before committed."""
    spec, canvas, steps = model.spec, list(canvas), []
    allowed, mask, length = allowed_mask(spec), spec["mask"], len(canvas)
    assert spec["logits_shift"] == 0
    hole = [i for i, t in enumerate(canvas) if t == mask]
    size = rule.get("block", len(hole))
    for block in [hole[i:i + size] for i in range(0, len(hole), size)]:
        unseen = np.zeros((length + len(block),) * 2, bool)
        unseen[:length, length:] = True
        for i, p in enumerate(block):
            unseen[length + i, p] = True
        last = 30
        while any(canvas[p] == mask for p in block):
            model.layout = np.array([*range(length), *block]), unseen
            logits, before = model.logits([*canvas, *[mask] * len(block)], 0), list(canvas)
            model.layout = None
            found = candidates_of(logits, canvas, block, spec, allowed)
            ranked = best_first(found, lambda c: c["probability"])
            most = min(max(int(len(found) * 0.7), 5), 20)
            chosen = [c for c in ranked if c["probability"] >= rule["tau"]][:most] or ranked[:1]
            doubts = []
            for i, p in enumerate(block):
                if canvas[p] != mask:
                    probability = softmax(np.where(allowed, logits[length + i], -np.inf))[canvas[p]]
                    if probability < rule["tau_back"]:
                        doubts.append((probability, p))
            commit(canvas, chosen)
            if len(chosen) > 1:
                for _, p in sorted(doubts)[:last - 1]:
                    canvas[p] = mask
            last = len(chosen)
            steps.append(changes(before, canvas))
    return {"steps": steps, "result": canvas}


def dream_quota(masks, step, rule):
    if step == rule["steps"] - 1:
        return masks
    t, s = (1 + (rule["eps"] - 1) * i / rule["steps"] for i in (step, step + 1))
    exact = masks * (1 - s / t)
    assert abs(exact - round(exact)) > 1e-6 or masks == 0, "a quota so near to an integer that rounding would decide"
    return math.floor(exact)


def expand_erase(model, prefix, suffix, masks, limit, broadcast_erase, max_steps):
    spec, middle, steps = model.spec, [model.spec["mask"]] * masks, []
    while spec["mask"] in middle and len(steps) < max_steps:
        canvas = prefix + middle + suffix
        allowed = allowed_mask(spec, expand_erase=True, may_expand=len(middle) < limit)
        positions = range(len(prefix), len(prefix) + len(middle))
        found = candidates_of(model.logits(canvas, 0), canvas, positions, spec, allowed)
        best = best_first(found, lambda c: -c["entropy"])[0]
        at, token = best["position"] - len(prefix), best["best"]
        if token == spec["expand"]:
            middle[at:at + 1] = [spec["mask"]] * 2
        elif token == spec["erase"]:
            rest_masked = all(t == spec["mask"] for t in middle[at + 1:])
            middle[at:len(middle) if broadcast_erase and rest_masked else at + 1] = []
        else:
            middle[at] = token
        steps.append({"commit": [best["position"], token], "middle": list(middle)})
    return {"steps": steps, "middle": middle, "forwards": len(steps), "finished": spec["mask"] not in middle}
