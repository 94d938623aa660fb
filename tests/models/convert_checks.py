#!/usr/bin/env python3
"""Checks models/convert.py with checkpoints as torch.save writes them, made here without torch.

convert_checks.py CINNABAR: the program has to open what comes out.
"""
import collections
import contextlib
import io
import json
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import types
import unittest
import zipfile
from pathlib import Path
from unittest import mock

MODELS = Path(__file__).resolve().parents[2] / "models"
sys.path.insert(0, str(MODELS))

import convert  # noqa: E402
from making import torch_file  # noqa: E402

CINNABAR = None
WIDTH, VOCABULARY, CONDITION, LAYERS = 4, 6, 3, 2


def fake_module(name, **members):
    module = sys.modules.setdefault(name, types.ModuleType(name))
    for key, value in members.items():
        if isinstance(value, type) or callable(value):
            value.__module__, value.__qualname__, value.__name__ = name, key, key
        setattr(module, key, value)
    return module


class FloatStorage:
    pass


class DoubleStorage:
    pass


def _rebuild_tensor_v2(*_):
    raise AssertionError("nothing of a pickle is to be called")


class DictConfig:
    pass


class AnyNode:
    pass


class Bomb:
    def __reduce__(self):
        return os.system, ("touch " + Bomb.path,)


class Stored:
    """Stands for a tensor when it is pickled."""

    def __init__(self, shape, start, strides=None, double=False):
        self.shape, self.start, self.double = tuple(shape), start, double
        self.strides = strides or tuple(int(contiguous(shape[i + 1:])) for i in range(len(shape)))
        self.count = int(contiguous(shape))

    def values(self):
        return [self.start + i / 8 for i in range(self.count)]

    def __reduce__(self):
        kind = sys.modules["torch"].DoubleStorage if self.double else sys.modules["torch"].FloatStorage
        return sys.modules["torch._utils"]._rebuild_tensor_v2, (Place(kind, self), 0, self.shape, self.strides, False, None)


def contiguous(shape):
    count = 1
    for n in shape:
        count *= n
    return count


class Place:
    def __init__(self, kind, stored):
        self.kind, self.stored = kind, stored


class Saver(pickle.Pickler):
    def __init__(self, file):
        super().__init__(file, protocol=2)
        self.stored = []

    def persistent_id(self, each):
        if not isinstance(each, Place):
            return None
        self.stored.append(each.stored)
        return ("storage", each.kind, str(len(self.stored) - 1), "cpu", each.stored.count)


def save(path, tree):
    names = {"torch": dict(FloatStorage=FloatStorage, DoubleStorage=DoubleStorage),
             "torch._utils": dict(_rebuild_tensor_v2=_rebuild_tensor_v2),
             "omegaconf": dict(DictConfig=DictConfig, AnyNode=AnyNode)}
    for name, members in names.items():
        fake_module(name, **members)
    text = io.BytesIO()
    saver = Saver(text)
    saver.dump(tree)
    for name in names:
        del sys.modules[name]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", text.getvalue())
        for i, stored in enumerate(saver.stored):
            archive.writestr(f"archive/data/{i}", struct.pack(f"<{stored.count}{'d' if stored.double else 'f'}", *stored.values()))


def node(value):
    if isinstance(value, dict):
        made = DictConfig()
        made.__dict__["_content"] = {k: node(v) for k, v in value.items()}
    else:
        made = AnyNode()
        made.__dict__["_val"] = value
    return made


def backbone(start, adaptive=True):
    shapes = {"vocab_embed.embedding": (VOCABULARY, WIDTH)}
    if adaptive:
        shapes |= {"sigma_map.mlp.0.weight": (CONDITION, 256), "sigma_map.mlp.0.bias": (CONDITION,),
                   "sigma_map.mlp.2.weight": (CONDITION, CONDITION), "sigma_map.mlp.2.bias": (CONDITION,)}
    shapes["rotary_emb.inv_freq"] = (1,)
    for layer in range(LAYERS):
        block = {"norm1.weight": (WIDTH,), "attn_qkv.weight": (3 * WIDTH, WIDTH), "attn_out.weight": (WIDTH, WIDTH),
                 "norm2.weight": (WIDTH,), "mlp.0.weight": (4 * WIDTH, WIDTH), "mlp.0.bias": (4 * WIDTH,),
                 "mlp.2.weight": (WIDTH, 4 * WIDTH), "mlp.2.bias": (WIDTH,)}
        if adaptive:
            block |= {"adaLN_modulation.weight": (6 * WIDTH, CONDITION), "adaLN_modulation.bias": (6 * WIDTH,)}
        shapes |= {f"blocks.{layer}.{n}": s for n, s in block.items()}
    shapes |= {"output_layer.norm_final.weight": (WIDTH,), "output_layer.linear.weight": (VOCABULARY, WIDTH),
               "output_layer.linear.bias": (VOCABULARY,)}
    if adaptive:
        shapes |= {"output_layer.adaLN_modulation.weight": (2 * WIDTH, CONDITION), "output_layer.adaLN_modulation.bias": (2 * WIDTH,)}
    return collections.OrderedDict((f"backbone.{n}", Stored(s, start + i)) for i, (n, s) in enumerate(shapes.items()))


def checkpoint(said, adaptive=True, prefix=""):
    trained = backbone(100, adaptive)
    shadows = [Stored(t.shape, t.start - 100) for n, t in trained.items() if not n.endswith("inv_freq")]
    weights = collections.OrderedDict((n.replace("backbone.", f"backbone.{prefix}"), t) for n, t in trained.items())
    return {"state_dict": weights, "ema": {"decay": 0.9, "shadow_params": [*shadows, Stored((1,), 0)]},
            "hyper_parameters": {"config": node(said)}, "epoch": 3}


