// cinnabar rewrite FILE:FIRST-LAST INSTRUCTION: lines of a file rewritten by the model; the whole file, or a diff.
#include "daemon/editing/rewrite.h"

#include <iostream>

#include "daemon/commands/commands.h"
#include "daemon/commands/given_options.h"
#include "daemon/commands/setup.h"
#include "daemon/commands/spot.h"
#include "daemon/commands/unified_diff.h"
#include "daemon/editing/minimal_edit.h"

namespace cinnabar::daemon {
namespace {

Status run(engine::Engine& engine, const Options& options, RewriteMachine& rewrite) {
  while (const engine::InfillRequest* request = rewrite.request()) {
    const auto result = engine.infill(*request, limits_of(options));
    if (!result) return result.status();
    rewrite.take(*result);
  }
  return {};
}

}  // namespace

int run_rewrite(Options& options) {
  const auto selection = parse_selection(options.command.arguments, "rewrite");
  if (!selection) return wrong_spot(selection.status());
  if (options.command.arguments.size() != 2 || is_blank(options.command.arguments[1]))
    return wrong_spot(Status::error(
        "rewrite expects FILE:FIRST-LAST and an instruction, for example shop.py:10-40 'handle an empty list'"));
  const auto text = read_text(selection->file);
  if (!text) return failed(text.status());
  const auto [begin, end] = bytes_of(*selection, *text);
  if (is_blank(text->substr(begin, end - begin)))
    return failed(Status::error(selection->file + ": there is nothing in these lines to be rewritten"));
  auto engine = open_engine_as_given(options);
  if (!engine) return failed(engine.status());
  RewriteMachine rewrite({syntax::language_of_path(selection->file),
                          text->substr(0, begin),
                          text->substr(begin, end - begin),
                          text->substr(end),
                          options.command.arguments[1],
                          {}},
                         {.defaults = options.request.defaults});
  if (Status done = run(**engine, options, rewrite); !done) return failed(done);
  const auto result = rewrite.result();
  if (!result) return failed(result.status());
  const std::string after = text->substr(0, begin) + *result + text->substr(end);
  std::cerr << "cinnabar: " << rewrite.tokens() << " tokens, " << rewrite.forwards() << " forwards\n";
  std::cout << (options.command.diff ? unified_diff(selection->file, *text, minimal_changes(*text, after)) : after)
            << std::flush;
  return std::cout ? 0 : 1;
}

}  // namespace cinnabar::daemon
