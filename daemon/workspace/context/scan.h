// The source files below a folder, within bounds.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

#include "daemon/workspace/context/files.h"

namespace cinnabar::daemon::context {

struct ScanLimits {
  std::size_t entries = 50'000;      // of folders, looked at
  std::size_t files = 3'000;         // read
  std::size_t file_bytes = 200'000;  // of one; larger ones are left out
  std::size_t bytes = 48U << 20;     // of memory for all
  std::chrono::milliseconds time{30'000};
};

// Whether a file may be read, by its whole path.
using MayRead = std::function<bool(const std::string& path)>;

// Calls `found` with each file of a language that has a grammar, until it returns false or a limit is reached. Links
// are not followed, hidden folders and those of packages not entered. Reads nothing outside `folder`, wherever that
// leads.
void scan(const std::string& folder, const ScanLimits& limits, const MayRead& may_read,
          const std::function<bool(FilePtr)>& found);

// One file of `folder`; null when it is none, may not be read or is too large.
FilePtr read_file(const std::string& folder, const std::string& path, const ScanLimits& limits);

}  // namespace cinnabar::daemon::context
