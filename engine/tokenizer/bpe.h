// Byte-level byte-pair encoding: text is cut into words (pretokenizer.h), a word starts as one token a byte, and
// adjacent tokens merge, lowest rank first and leftmost among equals, until no merge applies. The rule is that of GPT-2
// and of Hugging Face's tokenizers; ids equal theirs for valid UTF-8.
//
// Bytes that no token stands for are left out.
//
// Bytes that are no valid UTF-8 have no words: a maximal run of them is merged as one word, apart from the text around.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engine/tokenizer/pretokenizer.h"
#include "engine/tokenizer/token_store.h"
#include "engine/tokenizer/tokenizer.h"

namespace cinnabar::engine {

// What a vocabulary file says. Views borrow from the file's content for the duration of make_bpe_tokenizer.
struct BpeVocabulary {
  struct Token {
    std::string_view text;
    TokenKind kind = TokenKind::absent;
  };
  std::vector<Token> tokens;                                          // index: id
  std::vector<std::pair<std::string_view, std::string_view>> merges;  // index: rank
  bool whole_words_first = false;                                     // a word that is a token is taken without merging
};

inline constexpr std::size_t kMostMerges = std::size_t{1} << 23;

// Checks that texts are unique, what code is made of has tokens, and every merge joins two ordinary tokens into a third whose
// bytes are theirs. Errors name the token, the byte or the merge.
Result<std::unique_ptr<Tokenizer>> make_bpe_tokenizer(const BpeVocabulary& vocabulary, PreTokenizer words);

}  // namespace cinnabar::engine
