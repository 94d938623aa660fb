#include "engine/tokenizer/bpe.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "engine/tokenizer/merges.h"
#include "engine/tokenizer/text_runs.h"

namespace cinnabar::engine {
namespace {

constexpr std::size_t kLongestMergedWord = std::size_t{1} << 28;  // node indices are 32 bits wide
constexpr std::size_t kLongestCachedWord = 64;
constexpr std::size_t kMostCachedWords = 8192;

// What code cannot be spelled without: tab, newline, and what ASCII prints.
bool is_needed(unsigned byte) { return byte == '\t' || byte == '\n' || (byte >= ' ' && byte <= '~'); }

using TextIndex = std::vector<std::int32_t>;  // ids sorted by text

// GPT-2's alphabet: printable Latin-1 bytes stand for themselves, the others for U+0100 and up, in order.
std::array<std::int16_t, 324> byte_of_character() {
  std::array<std::int16_t, 324> table;
  table.fill(-1);
  int next = 256;
  for (int byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    table[printable ? byte : next++] = static_cast<std::int16_t>(byte);
  }
  return table;
}

// The bytes that a token's spelling stands for; a spelling outside the alphabet stands for itself.
std::string spelled_bytes(std::string_view text, const std::array<std::int16_t, 324>& table) {
  std::string bytes;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t length = utf8_character(rest);
    unsigned character = static_cast<unsigned char>(rest[0]);
    if (length == 2) character = (character & 0x1Fu) << 6 | (static_cast<unsigned char>(rest[1]) & 0x3Fu);
    if (length == 0 || length > 2 || character >= table.size() || table[character] < 0) return std::string(text);
    bytes += static_cast<char>(table[character]);
    rest.remove_prefix(length);
  }
  return bytes;
}

// Words seen lately in one encode call and where in the output their ids are. Direct mapped: a newer word takes the
// slot.
class WordCache {
 public:
  explicit WordCache(std::size_t text_bytes)
      : slots_(std::bit_ceil(std::clamp<std::size_t>(text_bytes / 8, 16, kMostCachedWords))) {}

  struct Entry {
    std::string_view word;
    std::size_t first = 0;  // index into the output
    std::uint32_t count = 0;
  };
  Entry& slot(std::string_view word) { return slots_[hash(word) & (slots_.size() - 1)]; }

 private:
  static std::uint64_t hash(std::string_view word) {
    std::uint64_t head = 0, tail = 0;
    const std::size_t size = std::min<std::size_t>(word.size(), 8);
    std::memcpy(&head, word.data(), size);
    std::memcpy(&tail, word.data() + word.size() - size, size);
    head = (head ^ word.size()) * 0x9E3779B97F4A7C15u;
    tail = (tail + (head >> 32)) * 0xC2B2AE3D27D4EB4Fu;
    return tail >> 32;
  }
  std::vector<Entry> slots_;
};

class BpeTokenizer final : public Tokenizer {
 public:
  BpeTokenizer(PreTokenizer words, std::size_t merges) : words_(std::move(words)), merges_(merges) {}

  Status build(const BpeVocabulary& vocabulary);

  std::int32_t size() const override { return tokens_.size(); }
  std::vector<std::int32_t> encode(std::string_view text) const override;
  std::size_t last_split(std::string_view text) const override;
  std::string_view bytes(std::int32_t token) const override { return tokens_.bytes(token); }
  bool is_special(std::int32_t token) const override { return tokens_.kind(token) == TokenKind::special; }
  std::optional<std::int32_t> special(std::string_view literal) const override { return tokens_.special(literal); }
  std::span<const std::int32_t> sorted_by_bytes() const override { return tokens_.sorted_by_bytes(); }

 private:
  struct Encoding;
  Status add_tokens(const BpeVocabulary& vocabulary);
  void find_byte_tokens();
  Status add_merge(const BpeVocabulary& vocabulary, const TextIndex& index, std::size_t rank);
  void encode_word(std::string_view word, Encoding& encoding) const;
  void merge_into(std::string_view word, Encoding& encoding) const;

