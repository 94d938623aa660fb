// A region of a text rewritten by an instruction: what the model is asked, and which of its answers is taken.
//
// The answer is decoded with the region's own text as draft, so what stays is copied in few forwards, and the result is
// the autoregressive one. A small model often gives the text back unchanged; then the old text is forbidden at the places
// where the model doubted it most, and of what comes instead the answer wins that the instruction made likelier. All
// answers are fitted into the region's place, and what cannot be a rewrite of it is not taken (region_fit.h).
//
// The protocol is the same as everywhere: request() is what the model is asked next, take() or failed() its answer; when
// request() is null, result() is there. Pure; the owner's thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "daemon/editing/region_fit.h"
#include "daemon/syntax/language.h"
#include "engine/request.h"

namespace cinnabar::daemon {

// Lines that were changed before the same way.
struct RewriteExample {
  std::string before, after;
};

struct RewriteTask {
  const syntax::Language* language = nullptr;  // null: unknown
  std::string before, region, after;           // the whole text in three parts; the region is not empty
  std::string instruction;                     // not empty
  std::vector<std::string> diagnostics;        // messages about the region, part of the instruction
  std::optional<RewriteExample> example = {};  // shown to the model as a task already done
};

struct RewriteOptions {
  int doubts = 3;  // places at which an unchanged text is forbidden
  engine::InfillRequest defaults = {};
};

class RewriteMachine {
 public:
  RewriteMachine(RewriteTask task, RewriteOptions options);

  const engine::InfillRequest* request() const { return request_ ? &*request_ : nullptr; }
  // Requires: the answer to *request().
  void take(const engine::InfillResult& result);
  // The model could not be asked.
  void failed(const Status& status);

  // The region's new text; or why there is none, in one sentence.
  Result<std::string> result() const;
  int forwards() const { return forwards_; }
  int tokens() const { return tokens_; }
  // The requests there may be in all, and how many have been answered.
  std::size_t steps() const { return 1 + 2 * static_cast<std::size_t>(options_.doubts); }
  std::size_t seen() const { return seen_; }

 private:
  enum class Stage : std::uint8_t { first, instead, without_instruction, done };
  struct Candidate {
    std::string text;             // of the whole region
    std::string answer;           // what the model wrote of it
    float with = 0, without = 0;  // log-probability
  };
  engine::InfillRequest ask(std::string_view instruction) const;
  void doubt(const engine::InfillAnswer& answer);
  void next_instead();
  void next_without();
  void choose();
  void end(std::string why);
  RegionPlace place() const;
  std::string written(const engine::InfillAnswer& answer) const;  // as the model wrote it, behind head_
  std::string whole(const std::string& written) const;            // the region's new text
  // Why a text may not be taken; empty: it may.
  std::string objection(std::string_view text) const;

  const RewriteTask task_;
  const RewriteOptions options_;
  std::string head_;  // the region's beginning that stays: the model writes what follows
  Stage stage_ = Stage::first;
  std::optional<engine::InfillRequest> request_;
  std::vector<engine::Resume> instead_;
  std::vector<Candidate> candidates_;
  std::size_t next_ = 0, seen_ = 0;
  std::string why_;
  std::optional<std::string> result_;
  int forwards_ = 0, tokens_ = 0;
};

}  // namespace cinnabar::daemon
