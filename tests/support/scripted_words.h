// An edit made without a model: its words come from a list, one text for each request, or the same for all.
#pragma once

#include <string>
#include <vector>

#include "daemon/editing/edit_machine.h"
#include "daemon/editing/minimal_edit.h"

namespace cinnabar::tests {

// What becomes of `text`, or why nothing does. Where words run out, all of them are offered as one answer's choices.
inline Result<std::string> made_with(daemon::EditMachine& machine, const std::string& text,
                                     const std::vector<std::string>& words, bool all_each_time = false) {
  for (std::size_t next = 0; machine.request() != nullptr; ++next) {
    engine::InfillResult result;
    if (all_each_time) {
      for (const auto& word : words) result.answers.push_back({word, engine::StopReason::hole_end, 1});
    } else {
      const std::string word = next < words.size() ? words[next] : std::string("word");
      result.answers.push_back({word, engine::StopReason::hole_end, 1});
    }
    machine.take(result);
  }
  const auto changes = machine.changes();
  if (!changes) return changes.status();
  return daemon::with_changes(text, *changes);
}

}  // namespace cinnabar::tests
