// What a request may say about decoding, and what decoding says about itself: the plain values that the front door
// (engine/request.h) shares with prompts, answers and decoders. Includes nothing of the engine's but plain values.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/decoding/denoise_options.h"

namespace cinnabar::engine {

// --- what is read

// Budgets in bytes of text; a token of code is about 3 bytes.
struct PromptBudget {
  std::size_t prefix_bytes = 6000;
  std::size_t suffix_bytes = 2000;
  std::size_t context_tokens = 600;  // of text from elsewhere
  bool operator==(const PromptBudget&) const = default;
};
// So many bytes of a hole's surroundings in the same parts.
PromptBudget budget_of(std::size_t bytes);

// Text from elsewhere that the model reads before the hole's surroundings, as it is to be read.
using Context = std::vector<std::string>;

// A piece of a prompt that the caller lays out himself (a chat, a form of an edit model): text, or the literal of one
// special token ("<|im_start|>").
struct PromptPart {
  std::string text;
  bool special = false;
};

// --- where an answer ends

enum class EndRule : std::uint8_t {
  line,   // the rest of the cursor's line
  block,  // until a line is indented less than the hole, or closes what was open before it
  hole,   // until the text behind the hole is repeated, where the hole is lines else until one is indented less than
          // its first; a model's own end token; else the length limit
};
std::optional<EndRule> parse_end_rule(std::string_view text);  // "line", "block", "hole"

// What a caller knows of ends beside these rules: the length of the complete answer within the text so far, if that
// shows it. Called on the engine's thread after every token of every candidate; the shorter of both answers counts.
using OtherEnd = std::function<std::optional<std::size_t>(std::string_view)>;

enum class StopReason : std::uint8_t {
  hole_end,   // the text around the hole says so (find_hole_end)
  end_token,  // the model said so
  length,     // the token limit
  steps,      // the step limit of a denoising schedule
  deadline,   // out of time: what is there is a beginning
  cancelled,
};
std::string_view name(StopReason reason);  // "hole_end", "end_token", ...

struct DecodeLimits {
  std::optional<std::chrono::steady_clock::time_point> deadline;
  std::stop_token cancel;
};

// --- how tokens are chosen

// See kernels::ScoreRequest.
struct SamplingOptions {
  float temperature = 0;
  std::uint64_t seed = 0;
  // Only the most probable tokens that together pass `top_p` of the probability, temperature included, may be chosen,
  // `top_k` of them at most (0: all); probabilities and entropy are those among what is left.
  float top_p = 1;
  int top_k = 0;
  bool filters() const { return top_p < 1 || top_k > 0; }
};

struct DraftOptions {
  bool lookup = true;      // what followed the same tokens earlier in the prompt or the answer
  bool adapter = true;     // mask rows under the gated adapter, where the model has one
  int limit = -1;          // draft tokens a forward; -1: what the device runs nearly for free, twelve at most
  int shortest_match = 1;  // tokens that must agree before a lookup says anything
  int mask_rows = -1;      // draft tokens and mask rows together, where there are mask rows; -1: as for limit
  int block = 0;           // mask rows in one place at most; 0: the model's block length
};
inline constexpr DraftOptions kNoDraft{.lookup = false, .adapter = false};

struct BlockOptions {
  int length = 0;  // B, positions of a block; 0: the model's block length
  Choice choice{};
  int quota = 1;      // positions a step commits under Rule::quota, at least under Rule::threshold
  int steps = 0;      // above 0: a block's positions divided evenly by so many steps, instead of `quota`
  int sub_block = 0;  // positions that are denoised before those after them; 0: the model's
  SamplingOptions sampling{};
};

inline constexpr int kLongestHole = 128;  // that expand makes, where nothing is said

struct InPlaceOptions {
  int block_length = 32;
  int steps = 32;             // per block; an upper bound when the rule decides; 0, under P2: one for each position
  Quota quota = Quota::none;  // how `steps` divide a block; none: `count` positions a step
  int count = 1;
  Choice choice{};
  Reuse reuse = Reuse::exact;
  float guidance = 0;               // DenoiseOptions::guidance; above 0 every step runs the canvas twice
  bool expand = true;               // the model's length tokens are offered
  int longest_hole = kLongestHole;  // expand is not offered to a hole of this length
  bool broadcast_erase = false;     // an erase followed by masks only takes them along
  Remasking remask{};               // under P2 `choice` says only what sure means
  SamplingOptions sampling{};
};

// --- what it took

// What became of the drafts' tokens at one position behind the last known token.
struct DraftCount {
  int drafted = 0, accepted = 0;
};
void add(std::vector<DraftCount>& all, std::span<const DraftCount> more);

struct DecodeStats {
  int nfe = 0;                       // forwards
  int rows = 0;                      // rows of all forwards
  std::vector<int> tokens_per_step;  // answer tokens gained in each forward, all decodings together
  std::vector<DraftCount> drafts;    // by position, when all is done
  double milliseconds = 0;           // the forwards' wall clock
};

}  // namespace cinnabar::engine
