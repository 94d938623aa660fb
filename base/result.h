// Errors as values, used by every folder that links kernels (kernels, engine, daemon).
//
// A Status says what went wrong, where, and what was expected: one sentence for a person. Nothing here throws; Result's
// accessors on the wrong state are a bug of ours and are asserted.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <utility>

#include "base/value_or.h"

namespace cinnabar {

// Success, or an error's text. Value type, immutable after construction.
class [[nodiscard]] Status {
 public:
  Status() = default;  // success
  static Status error(std::string message) { return Status(std::move(message)); }

  bool ok() const { return !message_.has_value(); }
  explicit operator bool() const { return ok(); }
  // Empty on success.
  const std::string& message() const {
    static const std::string none;
    return message_ ? *message_ : none;
  }
  // The same error with "where: " put before it; success stays success.
  Status in(const std::string& where) const { return ok() ? *this : Status(where + ": " + *message_); }

 private:
  explicit Status(std::string message) : message_(std::move(message)) {}
  std::optional<std::string> message_;
};

// A value of type T, or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result : public ValueOr<T, Status> {
 public:
  Result(T value) : ValueOr<T, Status>(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Status error) : ValueOr<T, Status>(std::move(error)) {  // NOLINT(google-explicit-constructor)
    assert(!this->error().ok());
  }

  // Success when there is a value.
  Status status() const { return this->ok() ? Status() : this->error(); }
  const std::string& message() const { return this->error().message(); }
};

// Moves the value, if there is one, into `target`.
template <typename T>
Status take(Result<T> result, T& target) {
  if (!result) return result.status();
  target = std::move(result).value();
  return {};
}

}  // namespace cinnabar
