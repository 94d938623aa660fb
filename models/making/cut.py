"""A GGUF file with its vocabulary cut to listed tokens, one tied matrix, and tokens added for denoising."""
from .gguf_file import ARRAY, BOOL, I32, STRING, U32

CONTROL, UNUSED = 3, 5  # token types


def cut_vocabulary(metadata, vocabulary):
    """The tokenizer's lists with only the kept tokens. Returns (tokens, types, merges, {original id: new id})."""
    tokens, types = metadata["tokenizer.ggml.tokens"][1][1], metadata["tokenizer.ggml.token_type"][1][1]
    kept = vocabulary["ordinary"] + vocabulary["special"]
    new_id = {original: index for index, original in enumerate(kept)}
    names = {tokens[original] for original in kept}
    merges = []
    for merge in metadata["tokenizer.ggml.merges"][1][1]:
        left, right = merge.split(b" ")
        if left in names and right in names and left + right in names:
            merges.append(merge)
    added = [name.encode() for name in vocabulary["added"]]
    new_tokens = [tokens[original] for original in kept] + added
    new_types = [types[original] for original in kept]
    new_types += [UNUSED if name.startswith(b"<|reserved_") else CONTROL for name in added]
    return new_tokens, new_types, merges, new_id


def cut_rows(rows, row_count, vocabulary, template):
    """The kept rows of a matrix, then one copy of the template row for each added token."""
    row_bytes = len(rows) // row_count
    kept = vocabulary["ordinary"] + vocabulary["special"] + [template] * len(vocabulary["added"])
    return b"".join(rows[original * row_bytes : (original + 1) * row_bytes] for original in kept)


def new_metadata(metadata, vocabulary, base, head_type):
    """`base`: the name of the model that was cut. `head_type`: of the matrix that is kept, for people."""
    tokens, types, merges, new_id = cut_vocabulary(metadata, vocabulary)
    named = {name: index for index, name in enumerate(tokens)}
    result = {
        "general.architecture": metadata["general.architecture"],
        "general.type": text("model"),
        "general.name": text(f"{base}, vocabulary of {len(tokens):,}"),
        "general.author": text("Qwen team, Alibaba Cloud"),
        "general.license": text("apache-2.0"),
        "general.description": text(f"The released Q4_K_M tensors; vocabulary cut to {len(tokens):,} rows, one tied {head_type} "
                                    "matrix, mask and hole tokens added"),
        "general.basename": metadata["general.basename"],
        "general.finetune": text("Instruct"),
        "general.size_label": metadata["general.size_label"],
        "general.base_model.count": (U32, 1),
        "general.base_model.0.name": text(base),
        "general.base_model.0.organization": text("Qwen"),
        "general.base_model.0.repo_url": text(f"https://huggingface.co/Qwen/{base}"),
        "general.file_type": metadata["general.file_type"],
        "general.quantization_version": metadata["general.quantization_version"],
    }
    result.update({key: value for key, value in metadata.items() if key.startswith("qwen2.")})
    result.update({
        "qwen2.vocab_size": (U32, len(tokens)),
        "tokenizer.ggml.model": metadata["tokenizer.ggml.model"],
        "tokenizer.ggml.pre": metadata["tokenizer.ggml.pre"],
        "tokenizer.ggml.tokens": (ARRAY, (STRING, tokens)),
        "tokenizer.ggml.token_type": (ARRAY, (I32, types)),
        "tokenizer.ggml.merges": (ARRAY, (STRING, merges)),
        "tokenizer.ggml.add_bos_token": (BOOL, False),
        "tokenizer.chat_template": metadata["tokenizer.chat_template"],
    })
    for role in ("bos", "eos", "padding"):
        key = f"tokenizer.ggml.{role}_token_id"
        result[key] = (U32, new_id[metadata[key][1]])
    for role, literal in (("fim_pre", "fim_prefix"), ("fim_mid", "fim_middle"), ("fim_suf", "fim_suffix"),
                          ("fim_pad", "fim_pad"), ("fim_rep", "repo_name"), ("fim_sep", "file_sep"), ("mask", "mask")):
        result[f"tokenizer.ggml.{role}_token_id"] = (U32, named[f"<|{literal}|>".encode()])
    result.update({
        "diffusion.shift_logits": (BOOL, True),
        "cinnabar.attention": text("block_causal"),
        "cinnabar.infill_layout": text("suffix_then_prefix"),
    })
    return result


def text(value):
    return STRING, value.encode()


def new_tensors(tensors, metadata, vocabulary):
    """The original's tensors in their order: `output.weight`'s rows become the one tied `token_embd.weight`."""
    row_count = len(metadata["tokenizer.ggml.tokens"][1][1])
    template = metadata["tokenizer.ggml.tokens"][1][1].index(b"<|fim_pad|>")
    result = []
    for name, shape, kind, data in tensors:
        if name == "token_embd.weight":
            continue
        if name == "output.weight":
            data = cut_rows(data, row_count, vocabulary, template)
            size = sum(len(vocabulary[part]) for part in ("ordinary", "special", "added"))
            name, shape = "token_embd.weight", [shape[0], size]
        result.append((name, shape, kind, data))
    return result
