#include "daemon/completion/ask.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "base/text.h"
#include "daemon/completion/heading.h"
#include "daemon/syntax/answer_end.h"

namespace cinnabar::daemon {
namespace {

using Clock = std::chrono::steady_clock;

// A line of code seldom has more; an answer that has not ended by then runs away.
constexpr int kLineTokens = 64;

// The last line of `text` that is not blank, with its indentation and without blanks at its end; empty when there is
// none.
std::string_view last_line(std::string_view text) {
  text = right_stripped(text);
  return text.substr(line_begin(text, text.size()));
}

// The first line after the first newline of `text` that is not blank.
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

// Where an answer may end, by the text around the cursor alone.
engine::EndRule end_by_text(std::string_view prefix, std::string_view suffix, Multiline multiline) {
  if (multiline == Multiline::never) return engine::EndRule::line;
  if (!is_blank(suffix.substr(0, suffix.find('\n')))) return engine::EndRule::line;
  if (multiline == Multiline::always) return engine::EndRule::block;
  const std::string_view opener = last_line(prefix);
  if (!opens_block(opener)) return engine::EndRule::line;
  const std::string_view next = next_line(suffix);
  const bool has_body = !next.empty() && indentation_of(next).size() > indentation_of(opener).size();
  return has_body ? engine::EndRule::line : engine::EndRule::block;
}

bool replaces_text(const syntax::Hole& hole) {
  return hole.kind == syntax::HoleKind::stub || hole.kind == syntax::HoleKind::mark;
}

syntax::Hole planned_hole(const syntax::ParseRegion& region, std::size_t offset, const AskOptions& options) {
  if (!region.tree) {
    syntax::Hole hole = syntax::plan_at(region.document->text(), offset).holes.front();
    hole.begin = hole.end = offset - region.begin;
    return hole;
  }
  const std::size_t cursor = offset - region.begin;
  syntax::PlanOptions plan;
  plan.stubs = options.replace_stubs;
  syntax::Hole hole = syntax::plan_at(*region.tree, cursor, plan).holes.front();
  if (!replaces_text(hole)) hole.begin = hole.end = cursor;  // an answer is inserted
  if (options.multiline == Multiline::never && hole.max_lines > 1) {
    hole.until = syntax::Until::line;
    hole.max_lines = 1;
  }
  return hole;
}

void surround(engine::InfillRequest& request, std::string_view text, std::size_t begin, std::size_t end) {
  request.prefix = text.substr(0, begin);
  request.suffix = text.substr(end);
}

// The hole's surroundings, its end by rule and by tree, and no more tokens than its lines hold.
engine::InfillRequest planned_request(const Ask& ask, engine::InfillRequest defaults) {
  engine::InfillRequest request = std::move(defaults);
  const syntax::Hole& hole = ask.hole;
  const std::string_view text = ask.region->document->text();
  surround(request, text, ask.begin(), ask.end());
  if (!hole.shown.empty()) {
    const std::string_view line = text.substr(line_begin(text, ask.begin()));
    request.prefix += hole.shown + "\n" + std::string(indentation_of(line));
  }
  request.end = end_rule(hole);
  if (hole.max_lines <= 1) request.max_tokens = std::min(request.max_tokens, kLineTokens);
  if (ask.has_tree()) {
    const auto end = std::make_shared<syntax::AnswerEnd>(*ask.region->tree, hole);
    request.other_end = [end](std::string_view answer) { return (*end)(answer); };
  }
  return request;
}

engine::InfillRequest unplanned_request(const Ask& ask, const AskOptions& options) {
  engine::InfillRequest request = options.defaults;
  surround(request, ask.region->document->text(), ask.begin(), ask.end());
  if (options.by_plan)
    request.end = end_by_text(request.prefix, request.suffix, options.multiline);
  else if (options.multiline == Multiline::never)
    request.end = engine::EndRule::line;
  if (request.end == engine::EndRule::line) request.max_tokens = std::min(request.max_tokens, kLineTokens);
  return request;
}

// What the defaults say already stays.
void head(Ask& ask) {
  if (!ask.request.heading) ask.request.heading = heading_of(*ask.region->document);
}

}  // namespace

std::optional<Multiline> parse_multiline(std::string_view text) {
  if (text == "auto") return Multiline::automatic;
  if (text == "never") return Multiline::never;
  if (text == "always") return Multiline::always;
  return std::nullopt;
}

engine::EndRule end_rule(const syntax::Hole& hole) {
  const bool line = hole.until == syntax::Until::line || hole.until == syntax::Until::string;
  return line ? engine::EndRule::line : engine::EndRule::hole;
}

Ask ask_at(syntax::ParseRegionPtr region, std::size_t offset, const AskOptions& options, Surroundings around) {
  const auto start = Clock::now();
  Ask ask{std::move(region), {}, {}, 0};
  ask.hole = planned_hole(*ask.region, offset, options);
  const bool by_plan = ask.has_tree() && options.by_plan && options.multiline != Multiline::always;
  ask.request = by_plan || ask.hole.begin < ask.hole.end ? planned_request(ask, options.defaults)
                                                         : unplanned_request(ask, options);
  head(ask);
  ask.request.prefix.insert(0, around.above);
  ask.request.context = std::move(around.context);
  ask.milliseconds = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  return ask;
}

Ask ask_for(syntax::ParseRegionPtr region, syntax::Hole hole, engine::InfillRequest defaults) {
  Ask ask{std::move(region), std::move(hole), {}, 0};
  ask.request = planned_request(ask, std::move(defaults));
  head(ask);
  return ask;
}

}  // namespace cinnabar::daemon
