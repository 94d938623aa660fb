#include "engine/tokenizer/sentencepiece.h"

#include <sentencepiece_processor.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <exception>
#include <set>

#include "engine/tokenizer/piece_model.h"
#include "engine/tokenizer/text_runs.h"
#include "engine/tokenizer/token_store.h"

namespace cinnabar::engine {
namespace {

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";  // U+2581, which stands for a space in pieces
// Text goes to the library in segments, so that one that does not come back exactly costs little and memory is bounded.
constexpr std::size_t kSegment = 8192;

// The byte of "<0x1F>", or -1.
int byte_of(std::string_view text) {
  if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>') return -1;
  constexpr std::string_view kHex = "0123456789ABCDEF";
  const std::size_t high = kHex.find(text[3]), low = kHex.find(text[4]);
  if (high == std::string_view::npos || low == std::string_view::npos) return -1;
  return static_cast<int>(high * 16 + low);
}

std::string with_spaces(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const bool mark = text.starts_with(kSpaceMark);
    out += mark ? ' ' : text[0];
    text.remove_prefix(mark ? kSpaceMark.size() : 1);
  }
  return out;
}

class PieceTokenizer final : public Tokenizer {
 public:
  Status build(PieceModel model);

  std::int32_t size() const override { return tokens_.size(); }
  std::vector<std::int32_t> encode(std::string_view text) const override;
  std::string_view bytes(std::int32_t token) const override { return tokens_.bytes(token); }
  bool is_special(std::int32_t token) const override { return tokens_.kind(token) == TokenKind::special; }
  std::optional<std::int32_t> special(std::string_view literal) const override { return tokens_.special(literal); }
  std::span<const std::int32_t> sorted_by_bytes() const override { return tokens_.sorted_by_bytes(); }

 private:
  Status add_piece(PieceModel::Piece& piece);
  void encode_segment(std::string_view segment, std::vector<std::int32_t>& out) const;
  void encode_bytes(std::string_view text, std::vector<std::int32_t>& out) const;

  sentencepiece::SentencePieceProcessor processor_;  // its const methods are thread-safe
  TokenStore tokens_;
  std::array<std::int32_t, 256> byte_tokens_{};
};

// What the library would choke on rather than refuse.
Status check_piece(const PieceModel::Piece& piece) {
  if (piece.text.empty()) return Status::error("its text is empty");
  if (piece.text.find('\0') != std::string::npos) return Status::error("its text has a NUL");
  if (!std::isfinite(piece.score)) return Status::error("its score is not finite");
  std::string_view rest = piece.text;
  if (!next_run(rest).valid_utf8 || !rest.empty()) return Status::error("its text is not valid UTF-8");
  return Status();
}

Status PieceTokenizer::add_piece(PieceModel::Piece& piece) {
  const std::int32_t id = tokens_.size();
  if (Status status = check_piece(piece); !status) return status;
  switch (piece.type) {
    case PieceType::normal:
      return tokens_.add(TokenKind::byte_level, with_spaces(piece.text), piece.text);
    case PieceType::byte: {
      const int byte = byte_of(piece.text);
      if (byte < 0)
        return Status::error("it is a byte token, but " + quoted(piece.text) + " is not of the form <0x1F>");
      byte_tokens_[byte] = id;
      const char character = static_cast<char>(byte);
      return tokens_.add(TokenKind::byte_level, std::string_view(&character, 1), piece.text);
    }
    case PieceType::user_defined:
      if (user_defined_kind(piece.text) == TokenKind::literal) {
        return tokens_.add(TokenKind::byte_level, with_spaces(piece.text), piece.text);
      }
      piece.type = PieceType::control;  // the library finds user-defined pieces in text, but not control ones
      [[fallthrough]];
    default:
      return tokens_.add(TokenKind::special, {}, piece.text);
  }
}

Status PieceTokenizer::build(PieceModel model) {
  byte_tokens_.fill(-1);
  std::set<std::string_view> seen;
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    const std::string name = "piece " + std::to_string(id);
    if (Status status = add_piece(model.pieces[id]); !status) return status.in(name);
    if (!seen.insert(model.pieces[id].text).second) {
      return Status::error(name + ": " + quoted(model.pieces[id].text) + " is there twice");
    }
  }
  tokens_.finish();
  const auto missing = std::find(byte_tokens_.begin(), byte_tokens_.end(), -1) - byte_tokens_.begin();
  if (missing < 256) {
    return Status::error("there is no byte token for byte " + std::to_string(missing) +
                         "; without all 256 (<0x00> to <0xFF>) some text could not be encoded exactly");
  }
  try {
    const auto status = processor_.LoadFromSerializedProto(serialize_exact(model));
    if (!status.ok()) return Status::error("libsentencepiece: " + status.ToString());
  } catch (const std::exception& error) {
    return Status::error(std::string("libsentencepiece: ") + error.what());
  }
  return Status();
}

