// Whether one of the edits that the last ones ask for is shown: the model says how likely the present text and the
// proposed one are in their place, and a pattern that speaks strongly for itself needs less of it. Quiet by default.
//
// Pure; the owner's thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/editing/next_edit_machine.h"
#include "engine/request.h"

namespace cinnabar::daemon {

class ProposalMachine final : public NextEditMachine {
 public:
  // `text` as the history left it; `edited`: the lines of the last edit as they are now, which the model sees where
  // they do not stand before the proposal anyway.
  ProposalMachine(std::string text, std::vector<EditCandidate> candidates, LineEdit edited, NextEditOptions options);

  const engine::InfillRequest* request() const override { return request_ ? &*request_ : nullptr; }
  void take(const engine::InfillResult& result) override;
  // The best proposal first, then those beside it that hold, too (at most kApart lines away), in order of the text.
  const std::vector<EditCandidate>& shown() const override { return shown_; }
  static constexpr std::size_t kApart = 12;

  // Of each proposal judged, in order: by how many nats it passed (above 0) or failed before eagerness.
  const std::vector<float>& gains() const { return gains_; }

 private:
  struct Judging {
    std::size_t line = 0, end = 0;  // bytes of the whole lines that the proposal changes
    std::string changed;            // what they become; of an insertion the added text alone
    std::optional<float> present;   // log-probability of the lines as they are
  };
  void ask_next();
  void ask(std::string_view scored);
  std::string as_accepted(std::size_t begin, std::size_t end) const;
  bool is_beside_shown(const EditCandidate& candidate) const;
  void judge(const EditCandidate& candidate, float gain);

  const std::string text_;
  const std::vector<EditCandidate> candidates_;
  const LineEdit edited_;
  const NextEditOptions options_;
  std::size_t window_ = 0;  // byte of the text from which on the model reads
  std::size_t next_ = 0;    // candidate
  std::size_t judged_ = 0;
  Judging judging_;
  std::optional<engine::InfillRequest> request_;
  std::vector<EditCandidate> shown_;
  std::vector<float> gains_;
};

// Natural logarithm of the text's probability: the sum over an answer's tokens. `tokens` counts them.
float log_probability(const engine::InfillAnswer& answer);

}  // namespace cinnabar::daemon
