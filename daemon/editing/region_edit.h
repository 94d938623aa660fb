// Whole lines of a text rewritten by an instruction (rewrite.h), as an edit of no more than what changes; and what a
// comment in them, or right above them, asks for.
//
// Pure functions; offsets are bytes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/editing/edit_machine.h"
#include "daemon/editing/rewrite.h"
#include "daemon/syntax/tree.h"

namespace cinnabar::daemon {

inline constexpr std::size_t kLongestRegion = 32 * 1024;  // bytes that may be rewritten

// [begin, end) widened to whole lines, the last line end included.
syntax::Span whole_lines_of(std::string_view text, std::size_t begin, std::size_t end);

// What is rewritten when only a place is given: the lines of the innermost function around it, or that begins on its
// line; none where there is no such function.
std::optional<syntax::Span> function_lines(const syntax::Tree& tree, std::size_t at);

// "# cinnabar: sort by name" on a line of its own.
struct CommentInstruction {
  std::string instruction;
  syntax::Span line;  // with its line end
};
// In the lines of [begin, end), or else on the line above them.
std::optional<CommentInstruction> comment_instruction(const syntax::Language& language, std::string_view text,
                                                      std::size_t begin, std::size_t end);

class RegionEdit final : public EditMachine {
 public:
  // Rewrites the lines `region` of `text`; `dropped`, a line in it or above it, goes. Requires: there is something else
  // in the region than blanks and that line. Of the task, `before`, `region` and `after` are set here.
  RegionEdit(std::string_view text, syntax::Span region, std::optional<syntax::Span> dropped, RewriteTask task,
             RewriteOptions options);

  const engine::InfillRequest* request() const override { return machine_->request(); }
  void take(const engine::InfillResult& result) override { machine_->take(result); }
  void failed(const Status& why) override { machine_->failed(why); }
  Result<std::vector<TextChange>> changes() const override;
  syntax::Span footprint() const override { return span_; }
  EditTally tally() const override { return {machine_->steps(), machine_->seen()}; }

  const RewriteMachine& machine() const { return *machine_; }

 private:
  syntax::Span span_;
  std::string old_;  // what stands there
  std::unique_ptr<RewriteMachine> machine_;
};

}  // namespace cinnabar::daemon
