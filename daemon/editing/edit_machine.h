// One edit of a text while it is made, of whatever kind: what the model is asked next, and what has come of it.
//
// Protocol, for one edit:
//
//   while (const engine::InfillRequest* request = machine.request()) run it; machine.take(result) or machine.failed(why);
//   machine.changes()
//
// A machine without a model. Owns all it needs; one thread at a time. Offsets are bytes of the text it was made for.
#pragma once

#include <cstddef>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "daemon/syntax/cursor.h"
#include "engine/request.h"

namespace cinnabar::daemon {

struct EditTally {
  std::size_t steps = 1, seen = 0;  // of the work, and how many of them are over
  std::size_t filled = 0;           // holes with an answer
  int repairs = 0, repair_forwards = 0, repaired = 0;
};

class EditMachine {
 public:
  virtual ~EditMachine() = default;

  // Null: done.
  virtual const engine::InfillRequest* request() const = 0;
  // Requires: the answer to *request().
  virtual void take(const engine::InfillResult& result) = 0;
  // The model could not be asked: done.
  virtual void failed(const Status& why) = 0;

  // When done: in order, apart, at least one, all inside footprint(); or why there are none, in one sentence.
  virtual Result<std::vector<TextChange>> changes() const = 0;
  // What the edit stands on: a change of the text that touches these bytes makes it void.
  virtual syntax::Span footprint() const = 0;
  virtual EditTally tally() const { return {}; }
};

}  // namespace cinnabar::daemon
