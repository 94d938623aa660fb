// "Find a better name": of a variable of one function, changed wherever it stands. Offered only where all of these places
// are known and nobody outside of the function can name it.
#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "daemon/editing/doubts.h"
#include "daemon/editing/refactorings.h"
#include "daemon/syntax/scopes.h"

namespace cinnabar::daemon {
namespace {

using namespace syntax;
using sv = std::string_view;

constexpr sv kSnake[] = {"python", "rust", "c"};

// In the language's own spelling: total_price, totalPrice.
std::string spelled(sv name, sv language) {
  std::string out;
  const bool snake = contains(kSnake, language);
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool upper = std::isupper(static_cast<unsigned char>(c)) != 0;
    if (snake && upper) {
      if (i > 0 && name[i - 1] != '_' && std::isupper(static_cast<unsigned char>(name[i - 1])) == 0) out += '_';
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!snake && language != "cpp" && c == '_' && i > 0 && i + 1 < name.size()) {
      out += static_cast<char>(std::toupper(static_cast<unsigned char>(name[++i])));
    } else {
      out += c;
    }
  }
  return out;
}

// The one that is selected, or that the cursor stands at.
const Variable* variable_at(const Tree& tree, const FunctionScope& scope, Span at) {
  const Variable* found = nullptr;
  for (const Variable& variable : scope.variables) {
    const bool here = std::any_of(variable.occurrences.begin(), variable.occurrences.end(), [&](const Occurrence& one) {
      return begin_of(one.node) <= at.begin && at.end <= end_of(one.node);
    });
    if (here) found = &variable;
  }
  if (found == nullptr) return nullptr;
  // Another variable of the same name nearby, or something that is no variable.
  const auto alike = std::count_if(scope.variables.begin(), scope.variables.end(),
                                   [&](const Variable& other) { return other.name == found->name; });
  const bool is_free = std::any_of(scope.free.begin(), scope.free.end(),
                                   [&](const Occurrence& one) { return text_of(tree, one.node) == found->name; });
  return alike == 1 && !is_free ? found : nullptr;
}

bool is_renamable(const Tree& tree, const FunctionScope& scope, const Variable& variable) {
  if (variable.name == "self" || variable.name == "cls" || variable.name.starts_with('_')) return false;
  for (const Occurrence& one : variable.occurrences) {
    const sv kind = kind_of(one.node), holder = kind_of(one.holder);
    if (kind.starts_with("shorthand")) return false;  // { name } names a member, too
    if (one.role != NameRole::declare) continue;
    // Callers may name a parameter of Python's.
    const bool parameter = holder.find("parameter") != sv::npos && !is_there(one.closure);
    if (tree.language().name == "python" && parameter) return false;
    if (holder.find("function") != sv::npos || holder.find("class") != sv::npos) return false;
  }
  // Format strings of Rust name variables without a node of their own.
  const sv body = text_of(tree, scope.function.node);
  return tree.language().name != "rust" || body.find("{" + std::string(variable.name)) == sv::npos;
}

}  // namespace

std::optional<SlotPlan> plan_better_name(const Tree& tree, Span selection) {
  const auto function = function_around(tree, selection.begin);
  if (!function) return std::nullopt;
  const auto scope = scope_of(tree, *function);
  const Variable* variable = scope ? variable_at(tree, *scope, selection) : nullptr;
  if (variable == nullptr || !is_renamable(tree, *scope, *variable) ||
      may_be_named_unseen(tree, *function, variable->name))
    return std::nullopt;
  std::vector<std::string> taken;
  for (const sv name : names_in(tree)) taken.emplace_back(name);
  const std::string name(variable->name);
  Slot slot = name_slot(taken, "");
  slot.fit = [fit = slot.fit, taken,
              language = std::string(tree.language().name)](sv text) -> std::optional<std::string> {
    const auto found = fit(text);
    if (!found) return std::nullopt;
    std::string word = spelled(*found, language);
    if (std::find(taken.begin(), taken.end(), word) != taken.end() || !is_identifier(word)) return std::nullopt;
    return word;
  };
  slot.required = true;
  slot.question =
      about_code("Suggest a better name for the variable `" + name + "` in this code, one that says what it holds.",
                 tree.language(), text_of(tree, function->node));
  slot.question_first = true;
  slot.answer = "A better name for `" + name + "` is `";
  SlotPlan plan;
  plan.slots.push_back(std::move(slot));
  for (const Occurrence& one : variable->occurrences)
    plan.changes.push_back({begin_of(one.node), end_of(one.node), {{"", 0}}});
  plan.footprint = {begin_of(function->node), end_of(function->node)};
  return plan;
}

}  // namespace cinnabar::daemon
