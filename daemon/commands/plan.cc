// `cinnabar plan FILE:LINE:COL`: what would be filled there, without a model.
#include <iostream>

#include "daemon/commands/commands.h"
#include "daemon/commands/setup.h"
#include "daemon/commands/spot.h"
#include "daemon/config/options.h"

namespace cinnabar::daemon {

int run_plan(Options& options) {
  const auto spot = parse_spot(options.command.arguments, "plan");
  if (!spot) return wrong_spot(spot.status());
  const auto file = open_spot(*spot);
  if (!file) return failed(file.status());
  const AskedSpot asked = ask_at(*file, options);
  const syntax::TreePtr& tree = asked.ask.region->tree;
  std::cout << (tree ? tree->language().name : "no tree") << "\n" << describe(asked.ask);
  return 0;
}

}  // namespace cinnabar::daemon
