#include "daemon/editing/rewrite.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/text.h"
#include "daemon/editing/next_edit.h"
#include "daemon/syntax/critic.h"
#include "daemon/syntax/tree.h"

namespace cinnabar::daemon {
namespace {

using engine::PromptPart;

constexpr std::string_view kFence = "```";
constexpr int kMostTokens = 1024;

// The words that ask for another signature: then the model writes it, too.
bool concerns_signature(std::string_view instruction) {
  static constexpr std::array kWords = {"parameter", "argument", "signature", "type",  "rename", "name",
                                        "async",     "decorat",  "generic",   "annot", "return", "static"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return instruction.find(word) != std::string_view::npos; });
}

// The lines of a function's or a loop's header at the region's beginning, with their line end: at most three.
std::string header_of(std::string_view region) {
  std::size_t at = 0;
  for (int line = 0; line < 3 && at < region.size(); ++line) {
    const std::size_t end = region.find('\n', at);
    if (end == std::string_view::npos) return {};
    const std::string_view text = right_stripped(region.substr(at, end - at));
    at = end + 1;
    if (text.ends_with(':') || text.ends_with('{'))
      return is_blank(region.substr(at)) ? std::string() : std::string(region.substr(0, at));
  }
  return {};
}

void add_turn(std::vector<PromptPart>& parts, std::string text) {
  parts.push_back({"<|im_start|>", true});
  parts.push_back({std::move(text), false});
  parts.push_back({"<|im_end|>", true});
  parts.push_back({"\n", false});
}

// The chat form of the default model's family; its answer goes on behind `head`.
std::vector<PromptPart> chat(const RewriteTask& task, std::string_view instruction, std::string_view head) {
  const std::string language = task.language != nullptr ? std::string(task.language->name) : std::string();
  std::string asked(instruction);
  for (const auto& message : task.diagnostics) asked += "\n" + message;
  const std::string open = std::string(kFence) + language + "\n", close(kFence);
  const auto whole = [](std::string text) { return text.ends_with('\n') ? text : text + '\n'; };
  std::vector<PromptPart> parts;
  add_turn(parts, "system\nYou are a helpful assistant.");
  if (task.example) {
    add_turn(parts, "user\n" + asked + "\n" + open + whole(task.example->before) + close);
    add_turn(parts, "assistant\n" + open + whole(task.example->after) + close);
  }
  add_turn(parts, "user\n" + asked + "\n" + open + whole(task.region) + close);
  parts.push_back({"<|im_start|>", true});
  parts.push_back({"assistant\n" + open + std::string(head), false});
  return parts;
}

// Up to the fence that closes the answer.
std::optional<std::size_t> fence_end(std::string_view text) {
  if (text.starts_with(kFence)) return 0;
  const std::size_t at = text.find("\n```");
  return at == std::string_view::npos ? std::nullopt : std::optional(at + 1);
}

bool repeats_itself(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = stripped(text.substr(at, end - at));
    if (line.size() > 3) lines.push_back(line);
    at = end + 1;
  }
  for (std::size_t i = 0; i + 3 < lines.size(); ++i) {
    if (lines[i] == lines[i + 1] && lines[i] == lines[i + 2] && lines[i] == lines[i + 3]) return true;
  }
  return false;
}

}  // namespace

RewriteMachine::RewriteMachine(RewriteTask task, RewriteOptions options)
    : task_(std::move(task)), options_(std::move(options)) {
  if (!concerns_signature(task_.instruction)) head_ = header_of(task_.region);
  request_ = ask(task_.instruction);
}

engine::InfillRequest RewriteMachine::ask(std::string_view instruction) const {
  engine::InfillRequest request = options_.defaults;
  request.parts = chat(task_, instruction, head_);
  request.end = engine::EndRule::hole;
  request.other_end = fence_end;
  request.former =
      task_.region.substr(head_.size()) + std::string(task_.region.ends_with('\n') ? "" : "\n") + std::string(kFence);
  request.max_tokens = std::clamp(static_cast<int>(task_.region.size()) * 2 / 3 + 96, 128, kMostTokens);
  request.candidates = 1;
  return request;
}

RegionPlace RewriteMachine::place() const {
  const std::string_view region = task_.region;
  return {task_.language, task_.before, head_, region.substr(head_.size()), task_.after};
}

