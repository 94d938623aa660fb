// Tokenizers on hostile input. The first byte chooses: text for the default vocabulary, text for a small SentencePiece
// model, a hostile tokenizer.json, a hostile tokenizer.model, or a hostile GGUF vocabulary. Whatever loads must give
// text back byte for byte and never make a special token.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/tokenizer/healing.h"
#include "engine/tokenizer/piece_model.h"
#include "engine/tokenizer/tokenizer.h"
#include "tests/support/small_vocabulary.h"

namespace {

using namespace cinnabar::engine;

Checkpoint folder(const char* file, std::string text) {
  Checkpoint checkpoint;
  checkpoint.source = "fuzz";
  checkpoint.kind = Checkpoint::Kind::hugging_face;
  checkpoint.texts[file] = std::move(text);
  return checkpoint;
}

std::unique_ptr<Tokenizer> must_load(const Checkpoint& checkpoint) {
  auto tokenizer = load_tokenizer(checkpoint);
  if (!tokenizer) std::abort();
  return std::move(*tokenizer);
}

std::unique_ptr<Tokenizer> golden() {
  std::ifstream file(std::string(CINNABAR_SOURCE_DIR) + "/tests/golden/tokenizer/default_vocab.json", std::ios::binary);
  return must_load(folder("tokenizer.json", {std::istreambuf_iterator<char>(file), {}}));
}

std::unique_ptr<Tokenizer> small_pieces() {
  PieceModel model;
  model.trainer = bpe_trainer();
  model.pieces = {{"<unk>", 0, PieceType::unknown}, {"<s>", 0, PieceType::control}};
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (unsigned byte = 0; byte < 256; ++byte) {
    model.pieces.push_back({std::string("<0x") + kHex[byte >> 4] + kHex[byte & 15] + ">", 0, PieceType::byte});
  }
  for (const char* text :
       {"\u2581\u2581", "\u2581a", "ab", "abc", "\u00E9\u00E9", "<s", "a", "b", "c", "\u2581", "s", "<"}) {
    model.pieces.push_back({text, -static_cast<float>(model.pieces.size()), PieceType::normal});
  }
  return must_load(folder("tokenizer.model", serialize_exact(model)));
}

void round_trip(const Tokenizer& tokenizer, std::string_view text) {
  const auto tokens = tokenizer.encode(text);
  if (tokenizer.decode(tokens) != text) std::abort();
  for (const std::int32_t token : tokens) {
    if (tokenizer.is_special(token) || tokenizer.bytes(token).empty()) std::abort();
  }
  std::vector<std::uint64_t> bitmap;
  tokens_consistent_with(tokenizer, text, bitmap);
  if (!tokens.empty() && (bitmap[tokens[0] / 64] >> (tokens[0] % 64) & 1) == 0) std::abort();
}

// What a hostile vocabulary is asked to encode.
void try_texts(const Checkpoint& checkpoint, std::string_view text) {
  const auto tokenizer = load_tokenizer(checkpoint);
  if (!tokenizer) return;
  round_trip(**tokenizer, "if (a == 1) {\r\n\treturn  \"\u00E9\u2581\";\xFF\n}<|end|>");
  round_trip(**tokenizer, text.substr(0, 256));
}

// A small vocabulary, spoilt: each record is a kind, a length and bytes that become a token, a merge or the name of the
// rule.
Checkpoint hostile_gguf(std::string_view data) {
  cinnabar::tests::SmallVocabulary vocabulary;
  while (data.size() > 2) {
    const unsigned kind = static_cast<unsigned char>(data[0]) % 8;
    const std::string text(data.substr(2, static_cast<unsigned char>(data[1]) % 16));
    data.remove_prefix(2 + text.size());
    if (kind == 0) {
      vocabulary.merges.push_back(text);
    } else if (kind == 7) {
      vocabulary.pre = text;
    } else if (kind == 6 && text.size() > 1) {
      vocabulary.merge(text.substr(0, 1), text.substr(1));
    } else {
      vocabulary.add(text, static_cast<std::int64_t>(kind));
    }
  }
  return vocabulary.checkpoint();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const auto kGolden = golden();
  static const auto kPieces = small_pieces();
  if (size == 0) return 0;
  const std::string_view data(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  switch (bytes[0] % 5) {
    case 0:
      round_trip(*kGolden, data);
      break;
    case 1:
      round_trip(*kPieces, data);
      break;
    case 2:
      try_texts(folder("tokenizer.json", std::string(data)), data);
      break;
    case 3:
      try_texts(folder("tokenizer.model", std::string(data)), data);
      break;
    default:
      try_texts(hostile_gguf(data), data);
  }
  return 0;
}
