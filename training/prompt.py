"""The prompt of a hole, as engine/decoding/prompt.cc builds it; tests/model/engine/training_prompt_test.cc holds both to the same
tokens. Windows are counted in bytes of UTF-8."""

TAGS = {"fim_prefix": 40912, "fim_middle": 40913, "fim_suffix": 40914, "mask": 40918, "hole_end": 40919}
END_OF_TEXT = 40896
ORDINARY = 40896  # ids below are text
MOST_TAIL_TOKENS = 8


def prefix_window(prefix, budget):
    """The end of the prefix that is shown: its start moves in steps of a quarter of the budget, to a line's start."""
    if len(prefix) <= budget:
        return prefix
    stride = max(budget // 4, 1)
    dropped = (len(prefix) - budget + stride - 1) // stride * stride
    newline = prefix.find(b"\n", dropped, min(dropped + stride, len(prefix)))
    return prefix[dropped if newline < 0 else newline + 1 :]


def suffix_window(suffix, budget):
    """The beginning of the suffix that is shown, ending with a line."""
    if len(suffix) <= budget:
        return suffix
    suffix = suffix[:budget]
    newline = suffix.rfind(b"\n")
    return suffix if newline < 0 else suffix[: newline + 1]


def unsafe_tail(encode, prefix):
    """Bytes at the prefix's end that the tokenizer may join with what follows; the answer repeats them."""
    tail = len(prefix) - encode.last_split(prefix)
    tokens = encode(prefix[len(prefix) - tail :])
    return tail if len(tokens) <= MOST_TAIL_TOKENS else encode.size_of(tokens[-1])


def build_prompt(encode, prefix, suffix, prefix_budget=6000, suffix_budget=2000):
    """(token ids before the hole, bytes the answer must begin with). `encode`: a vocabulary.Encoder."""
    shown, behind = prefix_window(prefix, prefix_budget), suffix_window(suffix, suffix_budget)
    tail = unsafe_tail(encode, shown)
    typed, shown = shown[len(shown) - tail :], shown[: len(shown) - tail]
    return [TAGS["fim_prefix"], TAGS["fim_suffix"], *encode(behind), TAGS["fim_middle"], *encode(shown)], typed


def build_example(encode, prefix, middle, suffix, prefix_budget, suffix_budget):
    """(ids of the prompt, ids of what the model is to write: the typed bytes and the middle)."""
    before, typed = build_prompt(encode, prefix, suffix, prefix_budget, suffix_budget)
    return before, encode(typed + middle)
