// The patterns that follow a name: a rename's other uses, and the other calls of what got a parameter or an argument.
#include <algorithm>
#include <array>

#include "daemon/editing/alike_lines.h"

namespace cinnabar::daemon {
namespace {

using Kind = CodeToken::Kind;
using Tokens = std::vector<CodeToken>;

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_name(const CodeToken& token) { return token.kind == Kind::word && !is_reserved(token.text); }
bool is_member(const Tokens& tokens, std::size_t i) {
  return i > 0 && (tokens[i - 1].text == "." || (tokens[i - 1].text == ">" && i > 1 && tokens[i - 2].text == "-"));
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return is_one_of(word, std::span(words.begin(), words.size()));
}

constexpr std::array<std::string_view, 5> kFunctionWords = {"def", "fn", "func", "function", "fun"};
constexpr std::array<std::string_view, 31> kDeclaring = {
    "def",  "fn",     "func",  "function", "fun",  "class",  "struct", "enum",  "interface", "trait", "type",
    "let",  "const",  "var",   "val",      "mut",  "import", "as",     "for",   "module",    "auto",  "int",
    "long", "double", "float", "bool",     "char", "string", "void",   "local", "static"};

}  // namespace

bool declares_name(const Tokens& tokens, std::size_t i) {
  if (!is_name(tokens[i])) return false;
  if (is_member(tokens, i))
    return i == 2 && is_one_of(tokens[0].text, {"self", "this"}) && i + 1 < tokens.size() && tokens[i + 1].text == "=";
  if (i > 0 && is_one_of(tokens[i - 1].text, kDeclaring)) return true;
  if (i > 0 && is_one_of(tokens[0].text, {"import", "from", "use", "using"})) return true;
  const std::string_view next = i + 1 < tokens.size() ? tokens[i + 1].text : std::string_view();
  const std::string_view after = i + 2 < tokens.size() ? tokens[i + 2].text : std::string_view();
  // A field: "private count = 0", "readonly id: string".
  if (i > 0 &&
      is_one_of(tokens[i - 1].text, {"private", "public", "protected", "readonly", "pub", "final", "override"}) &&
      is_one_of(next, {"=", ":", ";", "?", "!"}))
    return true;
  if (i == 0 && ((next == "=" && after != "=") || (next == ":" && after != ":"))) return true;  // x = 1, x := 1, x: int
  // A parameter of a function whose header this line is.
  const bool header = std::any_of(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(i),
                                  [](const CodeToken& token) { return is_one_of(token.text, kFunctionWords); });
  if (header)
    return is_one_of(tokens[i - 1].text, {"(", ",", "*", "&", ":"}) || next == ":" || next == "," || next == ")";
  // "Type name": two names side by side, as C and its kin write it.
  if (i > 0 && (is_name(tokens[i - 1]) || is_one_of(tokens[i - 1].text, {">", "*", "&", "]"})) &&
      is_one_of(next, {"=", ";", ",", ")", "(", "{"}))
    return is_name(tokens[i - 1]) || (i > 1 && is_name(tokens[0]) && next != "(");
  return false;
}

namespace {

bool is_function(std::string_view kind) {
  if (kind.ends_with("declarator") || kind.ends_with("parameters") || kind.find("call") != std::string_view::npos)
    return false;
  return kind.find("function") != std::string_view::npos || kind.find("method") != std::string_view::npos ||
         kind.find("constructor") != std::string_view::npos || kind == "lambda";
}

// The innermost function around `at`; the whole text where there is none.
std::pair<std::size_t, std::size_t> function_around(const EditScene& scene, std::size_t at) {
  std::pair<std::size_t, std::size_t> range{0, scene.text.size()};
  if (scene.tree == nullptr) return range;
  for (const TSNode node : syntax::path_to(*scene.tree, at, at)) {
    if (is_function(syntax::kind_of(node))) range = {syntax::begin_of(node), syntax::end_of(node)};
  }
  return range;
}

struct Rename {
  std::string from, to;
  bool member = false;    // written behind a dot
  bool declared = false;  // where it is declared
  int times = 1;          // made so often already
  std::size_t at = 0;
  bool whole_name = false;  // a function's or a type's, which the whole file uses
  bool reaches_members = false;
};

// Whether all that the line's change replaced is this name, here or elsewhere in the line.
bool changes_nothing_else(const LineChange& change, const Region& region) {
  const auto text = [](const std::vector<CodeToken>& tokens, std::size_t begin, std::size_t end) {
    return end == begin + 1 ? tokens[begin].text : std::string_view();
  };
  return std::all_of(change.regions.begin(), change.regions.end(), [&](const Region& other) {
    return text(change.old_tokens, other.old_begin, other.old_end) == change.old_tokens[region.old_begin].text &&
           text(change.new_tokens, other.new_begin, other.new_end) == change.new_tokens[region.new_begin].text;
  });
}

// The names that became other names, once each.
std::vector<Rename> renames_of(const std::vector<const LineChange*>& changes) {
  std::vector<Rename> renames;
  for (const LineChange* change : changes) {
    for (const Region& region : change->regions) {
      if (region.old_end != region.old_begin + 1 || region.new_end != region.new_begin + 1) continue;
      const CodeToken& from = change->old_tokens[region.old_begin];
      const CodeToken& to = change->new_tokens[region.new_begin];
      if (!is_name(from) || !is_name(to)) continue;
      const auto known = std::find_if(renames.begin(), renames.end(), [&](const Rename& rename) {
        return rename.from == from.text && rename.to == to.text;
      });
      const bool declared = declares_name(change->old_tokens, region.old_begin);
      if (!declared && !changes_nothing_else(*change, region)) continue;  // "console.log" to "logger.info" is a phrase
      if (known != renames.end()) {
        if (known->at != change->begin) ++known->times;
        known->declared = known->declared || declared;
        continue;
      }
      const bool header =
          region.old_begin > 0 && is_one_of(change->old_tokens[region.old_begin - 1].text,
                                            {"def", "fn", "func", "function", "fun", "class", "struct", "enum",
                                             "interface", "trait", "type", "module", "import", "as"});
      const bool calls =
          region.old_begin + 1 < change->old_tokens.size() && change->old_tokens[region.old_begin + 1].text == "(";
      renames.push_back({std::string(from.text), std::string(to.text), is_member(change->old_tokens, region.old_begin),
                         declared, 1, change->begin, header || (declared && calls)});
    }
  }
  return renames;
}

// The uses of the old name in a line, replaced in one piece; nothing where there is none.
void add_uses(const CodeLine& line, const Rename& rename, float strength, std::vector<EditCandidate>& found) {
  std::size_t first = std::string_view::npos, last = 0;
  std::string text;
  for (std::size_t i = 0; i < line.tokens.size(); ++i) {
    const CodeToken& token = line.tokens[i];
    if (token.kind != Kind::word || token.text != rename.from) continue;
    if (is_member(line.tokens, i) && !rename.reaches_members) continue;
    if (first == std::string_view::npos)
      first = token.begin;
    else
      text += line.text.substr(last, token.begin - last);
    text += rename.to;
    last = token.end();
  }
  if (first != std::string_view::npos)
    found.push_back({line.begin + first, line.begin + last, std::move(text), EditPattern::rename, strength});
}

}  // namespace

namespace {

// A tag that got another name: the one that closes it.
void add_closing_tag(const EditScene& scene, const LineChange& change, std::vector<EditCandidate>& found) {
  for (const Region& region : change.regions) {
    if (region.old_end != region.old_begin + 1 || region.new_end != region.new_begin + 1 || region.new_begin == 0)
      continue;
    const CodeToken& from = change.old_tokens[region.old_begin];
    const CodeToken& to = change.new_tokens[region.new_begin];
    if (from.kind != Kind::word || change.new_tokens[region.new_begin - 1].text != "<" ||
        change.new_tokens[region.new_begin - 1].end() != to.begin)
      continue;
    const std::string opens = "<" + std::string(from.text), closes = "</" + std::string(from.text) + ">";
    int depth = 1;
    for (std::size_t at = change.begin + to.end(); at < scene.text.size() && depth > 0; ++at) {
      const std::string_view rest = scene.text.substr(at);
      if (rest.starts_with(opens)) ++depth;
      if (rest.starts_with(closes) && --depth == 0)
        found.push_back({at + 2, at + closes.size() - 1, std::string(to.text), EditPattern::rename, 0.95f});
    }
  }
}

}  // namespace

void propose_renames(const EditScene& scene, const std::vector<CodeLine>& lines,
                     const std::vector<const LineChange*>& changes, std::vector<EditCandidate>& found) {
  for (const LineChange* change : changes) add_closing_tag(scene, *change, found);
  for (Rename& rename : renames_of(changes)) {
    bool old_declared = false, new_declared = false;
    for (const CodeLine& line : lines) {
      for (std::size_t i = 0; i < line.tokens.size(); ++i) {
        if (line.tokens[i].text == rename.from) old_declared = old_declared || declares_name(line.tokens, i);
        if (line.tokens[i].text == rename.to) new_declared = new_declared || declares_name(line.tokens, i);
      }
    }
    const bool later_declared = rename.declared || new_declared;
    float strength = 0;
    if (later_declared && !old_declared)
      strength = 0.95f;
    else if (rename.times > 1)
      strength = 0.8f;
    else if (rename.declared)
      strength = 0.6f;
    if (strength == 0) continue;
    const bool local = rename.declared && !rename.member && !rename.whole_name;
    const auto [begin, end] =
        local ? function_around(scene, rename.at + indentation_of(scene.text.substr(rename.at)).size())
              : std::pair<std::size_t, std::size_t>(0, scene.text.size());
    const bool outside_functions = begin == 0 && end == scene.text.size();  // a field, a constant
    rename.reaches_members = rename.member || rename.whole_name || outside_functions;
    for (const CodeLine& line : lines) {
      if (!line.edited && line.begin >= line_begin(scene.text, begin) && line.begin < end)
        add_uses(line, rename, strength, found);
    }
  }
}

namespace {

// An argument list in a line: the callee, and where its items begin and end (tokens).
struct Call {
  std::string_view name;
  std::vector<std::pair<std::size_t, std::size_t>> items;
  std::size_t open = 0, close = 0;
};

std::optional<Call> call_at(const Tokens& tokens, std::size_t open) {
  if (open == 0 || tokens[open].text != "(" || !is_name(tokens[open - 1])) return std::nullopt;
  Call call{tokens[open - 1].text, {}, open, 0};
  int depth = 0;
  std::size_t begin = open + 1;
  for (std::size_t i = open; i < tokens.size(); ++i) {
    const std::string_view text = tokens[i].text;
    if (is_one_of(text, {"(", "[", "{"})) ++depth;
    if (is_one_of(text, {")", "]", "}"})) --depth;
    if (depth == 0 || (depth == 1 && text == ",")) {
      if (i > begin) call.items.emplace_back(begin, i);
      begin = i + 1;
    }
    if (depth == 0) {
      call.close = i;
      return call;
    }
  }
  return std::nullopt;
}

// The call whose list of arguments a region of the new line is one more item of, and the item's number.
std::optional<std::pair<Call, std::size_t>> grown_call(const LineChange& change, const Region& region) {
  if (region.old_end != region.old_begin) return std::nullopt;
  for (std::size_t open = 1; open < change.new_tokens.size(); ++open) {
    const auto call = call_at(change.new_tokens, open);
    if (!call || region.new_begin <= call->open || region.new_end > call->close) continue;
    for (std::size_t item = 0; item < call->items.size(); ++item) {
      const auto [begin, end] = call->items[item];
      if (begin >= region.new_begin && end <= region.new_end) return std::pair{*call, item};
    }
  }
  return std::nullopt;
}

// A parameter's own name: what stands before its type, or after it in languages of C's kin. Empty: it has a default,
// so calls need not name it.
std::string parameter_name(const LineChange& change, std::size_t begin, std::size_t end) {
  const auto item = std::span(change.new_tokens).subspan(begin, end - begin);
  for (const CodeToken& token : item) {
    if (token.text == "=" || token.text == "?") return {};
  }
  const bool name_first =
      is_one_of(change.new_tokens.front().text, kFunctionWords) ||
      std::any_of(item.begin(), item.end(), [](const CodeToken& token) { return token.text == ":"; });
  const CodeToken& token = name_first ? item.front() : item.back();
  return token.kind == Kind::word ? std::string(token.text) : std::string();
}

}  // namespace

void propose_arguments(const std::vector<CodeLine>& lines, const std::vector<const LineChange*>& changes,
                       std::vector<EditCandidate>& found) {
  for (const LineChange* change : changes) {
    for (const Region& region : change->regions) {
      const auto grown = grown_call(*change, region);
      if (!grown) continue;
      const auto& [call, number] = *grown;
      const auto [begin, end] = call.items[number];
      const bool definition = declares_name(change->new_tokens, call.open - 1);
      const std::string text =
          definition ? parameter_name(*change, begin, end)
                     : change->after.substr(change->new_tokens[begin].begin,
                                            change->new_tokens[end - 1].end() - change->new_tokens[begin].begin);
      if (text.empty()) continue;
      for (const CodeLine& line : lines) {
        if (line.edited) continue;
        for (std::size_t open = 1; open < line.tokens.size(); ++open) {
          const auto other = call_at(line.tokens, open);
          if (!other || other->name != call.name || other->items.size() + 1 != call.items.size()) continue;
          const bool last = number == other->items.size();
          const std::size_t at = last ? line.tokens[other->close].begin : line.tokens[other->items[number].first].begin;
          const std::string added = last ? (number == 0 ? text : ", " + text) : text + ", ";
          found.push_back({line.begin + at, line.begin + at, added, EditPattern::argument, definition ? 0.6f : 0.45f});
        }
      }
    }
  }
}

}  // namespace cinnabar::daemon
