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


class Encoder:
    """bytes -> list of ids, for UTF-8 bytes."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer

    def __call__(self, data):
        return self.tokenizer.encode(data.decode("utf-8"), add_special_tokens=False).ids

    def size_of(self, token):
        return len(self.tokenizer.id_to_token(token))  # its alphabet has a character for a byte

    def last_split(self, data):
        return last_split(data.decode("utf-8"))


encoder = Encoder


def words(text):
    return [word for word, _ in pre_tokenizers.Split(Regex(SPLIT), behavior="isolated").pre_tokenize_str(text)]


def last_split(text):
    """The byte at which the words of `text` split whatever follows (Tokenizer::last_split), by what SPLIT says: the last word
    may go on unless it is a digit, and blanks may with line ends that follow; what is kept must have the same words alone."""
    found = words(text)
    kept = len(found)
    if found and not (len(found[-1]) == 1 and found[-1].isnumeric()):
        kept -= 1
        while found[-1].isspace() and kept > 0 and found[kept - 1].isspace():
            kept -= 1
    while words("".join(found[:kept])) != found[:kept]:
        kept -= 1
    return len("".join(found[:kept]).encode())
