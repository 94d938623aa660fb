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
  kParseError = -32700,
  kInvalidRequest = -32600,
  kMethodNotFound = -32601,
  kInvalidParams = -32602,
  kInternalError = -32603,
  kServerNotInitialized = -32002,
  kUnknownErrorCode = -32001,
  kRequestFailed = -32803,     // well formed, understood, and yet it cannot be done
  kServerCancelled = -32802,   // only for requests whose definition allows it
  kContentModified = -32801,   // the document changed so that the result would be wrong
  kRequestCancelled = -32800,  // the client asked for it
};

// Value type. `message` is one sentence for a person; it may name fields and sizes, never document text.
struct ResponseError {
  ErrorCode code = ErrorCode::kInternalError;
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
