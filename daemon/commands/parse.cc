// `cinnabar parse --jsonl`: how many ERROR and MISSING nodes a text's syntax tree has.
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/lines.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/evaluation/score.h"
#include "daemon/config/options.h"
#include "daemon/syntax/language.h"

namespace cinnabar::daemon {
namespace {

using nlohmann::json;

std::string member(const json& line, const char* name) {
  const auto found = line.find(name);
  return found != line.end() && found->is_string() ? found->get<std::string>() : std::string();
}

json count_line(const json& line) {
  const std::string text = member(line, "text");
  const syntax::Language* language = syntax::find_language(member(line, "language"));
  if (language == nullptr) language = syntax::language_of_path(member(line, "path"));
  if (language == nullptr) return {{"error", "neither \"language\" nor \"path\" names a language with a grammar"}};
  const auto found = evaluation::wrong_nodes(*language, text);
  if (!found) return {{"error", "the text is over a limit of size or time"}};
  return {{"errors", found->errors}, {"missing", found->missing}};
}

}  // namespace

int run_parse(Options&) {
  bool all_right = true;
  std::string text;
  for (std::size_t number = 1; next_line(std::cin, text); ++number) {
    const json line = json::parse(text, nullptr, false);
    json count =
        line.is_object() ? count_line(line) : json{{"error", "line " + std::to_string(number) + " is no JSON object"}};
    if (line.is_object() && line.contains("id")) count["id"] = line["id"];
    all_right = all_right && !count.contains("error");
    std::cout << count.dump(-1, ' ', false, json::error_handler_t::replace) << "\n";
  }
  return all_right ? 0 : 1;
}

}  // namespace cinnabar::daemon
