// The thin process that an editor starts (`cinnabar lsp`): carries its standard input and output to the user's daemon,
// which it finds or starts, and starts again when it dies.
//
// One thread around poll(2), no model, no asio: it has to stay small. Ends with its editor.
#pragma once

#include <chrono>
#include <string>

#include "daemon/proxy/finder.h"

namespace cinnabar::daemon {

struct ProxyOptions {
  FinderOptions finder;
  std::chrono::milliseconds longest_pause{30'000};     // between two tries after a daemon that died without answering
  std::chrono::milliseconds initialize_limit{13'000};  // then initialize is answered with what is in the way
};

// Returns the exit status: what the editor's `exit` said, or 1 when it went away without one.
int run_proxy(ProxyOptions options);

}  // namespace cinnabar::daemon
