#include "daemon/editing/next_edit.h"

#include <algorithm>
#include <cmath>

#include "daemon/editing/code_tokens.h"

namespace cinnabar::daemon {
namespace {

constexpr std::size_t kBefore = 1'000;  // bytes of text before the first proposal that the model reads, about

// The gain in nats from which on a proposal is shown, by its pattern's strength.
float needed(const EditCandidate& candidate) {
  const auto tokens = static_cast<float>(candidate.begin == candidate.end ? code_tokens(candidate.text).size() : 0);
  if (tokens > 0) return -1.5f * tokens;  // what is only added makes any line less likely
  if (candidate.strength >= 0.9f) return -6.0f;
  if (candidate.strength >= 0.75f) return -3.0f;
  if (candidate.strength >= 0.6f) return 0.0f;
  return 2.0f;
}
constexpr float kBesideAnother = 4.0f;  // where one like it is shown already, another needs so much less

// An added line has nothing to be compared with: its tokens have to be this likely, in nats each.
constexpr float kNeededOfAddedLine = -0.9f;
// One token says no more against it than this: a vocabulary that lacks ".phone" makes the dot before it very unlikely.
constexpr float kLeastOfAddedToken = -3.0f;

float mean_of_added(const engine::InfillAnswer& answer) {
  float sum = 0;
  for (const auto& token : answer.path)
    sum += std::max(std::log(std::max(token.probability, 1e-9f)), kLeastOfAddedToken);
  return sum / static_cast<float>(answer.path.size());
}

bool adds_lines(const EditCandidate& candidate) {
  return candidate.begin == candidate.end && candidate.text.starts_with('\n');
}

}  // namespace

float log_probability(const engine::InfillAnswer& answer) {
  float sum = 0;
  for (const auto& token : answer.path) sum += std::log(std::max(token.probability, 1e-9f));
  return sum;
}

ProposalMachine::ProposalMachine(std::string text, std::vector<EditCandidate> candidates, LineEdit edited,
                                 NextEditOptions options)
    : text_(std::move(text)),
      candidates_(std::move(candidates)),
      edited_(std::move(edited)),
      options_(std::move(options)) {
  std::size_t first = text_.size();
  for (std::size_t i = 0; i < std::min(candidates_.size(), options_.judged); ++i)
    first = std::min(first, candidates_[i].begin);
  window_ = line_begin(text_, first > kBefore ? first - kBefore : 0);
  ask_next();
}

bool ProposalMachine::is_beside_shown(const EditCandidate& candidate) const {
  if (candidate.pattern != shown_.front().pattern) return false;
  const std::size_t begin = std::min(candidate.begin, shown_.front().begin),
                    end = std::max(candidate.begin, shown_.front().begin);
  const auto lines = std::count(text_.begin() + static_cast<std::ptrdiff_t>(begin),
                                text_.begin() + static_cast<std::ptrdiff_t>(end), '\n');
  return static_cast<std::size_t>(lines) <= kApart;
}

void ProposalMachine::ask_next() {
  request_.reset();
  while (next_ < candidates_.size() && !shown_.empty() && !is_beside_shown(candidates_[next_])) ++next_;
  if (next_ == candidates_.size() || judged_ == options_.judged) return;
  const EditCandidate& candidate = candidates_[next_];
  if (adds_lines(candidate)) {
    judging_ = {candidate.begin, candidate.begin, candidate.text, 0.0f};
    return ask(judging_.changed);
  }
  const std::size_t line = line_begin(text_, candidate.begin);
  const std::size_t end = std::min(text_.find('\n', candidate.end), text_.size() - 1) + 1;
  judging_ = {
      line,
      end,
      text_.substr(line, candidate.begin - line) + candidate.text + text_.substr(candidate.end, end - candidate.end),
      {}};
  ask(std::string_view(text_).substr(line, end - line));
}

// The text between, with what is shown already taken: a later line is judged beside it.
std::string ProposalMachine::as_accepted(std::size_t begin, std::size_t end) const {
  std::vector<EditCandidate> taken = shown_;
  std::sort(taken.begin(), taken.end(), [](const auto& one, const auto& other) { return one.begin < other.begin; });
  std::string text;
  for (const EditCandidate& candidate : taken) {
    if (candidate.begin < begin || candidate.end > end) continue;
    text += text_.substr(begin, candidate.begin - begin) + candidate.text;
    begin = candidate.end;
  }
  return text + text_.substr(begin, end - begin);
}

void ProposalMachine::ask(std::string_view scored) {
  engine::InfillRequest request = options_.defaults;
  const std::size_t begin = std::min(window_, judging_.line);
  request.prefix = as_accepted(begin, judging_.line);
  if (edited_.begin < begin || edited_.begin >= judging_.line) {
    std::string edited;
    for (const auto& line : edited_.after) edited += line + "\n";
    request.context = {std::move(edited)};
  }
  request.suffix.clear();
  request.end = engine::EndRule::hole;
  request.scored = std::string(scored);
  request_ = std::move(request);
}

void ProposalMachine::take(const engine::InfillResult& result) {
  if (result.answers.empty() || result.answers.front().path.empty()) {  // stopped: nothing is shown
    request_.reset();
    return;
  }
  const engine::InfillAnswer& answer = result.answers.front();
  const float said = log_probability(answer);
  if (!judging_.present) {
    judging_.present = said;
    return ask(judging_.changed);
  }
  const EditCandidate& candidate = candidates_[next_];
  if (adds_lines(candidate))
    judge(candidate, (mean_of_added(answer) - kNeededOfAddedLine) * 4);
  else
    judge(candidate, said - *judging_.present - needed(candidate) + (shown_.empty() ? 0.0f : kBesideAnother));
  ++judged_;
  ++next_;
  ask_next();
}

void ProposalMachine::judge(const EditCandidate& candidate, float gain) {
  gains_.push_back(gain);
  if (gain + options_.eagerness <= 0) return;
  shown_.push_back(candidate);
  std::sort(shown_.begin() + 1, shown_.end(),
            [](const auto& one, const auto& other) { return one.begin < other.begin; });
}

}  // namespace cinnabar::daemon
