// Edits whose structure is certain and whose words the model chooses: a plan says what of the text changes, with slots
// for the words, and each slot is asked for as a hole in its place. Several places may share one slot.
//
// A machine without a model (edit_machine.h). Offsets are bytes of the text.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/editing/edit_machine.h"
#include "daemon/syntax/tree.h"
#include "engine/request.h"

namespace cinnabar::daemon {

// A word or a phrase to be chosen.
struct Slot {
  // What of the model's text is the slot's; none: nothing fits.
  std::function<std::optional<std::string>(std::string_view)> fit;
  engine::OtherEnd end;   // where the model may stop; it stops at the line's end at the latest
  std::string fallback;   // where nothing fits; empty: what needs the slot is left out
  bool required = false;  // ... or else nothing is changed at all
  // Asked in words (chat form): where no answer in the slot's own place fits, or first. It goes on behind `answer`.
  std::string question, answer;
  bool question_first = false;
  int max_tokens = 24;
  int candidates = 1;  // texts that are asked for, until one fits
};

// A piece of new text: as it stands, or a slot's. It is left out unless one of `with` has a text; empty: it stays.
struct SlotPiece {
  std::string text;
  int slot = -1;
  std::vector<int> with = {};
};

struct SlotChange {
  std::size_t begin = 0, end = 0;  // the bytes replaced
  std::vector<SlotPiece> pieces;
};

struct SlotPlan {
  std::vector<SlotChange> changes;  // in order, apart
  std::vector<Slot> slots;          // asked for in this order
  syntax::Span footprint;
};

class SlotEdit final : public EditMachine {
 public:
  SlotEdit(const syntax::Language& language, std::string text, SlotPlan plan, engine::InfillRequest defaults);

  const engine::InfillRequest* request() const override { return request_ ? &*request_ : nullptr; }
  void take(const engine::InfillResult& result) override;
  void failed(const Status& why) override;
  Result<std::vector<TextChange>> changes() const override;
  syntax::Span footprint() const override { return plan_.footprint; }
  EditTally tally() const override { return {std::max<std::size_t>(plan_.slots.size(), 1), answers_.size()}; }

 private:
  struct Rendered {
    std::string text;
    std::optional<std::size_t> hole, again;  // where the slot asked for stands, and where it comes once more
  };
  bool is_given(const SlotPiece& piece, std::size_t asked) const;
  Rendered render(std::size_t asked) const;
  std::vector<TextChange> filled() const;
  void ask();
  void settle();

  const syntax::Language& language_;
  const std::string text_;
  const SlotPlan plan_;
  const engine::InfillRequest defaults_;
  std::vector<std::string> answers_;  // of the slots so far; empty: none
  int tries_ = 0;                     // of the present slot
  std::optional<engine::InfillRequest> request_;
  std::string why_;  // there is no edit
};

// A slot for a name: an identifier that is none of `taken` and no keyword.
Slot name_slot(std::vector<std::string> taken, std::string fallback);
// What the model is asked about `code`, with the code.
std::string about_code(std::string_view question, const syntax::Language& language, std::string_view code);
// A slot for one line of prose without `closer`.
Slot prose_slot(std::string closer, bool sentence, bool required);

bool is_identifier(std::string_view word);
// `name`, or name_2, name_3, ... that is none of `taken`.
std::string unused(const std::string& name, const std::vector<std::string>& taken);

}  // namespace cinnabar::daemon
