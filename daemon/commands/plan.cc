// `cinnabar plan FILE:LINE:COL`: what would be filled there, without a model.
#include "daemon/syntax/plan.h"

#include <iostream>

#include "daemon/commands/commands.h"
#include "daemon/commands/setup.h"
#include "daemon/commands/spot.h"
#include "daemon/options.h"

namespace cinnabar::daemon {

int run_plan(Options& options) {
  const auto spot = parse_spot(options.arguments, "plan");
  if (!spot) return wrong_spot(spot.status());
  const auto file = open_spot(*spot);
  if (!file) return failed(file.status());
  const syntax::Language* language = syntax::language_of_path(file->file);
  const lsp::LineIndex lines(file->text);
  const auto tree = language == nullptr ? nullptr : syntax::Tree::parse(*language, file->text, lines);
  const auto plan = tree ? syntax::plan_at(*tree, file->offset) : syntax::plan_at(file->text, file->offset);
  std::cout << (plan.language == nullptr ? "no tree" : plan.language->name) << "\n"
            << syntax::describe(plan, file->text);
  return 0;
}

}  // namespace cinnabar::daemon
