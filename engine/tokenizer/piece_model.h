// A SentencePiece model as plain data, and its serialized form. libsentencepiece reads protocol buffers but does not
// ship their definition, so the few fields used are read and written here (sentencepiece_model.proto, proto2 wire
// format).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cinnabar::engine {

enum class PieceType : std::uint8_t {
  normal = 1,
  unknown,
  control,
  user_defined,
  unused,
  byte
};  // the proto's numbers

struct PieceModel {
  struct Piece {
    std::string text;
    float score = 0;
    PieceType type = PieceType::normal;
  };
  std::vector<Piece> pieces;  // index: id
  std::string trainer;        // serialized TrainerSpec: kind of model and its switches
};

// The TrainerSpec of a BPE model and nothing else.
std::string bpe_trainer();

// Reads a ModelProto. Untrusted: a length that leaves the file, or a field of the wrong kind, is an error with its
// offset.
Result<PieceModel> parse_piece_model(std::string_view serialized);

// Writes a ModelProto with byte fallback on and a normalizer that changes nothing.
std::string serialize_exact(const PieceModel& model);

}  // namespace cinnabar::engine
