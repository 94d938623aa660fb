// `cinnabar complete FILE:LINE:COL`: the whole line from text to answer, without an editor. --watch draws the answer
// while it settles.
#include <unistd.h>

#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>

#include "daemon/commands/commands.h"
#include "daemon/commands/given_options.h"
#include "daemon/commands/setup.h"
#include "daemon/commands/spot.h"
#include "engine/decoding/decode.h"

namespace cinnabar::daemon {
namespace {

// Green when sure, yellow, then red; a masked position is a grey box.
std::string coloured(const engine::ShownToken& token, const engine::Tokenizer& tokenizer) {
  if (token.token < 0) return "\x1b[90m\u2592\u2592\x1b[0m";
  const char* colour = token.probability >= 0.9f   ? "\x1b[32m"
                       : token.probability >= 0.5f ? "\x1b[33m"
                       : token.probability > 0     ? "\x1b[31m"
                                                   : "\x1b[90m";
  return colour + std::string(tokenizer.bytes(token.token)) + "\x1b[0m";
}

// Redraws the answer in place after every step.
class Watcher {
 public:
  explicit Watcher(const engine::Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  void operator()(std::span<engine::Decoding* const> decodings, const engine::DecodeStats& stats) {
    std::string frame;
    for (const auto& token : decodings.front()->view()) frame += coloured(token, tokenizer_);
    if (lines_ > 0) std::cout << "\x1b[" << lines_ << "A";
    std::cout << "\r\x1b[J" << frame << "\n\x1b[90mstep " << stats.nfe << ", " << std::fixed << std::setprecision(0)
              << stats.milliseconds << " ms\x1b[0m\n"
              << std::flush;
    lines_ = 2 + static_cast<int>(std::count(frame.begin(), frame.end(), '\n'));
  }
  void erase() const {
    if (lines_ > 0) std::cout << "\x1b[" << lines_ << "A\r\x1b[J";
  }

 private:
  const engine::Tokenizer& tokenizer_;
  int lines_ = 0;
};

std::string line_before(const std::string& prefix) { return prefix.substr(prefix.rfind('\n') + 1); }

// What was made of the place, stage by stage.
void explain(const AskedSpot& asked, const Answered& answered, std::ostream& out) {
  const auto line = [&](std::string_view stage, double milliseconds, const std::string& did) {
    out << std::left << std::setw(8) << stage << std::right << std::fixed << std::setprecision(2) << std::setw(9)
        << milliseconds << " ms  " << did << "\n";
  };
  const syntax::TreePtr& tree = asked.ask.region->tree;
  line("parse", asked.parse_milliseconds, tree ? std::string(tree->language().name) : "no tree");
  for (const StageReport& stage : answered.stages) line(stage.stage, stage.milliseconds, stage.did);
}

void print_result(const engine::InfillRequest& request, const Answered& answered) {
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  const std::string rest = request.suffix.substr(0, request.suffix.find('\n'));
  for (const Shown& shown : answered.shown) {
    std::cout << line_before(request.prefix) << (terminal ? "\x1b[32m" : "") << shown.text
              << (terminal ? "\x1b[0m" : "") << rest << "\n";
  }
  if (answered.shown.empty()) std::cout << "-- nothing fit to be shown (--explain says why)\n";
  const engine::InfillResult& result = answered.first;
  int tokens = 0;
  for (const auto& answer : result.answers) tokens += answer.tokens;
  const int forwards = result.decode.nfe + answered.repair_forwards;
  const double decode = result.decode.milliseconds + answered.repair_milliseconds;
  std::cout << std::fixed << std::setprecision(0) << "-- " << result.prompt_milliseconds + decode << " ms (prompt of "
            << result.prompt_tokens << " tokens " << result.prompt_milliseconds << " ms, " << forwards << " forwards "
            << decode << " ms), " << tokens << " tokens, " << std::setprecision(2)
            << (tokens > 0 ? static_cast<double>(forwards) / tokens : 0.0) << " forwards/token, "
            << std::setprecision(0) << (decode > 0 ? tokens * 1000.0 / decode : 0.0)
            << " tokens/s, end: " << name(result.answers.front().reason) << "\n";
}

void print_json(const AskedSpot& asked, const Answered& answered, bool with_stages) {
  const engine::InfillResult& result = answered.first;
  nlohmann::json answers = nlohmann::json::array();
  for (const Shown& shown : answered.shown) {
    answers.push_back({{"text", shown.text},
                       {"finish_reason", name(shown.reason)},
                       {"tokens", shown.tokens},
                       {"sureness", shown.sureness}});
  }
  nlohmann::json out = {{"answers", answers},
                        {"nfe", result.decode.nfe + answered.repair_forwards},
                        {"ms", result.prompt_milliseconds + result.decode.milliseconds + answered.repair_milliseconds},
                        {"prompt_ms", result.prompt_milliseconds},
                        {"prompt_tokens", result.prompt_tokens},
                        {"replaces", {{"begin", asked.ask.begin()}, {"end", asked.ask.end()}}}};
  if (with_stages) {
    out["stages"].push_back({{"stage", "parse"}, {"ms", asked.parse_milliseconds}});
    for (const StageReport& stage : answered.stages)
      out["stages"].push_back({{"stage", stage.stage}, {"ms", stage.milliseconds}, {"did", stage.did}});
  }
  std::cout << out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

// What the answer takes the place of, when that is more than blanks.
void print_replaced(const Ask& ask, const std::string& text) {
  const std::string replaced = text.substr(ask.begin(), ask.end() - ask.begin());
  if (!is_blank(replaced)) std::cout << "-- instead of: " << replaced << "\n";
}

}  // namespace

int run_complete(Options& options) {
  const auto spot = parse_spot(options.command.arguments, "complete");
  if (!spot) return wrong_spot(spot.status());
  const auto file = open_spot(*spot);
  if (!file) return failed(file.status());
  auto engine = open_engine_as_given(options);
  if (!engine) return failed(engine.status());
  const AskedSpot asked = ask_at(*file, options);
  AnswerMachine machine(asked.ask, answer_options(options));
  Watcher watcher((*engine)->tokenizer());
  engine::StepObserver observer;
  if (options.command.watch) observer = std::ref(watcher);
  const auto answered = answered_by(**engine, machine, limits_of(options), observer);
  if (!answered) return failed(answered.status());
  if (options.command.watch) watcher.erase();
  if (options.command.json) {
    print_json(asked, *answered, options.command.explain);
    return 0;
  }
  if (options.command.explain) explain(asked, *answered, std::cout);
  print_result(asked.ask.request, *answered);
  print_replaced(asked.ask, file->text);
  return 0;
}

}  // namespace cinnabar::daemon
