// Everything that distinguishes one architecture from another, as plain data. forward.cc branches on these fields and
// never on a family's name; a new family is a new row in model_spec.cc.
//
// Dimension alphabet used in all comments: T canvas length, M rows of one forward, D model width, L layers, H query
// heads, K key/value heads, E head size, F feed-forward width, V vocabulary rows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace cinnabar::engine {

enum class Attention : std::uint8_t {
  full,          // every position of the canvas sees every other (LLaDA, Dream, MDLM)
  block_causal,  // clean rows are causal; a block sees the clean past and itself (Fast-dLLM v2, SDAR, the default
                 // model)
};

// How an infill prompt is laid out (models.md 1.4).
enum class InfillLayout : std::uint8_t {
  in_place,            // prefix, masks, suffix
  suffix_then_prefix,  // <fim_prefix><fim_suffix> suffix <fim_middle> prefix, then the hole: a keystroke only appends
};

struct ModelSpec {
  std::string family;  // for messages only

  // Sizes.
  int layers = 0;      // L
  int width = 0;       // D
  int heads = 0;       // H
  int kv_heads = 0;    // K, divides H
  int head_size = 0;   // E
  int ffn = 0;         // F
  int vocabulary = 0;  // V
  int context = 0;     // longest sequence the model was made for, tokens

  // Switches.
  float norm_epsilon = 1e-6f;
  float rope_theta = 1e4f;
  bool qkv_bias = false;
  bool qk_norm = false;    // RMSNorm over each query and key head (Qwen3)
  bool tied_head = false;  // the output head is the embedding table
  bool rope_interleaved =
      false;  // the file's q/k rows are permuted for interleaved pairs (GGUF "llama" arch); undone at load
  Attention attention = Attention::full;
  InfillLayout infill = InfillLayout::in_place;
  int logits_shift = 0;   // 1: the row before a position predicts it
  int block_length = 32;  // rows of a block the model was trained for (block_causal)

  // Token ids; -1: the model has none.
  std::int32_t mask = -1;
  std::int32_t bos = -1;
  std::int32_t end_of_text = -1;  // <|endoftext|> where there is one, else the file's end token
  std::int32_t hole_end = -1;     // trained end-of-hole token, when an adapter or training made it mean something
  std::int32_t expand = -1;       // DreamOn: one mask becomes two
  std::int32_t erase = -1;        // DreamOn: this position goes away
  std::int32_t fim_prefix = -1, fim_middle = -1, fim_suffix = -1;
  std::vector<std::int32_t> never_generated;  // control and unused ids, the mask included; ids the tokenizer has no
                                              // token for (V may be larger than it) are not listed
};

// Checks ranges and divisibility (sizes positive and bounded, H % K == 0, E even, ids below V). The message names the
// field, the value and what is allowed.
Status validate(const ModelSpec& spec);

}  // namespace cinnabar::engine
