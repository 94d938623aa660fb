// A next edit by a model that was trained for it: it is shown the last edits and a window of lines, and writes the window
// anew. Two published forms of prompt, each a row of data (window_edit.cc): Sweep's, of the past edits as pairs, the window
// as it was, and as it is; Zeta's, of what follows the window, the past edits as differences, what precedes it, and the window
// between the marks of a merge conflict.
//
// The window's own text is the draft, so an answer costs about what it changes. Nothing is shown of an answer that did not
// come to its end, takes one of the last edits back, parses worse, or removes more lines than it may.
//
// Pure; the owner's thread. Offsets are bytes of the present text.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/editing/history.h"
#include "daemon/editing/next_edit_form.h"
#include "daemon/editing/next_edit_machine.h"
#include "daemon/syntax/cursor.h"
#include "daemon/syntax/language.h"

namespace cinnabar::daemon {

// What is known when a next edit is asked for.
struct WindowScene {
  std::string path;  // as it is told to the model: a file's name
  std::string text;
  std::vector<PastEdit> history;  // of `text`, oldest first
  std::size_t cursor = 0;
  const syntax::Language* language = nullptr;  // null: none, nothing is parsed
};

struct WindowPrompt {
  syntax::Span window;  // whole lines
  std::vector<engine::PromptPart> parts;
};
// Requires: a form that writes windows.
WindowPrompt window_prompt(NextEditForm form, const WindowScene& scene);

// The window as the answer writes it; none: the answer has no end, or says that there is nothing to do.
std::optional<std::string> window_of_answer(NextEditForm form, std::string_view window,
                                            const engine::InfillAnswer& answer);

class WindowMachine final : public NextEditMachine {
 public:
  static constexpr std::size_t kMostRemoved = 8;  // lines, beyond those that come instead

  // `refused`: what the user does not want to see.
  WindowMachine(NextEditForm form, WindowScene scene, engine::InfillRequest defaults,
                std::function<bool(const EditCandidate&)> refused);

  const engine::InfillRequest* request() const override { return request_ ? &*request_ : nullptr; }
  void take(const engine::InfillResult& result) override;
  const std::vector<EditCandidate>& shown() const override { return shown_; }

 private:
  bool is_fit(const std::string& window) const;
  bool takes_back(const std::string& window) const;
  bool parses_worse(const std::string& window) const;

  const NextEditForm form_;
  const WindowScene scene_;
  const std::function<bool(const EditCandidate&)> refused_;
  syntax::Span window_;
  std::optional<engine::InfillRequest> request_;
  std::vector<EditCandidate> shown_;
};

}  // namespace cinnabar::daemon
