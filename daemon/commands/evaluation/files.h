// What evaluations read and write: files of JSON lines, and tables between marks of a document.
//
// Not thread-safe. Files are untrusted; errors name the file, the line and what is expected.
#pragma once

#include <functional>
#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cinnabar::daemon::evaluation {

using TakeLine = std::function<Status(nlohmann::json line)>;

// Calls `take` with the JSON object of each line that is not blank; `path` is for messages.
Status each_line(const std::string& path, std::istream& in, const TakeLine& take);
// The same over files, of which "-" is standard input.
Status each_line_of(const std::vector<std::string>& paths, const TakeLine& take);

// Replaces what stands between the lines "<!-- NAME -->" and "<!-- end of NAME -->" of the file.
Status put_between_marks(const std::string& path, std::string_view name, std::string_view text);

std::string formatted(double value, int decimals);
// The nearest-rank percentile, 0 < p <= 1, of `values`, which get sorted; "-" of none.
std::string percentile(std::vector<double>& values, double p);

}  // namespace cinnabar::daemon::evaluation
