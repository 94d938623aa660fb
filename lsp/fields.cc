#include "lsp/fields.h"

#include <cmath>
#include <limits>

#include "lsp/json.h"

namespace cinnabar::lsp {
namespace {

// A whole number within [low, high], written as integer or as a float without fraction.
std::optional<std::int64_t> whole_number(const Json& value, std::int64_t low, std::int64_t high) {
  if (!value.is_number()) return std::nullopt;
  const auto number = value.get<double>();  // exact for every number within LSP's 32 bits
  if (number != std::trunc(number) || number < static_cast<double>(low) || number > static_cast<double>(high))
    return std::nullopt;
  return static_cast<std::int64_t>(number);
}

}  // namespace

const Json* Field::find(const char* name) const {
  if (!value_.is_object()) return nullptr;
  const auto member = value_.find(name);
  return member == value_.end() ? nullptr : &*member;
}

bool Field::fail(std::string_view expected) const {
  error_ = path() + ": expected " + std::string(expected) + ", found ";
  if (value_.is_number())
    error_ += value_.dump();  // a number out of range is told by its value
  else
    error_ += kind_of(value_);
  return false;
}

bool Field::fail_missing(const char* name) const {
  if (!value_.is_object()) return fail("object");
  error_ = path() + "." + name + ": missing";
  return false;
}

std::string Field::path() const {
  if (!parent_) return std::string(name_);
  return parent_->path() + (name_.empty() ? "[" + std::to_string(index_) + "]" : "." + std::string(name_));
}

bool from_json(const Field& at, bool& out) {
  if (!at.value().is_boolean()) return at.fail("boolean");
  out = at.value().get<bool>();
  return true;
}

bool from_json(const Field& at, std::string& out) {
  if (!at.value().is_string()) return at.fail("string");
  out = at.value().get_ref<const std::string&>();
  return true;
}

bool from_json(const Field& at, std::int32_t& out) {
  const auto number =
      whole_number(at.value(), std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max());
  if (!number) return at.fail("whole number within 32 bits");
  out = static_cast<std::int32_t>(*number);
  return true;
}

bool from_json(const Field& at, std::uint32_t& out) {
  const auto number = whole_number(at.value(), 0, std::numeric_limits<std::int32_t>::max());
  if (!number) return at.fail("whole number from 0 to 2147483647");
  out = static_cast<std::uint32_t>(*number);
  return true;
}

bool from_json(const Field& at, Json& out) {
  out = at.value();
  return true;
}

}  // namespace cinnabar::lsp
