"""The adapter's file: a GGUF adapter as engine/model/adapter.cc reads it, gated, F16 for going on with training or Q8_0 to ship. And a
sampler head's, in F16."""
import os
from pathlib import Path

import gguf
import numpy as np
import torch

from prompt import TAGS

TYPES = {"f16": gguf.GGMLQuantizationType.F16, "q8_0": gguf.GGMLQuantizationType.Q8_0, "q5_0": gguf.GGMLQuantizationType.Q5_0,
         "q4_0": gguf.GGMLQuantizationType.Q4_0}


def write_adapter(path, adapter, kind="f16", block_length=8, notes=None):
    """Writes atomically. `notes`: {key: text} under cinnabar.training."""
    path = Path(path)
    temporary = path.with_name(path.name + ".tmp")
    writer = gguf.GGUFWriter(str(temporary), "qwen2")
    writer.add_string("general.type", "adapter")
    writer.add_string("general.name", "Gated block adapter of the default model")
    writer.add_string("general.license", "apache-2.0")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(adapter.rank))
    writer.add_bool("cinnabar.adapter.gated", True)
    writer.add_uint32("cinnabar.hole_end_token_id", TAGS["hole_end"])
    writer.add_uint32("cinnabar.block_length", block_length)
    for key, value in (notes or {}).items():
        writer.add_string(f"cinnabar.training.{key}", str(value))
    for i in range(len(adapter.a) // len(adapter.products)):
        for name in adapter.products:
            for half, values in (("lora_a", adapter.a[f"{i}_{name}"]), ("lora_b", adapter.b[f"{i}_{name}"])):
                values = values.detach().float().cpu().numpy()
                of_type = TYPES[kind] if values.shape[1] % 32 == 0 else gguf.GGMLQuantizationType.F16
                writer.add_tensor(f"blk.{i}.{name}.weight.{half}", gguf.quantize(values, of_type), raw_dtype=of_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(temporary, path)


def read_rank(path):
    reader = gguf.GGUFReader(str(path))
    return int(reader.get_field("adapter.lora.alpha").contents())


@torch.no_grad()
def read_adapter(path, adapter):
    """Fills `adapter` with a file's values."""
    for tensor in gguf.GGUFReader(str(path)).tensors:
        _, layer, name, _, half = tensor.name.split(".")
        store = adapter.a if half == "lora_a" else adapter.b
        values = gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        store[f"{layer}_{name}"].copy_(torch.from_numpy(values))


def write_sampler(path, sampler):
    writer = gguf.GGUFWriter(str(path), "qwen2")
    writer.add_string("general.type", "sampler")
    writer.add_string("general.name", "Sampler head behind the gated block adapter of the default model")
    writer.add_string("general.license", "apache-2.0")
    for name, values in sampler.named_parameters():
        writer.add_tensor(f"sampler.{name}.weight", values.detach().cpu().numpy().astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@torch.no_grad()
def read_sampler(path, sampler):
    """Fills `sampler` with a file's values."""
    parameters = dict(sampler.named_parameters())
    for tensor in gguf.GGUFReader(str(path)).tensors:
        parameters[tensor.name.split(".")[1]].copy_(torch.from_numpy(np.array(tensor.data, dtype=np.float32)))
