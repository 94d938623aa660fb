// What a next edit is decided by, of whatever form: what the model is asked next, and what is shown in the end.
//
// Protocol: while (machine.request()) run it, machine.take(result); then machine.shown(). A machine without a model. Owns all
// it needs; one thread at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/completion/gate.h"
#include "daemon/editing/analogy.h"
#include "daemon/editing/next_edit_form.h"
#include "engine/request.h"

namespace cinnabar::daemon {

struct NextEditOptions {
  float eagerness = 0;     // nats added to every proposal's gain; below 0: quieter
  std::size_t judged = 6;  // proposals that the model is asked about
  engine::InfillRequest defaults = {};
  std::function<bool(const EditCandidate&)> refused = {};  // what the user does not want to see; may be empty
};

// What a user's eagerness adds to every gain.
constexpr float eagerness_in_nats(Eagerness eagerness) {
  return eagerness == Eagerness::eager ? 2.0f : eagerness == Eagerness::balanced ? 0.0f : -2.0f;
}

class NextEditMachine {
 public:
  virtual ~NextEditMachine() = default;

  // Null: done.
  virtual const engine::InfillRequest* request() const = 0;
  // Requires: the answer to *request().
  virtual void take(const engine::InfillResult& result) = 0;
  // None touches another. The first is where a client goes that shows one at a time.
  virtual const std::vector<EditCandidate>& shown() const = 0;
};

// The one of this form. Requires: the scene's history is not empty. `path`: the file's name, as it is told to the model.
std::unique_ptr<NextEditMachine> make_next_edit(NextEditForm form, const EditScene& scene, std::string path,
                                                NextEditOptions options);

}  // namespace cinnabar::daemon
