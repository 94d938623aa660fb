// `cinnabar infill --jsonl`: holes in, answers out, one JSON object a line, in order. For scripts and evaluation.
#include <iostream>

#include "base/lines.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/evaluation/hole_line.h"
#include "daemon/commands/given_options.h"
#include "daemon/commands/setup.h"

namespace cinnabar::daemon {
namespace {

using nlohmann::json;

}  // namespace

int run_infill(Options& options) {
  auto engine = open_engine(options);
  if (!engine) return failed(engine.status());
  bool all_right = true;
  evaluation::Workspaces workspaces;
  std::string text;
  for (std::size_t number = 1; next_line(std::cin, text); ++number) {
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    json answer;
    const json line = text.size() > kLongestLine ? json(json::value_t::discarded) : json::parse(text, nullptr, false);
    if (line.is_discarded()) {
      answer = {{"error", "line " + std::to_string(number) + " is not JSON"}};
    } else if (evaluation::HoleLine hole; Status read = evaluation::read_hole(line, options, workspaces, hole)) {
      engine::Engine& model = **engine;
      const Status usable = check_given(options, hole.ask.request.mode, model);
      answer = usable ? evaluation::fill_hole(options, model, limits_of(options), hole)
                      : json({{"error", usable.message()}});
    } else {
      answer = {{"error", "line " + std::to_string(number) + ": " + read.message()}};
    }
    if (line.is_object() && line.contains("id")) answer["id"] = line["id"];
    all_right = all_right && !answer.contains("error");
    std::cout << answer.dump(-1, ' ', false, json::error_handler_t::replace) << "\n" << std::flush;
    if (!std::cout) return 1;
  }
  return all_right ? 0 : 1;
}

}  // namespace cinnabar::daemon
