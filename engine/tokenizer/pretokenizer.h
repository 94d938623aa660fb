// The first half of byte-level BPE: text is cut into words by regular expressions, and merges never cross a word's
// edge. Which expressions is data: a row by GGUF's name for it, or the patterns a tokenizer.json spells out.
//
// Several expressions are stages: each cuts the words of the one before. What an expression matches is a word, and so
// is what lies between two matches.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cinnabar::engine {

// Immutable, thread-safe, movable.
class PreTokenizer {
 public:
  // The row for tokenizer.ggml.pre; an unknown name is an error that lists the known ones.
  static Result<PreTokenizer> named(std::string_view name);
  // Patterns in the dialect tokenizer.json files use (Oniguruma with Unicode): what PCRE2 cannot compile, or would read
  // with another meaning, is an error. No pattern at all: the whole text is one word.
  static Result<PreTokenizer> from_patterns(const std::vector<std::string>& patterns);

  PreTokenizer(PreTokenizer&&) noexcept;
  PreTokenizer& operator=(PreTokenizer&&) noexcept;
  ~PreTokenizer();

  // Whole words are looked up in the vocabulary before merging (the llama-bpe row).
  bool whole_words_first() const { return whole_words_first_; }

  // Sets `ends` to the byte offset behind each word of `text`, ascending, the last being text.size(); empty for an
  // empty text. `text` must be valid UTF-8. Work is bounded: where an expression exceeds its match limit, what is left
  // of the text is one word.
  void cut(std::string_view text, std::vector<std::size_t>& ends) const;

  // The last place where a word of `text` ends whatever text follows, and in front of which the words are the same when
  // the text ends there: 0 to text.size(). By partial matching: a match that has looked at the text's end could be
  // another one.
  std::size_t last_edge(std::string_view text) const;
  bool has_patterns() const { return !stages_.empty(); }

 private:
  struct Stage;
  PreTokenizer();
  std::vector<std::unique_ptr<const Stage>> stages_;
  bool whole_words_first_ = false;
};

}  // namespace cinnabar::engine
