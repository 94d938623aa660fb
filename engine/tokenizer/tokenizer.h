// Text to token ids and back. Byte exact: decode(encode(text)) == text for any bytes, invalid UTF-8 included, but for
// bytes that the vocabulary has no token for (SmolLM's lacks some control characters), which are left out. Special
// tokens are never produced from text: what looks like one in a user's file is encoded as ordinary characters.
//
// Text is taken as it is. Some published tokenizers normalise first (Qwen's to NFC); that would lose bytes, so it is
// not done: ids equal the published tokenizer's for text that its normalizer leaves alone, which is nearly all source
// code.
//
// Immutable after loading, thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/model/checkpoint.h"

namespace cinnabar::engine {

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // V of the tokenizer (the model's matrix may have more rows).
  virtual std::int32_t size() const = 0;
  // Never fails. Time O(n log n) in the text's bytes whatever it
  // holds.
  virtual std::vector<std::int32_t> encode(std::string_view text) const = 0;
  // The last place in `text` at which encode() splits whatever text follows: for any `more`, the tokens of the bytes in
  // front of it begin encode(text + more). 0 where there is none. Here by the vocabulary alone (last_uncrossed).
  virtual std::size_t last_split(std::string_view text) const;
  // The exact bytes a token stands for inside a text; empty for special tokens and for ids outside the vocabulary.
  virtual std::string_view bytes(std::int32_t token) const = 0;
  virtual bool is_special(std::int32_t token) const = 0;
  // The id of a special token by its literal text ("<|fim_middle|>").
  virtual std::optional<std::int32_t> special(std::string_view literal) const = 0;
  // All ordinary tokens (those with bytes), sorted by their bytes as unsigned characters, equal ones by id. Borrowed.
  virtual std::span<const std::int32_t> sorted_by_bytes() const = 0;

  // The tokens' bytes in order; special tokens and ids outside the vocabulary add nothing.
  std::string decode(std::span<const std::int32_t> tokens) const;
};

// Builds the tokenizer a checkpoint carries: GGUF tokenizer.ggml.* (model "gpt2" = byte-level BPE with pre "qwen2",
// "smollm", "gpt-2", ...; model "llama" = SentencePiece), or tokenizer.json, vocab.json + merges.txt (+ added tokens),
// or tokenizer.model. Untrusted input: an error names the file, the token or merge, what was expected and what was
// found.
Result<std::unique_ptr<Tokenizer>> load_tokenizer(const Checkpoint& checkpoint);

}  // namespace cinnabar::engine