std::string RewriteMachine::written(const engine::InfillAnswer& answer) const {
  std::string text = answer.text;
  if (!task_.region.ends_with('\n'))
    text = std::string(right_stripped(text));
  else if (!text.ends_with('\n'))
    text += '\n';
  return text;
}

std::string RewriteMachine::whole(const std::string& written) const { return head_ + fitted(place(), written); }

std::string RewriteMachine::objection(std::string_view text) const {
  if (is_blank(text)) return "the model gave no text";
  if (stripped(text) == stripped(task_.region)) return "the model would leave it as it is";
  if (repeats_itself(text) && !repeats_itself(task_.region)) return "the model's answer fell apart";
  if (task_.language == nullptr) return {};
  const auto before = syntax::damage_of(*task_.language, task_.before + task_.region + task_.after);
  const auto after = syntax::damage_of(*task_.language, task_.before + std::string(text) + task_.after);
  if (after.count() > before.count()) return "the file would parse worse with the model's answer";
  return misfit(place(), text.substr(head_.size()), task_.instruction);
}

void RewriteMachine::take(const engine::InfillResult& result) {
  ++seen_;
  forwards_ += result.decode.nfe;
  if (result.answers.empty()) return end("the model gave no answer");
  const engine::InfillAnswer& answer = result.answers.front();
  tokens_ += answer.tokens;
  if (answer.reason == engine::StopReason::cancelled || answer.reason == engine::StopReason::deadline)
    return end("the model was not done in time");
  switch (stage_) {
    case Stage::first: {
      const std::string text = whole(written(answer));
      why_ = answer.reason == engine::StopReason::length ? "the model's answer is too long" : objection(text);
      if (why_.empty()) {
        result_ = text;
        return end({});
      }
      doubt(answer);
      return next_instead();
    }
    case Stage::instead: {
      const std::string text = whole(written(answer));
      if (answer.reason != engine::StopReason::length && objection(text).empty() &&
          std::none_of(candidates_.begin(), candidates_.end(), [&](const auto& other) { return other.text == text; }))
        candidates_.push_back({text, written(answer), log_probability(answer), 0});
      return next_instead();
    }
    case Stage::without_instruction:
      candidates_[next_++].without = log_probability(answer);
      return next_without();
    case Stage::done:
      return;
  }
}

void RewriteMachine::failed(const Status& status) { end(status.message()); }

// Where the answer's tokens were least sure; the answer is asked for again from there, without that token.
void RewriteMachine::doubt(const engine::InfillAnswer& answer) {
  std::vector<std::size_t> order(answer.path.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t one, std::size_t other) {
    return answer.path[one].probability < answer.path[other].probability;
  });
  for (const std::size_t i : order) {
    if (static_cast<int>(instead_.size()) == options_.doubts) break;
    engine::Resume resume;
    resume.tokens.assign(answer.path.begin(), answer.path.begin() + static_cast<std::ptrdiff_t>(i));
    resume.forbidden = {answer.path[i].id};
    instead_.push_back(std::move(resume));
  }
  next_ = 0;
}

void RewriteMachine::next_instead() {
  stage_ = Stage::instead;
  if (next_ == instead_.size()) {
    next_ = 0;
    if (candidates_.size() == 1) return choose();
    return next_without();
  }
  request_ = ask(task_.instruction);
  request_->resume = instead_[next_++];
}

// How likely each candidate is when nothing in particular is asked for.
void RewriteMachine::next_without() {
  stage_ = Stage::without_instruction;
  if (next_ == candidates_.size()) return choose();
  request_ = ask("Here is some code. Repeat it.");
  request_->scored = candidates_[next_].answer;
}

void RewriteMachine::choose() {
  if (candidates_.empty()) return end(why_);
  const auto best = std::max_element(candidates_.begin(), candidates_.end(), [](const auto& one, const auto& other) {
    return one.with - one.without < other.with - other.without;
  });
  result_ = best->text;
  end({});
}

void RewriteMachine::end(std::string why) {
  request_.reset();
  stage_ = Stage::done;
  why_ = std::move(why);
}

Result<std::string> RewriteMachine::result() const {
  if (result_) return *result_;
  return Status::error(why_);
}

}  // namespace cinnabar::daemon
