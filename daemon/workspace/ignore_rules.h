// The patterns of one .gitignore or .cinnabarignore file, with git's meaning (gitignore(5)): comments, "!" takes back,
// a trailing "/" means folders alone, a "/" before that ties the pattern to the file's own folder; "*", "?" and "[...]"
// stay inside a path's component, "**" does not. Letter case counts. Pure.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cinnabar::daemon {

// A shell pattern over bytes, made ready for matching. Time to match: at most the product of both lengths, whoever
// wrote the pattern.
class PathPattern {
 public:
  // One that can match nothing (an unclosed bracket, a backslash at the end) is kept and matches nothing.
  // `pattern` has at most 65,535 bytes.
  explicit PathPattern(std::string_view pattern);
  bool matches(std::string_view path) const;

 private:
  enum class Kind : std::uint8_t {
    byte,      // this one
    other,     // one byte but '/'
    set,       // one of a set
    star,      // any bytes but '/'
    any,       // any bytes
    optional,  // the two nodes behind may be left out
  };
  struct Node {
    Kind kind = Kind::byte;
    std::uint16_t value = 0;  // the byte, or the set's place in sets_
  };
  void add(Kind kind, std::size_t value = 0) { nodes_.push_back({kind, static_cast<std::uint16_t>(value)}); }
  void add_byte(char byte) { add(Kind::byte, static_cast<unsigned char>(byte)); }
  std::size_t add_stars(std::string_view pattern, std::size_t at);
  std::size_t add_bracket(std::string_view pattern, std::size_t at);
  bool takes(const Node& node, char byte) const;
  void enter(std::vector<bool>& states, std::size_t node) const;

  std::vector<Node> nodes_;
  std::vector<std::bitset<256>> sets_;
  bool impossible_ = false;
};

class IgnoreRules {
 public:
  // Takes the first kMostRules patterns; longer ones than kLongestRule bytes are left out.
  explicit IgnoreRules(std::string_view text);

  // What the last pattern that fits says about `path`, which is relative to the file's folder, without "/" at either
  // end: true to ignore it, false that it is taken back. None: no pattern fits. What lies in an ignored folder is the
  // caller's to see.
  std::optional<bool> judge(std::string_view path, bool is_folder) const;
  bool empty() const { return rules_.empty(); }

  static constexpr std::size_t kMostRules = 10000, kLongestRule = 1024;

 private:
  struct Rule {
    PathPattern pattern;
    bool negated = false;
    bool folders_only = false;
    bool anchored = false;  // compared with the whole path, else with its last component
  };
  std::vector<Rule> rules_;
};

}  // namespace cinnabar::daemon
