#include "daemon/commands/evaluation/typing_script.h"

#include <utility>

#include "daemon/commands/evaluation/hole_line.h"

namespace cinnabar::daemon::evaluation {
namespace {

using nlohmann::json;

std::optional<std::uint32_t> number(const json& value) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > 1'000'000'000) return std::nullopt;
  return value.get<std::uint32_t>();
}

std::optional<TypedKey> read_key(const json& value) {
  if (!value.is_array() || value.size() != 8 || !value[5].is_string()) return std::nullopt;
  std::uint32_t numbers[8] = {};
  for (const std::size_t i : {0U, 1U, 2U, 3U, 4U, 6U, 7U}) {
    const auto read = number(value[i]);
    if (!read) return std::nullopt;
    numbers[i] = *read;
  }
  return TypedKey{static_cast<int>(numbers[0]),
                  {{numbers[1], numbers[2]}, {numbers[3], numbers[4]}},
                  value[5].get<std::string>(),
                  {numbers[6], numbers[7]}};
}

Status read_place(const json& value, TypingScript& script) {
  if (!value.is_object()) return Status::error("\"places\" holds what is no object");
  TypingPlace place;
  for (const auto& [name, member] :
       {std::pair{"id", &TypingPlace::id}, {"kind", &TypingPlace::kind}, {"next", &TypingPlace::next}}) {
    auto text = string_member(value, name, true);
    if (!text) return text.status();
    place.*member = std::move(text).value();
  }
  auto hole = string_member(value, "hole", false);
  if (!hole) return hole.status();
  if (value.contains("hole")) place.hole = std::move(hole).value();
  const auto key = number(value.value("key", json()));
  const bool rising = key && (script.places.empty() || *key > script.places.back().key);
  if (!rising || *key >= script.keys.size())
    return Status::error("place \"" + place.id + "\": \"key\" names no key behind the place before");
  place.key = *key;
  script.places.push_back(std::move(place));
  return {};
}

}  // namespace

Result<TypingScript> read_script(const json& line) {
  TypingScript script;
  for (const auto& [name, member] : {std::pair{"id", &TypingScript::id},
                                     {"path", &TypingScript::path},
                                     {"language", &TypingScript::language},
                                     {"text", &TypingScript::text}}) {
    auto text = string_member(line, name, true);
    if (!text) return text.status();
    script.*member = std::move(text).value();
  }
  const json keys = line.value("keys", json()), places = line.value("places", json());
  if (!keys.is_array() || !places.is_array()) return Status::error("\"keys\" and \"places\" must be arrays");
  for (const json& value : keys) {
    auto key = read_key(value);
    if (!key) return Status::error("key " + std::to_string(script.keys.size()) + " is not seven numbers and a text");
    script.keys.push_back(std::move(*key));
  }
  for (const json& value : places) {
    if (Status read = read_place(value, script); !read) return read;
  }
  return script;
}

TypedDocument::TypedDocument(const TypingScript& script) : uri_("file:///typing/" + script.path) {
  (void)store_.open({uri_, script.language, version_, script.text});  // refused: then apply() says so
}

Result<lsp::DidChangeParams> TypedDocument::apply(const TypedKey& key) {
  lsp::DidChangeParams change{{uri_, ++version_}, {{key.range, key.inserted}}};
  if (auto applied = store_.change(change); !applied) return applied.status();
  return change;
}

CursorText TypedDocument::around(lsp::Position cursor) const {
  const auto now = snapshot();
  const std::size_t offset = now->byte_offset(cursor, kEncoding);
  return {now->text().substr(0, offset), now->text().substr(offset)};
}

Result<std::vector<CursorText>> surroundings_of(const TypingScript& script) {
  std::vector<CursorText> found;
  TypedDocument document(script);
  for (std::size_t key = 0; key < script.keys.size() && found.size() < script.places.size(); ++key) {
    if (auto applied = document.apply(script.keys[key]); !applied) return applied.status();
    if (script.places[found.size()].key == key) found.push_back(document.around(script.keys[key].cursor));
  }
  return found;
}

}  // namespace cinnabar::daemon::evaluation
