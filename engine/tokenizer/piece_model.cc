#include "engine/tokenizer/piece_model.h"

#include <bit>

#include "engine/tokenizer/token_store.h"

namespace cinnabar::engine {
namespace {

enum Wire : unsigned { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
// Field numbers.
enum ModelField : unsigned { kPieces = 1, kTrainer = 2, kNormalizer = 3 };
enum PieceField : unsigned { kText = 1, kScore = 2, kType = 3 };
enum TrainerField : unsigned { kModelType = 3, kByteFallback = 35 };
enum NormalizerField : unsigned { kName = 1, kDummyPrefix = 3, kRemoveSpaces = 4, kEscapeSpaces = 5 };
constexpr unsigned kBpe = 2;  // TrainerSpec.ModelType

struct Field {
  unsigned number = 0;
  unsigned wire = 0;
  std::uint64_t value = 0;  // of varint and fixed fields
  std::string_view bytes;   // of kBytes
};

class Reader {
 public:
  explicit Reader(std::string_view data) : data_(data) {}
  bool done() const { return at_ == data_.size(); }
  Result<Field> next() {
    const std::size_t start = at_;
    Field field;
    std::uint64_t key = 0;
    if (!varint(key) || !body(field, key)) return Status::error("malformed field at byte " + std::to_string(start));
    return field;
  }

 private:
  bool varint(std::uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < 64 && at_ < data_.size(); shift += 7) {
      const auto byte = static_cast<unsigned char>(data_[at_++]);
      value |= static_cast<std::uint64_t>(byte & 0x7Fu) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }
  bool fixed(std::size_t size, std::uint64_t& value) {
    if (data_.size() - at_ < size) return false;
    for (std::size_t i = 0; i < size; ++i) {
      value |= static_cast<std::uint64_t>(static_cast<unsigned char>(data_[at_++])) << (8 * i);
    }
    return true;
  }
  bool body(Field& field, std::uint64_t key) {
    if (key >> 3 == 0 || key >> 3 > 0x1FFFFFFF) return false;
    field.number = static_cast<unsigned>(key >> 3);
    field.wire = static_cast<unsigned>(key & 7);
    switch (field.wire) {
      case kVarint:
        return varint(field.value);
      case kFixed64:
        return fixed(8, field.value);
      case kFixed32:
        return fixed(4, field.value);
      case kBytes: {
        std::uint64_t length = 0;
        if (!varint(length) || length > data_.size() - at_) return false;
        field.bytes = data_.substr(at_, length);
        at_ += length;
        return true;
      }
      default:
        return false;
    }
  }

  std::string_view data_;
  std::size_t at_ = 0;
};

Result<PieceModel::Piece> parse_piece(std::string_view data) {
  PieceModel::Piece piece;
  for (Reader reader(data); !reader.done();) {
    const Result<Field> field = reader.next();
    if (!field) return field.status();
    if (field->number == kText && field->wire == kBytes) {
      piece.text = field->bytes;
    } else if (field->number == kScore && field->wire == kFixed32) {
      piece.score = std::bit_cast<float>(static_cast<std::uint32_t>(field->value));
    } else if (field->number == kType && field->wire == kVarint) {
      if (field->value < 1 || field->value > 6) {
        return Status::error("type " + std::to_string(field->value) + ", expected 1 to 6");
      }
      piece.type = static_cast<PieceType>(field->value);
    } else if (field->number <= kType) {
      return Status::error("field " + std::to_string(field->number) + " has wire type " + std::to_string(field->wire));
    }
  }
  return piece;
}

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void put(std::string& out, unsigned number, std::uint64_t value) {
  put_varint(out, number << 3 | kVarint);
  put_varint(out, value);
}

void put(std::string& out, unsigned number, std::string_view bytes) {
  put_varint(out, number << 3 | kBytes);
  put_varint(out, bytes.size());
  out += bytes;
}

void put(std::string& out, unsigned number, float value) {
  put_varint(out, number << 3 | kFixed32);
  const auto bits = std::bit_cast<std::uint32_t>(value);
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(bits >> shift & 0xFF);
}

}  // namespace

std::string bpe_trainer() {
  std::string out;
  put(out, kModelType, std::uint64_t{kBpe});
  return out;
}

Result<PieceModel> parse_piece_model(std::string_view serialized) {
  PieceModel model;
  for (Reader reader(serialized); !reader.done();) {
    const Result<Field> field = reader.next();
    if (!field) return field.status();
    if (field->number > kTrainer) continue;
    if (field->wire != kBytes) {
      return Status::error("field " + std::to_string(field->number) + " has wire type " + std::to_string(field->wire) +
                           ", expected a message");
    }
    if (field->number == kTrainer) {
      model.trainer += field->bytes;  // repeated messages merge, and so do their concatenated bytes
      continue;
    }
    if (model.pieces.size() == kMostTokens)
      return Status::error("more than " + std::to_string(kMostTokens) + " pieces");
    Result<PieceModel::Piece> piece = parse_piece(field->bytes);
    if (!piece) return piece.status().in("piece " + std::to_string(model.pieces.size()));
    model.pieces.push_back(std::move(*piece));
  }
  if (model.pieces.empty()) return Status::error("no pieces: this is not a SentencePiece model");
  return model;
}

std::string serialize_exact(const PieceModel& model) {
  std::string out, piece_bytes;
  for (const PieceModel::Piece& piece : model.pieces) {
    piece_bytes.clear();
    put(piece_bytes, kText, std::string_view(piece.text));
    put(piece_bytes, kScore, piece.score);
    put(piece_bytes, kType, std::uint64_t{static_cast<std::uint8_t>(piece.type)});
    put(out, kPieces, std::string_view(piece_bytes));
  }
  std::string trainer = model.trainer;
  put(trainer, kByteFallback, std::uint64_t{1});
  put(out, kTrainer, std::string_view(trainer));
  std::string normalizer;
  put(normalizer, kName, std::string_view("identity"));
  put(normalizer, kDummyPrefix, std::uint64_t{0});
  put(normalizer, kRemoveSpaces, std::uint64_t{0});
  put(normalizer, kEscapeSpaces, std::uint64_t{1});
  put(out, kNormalizer, std::string_view(normalizer));
  return out;
}

}  // namespace cinnabar::engine
