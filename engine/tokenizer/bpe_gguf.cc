#include <string>
#include <string_view>
#include <vector>

#include "engine/tokenizer/bpe.h"
#include "engine/tokenizer/bpe_files.h"

namespace cinnabar::engine {
namespace {

// llama.cpp's token types.
enum GgufTokenType : std::int64_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5 };

template <typename T>
Result<const T*> required(const Checkpoint& checkpoint, std::string_view key, std::string_view kind) {
  const auto found = checkpoint.metadata.find(key);
  if (found == checkpoint.metadata.end()) return Status::error(std::string(key) + " is missing");
  const T* value = std::get_if<T>(&found->second);
  if (value == nullptr) return Status::error(std::string(key) + " is not " + std::string(kind));
  return value;
}

Result<TokenKind> kind_of(std::int64_t type, std::string_view text) {
  switch (type) {
    case kNormal:
      return TokenKind::byte_level;
    case kUnknown:
    case kControl:
    case kUnused:
      return TokenKind::special;
    case kUserDefined:
      return user_defined_kind(text);
    default:
      return Status::error("token type " + std::to_string(type) + " has no meaning in byte-level BPE (1 to 5 have)");
  }
}

Status read_tokens(const Checkpoint& checkpoint, BpeVocabulary& vocabulary) {
  const auto tokens = required<std::vector<std::string>>(checkpoint, "tokenizer.ggml.tokens", "an array of strings");
  if (!tokens) return tokens.status();
  const auto types =
      required<std::vector<std::int64_t>>(checkpoint, "tokenizer.ggml.token_type", "an array of integers");
  if (!types) return types.status();
  if ((*tokens)->size() != (*types)->size()) {
    return Status::error("tokenizer.ggml.tokens has " + std::to_string((*tokens)->size()) +
                         " entries, but tokenizer.ggml.token_type has " + std::to_string((*types)->size()));
  }
  for (std::size_t id = 0; id < (*tokens)->size(); ++id) {
    const std::string& text = (**tokens)[id];
    const Result<TokenKind> kind = kind_of((**types)[id], text);
    if (!kind) return kind.status().in("token " + std::to_string(id));
    vocabulary.tokens.push_back({text, *kind});
  }
  return Status();
}

Status read_merges(const Checkpoint& checkpoint, BpeVocabulary& vocabulary) {
  const auto merges = required<std::vector<std::string>>(checkpoint, "tokenizer.ggml.merges", "an array of strings");
  if (!merges) return merges.status();
  for (const std::string& merge : **merges) {
    const std::string_view text = merge;
    const std::size_t space = text.find(' ');
    if (space == 0 || space == std::string_view::npos || space + 1 == text.size()) {
      return Status::error("tokenizer.ggml.merges[" + std::to_string(vocabulary.merges.size()) + "] is '" +
                           merge.substr(0, 100) + "', expected two tokens with a space between");
    }
    vocabulary.merges.emplace_back(text.substr(0, space), text.substr(space + 1));
  }
  return Status();
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> bpe_from_gguf(const Checkpoint& checkpoint) {
  const auto pre = required<std::string>(checkpoint, "tokenizer.ggml.pre", "a string");
  if (!pre) return pre.status();
  Result<PreTokenizer> words = PreTokenizer::named(**pre);
  if (!words) return words.status().in("tokenizer.ggml.pre");
  BpeVocabulary vocabulary;
  if (Status status = read_tokens(checkpoint, vocabulary); !status) return status;
  if (Status status = read_merges(checkpoint, vocabulary); !status) return status;
  return make_bpe_tokenizer(vocabulary, std::move(*words));
}

}  // namespace cinnabar::engine
