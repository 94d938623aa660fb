// Reading a message's params into structs, with errors that name the bad field by its path:
// "params.textDocument.uri: expected string, found number".
//
//   bool from_json(const Field& at, Position& out) {
//     return at.required("line", out.line) && at.required("character", out.character);
//   }
//
// A struct's from_json stands beside the struct and is found by its namespace; members that are missing, misspelt or of
// another kind stop the reading. Unknown members are ignored, as LSP asks.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lsp/response.h"

namespace cinnabar::lsp {

// One value inside a message and where it stands. Borrows the value, its parent Field and the error text: lives on the
// stack of the reading function only. The path is put together only when something is wrong.
class Field {
 public:
  // The outermost value: `name` begins every path, `error` receives the first problem.
  Field(const Json& value, std::string_view name, std::string& error) : value_(value), name_(name), error_(error) {}

  const Json& value() const { return value_; }

  // Reads member `name`, which must be there.
  template <typename T>
  bool required(const char* name, T& out) const {
    const Json* member = find(name);
    if (!member) return fail_missing(name);
    return from_json(Field(*member, name, *this), out);
  }

  // Reads member `name` when it is there and not null; otherwise `out` is left as it is.
  template <typename T>
  bool optional(const char* name, T& out) const {
    if (!expect_object()) return false;
    const Json* member = find(name);
    return !member || member->is_null() || from_json(Field(*member, name, *this), out);
  }
  template <typename T>
  bool optional(const char* name, std::optional<T>& out) const {
    T value{};
    if (!optional(name, value)) return false;
    const Json* member = find(name);
    if (member && !member->is_null()) out = std::move(value);
    return true;
  }

  // Reads every element of an array.
  template <typename T>
  bool elements(std::vector<T>& out) const {
    if (!value_.is_array()) return fail("array");
    out.clear();
    for (std::size_t index = 0; index < value_.size(); ++index)
      if (!from_json(Field(value_[index], index, *this), out.emplace_back())) return false;
    return true;
  }

  // Member `name` of an object; null when this is no object or has no such member.
  const Json* find(const char* name) const;
  // Both note "PATH: expected WHAT, found KIND" and return false, so that readers can end with them.
  bool fail(std::string_view expected) const;
  bool expect_object() const { return value_.is_object() || fail("object"); }

 private:
  Field(const Json& value, const char* name, const Field& parent)
      : value_(value), name_(name), parent_(&parent), error_(parent.error_) {}
  Field(const Json& value, std::size_t index, const Field& parent)
      : value_(value), index_(index), parent_(&parent), error_(parent.error_) {}

  bool fail_missing(const char* name) const;
  std::string path() const;

  const Json& value_;
  std::string_view name_;  // empty: an array's element
  std::size_t index_ = 0;
  const Field* parent_ = nullptr;
  std::string& error_;
};

bool from_json(const Field& at, bool& out);
bool from_json(const Field& at, std::string& out);
bool from_json(const Field& at, std::int32_t& out);   // LSP's integer: -2^31..2^31-1
bool from_json(const Field& at, std::uint32_t& out);  // LSP's uinteger: 0..2^31-1
bool from_json(const Field& at, Json& out);           // anything, copied

template <typename T>
bool from_json(const Field& at, std::vector<T>& out) {
  return at.elements(out);
}

// Reads a whole params or result value. `name` begins the paths ("params"); failure has the given code.
template <typename T>
Expected<T> read(const Json& value, std::string_view name, ErrorCode code) {
  std::string error;
  T out{};
  if (!from_json(Field(value, name, error), out)) return ResponseError{code, error};
  return out;
}

}  // namespace cinnabar::lsp