def read_safetensors(path):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    del header["__metadata__"]
    out = {}
    for name, entry in header.items():
        first, end = (8 + size + n for n in entry["data_offsets"])
        out[name] = (entry["shape"], list(struct.unpack(f"<{(end - first) // 4}f", data[first:end])))
    return out


MDLM = {"backbone": "dit", "parameterization": "subs", "time_conditioning": False, "model": {"n_heads": 2, "length": 16}}


class Convert(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory())) if hasattr(self, "enterContext") else Path(tempfile.mkdtemp())
        self.source, self.out = self.folder / "best.ckpt", self.folder / "out"

    def convert(self, tree, *options):
        save(self.source, tree)
        return self.run_it(self.source, *options)

    def run_it(self, source, *options):
        given = ["convert.py", str(source), str(self.out), *options]
        with mock.patch.object(sys, "argv", given), contextlib.redirect_stderr(io.StringIO()):
            try:
                convert.main()
            except SystemExit as stopped:
                return str(stopped)
        return ""

    def config(self):
        return json.loads((self.out / "config.json").read_text())

    def test_average_and_configuration(self):
        self.assertEqual(self.convert(checkpoint(MDLM)), "")
        config, weights = self.config(), read_safetensors(self.out / "model.safetensors")
        self.assertEqual((config["architectures"], config["n_blocks"], config["n_heads"], config["model_length"], config["vocab_size"]),
                         (["MDLM"], 2, 2, 16, 6))
        self.assertNotIn("backbone.rotary_emb.inv_freq", weights)
        expected = backbone(0)
        for name, (shape, values) in weights.items():
            self.assertEqual(tuple(shape), expected[name].shape)
            self.assertEqual(values, expected[name].values(), name)

    def test_trained_weights(self):
        self.assertEqual(self.convert(checkpoint(MDLM, prefix="_orig_mod."), "--raw"), "")
        self.assertEqual(read_safetensors(self.out / "model.safetensors")["backbone.vocab_embed.embedding"][1][0], 100)

    def test_blocks_and_autoregressive(self):
        self.assertEqual(self.convert(checkpoint({**MDLM, "block_size": 4}, adaptive=False)), "")
        self.assertEqual((self.config()["architectures"], self.config()["block_size"]), (["BD3LM"], 4))
        self.assertEqual(self.convert(checkpoint({**MDLM, "backbone": "ar"}, adaptive=False)), "")
        self.assertEqual(self.config()["cinnabar_attention"], "block_causal")

    def test_the_program_opens_it(self):
        self.assertEqual(self.convert(checkpoint(MDLM)), "")
        alone = subprocess.run([CINNABAR, "model", "info", self.out], capture_output=True, text=True)
        self.assertIn("GPT-2's", alone.stderr)  # tokenizer, which has to be put there
        golden = MODELS.parent / "tests/golden/models/mdlm/tokenizer.json"
        (self.out / "tokenizer.json").write_bytes(golden.read_bytes())
        done = subprocess.run([CINNABAR, "model", "info", "--json", self.out], capture_output=True, text=True)
        self.assertEqual(json.loads(done.stdout or "{}").get("family"), "mdlm", done.stderr)

    def test_weights_alone(self):
        saved = {"a": Stored((2, 3), 0, strides=(1, 2)), "b": Stored((2,), 5, double=True)}
        self.assertIn("put the model's config.json", self.convert(saved))
        (self.folder / "config.json").write_text("{}")
        self.assertEqual(self.convert(saved), "")
        weights = read_safetensors(self.out / "model.safetensors")
        self.assertEqual(weights["a"], ([2, 3], [0, 0.25, 0.5, 0.125, 0.375, 0.625]))
        self.assertEqual(weights["b"], ([2], [5, 5.125]))

    def test_what_cannot_be_converted_is_said(self):
        no_average = checkpoint(MDLM)
        del no_average["ema"]
        self.assertIn("--raw", self.convert(no_average))
        short = checkpoint(MDLM)
        short["ema"]["shadow_params"] = short["ema"]["shadow_params"][:3]
        self.assertIn("has 3 tensors", self.convert(short))
        other = checkpoint(MDLM)
        other["ema"]["shadow_params"][1] = Stored((1,), 0)
        self.assertIn("does not fit", self.convert(other))
        self.assertIn("--heads", self.convert(checkpoint({})))
        self.assertIn("no tensors", self.convert({"epoch": 1}))
        self.source.write_bytes(b"\x80\x02]q\x00.")
        self.assertIn("zip archive", self.run_it(self.source))
        with zipfile.ZipFile(self.source, "w") as archive:
            archive.writestr("archive/data.pkl", b"\x80\x02cposix\nsystem\n(S'x'\n")
        self.assertIn("cannot be read", self.run_it(self.source))

    def test_nothing_is_run(self):
        Bomb.path = str(self.folder / "bang")
        self.assertEqual(self.convert({**checkpoint(MDLM), "callbacks": Bomb()}), "")
        self.assertFalse(Path(Bomb.path).exists())

    def test_a_tensor_stays_in_its_storage(self):
        big = Stored((2,), 0)
        save(self.source, {"a": big})
        file = torch_file.TorchFile(self.source)
        tensor = file.tree["a"]
        for changed in (dict(offset=1), dict(shape=(3,)), dict(strides=(2,))):
            with self.assertRaises(torch_file.MakeError):
                file.values(torch_file.Tensor(**{**tensor.__dict__, **changed}))


if __name__ == "__main__":
    CINNABAR = sys.argv.pop(1)
    unittest.main()
