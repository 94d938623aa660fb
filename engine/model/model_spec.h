// Everything that distinguishes one architecture from another, as plain data. engine/forward/network.cc branches on these
// fields, never on a family's name. To add a family, add a row to engine/model/families.cc.
//
// Dimension alphabet used in all comments: T canvas length, M rows of one forward, D model width, L layers, H query
// heads, K key/value heads, E head size, F feed-forward width, V vocabulary rows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/decoding/denoise_options.h"

namespace cinnabar::engine {

enum class Attention : std::uint8_t {
  full,          // every position of the canvas sees every other (LLaDA, Dream, MDLM)
  block_causal,  // clean rows are causal; a block sees the clean past and itself (autoregressive models, the default
                 // model)
  blocks,        // blocks tile the sequence from position 0, and a row, clean or not, sees to the end of its own
                 // (Fast-dLLM v2, SDAR, Stable-DiffCoder, BD3-LM, LLaDA2)
};

// How an infill prompt is laid out: P the text before the hole, S the text after it, <pre>, <suf>, <mid> the model's
// tags. The prompt ends where the hole begins, but in place.
enum class InfillLayout : std::uint8_t {
  in_place,            // P, masks, S
  prefix_only,         // P: the model has no tags, and does not read what stands after the hole
  suffix_then_prefix,  // <pre><suf>S<mid>P: a keystroke only appends
  prefix_then_suffix,  // <pre>P<suf>S<mid>
  suffix_tag_first,    // <suf>S<pre>P<mid>, or without <mid>
};
std::string_view name(InfillLayout layout);
Result<InfillLayout> parse_infill_layout(std::string_view text);  // the message lists the names
std::string_view name(Attention attention);

// A mixture of experts in the feed-forward part: each row goes through those few that a router chooses for it.
struct Experts {
  int count = 0;             // X; 0: none, every layer is dense
  int used = 0;              // of one row
  int ffn = 0;               // width of one
  int shared_ffn = 0;        // width of what every row goes through besides; 0: nothing
  int dense_layers = 0;      // the first so many layers have no experts
  bool sigmoid = false;      // a score is the sigmoid of the router's logit; else the softmax of all
  bool choice_bias = false;  // a vector is added to the scores for the choice alone
  int groups = 1;            // experts are chosen within `groups_used` of the groups, those whose two best scores
  int groups_used = 1;       // are the largest together
  bool renormalise = false;  // weights are divided by their sum
  float scale = 1;           // and multiplied by this
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
  int rotary = 0;                    // leading values of a head that are rotated; 0: all
  std::vector<float> rope_divisors;  // of the rotary frequencies, one a pair (scaled embeddings); empty: 1
  float rope_magnitude = 1;          // of cosines and sines (YaRN)
  // Biases of the products, and of the output head.
  bool qkv_bias = false, attention_output_bias = false, ffn_bias = false, head_bias = false;
  bool qk_norm = false;            // RMSNorm over each query and key head (Qwen3)
  bool tied_head = false;          // the output head is the embedding table
  bool layer_norm = false;         // norms subtract the mean and have a bias (LayerNorm); else RMSNorm
  bool gated_ffn = true;           // silu(gate x) * up x; else gelu(up x), by tanh
  int conditioning = 0;            // values of a DiT's condition vector, folded into the weights; 0: none
  bool context_is_limit = false;   // no position from `context` on (a table's end), or it would see less (a window)
  bool learned_positions = false;  // a table of `context` rows is added to the embedding; heads are not rotated
  bool rope_interleaved =
      false;  // the file's q/k rows are permuted for interleaved pairs (GGUF "llama" arch); undone at load
  Attention attention = Attention::full;
  InfillLayout infill = InfillLayout::in_place;
  bool bos_first = false;      // a tagged prompt begins with `bos`
  bool bare_canvas = false;    // in place: neither `bos` before the prefix nor `end_of_text` after the suffix
  bool spaced_prefix = false;  // a blank between <pre> and P (Code Llama)
  int logits_shift = 0;        // 1: the row before a position predicts it
  int block_length = 32;       // rows of a block the model was trained for (not full)
  DenoiseOptions denoise;      // how the model's authors decode it, where that is not the decoder's own default
  int sub_block = 0;           // positions of a block that are denoised before those after them; 0: all at once

  Experts experts;

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
// Whether the model has the tokens its ways need: a mask to denoise, the tags of its infill layout. The message says
// what is missing and where it can be named.
Status check_tokens(const ModelSpec& spec);
Status check_tags(const ModelSpec& spec);  // the tags alone

}  // namespace cinnabar::engine
