// How masks become tokens: what may be said about it, by a request, a model's description and a family's row, and what
// the decoders get. Plain values; includes nothing of the engine's.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace cinnabar::engine {

// What "sure" means when candidates are ranked; larger is surer. `random`: whatever chance says.
enum class Confidence : std::uint8_t { probability, margin, negative_entropy, random };

enum class Rule : std::uint8_t {
  threshold,      // every candidate with confidence >= value, at least the `count` surest
  factor,         // ranks r = 1.. in falling confidence while c_r >= 1 - value / (r + 1); rank 1 always
  quota,          // the `count` surest
  entropy_bound,  // rising entropy while the running sum of entropies <= value; at least one
};

struct Choice {
  Rule rule = Rule::threshold;
  Confidence confidence = Confidence::probability;
  float value = 0.9f;
  // Above 0: under Rule::quota positions are drawn by chance, the more likely the surer: without replacement, from the
  // softmax over confidence / temperature (Dream's alg_temp).
  float temperature = 0;
};

enum class Reuse : std::uint8_t {
  exact,   // every step runs the whole canvas
  prefix,  // rows before the active block keep the keys and values of the block's first step
  dual,    // rows behind it too: only the block's rows run
};

enum class Quota : std::uint8_t { none, even, timestep };  // schedule.h; none: the rule alone decides

// Which committed positions of a block in place are masked again. A hole keeps its length then.
enum class Remask : std::uint8_t {
  none,
  p2,     // 2502.03540: a step judges all of them anew and keeps the surest share, which grows with every step
  remdm,  // 2503.00307, as its authors decode LLaDA: once 7/8 are committed, the least sure ones for some steps
  wino,   // 2507.18578: those that a mask in the same place, blind to the token there, finds improbable
};

struct Remasking {
  Remask rule = Remask::none;
  int count = 1;           // remdm: positions a step
  int steps = 0;           // remdm: steps of a block that mask again; 0: as many as the block has positions
  float threshold = 0.9f;  // wino: a probability below it is improbable
};

// What may be said. What nobody says is the decoder's own default. At most one of threshold, factor and entropy_bound;
// quota and steps each say how many positions a step commits, with a threshold: at least.
struct DenoiseOptions {
  std::optional<float> threshold{}, factor{}, entropy_bound{};
  std::optional<int> quota{};       // positions a step
  std::optional<int> steps{};       // forwards of a block
  std::optional<Quota> schedule{};  // how `steps` divide a block's positions
  std::optional<Confidence> confidence{};
  std::optional<float> position_temperature{};  // Choice::temperature
  std::optional<float> guidance{};  // w of logits = u + (w + 1)(c - u), u: with all given text masked (LLaDA)
  std::optional<int> block{}, sub_block{};
  std::optional<Reuse> reuse{};
  std::optional<bool> expand{};     // the model's tokens that lengthen and shorten a hole may be chosen
  std::optional<bool> broadcast{};  // a shortening that only masks follow takes them along
  std::optional<bool> search{};     // a hole whose length nobody and no token changes gets one by length_search.h
  std::optional<int> first_length{}, longest_hole{};  // masks
  std::optional<Remask> remask{};
  std::optional<int> remask_count{}, remask_steps{};  // Remasking
  std::optional<float> remask_threshold{};

  bool operator==(const DenoiseOptions&) const = default;
  // Whether it says which positions a step commits: then nothing else does.
  bool names_rule() const { return threshold || factor || entropy_bound || quota || steps || remask_is_rule(); }
  bool remasks() const { return remask.value_or(Remask::none) != Remask::none; }
  // ReMDM goes on top of any rule; the others are one.
  bool remask_is_rule() const { return remasks() && remask != Remask::remdm; }
};

// What is said, and of what is not said `otherwise`.
DenoiseOptions over(DenoiseOptions said, const DenoiseOptions& otherwise);

// Why these cannot all hold, in a sentence's end; nothing where they can. Numbers may be of any origin.
std::optional<std::string> contradiction(const DenoiseOptions& options);

// Which candidates a step commits by it. Rule::quota's count is `quota`, or comes of `steps`, or of Remask::p2.
Choice choice_of(const DenoiseOptions& options);
Remasking remasking_of(const DenoiseOptions& options);

// The members as texts can name them: command line, settings and model.json.
struct DenoiseField {
  using Member = std::variant<std::optional<float> DenoiseOptions::*, std::optional<int> DenoiseOptions::*,
                              std::optional<bool> DenoiseOptions::*, std::optional<Quota> DenoiseOptions::*,
                              std::optional<Confidence> DenoiseOptions::*, std::optional<Reuse> DenoiseOptions::*,
                              std::optional<Remask> DenoiseOptions::*>;
  std::string_view name;  // "entropy-bound"
  Member member;
  double low = 0, high = 0;  // of numbers
};
std::span<const DenoiseField> denoise_fields();
const DenoiseField* find_denoise_field(std::string_view name);
// Returns what was expected, or nothing where `text` has been taken.
std::optional<std::string> set_field(const DenoiseField& field, std::string_view text, DenoiseOptions& options);
// What set_field would read; empty: not said.
std::string get_field(const DenoiseField& field, const DenoiseOptions& options);
// The words that a field takes, "a b c"; empty: a number.
std::string_view words_of(const DenoiseField& field);

}  // namespace cinnabar::engine
