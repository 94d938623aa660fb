// Holes filled (daemon/completion/multi_hole.h), as an edit.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "daemon/completion/multi_hole.h"
#include "daemon/editing/edit_machine.h"

namespace cinnabar::daemon {

class FillEdit final : public EditMachine {
 public:
  // Requires: `holes` is not empty, and as MultiHoleFill wants it.
  FillEdit(const syntax::Language& language, std::string text, std::vector<syntax::Hole> holes,
           engine::InfillRequest defaults, const MultiHoleOptions& options)
      : footprint_{holes.front().begin, holes.back().end},
        filling_(language, std::move(text), std::move(holes), std::move(defaults), options) {}

  const engine::InfillRequest* request() const override {
    return why_ || filling_.done() ? nullptr : &filling_.request();
  }
  void take(const engine::InfillResult& result) override { filling_.take(result); }
  void failed(const Status& why) override { why_ = why; }
  Result<std::vector<TextChange>> changes() const override {
    if (why_) return *why_;
    auto changes = filling_.changes();
    if (changes.empty()) return Status::error("the model has found nothing that fits");
    return changes;
  }
  syntax::Span footprint() const override { return footprint_; }
  EditTally tally() const override {
    return {filling_.holes(),           filling_.seen(),    filling_.filled(), filling_.repairs(),
            filling_.repair_forwards(), filling_.repaired()};
  }

 private:
  const syntax::Span footprint_;
  MultiHoleFill filling_;
  std::optional<Status> why_;
};

}  // namespace cinnabar::daemon
