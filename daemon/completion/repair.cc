#include "daemon/completion/repair.h"

#include <algorithm>
#include <utility>

namespace cinnabar::daemon::syntax {
namespace {

// What was stopped in its midst does not parse for that reason, and going on elsewhere does not help.
bool ended_by_itself(engine::StopReason reason) {
  return reason == engine::StopReason::hole_end || reason == engine::StopReason::end_token;
}

bool is_better(const Verdict& a, const Verdict& b) {
  if (a.worse != b.worse) return !a.worse;
  return a.text.size() > b.text.size();
}

}  // namespace

std::optional<std::size_t> turning_point(std::span<const engine::InfillToken> path, std::span<const Span> wrong,
                                         std::span<const std::size_t> tried) {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const std::size_t begin = i == 0 ? 0 : path[i - 1].end, end = path[i].end;
    const bool touches = std::any_of(wrong.begin(), wrong.end(),
                                     [&](const Span& span) { return begin <= span.end && end >= span.begin; });
    if (!touches || std::find(tried.begin(), tried.end(), i) != tried.end()) continue;
    if (!found || path[i].probability < path[*found].probability) found = i;
  }
  return found;
}

Repair::Repair(const Tree& document, const LineIndex& lines, Hole hole, engine::InfillRequest request, int most)
    : document_(document), lines_(lines), hole_(std::move(hole)), request_(std::move(request)), most_(most) {}

bool Repair::take(const engine::InfillAnswer& answer, std::string_view shown) {
  Verdict verdict;
  if (shown.empty())
    verdict.withheld = verdict.worse = repairs_ > 0;
  else
    verdict = judge(document_, lines_, hole_, shown);
  const bool again = verdict.worse && ask_again(answer, shown, verdict);
  if (!std::exchange(judged_, true) || is_better(verdict, verdict_)) {
    answer_ = answer;
    verdict_ = std::move(verdict);
  }
  return !again;
}

bool Repair::ask_again(const engine::InfillAnswer& answer, std::string_view shown, const Verdict& verdict) {
  if (repairs_ >= most_ || !ended_by_itself(answer.reason)) return false;
  const auto at = turning_point(answer.path, verdict.wrong, tried_);
  // Offsets are the shown text's; where that is not the answer's own, they say nothing of its tokens.
  if (!at || (*at > 0 && answer.text.substr(0, answer.path[*at - 1].end) != shown.substr(0, answer.path[*at - 1].end)))
    return false;
  request_.resume.tokens.assign(answer.path.begin(), answer.path.begin() + static_cast<std::ptrdiff_t>(*at));
  request_.resume.forbidden = {answer.path[*at].id};
  tried_.push_back(*at);
  ++repairs_;
  return true;
}

}  // namespace cinnabar::daemon::syntax
