#include "engine/decoding/denoise_options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <type_traits>

namespace cinnabar::engine {
namespace {

using D = DenoiseOptions;

constexpr std::array kFields = {
    DenoiseField{"threshold", &D::threshold, 0, 1},
    DenoiseField{"factor", &D::factor, 0, 100},
    DenoiseField{"entropy-bound", &D::entropy_bound, 0, 100},
    DenoiseField{"quota", &D::quota, 1, 1024},
    DenoiseField{"steps", &D::steps, 1, 4096},
    DenoiseField{"schedule", &D::schedule},
    DenoiseField{"confidence", &D::confidence},
    DenoiseField{"position-temperature", &D::position_temperature, 0, 100},
    DenoiseField{"guidance", &D::guidance, 0, 20},
    DenoiseField{"block", &D::block, 1, 1024},
    DenoiseField{"sub-block", &D::sub_block, 1, 1024},
    DenoiseField{"reuse", &D::reuse},
    DenoiseField{"length-search", &D::search},
    DenoiseField{"expand", &D::expand},
    DenoiseField{"broadcast", &D::broadcast},
    DenoiseField{"first-length", &D::first_length, 1, 1024},
    DenoiseField{"longest-hole", &D::longest_hole, 1, 1024},
    DenoiseField{"remask", &D::remask},
    DenoiseField{"remask-count", &D::remask_count, 1, 1024},
    DenoiseField{"remask-steps", &D::remask_steps, 1, 4096},
    DenoiseField{"remask-threshold", &D::remask_threshold, 0, 1},
};

// Of an enumeration's values in their order, from the `first` one on.
struct Words {
  std::string_view list;
  int first = 0;
};
constexpr Words words(const Quota*) { return {"even timestep", 1}; }  // none: nothing was said
constexpr Words words(const Confidence*) { return {"probability margin entropy random"}; }
constexpr Words words(const Reuse*) { return {"exact prefix dual"}; }
constexpr Words words(const Remask*) { return {"none p2 remdm wino"}; }
constexpr Words words(const bool*) { return {"off on"}; }

template <typename Visit>
void each_word(Words words, Visit visit) {
  std::string_view list = words.list;
  for (int value = words.first; !list.empty(); ++value) {
    const std::size_t end = std::min(list.find(' '), list.size());
    visit(list.substr(0, end), value);
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

template <typename Number>
std::string shortest(Number number) {
  std::array<char, 64> digits{};
  return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr};
}

// What stands in the optional that `member` names.
template <typename Member>
using Value = typename std::remove_cvref_t<decltype(std::declval<D&>().*std::declval<Member>())>::value_type;
template <typename T>
constexpr bool kIsNumber = std::is_same_v<T, float> || std::is_same_v<T, int>;

}  // namespace

std::span<const DenoiseField> denoise_fields() { return kFields; }

const DenoiseField* find_denoise_field(std::string_view name) {
  const auto* found =
      std::find_if(kFields.begin(), kFields.end(), [&](const auto& field) { return field.name == name; });
  return found == kFields.end() ? nullptr : found;
}

std::string_view words_of(const DenoiseField& field) {
  return std::visit(
      [](auto member) -> std::string_view {
        using T = Value<decltype(member)>;
        if constexpr (kIsNumber<T>)
          return {};
        else
          return words(static_cast<const T*>(nullptr)).list;
      },
      field.member);
}

std::optional<std::string> set_field(const DenoiseField& field, std::string_view text, DenoiseOptions& options) {
  return std::visit(
      [&](auto member) -> std::optional<std::string> {
        using T = Value<decltype(member)>;
        if constexpr (kIsNumber<T>) {
          T value{};
          const char* const last = text.data() + text.size();
          const auto [end, error] = std::from_chars(text.data(), last, value);
          // nan is not inside
          if (error != std::errc() || end != last || !(value >= field.low && value <= field.high))
            return "expected a number from " + shortest(field.low) + " to " + shortest(field.high);
          options.*member = value;
          return std::nullopt;
        } else {
          std::string expected;
          bool known = false;
          each_word(words(static_cast<const T*>(nullptr)), [&](std::string_view word, int value) {
            expected += (expected.empty() ? "" : ", ") + std::string(word);
            if (word != text) return;
            options.*member = static_cast<T>(value);
            known = true;
          });
          return known ? std::nullopt : std::optional("expected one of " + expected);
        }
      },
      field.member);
}

std::string get_field(const DenoiseField& field, const DenoiseOptions& options) {
  return std::visit(
      [&](auto member) -> std::string {
        using T = Value<decltype(member)>;
        if (!(options.*member)) return {};
        if constexpr (kIsNumber<T>) {
          return shortest(*(options.*member));
        } else {
          std::string said;
          each_word(words(static_cast<const T*>(nullptr)), [&](std::string_view word, int value) {
            if (value == static_cast<int>(*(options.*member))) said = word;
          });
          return said;
        }
      },
      field.member);
}

namespace {

// A number of steps is P2's, too; any other rule takes the place of one that is a way of remasking. What belongs to
// another way of remasking, or to holes that change their length, goes with it.
void drop_other_remasking(const DenoiseOptions& said, DenoiseOptions& rest) {
  const bool only_steps = said.steps && !said.threshold && !said.quota && !said.remask_is_rule();
  const bool other_rule = said.names_rule() && rest.remask_is_rule() && !(only_steps && rest.remask == Remask::p2);
  if (other_rule || (said.remask && said.remask != rest.remask)) {
    rest.remask = {};
    rest.remask_count = rest.remask_steps = {};
    rest.remask_threshold = {};
  }
  if (said.remask_is_rule()) rest.schedule = {};
  if (!said.remasks()) return;
  rest.expand = rest.broadcast = {};
  rest.longest_hole = {};
}

}  // namespace

DenoiseOptions over(DenoiseOptions said, const DenoiseOptions& otherwise) {
  DenoiseOptions rest = otherwise;
  drop_other_remasking(said, rest);
  if (said.names_rule()) {
    rest.threshold = rest.factor = rest.entropy_bound = {};
    rest.quota = rest.steps = {};
    rest.confidence = {};
    rest.position_temperature = {};
    if (!said.steps) rest.schedule = {};
  }
  for (const DenoiseField& field : kFields) {
    std::visit(
        [&](auto member) {
          if (!(said.*member)) said.*member = rest.*member;
        },
        field.member);
  }
  return said;
}

namespace {

// A number that no decoder can take. Floats have no upper end here: a threshold above 1 is one that nothing reaches.
std::optional<std::string> wrong_number(const DenoiseOptions& options) {
  for (const DenoiseField& field : kFields) {
    const bool wrong = std::visit(
        [&](auto member) {
          using T = Value<decltype(member)>;
          const auto& said = options.*member;
          if constexpr (std::is_same_v<T, int>) return said && (*said < field.low || *said > field.high);
          if constexpr (std::is_same_v<T, float>) return said && !(static_cast<double>(*said) >= field.low);
          return false;
        },
        field.member);
    if (wrong)
      return std::string(field.name) + " is " + get_field(field, options) + ", expected " + shortest(field.low) +
             " to " + shortest(field.high);
  }
  return std::nullopt;
}

// What does not go with a way of remasking, or with none.
std::optional<std::string> wrong_remasking(const DenoiseOptions& o) {
  if ((o.remask_count || o.remask_steps) && o.remask != Remask::remdm)
    return "remask-count and remask-steps say how much is masked again by remdm; they go with remask remdm";
  if (o.remask_threshold && o.remask != Remask::wino)
    return "remask-threshold says what is masked again by wino; it goes with remask wino";
  if (!o.remasks()) return std::nullopt;
  if (o.expand.value_or(false) || o.broadcast.value_or(false) || o.longest_hole)
    return "a hole in which positions are masked again keeps its length; give no expand, broadcast or longest-hole "
           "with remask";
  const bool other_rule = o.factor || o.entropy_bound || o.quota || o.schedule || o.position_temperature;
  if (o.remask == Remask::p2 && (other_rule || o.threshold || o.confidence == Confidence::random))
    return "remask p2 keeps a share of all positions that grows with every step; of how a step commits, steps and a "
           "confidence other than random go with it";
  if (o.remask == Remask::wino && (other_rule || o.steps || o.confidence))
    return "remask wino commits by probability alone; of how a step commits, only a threshold goes with it";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> contradiction(const DenoiseOptions& options) {
  const auto& o = options;
  if (auto wrong = wrong_number(o)) return wrong;
  if (auto wrong = wrong_remasking(o)) return wrong;
  if (o.threshold.has_value() + o.factor.has_value() + o.entropy_bound.has_value() > 1)
    return "threshold, factor and entropy-bound each say by themselves what a step commits; give one of them";
  if (o.quota && o.steps) return "quota says how many positions a step commits, and so does steps; give one of them";
  if ((o.factor || o.entropy_bound) && (o.quota || o.steps))
    return "factor and entropy-bound commit as many positions as they find; quota and steps go with a threshold or "
           "alone";
  if (o.entropy_bound && o.confidence) return "entropy-bound ranks by the entropy; give no confidence with it";
  if (o.search.value_or(false) && o.first_length)
    return "length-search finds how many masks a hole begins with, and first-length says it; give one of them";
  const Choice choice = choice_of(o);
  if (choice.rule != Rule::quota && choice.confidence == Confidence::random)
    return "confidence random is a draw, which no threshold or factor measures; it goes with quota or steps alone";
  if (choice.rule != Rule::quota && choice.temperature > 0)
    return "position-temperature draws the positions that quota or steps count; it goes with one of them alone";
  if (choice.confidence == Confidence::negative_entropy && choice.rule != Rule::quota && !o.entropy_bound)
    return "confidence entropy is no probability, which threshold and factor measure; it goes with quota or steps "
           "alone";
  return std::nullopt;
}

Choice choice_of(const DenoiseOptions& options) {
  constexpr float kWideIn = 0.6f;  // WINO's authors', who take back what was wrong
  Choice choice;
  if (options.remask == Remask::wino) choice.value = kWideIn;
  choice.confidence = options.confidence.value_or(choice.confidence);
  choice.temperature = options.position_temperature.value_or(0.0f);
  if (options.factor) {
    choice.rule = Rule::factor;
    choice.value = *options.factor;
  } else if (options.entropy_bound) {
    choice.rule = Rule::entropy_bound;
    choice.value = *options.entropy_bound;
  } else if (options.threshold) {
    choice.value = *options.threshold;
  } else if (options.quota || options.steps || options.remask == Remask::p2) {
    choice.rule = Rule::quota;
  }
  return choice;
}

Remasking remasking_of(const DenoiseOptions& options) {
  const Remasking otherwise;
  return {.rule = options.remask.value_or(otherwise.rule),
          .count = options.remask_count.value_or(otherwise.count),
          .steps = options.remask_steps.value_or(otherwise.steps),
          .threshold = options.remask_threshold.value_or(otherwise.threshold)};
}

}  // namespace cinnabar::engine
