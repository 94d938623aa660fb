#include "daemon/commands/given_options.h"

#include "daemon/server/open_engine.h"

namespace cinnabar::daemon {

Status check_given(const Options& options, const engine::Way& way) {
  for (const Option* option : options_in(kEngineGroups)) {
    if (!options.said.contains(option->name)) continue;
    if (const std::string why = why_useless(*option, way); !why.empty())
      return Status::error("--" + std::string(option->name) + " " + why +
                           " (decoding here: " + std::string(name(way.decoder)) + ")");
  }
  return {};
}

Status check_given(const Options& options, engine::Mode mode, const engine::Engine& engine) {
  const auto way = engine.way_of(mode);
  return way ? check_given(options, *way) : way.status();
}

Result<std::unique_ptr<engine::Engine>> open_engine_as_given(Options& options) {
  auto engine = open_engine(options);
  if (!engine) return engine;
  if (Status usable = check_given(options, options.request.defaults.mode, **engine); !usable) return usable;
  return engine;
}

}  // namespace cinnabar::daemon