void PieceTokenizer::encode_bytes(std::string_view text, std::vector<std::int32_t>& out) const {
  for (const char c : text) out.push_back(byte_tokens_[static_cast<unsigned char>(c)]);
}

void PieceTokenizer::encode_segment(std::string_view segment, std::vector<std::int32_t>& out) const {
  std::vector<int> ids;
  bool exact = false;
  try {
    exact = processor_.Encode(segment, &ids).ok() && decode(ids) == segment;
  } catch (const std::exception&) {  // out of memory, most likely: the byte tokens are right too
  }
  if (exact) {
    out.insert(out.end(), ids.begin(), ids.end());
  } else {
    encode_bytes(segment, out);
  }
}

// The first segment of valid UTF-8 text: up to a line's end where one is in reach, else to a character's edge.
std::string_view take_segment(std::string_view& text) {
  std::size_t length = std::min(text.size(), kSegment);
  if (length < text.size()) {
    const std::size_t newline = text.rfind('\n', length - 1);
    if (newline != std::string_view::npos) length = newline + 1;
    while ((static_cast<unsigned char>(text[length]) & 0xC0u) == 0x80u) --length;
  }
  const std::string_view segment = text.substr(0, length);
  text.remove_prefix(length);
  return segment;
}

// Bytes of `text` before the first character that is known not to come back, and would take its segment with it.
std::size_t plain_prefix(std::string_view text) {
  constexpr std::string_view kStarts("\xE2\0", 2);
  std::size_t at = text.find_first_of(kStarts);
  while (at != std::string_view::npos && text[at] != '\0' && !text.substr(at).starts_with(kSpaceMark)) {
    at = text.find_first_of(kStarts, at + 1);
  }
  return std::min(at, text.size());
}

std::vector<std::int32_t> PieceTokenizer::encode(std::string_view text) const {
  std::vector<std::int32_t> out;
  while (!text.empty()) {
    const TextRun run = next_run(text);
    if (!run.valid_utf8) {
      encode_bytes(run.bytes, out);
      continue;
    }
    std::string_view rest = run.bytes;
    while (!rest.empty()) {
      const std::size_t length = plain_prefix(rest);
      std::string_view plain = rest.substr(0, length);
      while (!plain.empty()) encode_segment(take_segment(plain), out);
      rest.remove_prefix(length);
      const std::string_view odd = rest.substr(0, utf8_character(rest));
      encode_bytes(odd, out);
      rest.remove_prefix(odd.size());
    }
  }
  return out;
}

Result<std::unique_ptr<Tokenizer>> make(PieceModel model) {
  auto tokenizer = std::make_unique<PieceTokenizer>();
  if (Status status = tokenizer->build(std::move(model)); !status) return status;
  return std::unique_ptr<Tokenizer>(std::move(tokenizer));
}

template <typename T>
const std::vector<T>* array(const Checkpoint& checkpoint, std::string_view key) {
  const auto found = checkpoint.metadata.find(key);
  return found == checkpoint.metadata.end() ? nullptr : std::get_if<std::vector<T>>(&found->second);
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> sentencepiece_from_gguf(const Checkpoint& checkpoint) {
  const auto* tokens = array<std::string>(checkpoint, "tokenizer.ggml.tokens");
  const auto* scores = array<double>(checkpoint, "tokenizer.ggml.scores");
  const auto* types = array<std::int64_t>(checkpoint, "tokenizer.ggml.token_type");
  if (tokens == nullptr || scores == nullptr || types == nullptr) {
    return Status::error(
        "expected arrays tokenizer.ggml.tokens (strings), .scores (floats) and .token_type (integers)");
  }
  if (scores->size() != tokens->size() || types->size() != tokens->size()) {
    return Status::error("tokenizer.ggml.tokens has " + std::to_string(tokens->size()) + " entries, but .scores has " +
                         std::to_string(scores->size()) + " and .token_type " + std::to_string(types->size()));
  }
  PieceModel model;
  model.trainer = bpe_trainer();
  for (std::size_t id = 0; id < tokens->size(); ++id) {
    if ((*types)[id] < 1 || (*types)[id] > 6) {
      return Status::error("token " + std::to_string(id) + ": type " + std::to_string((*types)[id]) +
                           ", expected 1 to 6");
    }
    model.pieces.push_back({(*tokens)[id], static_cast<float>((*scores)[id]), static_cast<PieceType>((*types)[id])});
  }
  return make(std::move(model));
}

Result<std::unique_ptr<Tokenizer>> sentencepiece_from_model_file(const Checkpoint& checkpoint) {
  const auto found = checkpoint.texts.find("tokenizer.model");
  if (found == checkpoint.texts.end()) return Status::error("tokenizer.model is missing");
  Result<PieceModel> model = parse_piece_model(found->second);
  if (!model) return model.status().in("tokenizer.model");
  auto tokenizer = make(std::move(*model));
  if (!tokenizer) return tokenizer.status().in("tokenizer.model");
  return tokenizer;
}

}  // namespace cinnabar::engine
