"""DiT layers as their authors wrote them (2212.09748, 2406.07524): every norm is shifted and scaled, and every addition gated, by
vectors that a small network makes of the noise level. Nothing is folded here."""
import numpy as np

import oracle

FREQUENCIES = 128


def silu(x):
    return x / (1 + np.exp(-x))


class DitModel(oracle.Model):
    sigma = 0.0  # the published MDLM and BD3-LM are not told the noise level

    def condition(self):
        angle = self.sigma * np.exp(-np.log(10000) * np.arange(FREQUENCIES) / FREQUENCIES)
        x = np.concatenate([np.cos(angle), np.sin(angle)])
        for part in ("sigma.0", "sigma.2"):
            x = silu(x @ self.w[part].T + self.w[f"{part}.bias"])
        return x

    def modulation(self, name, parts):
        if "sigma.0" not in self.w:  # without conditioning: shift 0, scale 0, gate 1
            return [0, 0, 1] * 2 if parts == 6 else [0, 0]
        return np.split(self.condition() @ self.w[name].T + self.w[f"{name}.bias"], parts)

    def modulated(self, x, name, shift, scale):
        return oracle.layer_norm(x, self.w[name], 0, self.spec["norm_epsilon"]) * (1 + scale) + shift

    def logits(self, tokens, clean, gated=False):
        x = self.w["embedding"][np.asarray(tokens)]
        for layer in range(self.spec["layers"]):
            shift, scale, gate, ffn_shift, ffn_scale, ffn_gate = self.modulation(f"{layer}.modulation", 6)
            h = self.modulated(x, f"{layer}.attention_norm", shift, scale)
            x = x + gate * self._linear(self._attention(h, layer, clean, gated), layer, "o", clean, gated)
            h = self.modulated(x, f"{layer}.ffn_norm", ffn_shift, ffn_scale)
            x = x + ffn_gate * self._feed_forward(h, layer, clean, gated)
        out = self.modulated(x, "final_norm", *self.modulation("modulation", 2)) @ self.w["head"].T + self.w["head.bias"]
        if self.noise:
            out = out + self.random.uniform(-self.noise, self.noise, out.shape)
        return out