  PreTokenizer words_;
  MergeTable merges_;
  bool whole_words_first_ = false;
  TokenStore tokens_;
  std::array<std::int32_t, 256> byte_tokens_{};
};

struct BpeTokenizer::Encoding {
  explicit Encoding(std::size_t text_bytes) : cache(text_bytes) {}
  std::vector<std::int32_t> out;
  WordCache cache;
  std::vector<std::size_t> ends;
  std::vector<std::int32_t> word;
  MergeScratch scratch;
};

Result<TextIndex> index_texts(const BpeVocabulary& vocabulary) {
  TextIndex index;
  for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    if (vocabulary.tokens[id].kind != TokenKind::absent) index.push_back(static_cast<std::int32_t>(id));
  }
  const auto text = [&](std::int32_t id) { return vocabulary.tokens[id].text; };
  std::sort(index.begin(), index.end(),
            [&](std::int32_t a, std::int32_t b) { return text(a) != text(b) ? text(a) < text(b) : a < b; });
  for (std::size_t i = 1; i < index.size(); ++i) {
    if (text(index[i - 1]) != text(index[i])) continue;
    return Status::error("tokens " + std::to_string(index[i - 1]) + " and " + std::to_string(index[i]) +
                         " have the same text " + quoted(text(index[i])));
  }
  return index;
}

// -1 where no token has that text.
std::int32_t find_text(const BpeVocabulary& vocabulary, const TextIndex& index, std::string_view text) {
  const auto found = std::lower_bound(index.begin(), index.end(), text, [&](std::int32_t id, std::string_view wanted) {
    return vocabulary.tokens[id].text < wanted;
  });
  return found != index.end() && vocabulary.tokens[*found].text == text ? *found : -1;
}

Status BpeTokenizer::add_tokens(const BpeVocabulary& vocabulary) {
  const auto table = byte_of_character();
  for (const auto& [text, kind] : vocabulary.tokens) {
    const std::string bytes = kind == TokenKind::byte_level ? spelled_bytes(text, table) : std::string(text);
    if (Status status = tokens_.add(kind, bytes, text); !status) return status;
  }
  tokens_.finish();
  return Status();
}

// -1 for bytes that no token stands for: some vocabularies lack control characters and bytes that UTF-8 never has.
void BpeTokenizer::find_byte_tokens() {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const char character = static_cast<char>(byte);
    byte_tokens_[byte] = tokens_.find(std::string_view(&character, 1));
  }
}

Status BpeTokenizer::add_merge(const BpeVocabulary& vocabulary, const TextIndex& index, std::size_t rank) {
  const std::string_view left_text = vocabulary.merges[rank].first, right_text = vocabulary.merges[rank].second;
  const auto fail = [&](const std::string& why) {
    return Status::error("merge " + std::to_string(rank) + " (" + quoted(left_text) + " + " + quoted(right_text) +
                         "): " + why);
  };
  const std::int32_t left = find_text(vocabulary, index, left_text);
  const std::int32_t right = find_text(vocabulary, index, right_text);
  const std::string joined = std::string(left_text).append(right_text);
  const std::int32_t result = find_text(vocabulary, index, joined);
  for (const auto& [id, text] : {std::pair{left, left_text}, {right, right_text}, {result, std::string_view(joined)}}) {
    if (id < 0) return fail("no token is " + quoted(text));
    if (tokens_.kind(id) != TokenKind::byte_level) return fail("token " + quoted(text) + " is not an ordinary one");
  }
  // Spellings can be joined without their bytes being so when one lies outside the alphabet.
  if (std::string(bytes(left)).append(bytes(right)) != bytes(result)) {
    return fail("the bytes of token " + std::to_string(result) + " are not those of the two");
  }
  if (!merges_.add(left, right, {static_cast<std::int32_t>(rank), result})) {
    return fail("the pair is listed twice, or the list is degenerate");
  }
  return Status();
}

