#include "lsp/json.h"

#include <cstdint>
#include <utility>
#include <vector>

namespace cinnabar::lsp {
namespace {

// Builds a value from parser events and stops at the first thing we refuse. A handler of our own, because the library's
// tree builder has no depth limit and keeps the last of two equal members silently.
class TreeBuilder final : public nlohmann::json_sax<Json> {
 public:
  explicit TreeBuilder(JsonLimits limits) : limits_(limits) {}

  Json& root() { return root_; }
  const std::string& problem() const { return problem_; }

  bool null() override { return add(Json(nullptr)); }
  bool boolean(bool value) override { return add(Json(value)); }
  bool number_integer(number_integer_t value) override { return add(Json(value)); }
  bool number_unsigned(number_unsigned_t value) override { return add(Json(value)); }
  bool number_float(number_float_t value, const string_t&) override { return add(Json(value)); }
  bool string(string_t& value) override { return add(Json(std::move(value))); }
  bool binary(binary_t&) override { return refuse("binary values have no form in JSON text"); }

  bool start_object(std::size_t) override { return open(Json::object()); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    const auto [member, is_new] = open_.back()->get_ref<Json::object_t&>().emplace(name, nullptr);
    if (!is_new) return refuse("member \"" + name.substr(0, kShownNameBytes) + "\" appears twice in one object");
    slot_ = &member->second;
    return true;
  }

  bool parse_error(std::size_t byte, const std::string&, const nlohmann::detail::exception& error) override {
    // The library's text repeats its own name and error number and quotes input; keep the reason only.
    std::string_view reason = error.what();
    if (const auto number = reason.find("] "); number != std::string_view::npos) reason.remove_prefix(number + 2);
    if (reason.starts_with("parse error"))
      if (const auto colon = reason.find(": "); colon != std::string_view::npos) reason.remove_prefix(colon + 2);
    if (const auto quote = reason.find("; last read"); quote != std::string_view::npos)
      reason = reason.substr(0, quote);
    return refuse("byte " + std::to_string(byte) + ": " + std::string(reason));
  }

 private:
  static constexpr std::size_t kShownNameBytes = 64;

  bool refuse(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  // Puts a value where the next one belongs and returns its place. Elements may move when their array grows, but only
  // while nothing inside the array is open, so pointers in open_ and slot_ stay valid.
  Json* place(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (open_.back()->is_array()) {
      auto& elements = open_.back()->get_ref<Json::array_t&>();
      elements.push_back(std::move(value));
      return &elements.back();
    }
    *slot_ = std::move(value);
    return slot_;
  }

  bool add(Json value) {
    place(std::move(value));
    return true;
  }

  bool open(Json container) {
    if (open_.size() == limits_.depth) return refuse("nested deeper than " + std::to_string(limits_.depth) + " levels");
    open_.push_back(place(std::move(container)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  JsonLimits limits_;
  Json root_;
  std::vector<Json*> open_;  // innermost last
  Json* slot_ = nullptr;     // where the value of the member just named goes
  std::string problem_;
};

// The utf-16 unit of the escape \uXXXX that begins at `at`, or -1 when there is none.
int escaped_unit(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return -1;
  int unit = 0;
  for (const char c : text.substr(at + 2, 4)) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

bool is_high_surrogate(int unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
bool is_low_surrogate(int unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

// Offsets of the \u escapes that are half of a surrogate pair. A backslash means an escape wherever it legally stands,
// so no string state is needed: text with a backslash elsewhere is refused by the parser anyway.
std::vector<std::size_t> lone_surrogates(std::string_view text) {
  std::vector<std::size_t> found;
  for (auto at = text.find('\\'); at != std::string_view::npos;) {
    const int unit = escaped_unit(text, at);
    std::size_t length = unit >= 0 ? 6 : 2;
    if (is_high_surrogate(unit) && is_low_surrogate(escaped_unit(text, at + 6)))
      length = 12;
    else if (is_high_surrogate(unit) || is_low_surrogate(unit))
      found.push_back(at);
    at = at + length < text.size() ? text.find('\\', at + length) : std::string_view::npos;
  }
  return found;
}

}  // namespace

Expected<Json> parse_json(std::string_view text, JsonLimits limits) {
  std::string repaired;
  if (const auto torn = lone_surrogates(text); !torn.empty()) {
    repaired = text;
    for (const auto at : torn) repaired.replace(at, 6, "\\ufffd");
    text = repaired;
  }
  TreeBuilder builder(limits);
  if (!Json::sax_parse(text, &builder)) return ResponseError{ErrorCode::parse_error, builder.problem()};
  return std::move(builder.root());
}

std::string write_json(const Json& value) {
  return value.dump(/*indent=*/-1, /*indent_char=*/' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

std::string_view kind_of(const Json& value) { return value.type_name(); }

}  // namespace cinnabar::lsp
