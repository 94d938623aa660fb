// Several holes of one text. A model that sees both sides fills those near each other together, on one canvas; what of
// that is not fit to be shown is asked for once more alone. Any other model fills them in turn: each sees the present
// text of the others, and those whose surroundings have changed since are filled once more.
//
// A machine without a model: request() says what to ask, take() is told the answer. One thread at a time. Offsets are
// bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/completion/answer.h"
#include "engine/request.h"

namespace cinnabar::daemon {

struct MultiHoleOptions {
  int repairs = 2;          // of one answer
  std::size_t near = 2000;  // a change so close to a hole changes what the model sees of it
  bool together = false;    // the model sees both sides (engine::Infiller::fills_together)
};

class MultiHoleFill {
 public:
  // `holes` as planned for `text`: in order, apart.
  MultiHoleFill(const syntax::Language& language, std::string text, std::vector<syntax::Hole> holes,
                engine::InfillRequest defaults, const MultiHoleOptions& options = {});
  MultiHoleFill(const MultiHoleFill&) = delete;
  MultiHoleFill& operator=(const MultiHoleFill&) = delete;

  // For the holes of a filling: `request` with room for a whole body each.
  static engine::InfillRequest defaults(engine::InfillRequest request);

  bool done() const { return now_ == fills_.size(); }
  // Not when done.
  const engine::InfillRequest& request() const { return machine_ ? machine_->request() : request_; }
  void take(const engine::InfillResult& result);
  // The model has nothing to say about this hole: on to the next.
  void skip();

  std::size_t holes() const { return fills_.size(); }
  std::size_t seen() const { return seen_; }  // holes that had their first turn
  std::size_t filled() const;
  int repairs() const { return repairs_; }
  int repair_forwards() const { return repair_forwards_; }
  int repaired() const { return repaired_; }  // answers that are right because of it

  // The text with what has been filled so far.
  const std::string& text() const { return text_; }
  // The same as changes of the text at the beginning: ascending, apart.
  struct Change {
    std::size_t begin = 0, end = 0;
    std::string text;
  };
  std::vector<Change> changes() const;

 private:
  struct Fill {
    syntax::Hole hole;      // as planned
    std::size_t begin = 0;  // where it is in text_ now
    std::optional<std::string> answer = {};
    std::size_t lead = 0;                  // bytes of the answer that were given
    std::uint64_t asked = 0, changed = 0;  // when: turns
    bool failed = false;                   // together with others, so it is asked for alone
    bool twice = false;
  };

  void begin_next();
  void turn_taken();
  bool wants_another_turn(std::size_t index) const;
  void begin(std::size_t index, int repairs);
  void begin_together(std::size_t first, std::size_t end);
  void take_together(const engine::InfillResult& result);
  void settle(const std::string& text);
  std::size_t length(const Fill& fill) const;

  const syntax::Language& language_;
  const std::string original_;
  const engine::InfillRequest defaults_;
  const MultiHoleOptions options_;
  std::string text_;
  std::vector<Fill> fills_;
  std::size_t now_ = 0, seen_ = 0;
  std::size_t together_ = 0;  // holes of the request under way from now_ on, when these are filled together
  std::uint64_t turn_ = 0;
  int repairs_ = 0, repair_forwards_ = 0, repaired_ = 0;
  // Of the hole whose turn it is: the text without its answer, and what was made from it.
  std::string lead_;
  std::unique_ptr<AnswerMachine> machine_;  // none while several are filled together
  engine::InfillRequest request_;           // then
};

}  // namespace cinnabar::daemon
