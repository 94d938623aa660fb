// JSON text <-> values, for bytes that a stranger wrote: the second hop of an incoming message, after framing.
//
// Nothing here throws. Parsed values are at most `JsonLimits::depth` deep, so walking one recursively is safe.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "lsp/response.h"

namespace cinnabar::lsp {

struct JsonLimits {
  std::size_t depth = 128;  // arrays and objects open at the same time; VS Code's initialize needs about 10
};

// Parses exactly one JSON value (RFC 8259). Thread-safe; memory is a small multiple of the text.
//
// Refused with ParseError naming the byte: ill-formed JSON, ill-formed UTF-8, anything after the value, a number that
// no double holds, nesting beyond the limit, and an object that has the same member twice (readers disagree on which
// one counts, so a broker and a server could see two different messages).
//
// Repaired: an escape that is half a surrogate pair ("\ud83d" alone) becomes U+FFFD. JavaScript clients send such an
// escape for a document with a torn pair; both are one utf-16 unit, so positions behind it stay right.
Expected<Json> parse_json(std::string_view text, JsonLimits limits = {});

// The shortest form, without spaces or newlines. Ill-formed UTF-8 in strings becomes U+FFFD. Thread-safe.
std::string write_json(const Json& value);

// What kind of value it is, for error texts: "null", "boolean", "number", "string", "array" or "object".
std::string_view kind_of(const Json& value);

}  // namespace cinnabar::lsp
