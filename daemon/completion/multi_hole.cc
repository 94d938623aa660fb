#include "daemon/completion/multi_hole.h"

#include <algorithm>
#include <utility>

#include "base/line_ends.h"

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
  return std::string(newline_of(text)) + std::string(indentation_of(line)) +
         (is_header ? indent_style_of(text).unit() : std::string());
}

// What stays of the notes that a hole replaces, and the line on which its answer then begins.
std::string kept_of(const syntax::Language& language, std::string_view shown, std::string_view text,
                    std::size_t begin) {
  const std::string kept = syntax::requirement_of(language, shown);
  if (kept.empty()) return {};
  return kept + std::string(newline_of(text)) + std::string(indentation_of(text.substr(line_begin(text, begin))));
}

}  // namespace

engine::InfillRequest MultiHoleFill::defaults(engine::InfillRequest request) {
  constexpr int kBodyTokens = 384;  // unless the user allows more
  request.candidates = 1;
  request.max_tokens = std::max(request.max_tokens, kBodyTokens);
  return request;
}

MultiHoleFill::MultiHoleFill(const syntax::Language& language, std::string text, std::vector<syntax::Hole> holes,
                             engine::InfillRequest defaults, const MultiHoleOptions& options)
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

std::size_t MultiHoleFill::length(const Fill& fill) const {
  return fill.answer ? fill.answer->size() : fill.hole.end - fill.hole.begin;
}

std::size_t MultiHoleFill::filled() const {
  return static_cast<std::size_t>(
      std::count_if(fills_.begin(), fills_.end(), [](const Fill& fill) { return fill.answer.has_value(); }));
}

std::vector<MultiHoleFill::Change> MultiHoleFill::changes() const {
  std::vector<Change> changes;
  for (const Fill& fill : fills_) {
    if (fill.answer) changes.push_back({fill.hole.begin, fill.hole.end, *fill.answer});
  }
  return changes;
}

// The hole's turn: its answer is taken out of the text, the rest is what the model sees.
void MultiHoleFill::begin(std::size_t index, int repairs) {
  Fill& fill = fills_[now_ = index];
  fill.asked = ++turn_;
  const std::size_t replaced = fill.hole.end - fill.hole.begin;
  std::string open = text_;
  open.replace(fill.begin, length(fill), original_, fill.hole.begin, replaced);
  syntax::Hole hole = fill.hole;
  hole.begin = fill.begin;
  hole.end = fill.begin + replaced;
  lead_ = lead_of(hole, open);
  open.insert(hole.begin, lead_);
  hole.begin += lead_.size();
  hole.end += lead_.size();
  engine::InfillRequest defaults = defaults_;
  if (fill.answer) defaults.former = fill.answer->substr(fill.lead);
  machine_ = std::make_unique<AnswerMachine>(
      ask_for(syntax::whole_region(std::move(open), language_), std::move(hole), std::move(defaults)),
      AnswerOptions{.repairs = repairs});
}

// The first turn of the next hole, or of those that are near each other.
void MultiHoleFill::begin_next() {
  std::size_t end = seen_ + 1, given = 0;
  while (options_.together && end < fills_.size()) {
    given += fills_[end].begin - fills_[end - 1].begin - length(fills_[end - 1]);
    if (given > options_.near) break;
    ++end;
  }
  if (end - seen_ > 1) return begin_together(seen_, end);
  begin(seen_, options_.repairs);
}

// The requests of the holes become one: between two of them is given what the second would be given after the first.
void MultiHoleFill::begin_together(std::size_t first, std::size_t end) {
  begin(first, 0);
  engine::InfillRequest all = request();
  for (std::size_t i = first + 1; i < end; ++i) {
    begin(i, 0);
    const engine::InfillRequest& one = request();
    const std::size_t behind = fills_[i - 1].begin + length(fills_[i - 1]);
    all.next.push_back({one.prefix.substr(behind), one.end, one.other_end, one.max_tokens});
    all.suffix = one.suffix;
  }
  now_ = first;
  together_ = end - first;
  machine_.reset();
  request_ = std::move(all);
}

void MultiHoleFill::take_together(const engine::InfillResult& result) {
  const std::size_t first = now_, end = first + together_;
  for (std::size_t i = first; i < end; ++i) {
    if (i > first && i - first > result.next.size()) break;
    engine::InfillResult one;
    one.answers.push_back(i == first ? result.answers.front() : result.next[i - first - 1]);
    begin(i, 0);
    machine_->take(std::move(one));
    settle(machine_->finish().text());
  }
  for (std::size_t i = first; i < end; ++i) {
    fills_[i].asked = turn_;  // they have seen each other
    fills_[i].failed = !fills_[i].answer;
  }
}

void MultiHoleFill::take(const engine::InfillResult& result) {
  if (done()) return;
  if (result.answers.empty()) return skip();
  if (together_ > 0) {
    take_together(result);
    return turn_taken();
  }
  if (!machine_->take(result)) {
    ++repairs_;
    return;
  }
  const Answered answered = machine_->finish();
  repair_forwards_ += answered.repair_forwards;
  if (answered.repaired) ++repaired_;
  settle(answered.text());
  turn_taken();
}

void MultiHoleFill::skip() {
  if (!done()) turn_taken();
}

// Where there is nothing fit to be shown, what stands there stays.
void MultiHoleFill::settle(const std::string& text) {
  Fill& fill = fills_[now_];
  const Ask& ask = machine_->ask();
  const std::size_t before = length(fill);
  const std::string document = ask.region->document->text();
  const std::string kept = kept_of(language_, ask.hole.shown, document, ask.begin()), whole = lead_ + kept + text;
  if (text.empty() || fill.answer == whole) return;
  text_ = document;
  text_.replace(ask.begin(), ask.end() - ask.begin(), kept + text);
  fill.answer = whole;
  fill.lead = lead_.size() + kept.size();
  fill.changed = turn_;
  for (std::size_t i = now_ + 1; i < fills_.size(); ++i) fills_[i].begin += fill.answer->size() - before;
}

// First every hole in its order, then those whose neighbourhood is not what it was, once.
void MultiHoleFill::turn_taken() {
  if (seen_ < fills_.size()) seen_ += std::max<std::size_t>(together_, 1);
  together_ = 0;
  if (seen_ < fills_.size()) return begin_next();
  for (std::size_t i = 0; i < fills_.size(); ++i) {
    if (!wants_another_turn(i)) continue;
    fills_[i].twice = true;
    return begin(i, options_.repairs);
  }
  now_ = fills_.size();
  machine_.reset();
}

bool MultiHoleFill::wants_another_turn(std::size_t index) const {
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
