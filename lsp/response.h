// The error a request can be answered with, and Expected<T>: a value or such an error.
//
// This folder's own error type: it carries the numeric code that JSON-RPC puts on the wire. The daemon converts from
// the engine's Status at the border.
#pragma once

#include <cassert>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <variant>

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
class [[nodiscard]] Expected {
 public:
  Expected(T value) : state_(std::in_place_index<0>, std::move(value)) {}              // NOLINT: implicit by design
  Expected(ResponseError error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit by design

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    assert(ok());
    return std::get<0>(state_);
  }
  const T& value() const& {
    assert(ok());
    return std::get<0>(state_);
  }
  T&& value() && {
    assert(ok());
    return std::get<0>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const ResponseError& error() const {
    assert(!ok());
    return std::get<1>(state_);
  }

 private:
  std::variant<T, ResponseError> state_;
};

}  // namespace cinnabar::lsp
