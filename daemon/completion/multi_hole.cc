#include "daemon/completion/multi_hole.h"

#include <algorithm>
#include <utility>

#include "daemon/completion/fill.h"
#include "daemon/completion/present.h"

namespace cinnabar::daemon {

namespace {

// What an empty body begins with for certain: a line of its own, one level deeper than its header. Given, so that the
// model does not go on with the header's line.
std::string lead_of(const syntax::Hole& hole, std::string_view text) {
  const std::size_t begin = line_begin(text, hole.begin);
  const std::string_view line = text.substr(begin, hole.begin - begin);
  const std::size_t end = line_end(text, hole.end);
  const bool alone = is_blank(text.substr(hole.end, end - hole.end));
  if (hole.kind != syntax::HoleKind::body || is_blank(line) || !alone) return {};
  const bool is_header = indent_width(line) <= hole.indent;  // else the documentation, as deep as the body
  return (text.find("\r\n") == std::string_view::npos ? "\n" : "\r\n") + std::string(indentation_of(line)) +
         (is_header ? indent_style_of(text).unit() : std::string());
}

// What stays of the notes that a hole replaces, and the line on which its answer then begins.
std::string kept_of(const syntax::Language& language, const syntax::Hole& hole, std::string_view text) {
  const std::string kept = syntax::requirement_of(language, hole.shown);
  if (kept.empty()) return {};
  return kept + (text.find("\r\n") == std::string_view::npos ? "\n" : "\r\n") +
         std::string(indentation_of(text.substr(line_begin(text, hole.begin))));
}

}  // namespace

engine::InfillRequest Filling::defaults(engine::InfillRequest request) {
  constexpr int kBodyTokens = 384;  // unless the user allows more
  request.candidates = 1;
  request.max_tokens = std::max(request.max_tokens, kBodyTokens);
  return request;
}

Filling::Filling(const syntax::Language& language, std::string text, std::vector<syntax::Hole> holes,
                 engine::InfillRequest defaults, const FillingOptions& options)
    : language_(language),
      original_(std::move(text)),
      defaults_(std::move(defaults)),
      options_(options),
      text_(original_) {
  for (syntax::Hole& hole : holes) {
    const std::size_t begin = hole.begin;
    fills_.push_back({std::move(hole), begin});
  }
  if (!fills_.empty()) begin_next();
}

std::size_t Filling::length(const Fill& fill) const {
  return fill.answer ? fill.answer->size() : fill.hole.end - fill.hole.begin;
}

std::size_t Filling::filled() const {
  return static_cast<std::size_t>(
      std::count_if(fills_.begin(), fills_.end(), [](const Fill& fill) { return fill.answer.has_value(); }));
}

std::vector<Filling::Change> Filling::changes() const {
  std::vector<Change> changes;
  for (const Fill& fill : fills_) {
    if (fill.answer) changes.push_back({fill.hole.begin, fill.hole.end, *fill.answer});
  }
  return changes;
}

// The hole's turn: its answer is taken out of the text, the rest is what the model sees.
void Filling::begin(std::size_t index, int repairs) {
  Fill& fill = fills_[now_ = index];
  fill.asked = ++turn_;
  const std::size_t replaced = fill.hole.end - fill.hole.begin;
  open_ = text_;
  open_.replace(fill.begin, length(fill), original_, fill.hole.begin, replaced);
  hole_ = fill.hole;
  hole_.begin = fill.begin;
  hole_.end = fill.begin + replaced;
  lead_ = lead_of(hole_, open_);
  open_.insert(hole_.begin, lead_);
  hole_.begin += lead_.size();
  hole_.end += lead_.size();
  repair_.reset();
  lines_ = LineIndex(open_);
  tree_ = syntax::Tree::parse(language_, open_, lines_);
  engine::InfillRequest defaults = defaults_;
  if (fill.answer) defaults.former = fill.answer->substr(fill.lead);
  request_ = tree_ ? syntax::request_for(*tree_, hole_, std::move(defaults))
                   : syntax::request_for(open_, hole_, std::move(defaults));
  if (tree_) repair_.emplace(*tree_, lines_, hole_, request_, repairs);
}

// The first turn of the next hole, or of those that are near each other.
void Filling::begin_next() {
  std::size_t end = seen_ + 1, given = 0;
  while (options_.together && end < fills_.size()) {
    given += fills_[end].begin - fills_[end - 1].begin - length(fills_[end - 1]);
    if (given > options_.near) break;
    ++end;
  }
  if (end - seen_ > 1) return begin_together(seen_, end);
  begin(seen_, options_.repairs);
}

// The requests of the holes become one: between two of them is given what the second would be given behind the first.
void Filling::begin_together(std::size_t first, std::size_t end) {
  begin(first, 0);
  engine::InfillRequest all = request_;
  for (std::size_t i = first + 1; i < end; ++i) {
    begin(i, 0);
    const std::size_t behind = fills_[i - 1].begin + length(fills_[i - 1]);
    all.next.push_back({request_.prefix.substr(behind), request_.end, request_.other_end, request_.max_tokens});
    all.suffix = request_.suffix;
  }
  now_ = first;
  together_ = end - first;
  repair_.reset();
  request_ = std::move(all);
}

void Filling::take_together(const engine::InfillResult& result) {
  const std::size_t first = now_, end = first + together_;
  for (std::size_t i = first; i < end; ++i) {
    if (i > first && i - first > result.next.size()) break;
    const auto& answer = i == first ? result.answers.front() : result.next[i - first - 1];
    begin(i, 0);
    syntax::Verdict verdict;
    verdict.text = shown(answer);
    if (repair_) {
      repair_->take(answer, verdict.text);
      verdict = repair_->verdict();
    }
    settle(verdict);
  }
  for (std::size_t i = first; i < end; ++i) {
    fills_[i].asked = turn_;  // they have seen each other
    fills_[i].failed = !fills_[i].answer;
  }
}

void Filling::take(const engine::InfillResult& result) {
  if (done()) return;
  if (result.answers.empty()) return skip();
  if (together_ > 0) {
    take_together(result);
    return turn_taken();
  }
  const auto& answer = result.answers.front();
  syntax::Verdict verdict;
  verdict.text = shown(answer);
  if (repair_) {
    if (repair_->repairs() > 0) repair_forwards_ += result.decode.nfe;
    if (!repair_->take(answer, verdict.text)) {
      ++repairs_;
      return;
    }
    if (repair_->repaired()) ++repaired_;
    verdict = repair_->verdict();
  }
  settle(verdict);
  turn_taken();
}

std::string Filling::shown(const engine::InfillAnswer& answer) const {
  const std::string_view text = open_;
  return presentable(answer, text.substr(0, hole_.begin), text.substr(hole_.end));
}

void Filling::skip() {
  if (!done()) turn_taken();
}

void Filling::settle(const syntax::Verdict& verdict) {
  Fill& fill = fills_[now_];
  const std::size_t before = length(fill);
  const std::string kept = kept_of(language_, hole_, open_);
  // Where there is nothing fit to be shown, what stands there stays.
  if (!verdict.text.empty() && !verdict.withheld && fill.answer != lead_ + kept + verdict.text) {
    text_ = open_;
    text_.replace(hole_.begin, hole_.end - hole_.begin, kept + verdict.text);
    fill.answer = lead_ + kept + verdict.text;
    fill.lead = lead_.size() + kept.size();
    fill.changed = turn_;
    for (std::size_t i = now_ + 1; i < fills_.size(); ++i) fills_[i].begin += fill.answer->size() - before;
  }
}

// First every hole in its order, then those whose neighbourhood is not what it was, once.
void Filling::turn_taken() {
  if (seen_ < fills_.size()) seen_ += std::max<std::size_t>(together_, 1);
  together_ = 0;
  if (seen_ < fills_.size()) return begin_next();
  for (std::size_t i = 0; i < fills_.size(); ++i) {
    if (!wants_another_turn(i)) continue;
    fills_[i].twice = true;
    return begin(i, options_.repairs);
  }
  now_ = fills_.size();
  repair_.reset();
}

bool Filling::wants_another_turn(std::size_t index) const {
  const Fill& fill = fills_[index];
  if (fill.twice) return false;
  if (fill.failed) return true;
  const std::size_t end = fill.begin + length(fill);
  return std::any_of(fills_.begin(), fills_.end(), [&](const Fill& other) {
    if (&other == &fill || other.changed <= fill.asked) return false;
    const std::size_t other_end = other.begin + length(other);
    const std::size_t apart = other.begin >= end ? other.begin - end : fill.begin - std::min(fill.begin, other_end);
    return apart < options_.near;
  });
}

}  // namespace cinnabar::daemon
