// From the text around a hole to the model's prompt: which bytes of prefix and suffix are shown, in which order, and
// which bytes in front of the hole the answer must begin with. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/decoding/options.h"
#include "engine/model/model_spec.h"
#include "engine/tokenizer/tokenizer.h"

namespace cinnabar::engine {

struct Prompt {
  std::vector<std::int32_t> before;                // tokens in front of the hole
  std::vector<std::int32_t> behind;                // tokens behind it; empty unless the layout is in place
  std::vector<std::vector<std::int32_t>> between;  // tokens from one hole to the next, where there are several
  std::string typed;               // bytes of the prefix that the answer must repeat (AnswerRules::typed)
  std::size_t context_pieces = 0;  // of the context that fitted its budget, from the first on
};

// The end of the prefix that is shown. Its start moves in steps of a quarter of the budget and stands at a line's
// start, so typing a character almost always only appends to the former prompt.
std::string_view prefix_window(std::string_view prefix, std::size_t budget);
// The beginning of the suffix that is shown, ending with a line.
std::string_view suffix_window(std::string_view suffix, std::size_t budget);

// Fails when the layout needs tags that the model does not have. The context comes first of all, so that what follows
// does not change it: keys and values of it stay valid while the surroundings change. `heading` is text of whole lines
// that stands directly before what is shown of the prefix, wherever that begins.
Result<Prompt> build_prompt(const ModelSpec& spec, const Tokenizer& tokenizer, std::string_view prefix,
                            std::string_view suffix, const PromptBudget& budget, const Context& context = {},
                            std::string_view heading = {});

// The parts in order; the answer follows the last one. Fails when the model has no such special token.
Result<Prompt> build_prompt(const ModelSpec& spec, const Tokenizer& tokenizer, const std::vector<PromptPart>& parts);

}  // namespace cinnabar::engine
