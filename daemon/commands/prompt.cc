// `cinnabar prompt FILE:L:C`: exactly what the model reads at a place of a file, part by part, and why each part is
// there.
#include "engine/decoding/prompt.h"

#include <iostream>

#include "daemon/commands/commands.h"
#include "daemon/commands/setup.h"
#include "daemon/commands/spot.h"

namespace cinnabar::daemon {
namespace {

// The tokens from `at` to the next special one, as text; moves `at` there.
std::string text_until_special(const engine::Tokenizer& tokenizer, std::span<const std::int32_t> tokens,
                               std::size_t& at) {
  std::string text;
  for (; at < tokens.size() && !tokenizer.is_special(tokens[at]); ++at) text += tokenizer.bytes(tokens[at]);
  return text;
}

std::string counted(std::size_t number, const char* what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

// A special token has no bytes of its own.
std::string named(const engine::ModelSpec& spec, std::int32_t tag) {
  const char* role = tag == spec.fim_prefix   ? " (fim_prefix)"
                     : tag == spec.fim_suffix ? " (fim_suffix)"
                     : tag == spec.fim_middle ? " (fim_middle)"
                                              : "";
  return "special token " + std::to_string(tag) + role;
}

// Why the text behind a tag is there.
std::string reason(const engine::ModelSpec& spec, std::int32_t tag, const engine::InfillRequest& request,
                   const engine::Prompt& prompt, const engine::PromptBudget& budget) {
  if (tag == spec.fim_prefix)
    return "other files: " + counted(prompt.context_pieces, "piece") + " of " + std::to_string(request.context.size()) +
           ", at most " + counted(budget.context_tokens, "token") + "; first, so that its keys and values stay valid";
  if (tag == spec.fim_suffix)
    return "behind the hole: of " + counted(request.suffix.size(), "byte") + " at most " +
           std::to_string(budget.suffix_bytes) + ", whole lines; before the prefix, so that a keystroke only appends";
  if (tag == spec.fim_middle)
    return "in front of the hole: of " + counted(request.prefix.size(), "byte") + " at most " +
           std::to_string(budget.prefix_bytes) +
           ", from a line's begin, behind the file's name; the answer follows directly";
  return "the text around the hole";
}

void print_part(const engine::Tokenizer& tokenizer, std::span<const std::int32_t> tokens, const std::string& why,
                std::size_t from, std::size_t to) {
  std::cout << "=== " << counted(to - from, "token") << ": " << why << "\n";
  for (std::size_t i = from; i < to; ++i) std::cout << tokenizer.bytes(tokens[i]);
  std::cout << "\n";
}

void print_prompt(const engine::ModelSpec& spec, const engine::Tokenizer& tokenizer,
                  const engine::InfillRequest& request, const engine::Prompt& prompt,
                  const engine::PromptBudget& budget) {
  const std::span<const std::int32_t> before = prompt.before;
  std::int32_t tag = -1;
  for (std::size_t at = 0; at < before.size();) {
    if (tokenizer.is_special(before[at])) {
      tag = before[at++];
      std::cout << "=== " << named(spec, tag) << "\n";
      continue;
    }
    const std::size_t from = at;
    text_until_special(tokenizer, before, at);
    print_part(tokenizer, before, reason(spec, tag, request, prompt, budget), from, at);
  }
  std::cout << "=== the answer\n";
  if (!prompt.typed.empty())
    std::cout << "must begin with what was taken out in front of the cursor, which a token may go through: \""
              << prompt.typed << "\"\n";
  if (!prompt.behind.empty())
    print_part(tokenizer, prompt.behind, "behind the hole, given on the same canvas", 0, prompt.behind.size());
}

}  // namespace

int run_prompt(Options& options) {
  const auto spot = parse_spot(options.command.arguments, "prompt");
  if (!spot) return wrong_spot(spot.status());
  const auto file = open_spot(*spot);
  if (!file) return failed(file.status());
  const auto chosen = chosen_model(options.model);
  if (!chosen) return failed(chosen.status());
  auto model = engine::load_model(chosen->engine.model);
  if (!model) return failed(model.status());
  if (chosen->engine.infill) model->spec.infill = *chosen->engine.infill;
  const auto tokenizer = engine::load_tokenizer(model->checkpoint);
  if (!tokenizer) return failed(tokenizer.status());

  const AskedSpot asked = ask_at(*file, options);
  const engine::InfillRequest& request = asked.ask.request;
  std::cout << "=== the hole: " << describe(asked.ask);
  for (const auto& piece : asked.pieces)
    std::cout << "=== " << piece.path << ":" << piece.line + 1 << " " << piece.why << "\n";
  const auto prompt =
      engine::build_prompt(model->spec, **tokenizer, request.prefix, request.suffix, options.request.defaults.budget,
                           request.context, request.heading.value_or(""));
  if (!prompt) return failed(prompt.status());
  print_prompt(model->spec, **tokenizer, request, *prompt, options.request.defaults.budget);
  return 0;
}

}  // namespace cinnabar::daemon
