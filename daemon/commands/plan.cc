// `cinnabar plan FILE:LINE:COL`: what would be filled there, without a model.
#include "daemon/syntax/plan.h"

#include <iostream>

#include "daemon/commands/commands.h"
#include "daemon/commands/setup.h"
#include "daemon/commands/spot.h"
#include "daemon/config/options.h"

namespace cinnabar::daemon {

int run_plan(Options& options) {
  const auto spot = parse_spot(options.arguments, "plan");
  if (!spot) return wrong_spot(spot.status());
  const auto file = open_spot(*spot);
  if (!file) return failed(file.status());
  const PlannedSpot planned = plan_spot(*file);
  const syntax::Language* language = planned.plan.language;
  std::cout << (language == nullptr ? "no tree" : language->name) << "\n" << describe(planned);
  return 0;
}

}  // namespace cinnabar::daemon
