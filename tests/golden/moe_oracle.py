"""A feed-forward part of experts, row by row and expert by expert."""
import numpy as np

import oracle


def silu(x):
    return x / (1 + np.exp(-x))


class MoeModel(oracle.Model):
    margin = np.inf  # how near a choice of experts came to another one, in what they are chosen by

    def _expert(self, x, layer, kind, index=...):
        gate, up, down = (self.w[f"{layer}.{kind}.{part}"][index] for part in ("gate", "up", "down"))
        return (silu(x @ gate.T) * (x @ up.T)) @ down.T

    def _choice(self, ranks):
        e = self.spec["experts"]
        groups = ranks.reshape(e["groups"], -1)
        if e["groups_used"] < e["groups"]:
            sums = np.sort(groups, -1)[:, -2:].sum(-1)
            order = np.argsort(-sums, kind="stable")
            self.margin = min(self.margin, sums[order[e["groups_used"] - 1]] - sums[order[e["groups_used"]]])
            closed = np.ones(e["groups"], bool)
            closed[order[:e["groups_used"]]] = False
            groups = np.where(closed[:, None], -np.inf, groups)
        ranks = groups.reshape(-1)
        order = np.argsort(-ranks, kind="stable")
        if np.isfinite(ranks[order[e["used"]]]):
            self.margin = min(self.margin, ranks[order[e["used"] - 1]] - ranks[order[e["used"]]])
        return order[:e["used"]]

    def _feed_forward(self, h, layer, clean, gated):
        e = self.spec["experts"]
        if layer < e["dense_layers"]:
            return super()._feed_forward(h, layer, clean, gated)
        logits = h @ self.w[f"{layer}.router"].T
        scores = 1 / (1 + np.exp(-logits)) if e["sigmoid"] else oracle.softmax(logits)
        out = self._expert(h, layer, "shared") if e["shared_ffn"] else np.zeros_like(h)
        for row, score in enumerate(scores):
            chosen = self._choice(score + self.w.get(f"{layer}.choice_bias", 0))
            weights = score[chosen] / (score[chosen].sum() if e["renormalise"] else 1) * e["scale"]
            for expert, weight in zip(chosen, weights):
                out[row] += weight * self._expert(h[row], layer, "experts", expert)
        return out
