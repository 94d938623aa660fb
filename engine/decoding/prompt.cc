#include "engine/decoding/prompt.h"

#include <algorithm>
#include <array>

namespace cinnabar::engine {

std::string_view prefix_window(std::string_view prefix, std::size_t budget) {
  if (prefix.size() <= budget) return prefix;
  const std::size_t stride = std::max<std::size_t>(budget / 4, 1);
  const std::size_t dropped = (prefix.size() - budget + stride - 1) / stride * stride;
  // Looked for within one stride only, which typing no longer changes. A longer line is cut inside: better half a line
  // than little or nothing.
  const std::size_t newline = prefix.substr(0, std::min(dropped + stride, prefix.size())).find('\n', dropped);
  return prefix.substr(newline == std::string_view::npos ? dropped : newline + 1);
}

std::string_view suffix_window(std::string_view suffix, std::size_t budget) {
  if (suffix.size() <= budget) return suffix;
  suffix = suffix.substr(0, budget);
  const std::size_t newline = suffix.rfind('\n');
  return newline == std::string_view::npos ? suffix : suffix.substr(0, newline + 1);
}

namespace {

// The bytes at the prefix's end that the tokenizer may join with what follows. Where they are more tokens than an answer
// should have to spell (a sentence without blanks, a line of odd marks), only the last one's: its edge is the likeliest.
std::size_t unsafe_tail(const Tokenizer& tokenizer, std::string_view prefix) {
  constexpr std::size_t kMostTokens = 8;
  const std::size_t tail = prefix.size() - tokenizer.last_split(prefix);
  const auto tokens = tokenizer.encode(prefix.substr(prefix.size() - tail));
  return tokens.size() <= kMostTokens ? tail : tokenizer.bytes(tokens.back()).size();
}

// As many pieces as the budget holds; says how many.
std::vector<std::int32_t> context_tokens(const Tokenizer& tokenizer, const Context& context, std::size_t budget,
                                         std::size_t& pieces) {
  std::vector<std::int32_t> all;
  for (pieces = 0; pieces < context.size(); ++pieces) {
    const auto tokens = tokenizer.encode(context[pieces]);
    if (all.size() + tokens.size() > budget) break;
    all.insert(all.end(), tokens.begin(), tokens.end());
  }
  return all;
}

}  // namespace

namespace {

enum class Part : std::uint8_t { nothing, prefix_tag, suffix_tag, middle_tag, elsewhere, prefix, suffix };
using Order = std::array<Part, 6>;

// A prompt that ends where the hole begins, part by part. Text from elsewhere stands as far in front as the tags allow.
Order order_of(InfillLayout layout) {
  using enum Part;
  switch (layout) {
    case InfillLayout::suffix_then_prefix:
      return {prefix_tag, elsewhere, suffix_tag, suffix, middle_tag, prefix};
    case InfillLayout::prefix_then_suffix:
      return {prefix_tag, elsewhere, prefix, suffix_tag, suffix, middle_tag};
    case InfillLayout::suffix_tag_first:
      return {suffix_tag, suffix, prefix_tag, elsewhere, prefix, middle_tag};
    default:
      return {elsewhere, prefix, nothing, nothing, nothing, nothing};
  }
}

}  // namespace

Result<Prompt> build_prompt(const ModelSpec& spec, const Tokenizer& tokenizer, std::string_view prefix,
                            std::string_view suffix, const PromptBudget& budget, const Context& context,
                            std::string_view heading) {
  Prompt prompt;
  const auto elsewhere = context_tokens(tokenizer, context, budget.context_tokens, prompt.context_pieces);
  std::string_view shown = prefix_window(prefix, budget.prefix_bytes);
  const std::string_view behind = suffix_window(suffix, budget.suffix_bytes);
  const std::size_t tail = unsafe_tail(tokenizer, shown);
  prompt.typed = shown.substr(shown.size() - tail);
  shown.remove_suffix(tail);
  const auto append = [](std::vector<std::int32_t>& to, const std::vector<std::int32_t>& tokens) {
    to.insert(to.end(), tokens.begin(), tokens.end());
  };
  if (spec.infill == InfillLayout::in_place) {
    if (spec.bos >= 0 && !spec.bare_canvas) prompt.before.push_back(spec.bos);
    append(prompt.before, elsewhere);
    append(prompt.before, tokenizer.encode(heading));
    append(prompt.before, tokenizer.encode(prefix_window(prefix, budget.prefix_bytes)));
    prompt.behind = tokenizer.encode(behind);
    if (spec.end_of_text >= 0 && !spec.bare_canvas) prompt.behind.push_back(spec.end_of_text);
    prompt.typed.clear();  // the masks stand between two texts that are tokenised as they are
    return prompt;
  }
  if (const Status status = check_tags(spec); !status) return status.in(spec.family);
  if (spec.bos_first) prompt.before.push_back(spec.bos);
  for (const Part part : order_of(spec.infill)) {
    switch (part) {
      case Part::nothing:
        break;
      case Part::prefix_tag:
        prompt.before.push_back(spec.fim_prefix);
        break;
      case Part::suffix_tag:
        prompt.before.push_back(spec.fim_suffix);
        break;
      case Part::middle_tag:
        if (spec.fim_middle >= 0) prompt.before.push_back(spec.fim_middle);
        break;
      case Part::elsewhere:
        append(prompt.before, elsewhere);
        break;
      case Part::prefix:
        append(prompt.before, tokenizer.encode(heading));
        append(prompt.before, tokenizer.encode(spec.spaced_prefix ? " " + std::string(shown) : std::string(shown)));
        break;
      case Part::suffix:
        append(prompt.before, tokenizer.encode(behind));
        break;
    }
  }
  return prompt;
}

Result<Prompt> build_prompt(const ModelSpec& spec, const Tokenizer& tokenizer, const std::vector<PromptPart>& parts) {
  if (spec.infill == InfillLayout::in_place)
    return Status::error(spec.family +
                         ": a prompt in parts needs a model that continues text, this one fills a canvas");
  Prompt prompt;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::string_view text = parts[i].text;
    if (parts[i].special) {
      const auto token = tokenizer.special(text);
      if (!token) return Status::error(spec.family + ": the model has no token " + parts[i].text);
      prompt.before.push_back(*token);
      continue;
    }
    if (i + 1 == parts.size()) {
      const std::size_t tail = unsafe_tail(tokenizer, text);
      prompt.typed = text.substr(text.size() - tail);
      text.remove_suffix(tail);
    }
    const auto tokens = tokenizer.encode(text);
    prompt.before.insert(prompt.before.end(), tokens.begin(), tokens.end());
  }
  return prompt;
}

}  // namespace cinnabar::engine
