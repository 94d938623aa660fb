#include "daemon/commands/evaluation/score.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <utility>

#include "base/text.h"
#include "daemon/commands/evaluation/files.h"
#include "daemon/syntax/tree.h"
#include "lsp/position.h"

namespace cinnabar::daemon::evaluation {
namespace {

constexpr std::string_view kBlank = " \t\r\n";

bool is_closer(char c) { return c == ')' || c == ']' || c == '}'; }

// Brackets that a text closes beyond those it opens; strings are taken as text.
int closes(std::string_view text) {
  int count = 0;
  for (const char c : text) count += is_closer(c) ? 1 : c == '(' || c == '[' || c == '{' ? -1 : 0;
  return count;
}

bool is_doubled(std::string_view text, const CutHole& hole) {
  const std::size_t behind = hole.suffix.find_first_not_of(kBlank);
  if (behind == std::string::npos || !is_closer(hole.suffix[behind])) return false;
  return text.ends_with(hole.suffix[behind]) && closes(text) > closes(hole.middle);
}

std::optional<bool> ends(std::string_view text, std::string_view middle, std::optional<bool> goes_on) {
  if (text == middle) return true;
  if (text.starts_with(middle)) return false;
  if (middle.starts_with(text) && goes_on == true) return false;
  return std::nullopt;
}

// Of the hole's file with `text` in it; 0 where nobody can say.
int wrong_with(const CutHole& hole, std::string_view text) {
  const syntax::Language* language = syntax::find_language(hole.language);
  if (language == nullptr) return 0;
  const auto found = wrong_nodes(*language, hole.prefix + std::string(text) + hole.suffix);
  return found ? found->errors + found->missing : 0;
}

Measures measure(const CutHole& hole, std::string_view answer, std::optional<bool> goes_on) {
  const std::string_view text = right_stripped(answer), middle = right_stripped(hole.middle);
  Measures m;
  m.shown = !text.empty();
  m.exact = text == middle;
  const std::size_t longer = std::max<std::size_t>({text.size(), middle.size(), 1});
  m.similar = 1 - static_cast<double>(edit_distance(text, middle)) / static_cast<double>(longer);
  const int with_it = wrong_with(hole, answer);
  m.parses = with_it <= wrong_with(hole, hole.middle);
  m.adds = with_it > wrong_with(hole, {});
  m.doubled = is_doubled(text, hole);
  m.ends = ends(text, middle, goes_on);
  return m;
}

using Group = std::vector<const Scored*>;
using Which = Measures Scored::*;

// Of all languages and kinds, in a fixed order.
std::vector<std::pair<std::string, Group>> groups_of(std::span<const Scored> scored) {
  std::map<std::string, Group> languages, kinds;
  Group all;
  for (const Scored& one : scored) {
    all.push_back(&one);
    languages[one.hole->language].push_back(&one);
    kinds[one.hole->kind].push_back(&one);
  }
  std::vector<std::pair<std::string, Group>> groups{{"all", all}};
  groups.insert(groups.end(), languages.begin(), languages.end());
  groups.insert(groups.end(), kinds.begin(), kinds.end());
  return groups;
}

// Percentage of `group` for which `holds`; "-" of none.
std::string share(const Group& group, const std::function<bool(const Scored&)>& holds) {
  if (group.empty()) return "-";
  const auto count = std::count_if(group.begin(), group.end(), [&](const Scored* one) { return holds(*one); });
  return formatted(100.0 * static_cast<double>(count) / static_cast<double>(group.size()), 1);
}

Group those(const Group& group, const std::function<bool(const Scored&)>& holds) {
  Group found;
  std::copy_if(group.begin(), group.end(), std::back_inserter(found), [&](const Scored* one) { return holds(*one); });
  return found;
}

std::string quality_row(const std::string& name, const Group& group, Which which) {
  const Group shown = those(group, [which](const Scored& s) { return (s.*which).shown; });
  const Group ended = those(group, [which](const Scored& s) { return (s.*which).ends.has_value(); });
  double similar = 0;
  for (const Scored* one : group) similar += (one->*which).similar;
  std::string row = "| " + name + " | " + std::to_string(group.size());
  row += " | " + share(group, [which](const Scored& s) { return (s.*which).shown; });
  row += " | " + share(group, [which](const Scored& s) { return (s.*which).exact; });
  row += " | " + formatted(100 * similar / static_cast<double>(group.size()), 1);
  row += " | " + share(shown, [which](const Scored& s) { return (s.*which).parses; });
  row += " | " + share(shown, [which](const Scored& s) { return (s.*which).adds; });
  row += " | " + share(shown, [which](const Scored& s) { return (s.*which).doubled; });
  row += " | " + share(ended, [which](const Scored& s) { return *(s.*which).ends; });
  return row + " | " + std::to_string(ended.size()) + " |";
}

std::string speed_row(const std::string& name, const Group& group) {
  int nfe = 0, tokens = 0;
  std::vector<double> times;
  for (const Scored* one : group) {
    nfe += one->answer.nfe;
    tokens += one->answer.tokens;
    times.push_back(one->answer.milliseconds);
  }
  return "| " + name + " | " + (tokens > 0 ? formatted(1.0 * nfe / tokens, 3) : "-") + " | " + percentile(times, 0.5) +
         " | " + percentile(times, 0.95) + " |";
}

std::string draft_table(std::span<const Scored> scored) {
  std::vector<engine::DraftCount> all;
  for (const Scored& one : scored) engine::add(all, one.answer.drafts);
  if (all.empty()) return {};
  std::string head = "| draft position |", rule = "|---|", drafted = "| drafted |", accepted = "| accepted, % |";
  for (std::size_t i = 0; i < all.size(); ++i) {
    head += " " + std::to_string(i + 1) + " |";
    rule += "---|";
    drafted += " " + std::to_string(all[i].drafted) + " |";
    accepted += " " + formatted(100.0 * all[i].accepted / std::max(all[i].drafted, 1), 1) + " |";
  }
  return "\n" + head + "\n" + rule + "\n" + drafted + "\n" + accepted + "\n";
}

}  // namespace

Scored score(const CutHole& hole, GivenAnswer answer) {
  Scored scored{&hole, std::move(answer), {}, {}};
  scored.raw = measure(hole, scored.answer.raw, scored.answer.goes_on);
  scored.text =
      scored.answer.text == scored.answer.raw ? scored.raw : measure(hole, scored.answer.text, scored.answer.goes_on);
  return scored;
}

std::string report(std::span<const Scored> scored) {
  if (scored.empty()) return {};
  const auto groups = groups_of(scored);
  std::string text = "**" + scored.front().answer.mode + "**\n";
  for (const auto& [title, which] : {std::pair{"as shown", &Scored::text}, {"as the model gave it", &Scored::raw}}) {
    text += "\n| " + std::string(title) +
            ", % | holes | shown | exact | similar | parses | adds errors | closer twice "
            "| ends right | of |\n|---|---|---|---|---|---|---|---|---|---|\n";
    for (const auto& [name, group] : groups) text += quality_row(name, group, which) + "\n";
  }
  text += "\n| | forwards a token | p50 ms | p95 ms |\n|---|---|---|---|\n";
  for (const auto& [name, group] : groups) text += speed_row(name, group) + "\n";
  return text + draft_table(scored);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  const auto head = static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
  a.remove_prefix(head), b.remove_prefix(head);
  const auto tail =
      static_cast<std::size_t>(std::mismatch(a.rbegin(), a.rend(), b.rbegin(), b.rend()).first - a.rbegin());
  a.remove_suffix(tail), b.remove_suffix(tail);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] != b[j] ? 1 : 0);
      diagonal = std::exchange(row[j + 1], std::min({row[j + 1] + 1, row[j] + 1, replaced}));
    }
  }
  return row.back();
}

std::optional<WrongNodes> wrong_nodes(const syntax::Language& language, std::string_view text) {
  const auto tree = syntax::Tree::parse(language, text, LineIndex(text));
  if (!tree) return std::nullopt;
  WrongNodes found;
  syntax::each_node(tree->root(), 0, ~std::size_t{0}, [&](TSNode node) {
    found.errors += syntax::is_error(node) ? 1 : 0;
    found.missing += ts_node_is_missing(node) ? 1 : 0;
    return ts_node_has_error(node);
  });
  return found;
}

}  // namespace cinnabar::daemon::evaluation
