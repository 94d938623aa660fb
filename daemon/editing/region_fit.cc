#include "daemon/editing/region_fit.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <vector>

#include "base/line_ends.h"
#include "base/line_index.h"
#include "base/text.h"
#include "daemon/syntax/functions.h"

namespace cinnabar::daemon {
namespace {

using sv = std::string_view;

constexpr sv kOther = "the model's answer is not a rewrite of these lines";
constexpr sv kLoses = "the model's answer loses a definition";

// Each with its line end.
std::vector<sv> lines_of(sv text) {
  std::vector<sv> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

sv first_indentation(const std::vector<sv>& lines) {
  const auto first = std::find_if(lines.begin(), lines.end(), [](sv line) { return !is_blank(line); });
  return first == lines.end() ? sv() : indentation_of(*first);
}

// What all lines from `first` on begin with.
sv common_indentation(const std::vector<sv>& lines, std::size_t first = 0) {
  std::optional<sv> common;
  for (std::size_t i = first; i < lines.size(); ++i) {
    if (is_blank(lines[i])) continue;
    const sv indent = indentation_of(lines[i]);
    if (!common) common = indent;
    const auto differs = std::mismatch(common->begin(), common->end(), indent.begin(), indent.end()).first;
    common = common->substr(0, static_cast<std::size_t>(differs - common->begin()));
  }
  return common.value_or(sv());
}

// Indentation beyond the common one, in the file's way.
std::string relative(sv indent, const IndentStyle& from, const IndentStyle& to) {
  if (indent.empty() || from.tabs == to.tabs) return std::string(indent);
  std::size_t levels = 0, blanks = 0;
  for (const char c : indent) (c == '\t' ? levels : blanks) += 1;
  const auto width = static_cast<std::size_t>(from.tabs ? to.width : from.width);
  std::string out;
  for (levels += blanks / width; levels > 0; --levels) out += to.unit();
  return out + std::string(blanks % width, ' ');
}

bool opens_block(sv line) {
  line = right_stripped(line);
  return !line.empty() && sv(":{([").find(line.back()) != sv::npos;
}

// Models leave out the first line's indentation, and that one alone.
bool only_first_lost(const std::vector<sv>& lines, sv wanted) {
  if (lines.size() < 2 || wanted.empty() || is_blank(lines[0]) || !indentation_of(lines[0]).empty() ||
      common_indentation(lines, 1) != wanted)
    return false;
  return !opens_block(lines[0]) || indentation_of(lines[1]).size() > wanted.size();
}

std::string file_of(const RegionPlace& place) {
  return std::string(place.before).append(place.head).append(place.rest).append(place.after);
}

// The line in which the region begins, where that is not its beginning.
std::optional<sv> begun_line(const RegionPlace& place) {
  if (!place.head.empty() || place.before.empty() || place.before.ends_with('\n')) return std::nullopt;
  return place.before.substr(line_begin(place.before, place.before.size()));
}

std::string fitted_within_line(sv line, sv rest, const std::vector<sv>& lines) {
  std::string out;
  const bool deeper = common_indentation(lines, 1).starts_with(indentation_of(line));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0 && !deeper && !is_blank(lines[i])) out += indentation_of(line);
    out += i == 0 && indentation_of(rest).empty() ? lines[i].substr(indentation_of(lines[i]).size()) : lines[i];
  }
  return out;
}

std::string indented(const std::vector<sv>& lines, sv common, sv wanted, const IndentStyle& from,
                     const IndentStyle& to) {
  std::string out;
  for (const sv line : lines) {
    const sv indent = indentation_of(line);
    if (is_blank(line))
      out += line.ends_with('\n') ? "\n" : "";
    else
      out.append(wanted).append(relative(indent.substr(common.size()), from, to)).append(line.substr(indent.size()));
  }
  return out;
}

bool says(const std::string& text, std::initializer_list<sv> words) {
  return std::any_of(words.begin(), words.end(), [&](sv word) { return text.find(word) != std::string::npos; });
}

// What a block of statements does not begin to hold by being rewritten, unless it was asked for.
bool begins_definition(sv line, const std::string& asked) {
  if (line.starts_with("import ") || line.starts_with("from ")) return !says(asked, {"import"});
  if (line.starts_with("def ") || line.starts_with("async def "))
    return !says(asked, {"function", "method", "helper", "closure", "extract", "def "});
  if (line.starts_with("class ")) return !says(asked, {"class", "type"});
  return line.starts_with("if __name__");
}

bool is_in_class(sv before, sv base) {
  const auto lines = lines_of(before);
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    if (!is_blank(*line) && indentation_of(*line).size() < base.size()) return stripped(*line).starts_with("class ");
  }
  return false;
}

