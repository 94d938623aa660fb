// A method's name tied to the types of its params and result, so that neither side can pair them wrongly.
#pragma once

#include <string_view>

#include "lsp/fields.h"
#include "lsp/json.h"

namespace cinnabar::lsp {

template <typename Params, typename Result>
struct RequestMethod {
  std::string_view name;
};

template <typename Params>
struct NotificationMethod {
  std::string_view name;
};

// Params or result that carry nothing. Read from anything, written as null.
struct Nothing {};
inline bool from_json(const Field&, Nothing&) { return true; }
inline Json to_json(const Nothing&) { return nullptr; }
inline Json to_json(const Json& value) { return value; }

inline constexpr RequestMethod<Nothing, Nothing> kShutdown{"shutdown"};

}  // namespace cinnabar::lsp
