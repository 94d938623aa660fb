// The files a byte-level BPE vocabulary comes in. All are untrusted; errors name the file and the entry.
#pragma once

#include <memory>

#include "base/result.h"
#include "engine/model/checkpoint.h"
#include "engine/tokenizer/tokenizer.h"

namespace cinnabar::engine {

// GGUF metadata: tokenizer.ggml.pre, .tokens, .token_type, .merges.
Result<std::unique_ptr<Tokenizer>> bpe_from_gguf(const Checkpoint& checkpoint);

// tokenizer.json with model.type "BPE". Pre-tokenizers understood: ByteLevel, Digits, Punctuation, Split with behaviour
// Isolated (or Removed and inverted, which names the words instead of the gaps), and sequences of them. Normalizers:
// none, or NFC, which is not applied (tokenizer.h). Anything else that would change text is an error.
Result<std::unique_ptr<Tokenizer>> bpe_from_tokenizer_json(const Checkpoint& checkpoint);

// vocab.json and merges.txt, with added_tokens.json and tokenizer_config.json where they are there; the words' rule
// goes by tokenizer_config.json's tokenizer_class.
Result<std::unique_ptr<Tokenizer>> bpe_from_vocab_and_merges(const Checkpoint& checkpoint);

}  // namespace cinnabar::engine
