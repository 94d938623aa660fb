#include "daemon/workspace/ignore_rules.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace cinnabar::daemon {
namespace {

// The bytes of [:NAME:]; none for a name that there is not.
std::optional<std::bitset<256>> posix_class(std::string_view name) {
  struct Class {
    std::string_view name;
    int (*holds)(int);
  };
  static constexpr std::array<Class, 12> kClasses = {{{"alnum", std::isalnum},
                                                      {"alpha", std::isalpha},
                                                      {"blank", std::isblank},
                                                      {"cntrl", std::iscntrl},
                                                      {"digit", std::isdigit},
                                                      {"graph", std::isgraph},
                                                      {"lower", std::islower},
                                                      {"print", std::isprint},
                                                      {"punct", std::ispunct},
                                                      {"space", std::isspace},
                                                      {"upper", std::isupper},
                                                      {"xdigit", std::isxdigit}}};
  const auto found = std::find_if(kClasses.begin(), kClasses.end(), [name](const Class& c) { return c.name == name; });
  if (found == kClasses.end()) return std::nullopt;
  std::bitset<256> set;
  for (int byte = 0; byte < 128; ++byte) set.set(static_cast<std::size_t>(byte), found->holds(byte) != 0);
  return set;
}

// Without blanks at its end, unless a backslash keeps them.
std::string_view without_trailing_spaces(std::string_view line) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size())
      end = ++i + 1;
    else if (line[i] != ' ')
      end = i + 1;
  }
  return line.substr(0, end);
}

}  // namespace

PathPattern::PathPattern(std::string_view pattern) {
  std::size_t at = 0;
  while (at < pattern.size() && !impossible_) {
    switch (pattern[at]) {
      case '*':
        at = add_stars(pattern, at);
        break;
      case '?':
        add(Kind::other);
        ++at;
        break;
      case '[':
        at = add_bracket(pattern, at);
        break;
      case '\\':
        impossible_ = ++at == pattern.size();
        if (!impossible_) add_byte(pattern[at++]);
        break;
      default:
        add_byte(pattern[at++]);
    }
  }
}

// Two stars or more that fill a component cross slashes; "**/" may also be nothing. Any others are one star.
std::size_t PathPattern::add_stars(std::string_view pattern, std::size_t at) {
  const std::size_t end = std::min(pattern.find_first_not_of('*', at), pattern.size());
  const bool begins = at == 0 || pattern[at - 1] == '/';
  const bool ends = end == pattern.size() || pattern[end] == '/' || pattern.substr(end, 2) == "\\/";
  if (end - at < 2 || !begins || !ends) {
    add(Kind::star);
    return end;
  }
  if (end == pattern.size() || pattern[end] != '/') {
    add(Kind::any);
    return end;
  }
  add(Kind::optional);
  add(Kind::any);
  add_byte('/');
  return end + 1;
}

std::size_t PathPattern::add_bracket(std::string_view pattern, std::size_t at) {
  std::bitset<256> set;
  std::size_t i = at + 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  int before = -1;  // what a '-' makes a range from
  for (bool first = true; i < pattern.size() && (first || pattern[i] != ']'); first = false) {
    char c = pattern[i];
    const bool range = c == '-' && before > 0 && i + 1 < pattern.size() && pattern[i + 1] != ']';
    if (range) c = pattern[++i];
    if (c == '[' && !range && pattern.substr(i + 1, 1) == ":") {
      const std::size_t end = pattern.find(']', i + 2);
      if (end == std::string_view::npos) break;
      if (end > i + 2 && pattern[end - 1] == ':') {
        const auto members = posix_class(pattern.substr(i + 2, end - i - 3));
        if (!members) break;
        set |= *members;
        before = -1;
        i = end + 1;
        continue;
      }
    }
    if (c == '\\') {
      if (i + 1 == pattern.size()) break;
      c = pattern[++i];
    }
    const int byte = static_cast<unsigned char>(c);
    for (int member = range ? before : byte; member <= byte; ++member) set.set(static_cast<std::size_t>(member));
    before = range ? -1 : byte;
    ++i;
  }
  impossible_ = i >= pattern.size() || pattern[i] != ']';
  if (negated) set.flip();
  set.reset('/');
  add(Kind::set, sets_.size());
  sets_.push_back(set);
  return i + 1;
}

bool PathPattern::takes(const Node& node, char byte) const {
  switch (node.kind) {
    case Kind::byte:
      return node.value == static_cast<unsigned char>(byte);
    case Kind::set:
      return sets_[node.value][static_cast<unsigned char>(byte)];
    case Kind::other:
    case Kind::star:
      return byte != '/';
    case Kind::any:
      return true;
    case Kind::optional:
      break;
  }
  return false;
}

// Marks a node and those behind it that need no byte.
void PathPattern::enter(std::vector<bool>& states, std::size_t node) const {
  if (states[node]) return;
  states[node] = true;
  if (node == nodes_.size()) return;
  const Kind kind = nodes_[node].kind;
  if (kind != Kind::star && kind != Kind::any && kind != Kind::optional) return;
  enter(states, node + 1);
  if (kind == Kind::optional) enter(states, node + 3);
}

bool PathPattern::matches(std::string_view path) const {
  if (impossible_) return false;
  std::vector<bool> states(nodes_.size() + 1), next;
  enter(states, 0);
  for (const char byte : path) {
    next.assign(nodes_.size() + 1, false);
    for (std::size_t node = 0; node < nodes_.size(); ++node) {
      if (!states[node] || !takes(nodes_[node], byte)) continue;
      const bool stays = nodes_[node].kind == Kind::star || nodes_[node].kind == Kind::any;
      enter(next, stays ? node : node + 1);
    }
    states.swap(next);
  }
  return states.back();
}

IgnoreRules::IgnoreRules(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  while (!text.empty() && rules_.size() < kMostRules) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > kLongestRule || line.starts_with('#')) continue;
    line = without_trailing_spaces(line);
    const bool negated = line.starts_with('!');
    if (negated) line.remove_prefix(1);
    const bool folders_only = line.ends_with('/');
    if (folders_only) line.remove_suffix(1);
    if (line.empty()) continue;
    const bool anchored = line.find('/') != std::string_view::npos;
    if (line.starts_with('/')) line.remove_prefix(1);
    rules_.push_back({PathPattern(line), negated, folders_only, anchored});
  }
}

std::optional<bool> IgnoreRules::judge(std::string_view path, bool is_folder) const {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule) {
    if (rule->folders_only && !is_folder) continue;
    if (rule->pattern.matches(rule->anchored ? path : name)) return !rule->negated;
  }
  return std::nullopt;
}

}  // namespace cinnabar::daemon
