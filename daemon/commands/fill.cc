// `cinnabar fill FILE`: every mark, stub and empty body of a file filled in, without an editor. Prints the new text, or
// with --diff what has changed; the file itself stays as it is.
#include <iostream>
#include <optional>

#include "daemon/commands/commands.h"
#include "daemon/commands/given_options.h"
#include "daemon/commands/setup.h"
#include "daemon/commands/spot.h"
#include "daemon/commands/unified_diff.h"
#include "daemon/completion/heading.h"
#include "daemon/completion/multi_hole.h"

namespace cinnabar::daemon {
namespace {

Status fill_all(engine::Engine& engine, const Options& options, MultiHoleFill& filling) {
  int forwards = 0;
  while (!filling.done()) {
    const auto result = engine.infill(filling.request(), limits_of(options));
    if (!result) return result.status();
    forwards += result->decode.nfe;
    filling.take(*result);
  }
  std::cerr << "cinnabar: " << filling.filled() << " of " << filling.holes() << " holes filled, " << forwards
            << " forwards, " << filling.repairs() << " repairs\n";
  return {};
}

}  // namespace

int run_fill(Options& options) {
  const auto selection = parse_selection(options.command.arguments, "fill");
  if (options.command.arguments.size() > 1) return wrong_spot(Status::error("fill takes one FILE or FILE:FIRST-LAST"));
  if (!selection) return wrong_spot(selection.status());
  auto text = read_text(selection->file);
  if (!text) return failed(text.status());
  const syntax::Language* language = syntax::language_of_path(selection->file);
  if (language == nullptr)
    return failed(Status::error(selection->file + ": its name says no language with a grammar; nothing to fill by"));
  const LineIndex lines(*text);
  const auto tree = syntax::Tree::parse(*language, *text, lines);
  if (!tree) return failed(Status::error(selection->file + ": too large, or its lines too long, for a syntax tree"));
  const auto [begin, end] = bytes_of(*selection, *text);
  auto holes = syntax::plan_selection(*tree, begin, end).holes;
  std::vector<MultiHoleFill::Change> changes;
  std::string after = *text;
  if (holes.empty()) {
    std::cerr << "cinnabar: no holes: no TODO marks, stubs or empty function bodies\n";
  } else {
    auto engine = open_engine_as_given(options);
    if (!engine) return failed(engine.status());
    MultiHoleOptions filling_options;
    filling_options.repairs = options.request.repairs;
    filling_options.together = (*engine)->fills_together();
    engine::InfillRequest defaults = MultiHoleFill::defaults(options.request.defaults);
    defaults.heading = heading_of(selection->file, "");
    MultiHoleFill filling(*language, *text, std::move(holes), std::move(defaults), filling_options);
    if (Status filled = fill_all(**engine, options, filling); !filled) return failed(filled);
    changes = filling.changes();
    after = filling.text();
  }
  std::cout << (options.command.diff ? unified_diff(selection->file, *text, changes) : after) << std::flush;
  return std::cout ? 0 : 1;
}

}  // namespace cinnabar::daemon
