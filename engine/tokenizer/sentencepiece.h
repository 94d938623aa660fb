// SentencePiece vocabularies (unigram or BPE), by libsentencepiece.
//
// The library is given the file's pieces and model, but a normalizer that changes nothing: no dummy prefix, no folding
// of spaces or of characters. So a text's first word has no "▁" before it unless the text has a space there (which is
// what a hole in the middle of a file needs), and ids otherwise equal the reference's for text that the model's own
// normalizer leaves alone. What the library cannot give back byte for byte (invalid UTF-8, "▁" itself, NUL) is
// spelled with the byte tokens <0x00>..<0xFF>. A model without all 256 of them is an error at load.
#pragma once

#include <memory>

#include "base/result.h"
#include "engine/model/checkpoint.h"
#include "engine/tokenizer/tokenizer.h"

namespace cinnabar::engine {

// GGUF metadata with tokenizer.ggml.model "llama": .tokens, .scores, .token_type.
Result<std::unique_ptr<Tokenizer>> sentencepiece_from_gguf(const Checkpoint& checkpoint);

// A folder's tokenizer.model (a serialized sentencepiece ModelProto), from checkpoint.texts.
Result<std::unique_ptr<Tokenizer>> sentencepiece_from_model_file(const Checkpoint& checkpoint);

}  // namespace cinnabar::engine
