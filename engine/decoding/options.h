// What a request may say about decoding, and what decoding says about itself: the plain values that the front door
// (engine/request.h) shares with prompts, answers and decoders. Includes nothing of the engine's.
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

// What "sure" means when candidates are ranked; larger is surer.
enum class Confidence : std::uint8_t { probability, margin, negative_entropy };

enum class Rule : std::uint8_t {
  threshold,      // every candidate with confidence >= value, at least the best
  factor,         // ranks r = 1.. in falling confidence while c_r >= 1 - value / (r + 1); rank 1 always
  quota,          // the `count` surest
  entropy_bound,  // rising entropy while the running sum of entropies <= value; at least one
};

struct Choice {
  Rule rule = Rule::threshold;
  Confidence confidence = Confidence::probability;
  float value = 0.9f;
};

struct BlockOptions {
  int length = 0;     // B, positions of a block; 0: the model's block length
  Choice choice{};    // which candidates a step commits
  int quota = 1;      // positions a step commits under Rule::quota
  int sub_block = 0;  // positions that are denoised before those after them; 0: the model's
  SamplingOptions sampling{};
};

enum class Reuse : std::uint8_t {
  exact,   // every step runs the whole canvas
  prefix,  // rows before the active block keep the keys and values of the block's first step
  dual,    // rows behind it too: only the block's rows run
};

enum class Quota : std::uint8_t { none, even, timestep };  // schedule.h; none: the rule alone decides

struct InPlaceOptions {
  int block_length = 32;
  int steps = 32;  // per block; an upper bound when the rule decides
  Quota quota = Quota::none;
  Choice choice{};
  Reuse reuse = Reuse::exact;
  int longest_hole = 128;        // expand is not offered to a hole of this length
  bool broadcast_erase = false;  // an erase followed by masks only takes them along
  // P2 (2502.03540): every step judges the block's committed positions again, keeps the surest share (step / steps) and
  // masks the others; `choice` says only what sure means, and the hole keeps its length.
  bool remask = false;
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
