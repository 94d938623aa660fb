#include "engine/model/json.h"

#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "engine/model/checkpoint.h"

namespace cinnabar::engine {
namespace {

using nlohmann::json;

// Watches the parser's events for what the limits forbid; the parser has no limits of its own.
class Watch {
 public:
  explicit Watch(const JsonLimits& limits) : limits_(limits) {}

  // False: the parser drops the value instead of keeping it.
  bool operator()(int depth, json::parse_event_t event, json& parsed) {
    if (!problem_.empty()) return false;
    switch (event) {
      case json::parse_event_t::object_start:
      case json::parse_event_t::array_start:
        if (depth >= limits_.depth) problem_ = "more than " + std::to_string(limits_.depth) + " levels deep";
        if (event == json::parse_event_t::object_start && limits_.unique_names) names_.emplace_back();
        break;
      case json::parse_event_t::object_end:
        if (limits_.unique_names && !names_.empty()) names_.pop_back();
        break;
      case json::parse_event_t::key:
        return take_name(parsed.get_ref<const std::string&>());
      default:
        break;
    }
    return problem_.empty();
  }

  const std::string& problem() const { return problem_; }

 private:
  bool take_name(const std::string& name) {
    if (limits_.unique_names && !names_.empty() && !names_.back().insert(name).second)
      problem_ = "the name " + shown_name(name) + " occurs twice in one object";
    return problem_.empty() && (limits_.skip.empty() || name != limits_.skip);
  }

  JsonLimits limits_;
  std::vector<std::set<std::string>> names_;
  std::string problem_;
};

const json* member(const json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

}  // namespace

Result<json> parse_json(std::string_view text, const JsonLimits& limits) {
  Watch watch(limits);
  try {
    auto tree = json::parse(text.begin(), text.end(), [&watch](int depth, json::parse_event_t event, json& parsed) {
      return watch(depth, event, parsed);
    });
    if (!watch.problem().empty()) return Status::error("JSON: " + watch.problem());
    return tree;
  } catch (const json::parse_error& error) {
    return Status::error("not valid JSON at byte " + std::to_string(error.byte));
  } catch (const json::exception&) {
    return Status::error("not valid JSON: a number is out of range");
  }
}

std::optional<std::int64_t> json_integer(const json& object, const char* name) {
  const json* value = member(object, name);
  if (!value) return std::nullopt;
  if (value->is_number_unsigned()) {
    const auto number = value->get<std::uint64_t>();
    if (number > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
    return static_cast<std::int64_t>(number);
  }
  if (value->is_number_integer()) return value->get<std::int64_t>();
  if (value->is_number_float()) {
    const double number = value->get<double>();
    constexpr double kExact = 9007199254740992.0;  // above it not every integer is a double
    if (number >= -kExact && number <= kExact && static_cast<double>(static_cast<std::int64_t>(number)) == number)
      return static_cast<std::int64_t>(number);
  }
  return std::nullopt;
}

std::optional<double> json_number(const json& object, const char* name) {
  const json* value = member(object, name);
  if (!value || !value->is_number()) return std::nullopt;
  return value->get<double>();
}

std::optional<bool> json_bool(const json& object, const char* name) {
  const json* value = member(object, name);
  if (!value || !value->is_boolean()) return std::nullopt;
  return value->get<bool>();
}

std::optional<std::string> json_string(const json& object, const char* name) {
  const json* value = member(object, name);
  if (!value || !value->is_string()) return std::nullopt;
  return value->get<std::string>();
}

}  // namespace cinnabar::engine
