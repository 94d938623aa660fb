// An answer while it grows: its tokens, its text, and whether it is complete. All decoders append here, so the rules of
// where an answer ends and of which tokens may come next are the same for all of them.
//
// Engine thread only. Borrows the tokenizer.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/decoding/hole_end.h"
#include "engine/model/model_spec.h"
#include "engine/tokenizer/tokenizer.h"

namespace cinnabar::engine {

struct AnswerRules {
  HoleSurroundings hole;
  // Bytes in front of the hole that were taken out of the prompt to give the tokenizer a safe boundary (token healing):
  // the answer must begin with them, and they are not part of its text.
  std::string typed;
  int max_tokens = 128;
  OtherEnd other_end = {};  // shortens what `hole` allows; may be empty
};

class Answer {
 public:
  Answer(const Tokenizer& tokenizer, const ModelSpec& spec, AnswerRules rules);

  // Takes the next token; nothing happens once complete.
  void append(std::int32_t token, float probability) { append(token, probability, 2 * probability - 1); }
  // `margin`: best minus second probability; the form above says the least that it can be.
  void append(std::int32_t token, float probability, float margin);
  // How many of the tokens `ahead`, taken next, complete the answer; nothing where they do not, or where one of them
  // may not come there (allowed_after, in a block).
  std::optional<std::size_t> completed_by(std::span<const std::int32_t> ahead) const;
  // Ends an answer that is not complete.
  void stop(StopReason reason);
  // From now on none of `tokens` may come next; what comes after that is free again.
  void forbid_next(std::span<const std::int32_t> tokens);

  bool complete() const { return reason_.has_value(); }
  std::optional<StopReason> reason() const { return reason_; }
  std::span<const std::int32_t> tokens() const { return tokens_; }
  std::span<const float> probabilities() const { return probabilities_; }  // one a token
  std::span<const float> margins() const { return margins_; }              // the same
  // What is to be inserted: cut at the end found, without the typed bytes, never ending inside a UTF-8 sequence.
  std::string text() const;
  // Where each token ends, in bytes of text(): 0 for tokens of the typed bytes alone.
  std::vector<std::size_t> token_ends() const;

  // Bitmap (ScoreRequest::allowed) of the tokens that may follow the answer and then `ahead`. Valid until
  // forget_bitmaps().
  // `in_block`: for a row of the block under way, which alone may say that the hole ends (ModelSpec::hole_end): clean
  // rows say what the base says, whatever an adapter was trained to.
  const std::uint64_t* allowed_after(std::span<const std::int32_t> ahead, bool in_block = false);
  // The same for a row of the block under way whose place lies further on, behind a token that is not known yet.
  const std::uint64_t* allowed_later() const { return open_in_block_.data(); }
  // True while the typed bytes are not yet covered: then the first open position must be settled before later ones.
  bool healing() const { return text_.size() < rules_.typed.size(); }
  void forget_bitmaps() { bitmaps_.clear(); }

 private:
  void end_without_sign(StopReason reason);

  const Tokenizer& tokenizer_;
  AnswerRules rules_;
  std::int32_t hole_end_;                     // -1: the model has none
  std::vector<std::uint64_t> open_;           // all tokens but never_generated
  std::vector<std::uint64_t> open_in_block_;  // and the end of the hole
  std::deque<std::vector<std::uint64_t>> bitmaps_;
  std::vector<std::int32_t> forbidden_;  // as token number `forbidden_at_`
  std::size_t forbidden_at_ = 0;
  std::vector<std::int32_t> tokens_;
  std::vector<float> probabilities_, margins_;
  std::string text_;                     // bytes of the tokens, typed ones included
  std::size_t end_ = std::string::npos;  // where the complete answer ends in text_
  bool ends_line_ = false;               // a line end belongs behind it
  std::optional<StopReason> reason_;
};

}  // namespace cinnabar::engine
