#include "daemon/completion/answer.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "daemon/completion/present.h"

namespace cinnabar::daemon {
namespace {

double now() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool was_stopped(engine::StopReason reason) {
  return reason == engine::StopReason::deadline || reason == engine::StopReason::cancelled;
}

std::string bytes(std::size_t count) { return std::to_string(count) + (count == 1 ? " byte" : " bytes"); }

std::string described(const syntax::Verdict& verdict) {
  if (verdict.withheld) return "withheld: the document would parse worse with every part of it";
  if (verdict.cut) return "cut to its first " + bytes(verdict.text.size());
  return verdict.worse ? "the document parses worse with it" : "nothing is wrong";
}

std::string percent(double share) {
  char text[16];
  std::snprintf(text, sizeof text, "%.0f %%", share * 100);
  return text;
}

// The answer up to the end of what is shown of it: what repeats the rest of the line, say, makes it no less sure.
engine::InfillAnswer shown_part(const engine::InfillAnswer& answer, std::string_view shown) {
  engine::InfillAnswer part = answer;
  const std::size_t blanks = std::min(answer.text.find_first_not_of(" \t"), answer.text.size());
  const std::size_t at = shown.empty() ? std::string::npos : answer.text.find(shown);
  if (at == std::string::npos || at > blanks) return part;
  part.text.resize(at + shown.size());
  const auto last = std::find_if(part.path.begin(), part.path.end(),
                                 [&](const engine::InfillToken& token) { return token.end >= part.text.size(); });
  if (last != part.path.end()) part.path.erase(std::next(last), part.path.end());
  return part;
}

}  // namespace

const std::string& Answered::text() const {
  static const std::string kNone;
  return shown.empty() ? kNone : shown.front().text;
}

AnswerMachine::AnswerMachine(Ask ask, AnswerOptions options) : ask_(std::move(ask)), options_(options) {
  if (ask_.has_tree() && ask_.request.candidates == 1)
    repair_.emplace(*ask_.region->tree, ask_.region->lines, ask_.hole, ask_.request, options_.repairs);
  answered_.stages.push_back({"plan", ask_.milliseconds,
                              std::string(name(ask_.hole.kind)) + ", until " + std::string(name(ask_.hole.until)) +
                                  (ask_.has_tree() ? "" : " (no tree)")});
}

void AnswerMachine::report(std::string_view stage, double since, std::string did) {
  answered_.stages.push_back({stage, now() - since, std::move(did)});
}

std::string AnswerMachine::presented(const engine::InfillAnswer& answer) const {
  const DocumentSnapshot& document = *ask_.region->document;
  const std::string_view text = document.text();
  Fitting place;
  place.before = text.substr(0, ask_.begin());
  place.behind = text.substr(ask_.end());
  place.language = syntax::language_of(document);
  place.language_id = document.language_id();
  if (ask_.has_tree()) place.hole = &ask_.hole;
  place.formatting = options_.formatting;
  return presentable(answer, place);
}

std::string AnswerMachine::present(const engine::InfillAnswer& answer) {
  const double start = now();
  std::string shown = presented(answer);
  report("present", start,
         shown == answer.text ? "all of it" : bytes(shown.size()) + " of " + std::to_string(answer.text.size()));
  return shown;
}

bool AnswerMachine::take(engine::InfillResult result) {
  const bool first = taken_++ == 0;
  if (first || result.prompt_tokens > result.reused_tokens)
    answered_.stages.push_back({"prompt", result.prompt_milliseconds,
                                std::to_string(result.prompt_tokens) + " tokens, " +
                                    std::to_string(result.reused_tokens) + " of them reused"});
  const bool has_answer = !result.answers.empty();
  answered_.stages.push_back({first ? "decode" : "repair", result.decode.milliseconds,
                              std::to_string(result.decode.nfe) + " forwards" +
                                  (has_answer ? ", " + std::to_string(result.answers.front().tokens) +
                                                    " tokens, end: " + std::string(name(result.answers.front().reason))
                                              : ", no answer")});
  if (!first) {
    ++answered_.repairs;
    answered_.repair_forwards += result.decode.nfe;
    answered_.repair_milliseconds += result.decode.milliseconds;
  }
  bool last = true;
  if (repair_ && has_answer) {
    const engine::InfillAnswer& answer = result.answers.front();
    const std::string shown = present(answer);
    const double start = now();
    last = repair_->take(answer, shown);
    report("critic", start, last ? described(repair_->verdict()) : "wrong: asked again from where it went wrong");
  }
  if (first) answered_.first = std::move(result);
  return last;
}

// The text of an answer that is fit to be shown; empty: none.
std::string AnswerMachine::judged(const engine::InfillAnswer& answer, bool is_first) {
  const double start = now();
  if (answer.text.empty()) {
    report("gate", start, "there is no text to judge");
    return {};
  }
  const std::string whole = presented(answer);
  engine::InfillAnswer part = shown_part(answer, whole);
  std::size_t sure =
      sure_bytes(part.text, part.path, options_.eagerness, syntax::language_of(*ask_.region->document), options_.gate);
  if (sure == 0) sure = sure_name_bytes(part.text, part.path, options_.eagerness);
  const bool cut = sure < part.text.size();
  report("gate", start,
         percent(sureness(part.path, options_.gate)) + " sure: " +
             (!cut        ? "shown"
              : sure == 0 ? "kept back"
                          : "its first " + bytes(sure) + " are looked at"));
  if (cut) answered_.doubted.push_back(answer.text);
  if (!cut && is_first && repair_) return repair_->verdict().text;
  if (sure == 0 && cut) return {};
  part.text.resize(sure);
  part.reason = engine::StopReason::hole_end;  // a cut is behind whole statements, or a name
  const std::string shown = present(cut ? part : answer);
  if (shown.empty() || !ask_.has_tree()) return shown;
  const double critic = now();
  const auto verdict = syntax::judge(*ask_.region->tree, ask_.region->lines, ask_.hole, shown);
  report("critic", critic, described(verdict));
  if (is_first && !cut) answered_.verdict = verdict;
  return cut && verdict.cut ? std::string() : verdict.text;  // a beginning has to be right by itself
}

Answered AnswerMachine::finish() {
  std::vector<engine::InfillAnswer> answers = answered_.first.answers;
  if (repair_ && !answers.empty()) answers.front() = repair_->answer();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    answered_.stopped_early = answered_.stopped_early || was_stopped(answers[i].reason);
    std::string text = judged(answers[i], i == 0);
    const auto same = [&](const Shown& shown) { return shown.text == text; };
    if (!text.empty() && std::none_of(answered_.shown.begin(), answered_.shown.end(), same))
      answered_.shown.push_back(
          {std::move(text), sureness(answers[i].path, options_.gate), answers[i].reason, answers[i].tokens});
  }
  if (repair_) {
    answered_.verdict = repair_->verdict();
    answered_.repaired = repair_->repaired();
  }
  return std::move(answered_);
}

}  // namespace cinnabar::daemon
