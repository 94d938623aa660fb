// The items that were offered to a client lately: each carries a command, by which the client says that it was accepted.
//
// Under its session's lock.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "daemon/server/target.h"
#include "lsp/response.h"

namespace cinnabar::daemon {

struct Offer {
  std::uint64_t id = 0;
  Target target;
  std::string text;
  bool shown = false, partly = false, accepted = false;  // as far as the client has said
};

class Offers {
 public:
  inline static const std::string kAccepted = "cinnabar.accepted";  // the command

  // The command that an item with this text carries.
  lsp::Command make(const Target& target, const std::string& text);
  // Returns null for arguments of no command of ours, or of one that is too old.
  Offer* find(const lsp::Json& arguments);
  Offer* find(const lsp::InlineCompletionItem& item) { return item.command ? find(item.command->arguments) : nullptr; }

 private:
  std::deque<Offer> offers_;  // newest first
  std::uint64_t last_ = 0;
};

}  // namespace cinnabar::daemon
