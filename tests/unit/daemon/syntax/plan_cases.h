// The annotated cases of tests/plans: sources with a cursor, and the plan that is expected there.
//
// A file LANGUAGE.txt is a row of cases. A case is a line "== what it shows", the source, and behind a line "--" one
// line for each hole. In the source ‸ is the cursor and « » enclose what a hole replaces; two cursors are a selection,
// and a title that begins with "function:" asks for the function's body. The marks are no part of the source.
#pragma once

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/syntax/plan.h"

namespace cinnabar::tests {

struct PlanCase {
  std::string title;
  std::string annotated;  // the source with all marks
  std::string expected;   // the lines behind "--"
  std::string source;     // without marks
  std::vector<std::size_t> cursors;
};

inline PlanCase parse_case(const std::string& title, const std::string& annotated, const std::string& expected) {
  PlanCase out{title, annotated, expected, {}, {}};
  for (std::size_t i = 0; i < annotated.size();) {
    const std::string_view rest = std::string_view(annotated).substr(i);
    if (rest.starts_with("‸")) {
      out.cursors.push_back(out.source.size());
      i += std::string_view("‸").size();
    } else if (rest.starts_with("«") || rest.starts_with("»")) {
      i += std::string_view("«").size();
    } else {
      out.source += annotated[i++];
    }
  }
  if (out.cursors.empty()) throw std::runtime_error("no cursor in the case: " + title);
  return out;
}

inline std::vector<PlanCase> read_cases(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path);
  std::vector<PlanCase> cases;
  std::string line, title, source, expected;
  bool behind = false;
  const auto finish = [&] {
    if (!title.empty()) cases.push_back(parse_case(title, source, expected));
    source.clear();
    expected.clear();
    behind = false;
  };
  while (std::getline(in, line)) {
    if (line.starts_with("== ")) {
      finish();
      title = line.substr(3);
    } else if (line == "--") {
      behind = true;
    } else {
      (behind ? expected : source) += line + "\n";
    }
  }
  finish();
  return cases;
}

inline daemon::syntax::Plan plan_of(const PlanCase& c, const daemon::syntax::Tree& tree) {
  namespace syntax = daemon::syntax;
  if (c.cursors.size() == 2) return syntax::plan_selection(tree, c.cursors[0], c.cursors[1]);
  if (c.title.starts_with("function:")) return syntax::plan_function(tree, c.cursors[0]);
  return syntax::plan_at(tree, c.cursors[0]);
}

// The source with marks where the plan has them; at one place: a hole's begin, the cursor, the hole's end.
inline std::string annotate(const PlanCase& c, const daemon::syntax::Plan& plan) {
  std::string out;
  for (std::size_t i = 0; i <= c.source.size(); ++i) {
    for (const auto& hole : plan.holes)
      if (hole.begin == i) out += "«";
    for (const std::size_t cursor : c.cursors)
      if (cursor == i) out += "‸";
    for (const auto& hole : plan.holes)
      if (hole.end == i) out += "»";
    if (i < c.source.size()) out += c.source[i];
  }
  return out;
}

// The plan's own description without positions and the number of lines, which the marks and the kind tell.
inline std::string outline(const daemon::syntax::Plan& plan, std::string_view text) {
  std::istringstream lines(daemon::syntax::describe(plan, text));
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word, kept;
    for (int i = 0; words >> word; ++i)
      if (i != 1 && !word.starts_with("lines=")) kept += (kept.empty() ? "" : " ") + word;
    out += kept + "\n";
  }
  return out.empty() ? "none\n" : out;
}

}  // namespace cinnabar::tests
