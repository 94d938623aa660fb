// JSON of model folders as a tree, from untrusted text: depth and size limited, no exceptions.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cinnabar::engine {

struct JsonLimits {
  int depth = 64;  // objects and arrays inside one another
  // Name twice in one object: refused, instead of the last one winning.
  bool unique_names = true;
  // Names whose values are read over and not kept (a tokenizer's vocabulary, where only its added tokens matter).
  std::string_view skip = {};
};

// The tree, or where and why the text is not JSON within the limits.
Result<nlohmann::json> parse_json(std::string_view text, const JsonLimits& limits = {});

// Members of an object, when they are there and of that kind; an integer may be written as 7 or 7.0.
std::optional<std::int64_t> json_integer(const nlohmann::json& object, const char* name);
std::optional<double> json_number(const nlohmann::json& object, const char* name);
std::optional<bool> json_bool(const nlohmann::json& object, const char* name);
std::optional<std::string> json_string(const nlohmann::json& object, const char* name);

}  // namespace cinnabar::engine
