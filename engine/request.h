// What the engine is asked and what it answers: a hole and its surroundings, and the text for it. Plain values; of the
// engine they need decoding/options.h alone, so whoever builds requests or answers them from elsewhere needs no model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/decoding/options.h"

namespace cinnabar::engine {

enum class Mode : std::uint8_t { automatic, autoregressive, verified, diffusion };  // automatic: mode.h
std::optional<Mode> parse_mode(std::string_view text);  // "auto", "autoregressive", "verified", "diffusion"
std::string_view name(Mode mode);
inline constexpr std::size_t kModes = 4;

// How rows come to be tokens, once the mode is known: what options of decoding are about.
enum class Decoder : std::uint8_t {
  autoregressive,
  verified,   // autoregressive, drafts verified
  remasking,  // denoising under a gated adapter
  block,      // block-causal denoising of blocks that begin where the answer does
  tiled,      // of blocks that tile the text
  in_place,
};
std::string_view name(Decoder decoder);  // "verified", "denoising in place", ...
// What a model decodes by in a mode.
struct Way {
  Decoder decoder = Decoder::verified;
  bool expands = false;  // it has tokens that lengthen and shorten a hole
};

struct InfillToken {
  std::int32_t id = 0;
  float probability = 0;
  std::size_t end = 0;  // bytes of the answer's text up to here; 0 while the token only spells what stands before it
  float margin = 0;     // best minus second probability, where that is known; else the least it can be
};

// Going on from the beginning of an earlier answer to the same request.
struct Resume {
  std::vector<InfillToken> tokens;      // its first ones; they stay, and are as probable as they were
  std::vector<std::int32_t> forbidden;  // none of these may come next
  bool empty() const { return tokens.empty() && forbidden.empty(); }
};

// A hole behind another one on the same canvas.
struct NextHole {
  std::string between;  // the text from the hole before to this one
  EndRule end = EndRule::line;
  OtherEnd other_end = {};
  int max_tokens = 128;
};

struct InfillRequest {
  std::string prefix, suffix;          // bytes before the hole and behind it, or behind the last of several
  Context context;                     // text from elsewhere, the stablest first; as much is read as its budget holds
  std::optional<std::string> heading;  // whole lines before what is shown of the prefix: what file this is
  PromptBudget budget;                 // how much of prefix, suffix and context the model reads, at most
  EndRule end = EndRule::line;
  OtherEnd other_end;    // shortens what `end` allows; may be empty
  int max_tokens = 128;  // 1 .. 1024
  Mode mode = Mode::automatic;
  DraftOptions drafts;     // verified mode, and diffusion mode under a gated adapter
  DenoiseOptions denoise;  // diffusion mode; a threshold under a gated adapter: Acceptance::finish_confidence
  float keep = 0.7f;       // diffusion mode under a gated adapter: Acceptance::accept_ratio
  SamplingOptions sampling;
  int candidates = 1;  // 1 .. 8; beyond the first they are sampled (temperature at least 0.6)
  std::string former;  // an earlier answer in this place, or the text being edited: a draft
  Resume resume;       // of one hole
  // The whole prompt, laid out by the caller: then prefix, suffix and context are not shown to the model. `end` is judged
  // by prefix and suffix all the same.
  std::vector<PromptPart> parts;
  // Text whose probability is wanted: nothing is decoded, the answer is this text, and its path says how probable each
  // of its tokens is.
  std::optional<std::string> scored;
  // Further holes, filled together with the first by models that see both sides (Infiller::fills_together).
  std::vector<NextHole> next;
};

struct InfillAnswer {
  std::string text;
  StopReason reason = StopReason::length;
  int tokens = 0;
  std::vector<InfillToken> path = {};  // all tokens, in order; the last may lie behind the text's end
};

struct InfillResult {
  std::vector<InfillAnswer> answers;  // the first is the greedy one; equal texts are given once
  std::vector<InfillAnswer> next;     // of the further holes, one each
  DecodeStats decode;
  int prompt_tokens = 0;
  int reused_tokens = 0;  // of the prompt, whose keys and values were there already
  double prompt_milliseconds = 0;
};

}  // namespace cinnabar::engine
