// A hole as one line of JSON, and its answer as another: what `cinnabar infill` and `cinnabar eval` read and write.
//
// Not thread-safe. Lines are untrusted; errors name the member and what it expects.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "daemon/completion/answer.h"
#include "daemon/config/options.h"
#include "daemon/workspace/context/choose.h"
#include "daemon/workspace/context/scan.h"
#include "daemon/workspace/exclusions.h"

namespace cinnabar::daemon::evaluation {

// What the engine is asked, and where that was planned.
struct HoleLine {
  Ask ask;
  std::size_t prefix_bytes = 0;
  std::vector<context::Piece> pieces;  // of other files
  std::optional<std::string> raw;      // an answer that was given before: it is ended and judged, no model is asked
};

// The files of the workspaces that lines have named.
class Workspaces {
 public:
  const context::FileSet& files(const std::string& folder, const EditorOptions& options);

 private:
  std::map<std::string, context::FileSet> known_;
  IgnoreFiles ignores_;
};

// What a line does not say is as in `options`.
Status read_hole(const nlohmann::json& line, const Options& options, Workspaces& workspaces, HoleLine& hole);

// {"text", "finish_reason", "nfe", ...}, or {"error"}; with options.command.details what the model said, too.
nlohmann::json fill_hole(const Options& options, engine::Engine& engine, const engine::DecodeLimits& limits,
                         const HoleLine& hole);

// A string member; `required` decides whether its absence is an error.
Result<std::string> string_member(const nlohmann::json& line, const char* name, bool required);

}  // namespace cinnabar::daemon::evaluation
