// Byte-level byte-pair encoding: text is cut into words (pretokenizer.h), a word starts as one token a byte, and
// adjacent tokens merge, lowest rank first and leftmost among equals, until no merge applies. The rule is that of GPT-2
// and of Hugging Face's tokenizers; ids equal theirs for valid UTF-8.
//
// Bytes that are no valid UTF-8 have no words: a maximal run of them is merged as one word, apart from the text around.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/tokenizer/pretokenizer.h"
#include "engine/tokenizer/tokenizer.h"
#include "kernels/result.h"

namespace cinnabar::engine {

enum class TokenKind : std::uint8_t {
  byte_level,  // ordinary: spelled in the printable alphabet that GPT-2 maps bytes to
  literal,     // ordinary, but written as plain text and made by no merge: encode() never yields it, decode() gives its
               // text
  special,     // control, unknown, reserved: no bytes
  absent,      // no token has this id
};

// A user-defined token is markup such as <tool_call> or <|sep|> (special here) or plain text such as a run of spaces.
TokenKind user_defined_kind(std::string_view text);

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

inline constexpr std::size_t kMostTokens = std::size_t{1} << 22;
inline constexpr std::size_t kMostMerges = std::size_t{1} << 23;
inline constexpr std::size_t kMostTokenBytes = std::size_t{1} << 30;  // of all tokens together

// Checks that texts are unique, every byte has a token, and every merge joins two ordinary tokens into a third whose
// bytes are theirs. Errors name the token, the byte or the merge.
Result<std::unique_ptr<Tokenizer>> make_bpe_tokenizer(const BpeVocabulary& vocabulary, PreTokenizer words);

}  // namespace cinnabar::engine
