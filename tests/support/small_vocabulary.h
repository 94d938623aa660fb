// A GGUF checkpoint, filled by hand, that holds a small byte-level BPE vocabulary: 256 byte tokens (id = order of
// GPT-2's alphabet, not the byte), a few merges and special tokens.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/model/checkpoint.h"

namespace cinnabar::tests {

// How GPT-2's alphabet spells a byte.
inline std::string spell(unsigned byte) {
  const auto printable = [](unsigned b) { return (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE; };
  unsigned character = byte;
  if (!printable(byte)) {
    character = 256;
    for (unsigned b = 0; b < byte; ++b) character += printable(b) ? 0 : 1;
  }
  if (character < 0x80) return {static_cast<char>(character)};
  return {static_cast<char>(0xC0 | character >> 6), static_cast<char>(0x80 | (character & 0x3F))};
}

inline std::string spell(const std::string& text) {
  std::string out;
  for (const char c : text) out += spell(static_cast<unsigned char>(c));
  return out;
}

struct SmallVocabulary {
  std::vector<std::string> tokens;
  std::vector<std::int64_t> types;
  std::vector<std::string> merges;
  std::string pre = "qwen2";

  SmallVocabulary() {
    for (unsigned byte = 0; byte < 256; ++byte) add(spell(byte), 1);
  }
  std::int64_t add(const std::string& text, std::int64_t type) {
    tokens.push_back(text);
    types.push_back(type);
    return static_cast<std::int64_t>(tokens.size()) - 1;
  }
  // Adds the merge and its token; id = 256 + number of tokens added before.
  void merge(const std::string& left, const std::string& right) {
    add(spell(left + right), 1);
    merges.push_back(spell(left) + " " + spell(right));
  }
  engine::Checkpoint checkpoint() const {
    engine::Checkpoint result;
    result.source = "small.gguf";
    result.metadata["tokenizer.ggml.model"] = std::string("gpt2");
    result.metadata["tokenizer.ggml.pre"] = pre;
    result.metadata["tokenizer.ggml.tokens"] = tokens;
    result.metadata["tokenizer.ggml.token_type"] = types;
    result.metadata["tokenizer.ggml.merges"] = merges;
    return result;
  }
};

}  // namespace cinnabar::tests
