"""The default model's tokenizer in Python, out of the model's own GGUF parts: PyPI `gguf` and `tokenizers`."""
import tempfile
from pathlib import Path

import gguf
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

MODEL = Path(__file__).resolve().parent.parent / "models" / "default"
SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def open_model(folder=MODEL):
    """A GGUFReader over the model's parts, joined in a temporary file that goes away with the reader's mapping."""
    parts = sorted(Path(folder).glob("model.gguf.part-*"))
    if not parts:
        return gguf.GGUFReader(folder)
    with tempfile.NamedTemporaryFile(suffix=".gguf") as joined:
        for part in parts:
            joined.write(part.read_bytes())
        joined.flush()
        return gguf.GGUFReader(joined.name)


def load_tokenizer(reader):
    """encode: bytes -> ids; decode: ids -> bytes-exact text (str). Special tokens are never made from text."""
    tokens = reader.get_field("tokenizer.ggml.tokens").contents()
    merges = [tuple(m.split(" ")) for m in reader.get_field("tokenizer.ggml.merges").contents()]
    model = models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=merges, fuse_unk=False, byte_fallback=False)
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def encoder(tokenizer):
    """bytes -> list of ids, for UTF-8 bytes."""
    return lambda data: tokenizer.encode(data.decode("utf-8"), add_special_tokens=False).ids