// Of a language laid out by indentation.
bool is_other_place(const RegionPlace& place, sv answer, const std::string& asked) {
  if (begun_line(place)) return false;
  const auto lines = lines_of(answer), rest = lines_of(place.rest);
  const std::string region = std::string(place.head).append(place.rest);
  const auto old = lines_of(region);
  const sv base = first_indentation(rest);
  if (first_indentation(lines) != base) return true;
  const std::string whole = std::string(place.head).append(answer);
  if (!common_indentation(lines_of(whole)).starts_with(common_indentation(old))) return true;
  const auto defines = [](sv line) { return begins_definition(stripped(line), {}); };
  if (base.empty() || std::any_of(old.begin(), old.end(), defines) || is_in_class(place.before, base)) return false;
  return std::any_of(lines.begin(), lines.end(),
                     [&](sv line) { return indentation_of(line) == base && begins_definition(stripped(line), asked); });
}

// Names of the outermost functions and types that are in [begin, end) as wholes.
std::vector<std::string> definitions(const syntax::Language& language, const std::string& text, std::size_t begin,
                                     std::size_t end) {
  std::vector<std::string> names;
  const LineIndex lines(text);
  const auto tree = syntax::Tree::parse(language, text, lines);
  if (!tree) return names;
  syntax::each_node(tree->root(), begin, end, [&](TSNode node) {
    const sv kind = syntax::kind_of(node);
    if (syntax::begin_of(node) < begin || syntax::end_of(node) > end || says(std::string(kind), {"namespace", "mod"}) ||
        !syntax::is_there(syntax::field_of(node, "body")))
      return true;
    const TSNode name =
        syntax::is_function_kind(kind) ? syntax::function_of(*tree, node).name : syntax::field_of(node, "name");
    if (!syntax::is_there(name)) return true;
    names.emplace_back(syntax::text_of(*tree, name));
    return false;
  });
  return names;
}

bool loses_definition(const RegionPlace& place, sv answer) {
  const std::size_t begin = place.before.size(), headed = begin + place.head.size();
  const auto old = definitions(*place.language, file_of(place), begin, headed + place.rest.size());
  if (old.empty()) return false;
  RegionPlace after = place;
  after.rest = answer;
  const auto made = definitions(*place.language, file_of(after), begin, headed + answer.size());
  return made.size() < old.size();
}

}  // namespace

std::string fitted(const RegionPlace& place, sv answer) {
  const auto lines = lines_of(answer), rest = lines_of(place.rest);
  const std::string file = file_of(place);
  const sv wanted = first_indentation(rest);
  std::string out;
  if (const auto line = begun_line(place))
    out = fitted_within_line(*line, place.rest, lines);
  else if (is_blank(place.rest) || first_indentation(lines) == wanted)
    out = answer;
  else if (only_first_lost(lines, wanted))
    out = std::string(wanted).append(answer);
  else
    out = indented(lines, common_indentation(lines), common_indentation(rest), indent_style_of(answer),
                   indent_style_of(file));
  return has_carriage_returns(file) ? with_line_ends(out, true) : out;
}

std::string misfit(const RegionPlace& place, sv answer, sv instruction) {
  if (place.language == nullptr) return {};
  std::string asked(instruction);
  std::transform(asked.begin(), asked.end(), asked.begin(), [](unsigned char c) { return std::tolower(c); });
  if (place.language->layout == syntax::Layout::indentation && is_other_place(place, answer, asked))
    return std::string(kOther);
  const bool fewer = says(asked, {"remov", "delet", "drop", "inline", "merg", "combin", "unused", "duplicat", "dead"});
  return !fewer && loses_definition(place, answer) ? std::string(kLoses) : std::string();
}

}  // namespace cinnabar::daemon