Status BpeTokenizer::build(const BpeVocabulary& vocabulary) {
  const Result<TextIndex> index = index_texts(vocabulary);
  if (!index) return index.status();
  if (Status status = add_tokens(vocabulary); !status) return status;
  find_byte_tokens();
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (byte_tokens_[byte] >= 0 || !is_needed(byte)) continue;
    constexpr std::string_view kHex = "0123456789ABCDEF";
    return Status::error(std::string("no token stands for byte 0x") + kHex[byte >> 4] + kHex[byte & 15] +
                         ", without which code cannot be spelled");
  }
  for (std::size_t rank = 0; rank < vocabulary.merges.size(); ++rank) {
    if (Status status = add_merge(vocabulary, *index, rank); !status) return status;
  }
  whole_words_first_ = vocabulary.whole_words_first || words_.whole_words_first();
  return Status();
}

void BpeTokenizer::merge_into(std::string_view word, Encoding& encoding) const {
  if (whole_words_first_) {
    if (const std::int32_t token = tokens_.find(word); token >= 0) {
      encoding.out.push_back(token);
      return;
    }
  }
  encoding.word.clear();
  for (const char c : word) {
    if (const std::int32_t token = byte_tokens_[static_cast<unsigned char>(c)]; token >= 0)
      encoding.word.push_back(token);
  }
  merge_word(merges_, encoding.word, encoding.scratch);
  encoding.out.insert(encoding.out.end(), encoding.word.begin(), encoding.word.end());
}

void BpeTokenizer::encode_word(std::string_view word, Encoding& encoding) const {
  auto& out = encoding.out;
  if (word.size() == 1) {
    if (const std::int32_t token = byte_tokens_[static_cast<unsigned char>(word[0])]; token >= 0) out.push_back(token);
    return;
  }
  if (word.size() > kLongestCachedWord) {
    for (; !word.empty(); word.remove_prefix(std::min(word.size(), kLongestMergedWord))) {
      merge_into(word.substr(0, kLongestMergedWord), encoding);
    }
    return;
  }
  WordCache::Entry& slot = encoding.cache.slot(word);
  const std::size_t first = out.size();
  if (slot.word == word) {
    out.resize(first + slot.count);
    std::copy_n(out.begin() + static_cast<std::ptrdiff_t>(slot.first), slot.count,
                out.begin() + static_cast<std::ptrdiff_t>(first));
    return;
  }
  merge_into(word, encoding);
  slot = {word, first, static_cast<std::uint32_t>(out.size() - first)};
}

std::vector<std::int32_t> BpeTokenizer::encode(std::string_view text) const {
  Encoding encoding(text.size());
  encoding.out.reserve(text.size() / 3);
  while (!text.empty()) {
    const TextRun run = next_run(text);
    if (!run.valid_utf8) {
      encode_word(run.bytes, encoding);
      continue;
    }
    words_.cut(run.bytes, encoding.ends);
    std::size_t begin = 0;
    for (const std::size_t end : encoding.ends) {
      encode_word(run.bytes.substr(begin, end - begin), encoding);
      begin = end;
    }
  }
  return std::move(encoding.out);
}

std::size_t BpeTokenizer::last_split(std::string_view text) const {
  if (!words_.has_patterns()) return Tokenizer::last_split(text);
  std::size_t edge = 0, begin = 0;
  std::string_view rest = text.substr(0, text.size() - unfinished_character(text));
  while (!rest.empty()) {
    const TextRun run = next_run(rest);
    edge = begin + (run.valid_utf8 && rest.empty() ? words_.last_edge(run.bytes) : 0);
    begin += run.bytes.size();
  }
  return edge;
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> make_bpe_tokenizer(const BpeVocabulary& vocabulary, PreTokenizer words) {
  if (vocabulary.tokens.size() > kMostTokens || vocabulary.merges.size() > kMostMerges) {
    return Status::error(std::to_string(vocabulary.tokens.size()) + " tokens and " +
                         std::to_string(vocabulary.merges.size()) + " merges; at most " + std::to_string(kMostTokens) +
                         " and " + std::to_string(kMostMerges) + " are allowed");
  }
  auto tokenizer = std::make_unique<BpeTokenizer>(std::move(words), vocabulary.merges.size());
  if (Status status = tokenizer->build(vocabulary); !status) return status;
  return std::unique_ptr<Tokenizer>(std::move(tokenizer));
}

}  // namespace cinnabar::engine
