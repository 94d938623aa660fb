// The error a request can be answered with, and Expected<T>: a value or such an error.
//
// This folder's own error type: it carries the numeric code that JSON-RPC puts on the wire. The daemon converts from
// the engine's Status at the border.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "base/value_or.h"

namespace cinnabar::lsp {

using Json = nlohmann::json;

// Codes of JSON-RPC 2.0 and of LSP 3.18, section "Response Message".
enum class ErrorCode : int {
  parse_error = -32700,
  invalid_request = -32600,
  method_not_found = -32601,
  invalid_params = -32602,
  internal_error = -32603,
  server_not_initialized = -32002,
  unknown_error_code = -32001,
  request_failed = -32803,     // well formed, understood, and yet it cannot be done
  server_cancelled = -32802,   // only for requests whose definition allows it
  content_modified = -32801,   // the document changed so that the result would be wrong
  request_cancelled = -32800,  // the client asked for it
};

// Value type. `message` is one sentence for a person; it may name fields and sizes, never document text.
struct ResponseError {
  ErrorCode code = ErrorCode::internal_error;
  std::string message;
  std::optional<Json> data = std::nullopt;
};

// A T, or the error to answer with. Asking for the side that is not there is a bug of ours and asserted.
template <typename T>
class [[nodiscard]] Expected : public ValueOr<T, ResponseError> {
 public:
  using ValueOr<T, ResponseError>::ValueOr;
};

}  // namespace cinnabar::lsp
