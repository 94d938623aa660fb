#include "daemon/completion/hole.h"

#include <algorithm>
#include <string_view>

#include "daemon/completion/fill.h"

namespace cinnabar::daemon {
namespace {

// A line of code seldom has more; an answer that has not ended by then is a runaway.
constexpr int kLineTokens = 64;

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

std::size_t indentation(std::string_view line) { return std::min(line.find_first_not_of(" \t"), line.size()); }

// The last line of `text` that is not blank, with its indentation and without blanks behind; empty when there is none.
std::string_view last_line(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  if (last == std::string_view::npos) return {};
  text = text.substr(0, last + 1);
  const std::size_t newline = text.rfind('\n');
  return newline == std::string_view::npos ? text : text.substr(newline + 1);
}

// The first line behind the first newline of `text` that is not blank.
std::string_view next_line(std::string_view text) {
  std::size_t begin = text.find('\n');
  while (begin != std::string_view::npos) {
    const std::size_t end = text.find('\n', begin + 1);
    const std::string_view line = text.substr(begin + 1, end == std::string_view::npos ? end : end - begin - 1);
    if (!is_blank(line)) return line;
    begin = end;
  }
  return {};
}

bool ends_with_word(std::string_view line, std::string_view word) {
  if (!line.ends_with(word)) return false;
  if (line.size() == word.size()) return true;
  const char before = line[line.size() - word.size() - 1];
  return before == ' ' || before == '\t' || before == ';' || before == ')';
}

bool opens_block(std::string_view line) {
  if (line.empty()) return false;
  if (line.back() == '{' || line.back() == ':') return true;
  return ends_with_word(line, "do") || ends_with_word(line, "then") || ends_with_word(line, "else");
}

engine::EndRule choose_end(std::string_view prefix, std::string_view suffix, Multiline multiline) {
  if (multiline == Multiline::never) return engine::EndRule::line;
  if (!is_blank(suffix.substr(0, suffix.find('\n')))) return engine::EndRule::line;
  if (multiline == Multiline::always) return engine::EndRule::block;
  const std::string_view opener = last_line(prefix);
  if (!opens_block(opener)) return engine::EndRule::line;
  const std::string_view next = next_line(suffix);
  const bool has_body = !next.empty() && indentation(next) > indentation(opener);
  return has_body ? engine::EndRule::line : engine::EndRule::block;
}

}  // namespace

syntax::Hole planned_hole(const syntax::Tree& tree, std::size_t offset, Multiline multiline) {
  syntax::PlanOptions options;
  options.stubs = false;
  syntax::Hole hole = syntax::plan_at(tree, offset, options).holes.front();
  hole.end = hole.begin;
  if (multiline == Multiline::never && hole.max_lines > 1) {
    hole.until = syntax::Until::line;
    hole.max_lines = 1;
  }
  return hole;
}

engine::InfillRequest infill_request(const syntax::Site& site, std::size_t offset, const Options& options) {
  engine::InfillRequest request = options.request;
  request.candidates = 1;
  if (site.tree && options.by_plan && options.completion.multiline != Multiline::always) {
    const auto hole = planned_hole(*site.tree, offset - site.begin, options.completion.multiline);
    return syntax::request_for(site, hole, std::move(request));
  }
  request.prefix = site.document->text().substr(0, offset);
  request.suffix = site.document->text().substr(offset);
  request.end = choose_end(request.prefix, request.suffix, options.completion.multiline);
  if (request.end == engine::EndRule::line) request.max_tokens = std::min(request.max_tokens, kLineTokens);
  return request;
}

}  // namespace cinnabar::daemon
