// `cinnabar complete FILE:LINE:COL`: the whole line from text to answer, without an editor. --watch draws the answer
// while it settles.
#include <unistd.h>

#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>

#include "daemon/commands/commands.h"
#include "daemon/commands/setup.h"
#include "daemon/commands/spot.h"
#include "daemon/completion/fill.h"
#include "daemon/completion/repair.h"
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

void print_result(const engine::InfillRequest& request, const engine::InfillResult& result) {
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  for (const auto& answer : result.answers) {
    const std::string rest = request.suffix.substr(0, request.suffix.find('\n'));
    std::cout << line_before(request.prefix) << (terminal ? "\x1b[32m" : "") << answer.text
              << (terminal ? "\x1b[0m" : "") << rest << "\n";
  }
  int tokens = 0;
  for (const auto& answer : result.answers) tokens += answer.tokens;
  const auto& decode = result.decode;
  std::cout << std::fixed << std::setprecision(0) << "-- " << result.prompt_milliseconds + decode.milliseconds
            << " ms (prompt of " << result.prompt_tokens << " tokens " << result.prompt_milliseconds << " ms, "
            << decode.nfe << " forwards " << decode.milliseconds << " ms), " << tokens << " tokens, "
            << std::setprecision(2) << (tokens > 0 ? static_cast<double>(decode.nfe) / tokens : 0.0)
            << " forwards/token, " << std::setprecision(0)
            << (decode.milliseconds > 0 ? tokens * 1000.0 / decode.milliseconds : 0.0)
            << " tokens/s, end: " << name(result.answers.front().reason) << "\n";
}

// What is to be filled in a file, and what the model is asked for it.
struct PlannedFile {
  PlannedFile(const OpenSpot& spot, const Options& options) : request(options.request) {
    if (options.by_plan) {
      const PlannedSpot planned = plan_spot(spot);
      site = planned.site;
      hole = planned.plan.holes.front();
      request = syntax::request_for(*site, hole, std::move(request));
      begin = site->begin + hole.begin;
      end = site->begin + hole.end;
    } else {
      request.prefix = spot.text.substr(0, spot.offset);
      request.suffix = spot.text.substr(spot.offset);
      begin = end = spot.offset;
    }
  }
  bool has_tree() const { return site && site->tree; }

  syntax::SitePtr site;  // null: no plan is wanted
  syntax::Hole hole;
  engine::InfillRequest request;
  std::size_t begin = 0, end = 0;  // what the answer replaces, in the file
};

// The answers as the critic leaves them; the first is repaired where that is wanted.
Result<engine::InfillResult> fill(engine::Engine& engine, const PlannedFile& file, const Options& options,
                                  const engine::StepObserver& observer) {
  const auto limits = limits_of(options);
  auto result = engine.infill(file.request, limits, observer);
  if (!result || !file.has_tree()) return result;
  const syntax::Site& site = *file.site;
  syntax::Repair repair(*site.tree, site.lines, file.hole, file.request, options.repairs);
  engine::InfillAnswer first = result->answers.front();
  while (!repair.take(first)) {
    auto again = engine.infill(repair.request(), limits, observer);
    if (!again) return again.status();
    first = again->answers.front();
    result->decode.nfe += again->decode.nfe;
    result->decode.milliseconds += again->decode.milliseconds;
  }
  result->answers.front().text = repair.verdict().text;
  for (auto& answer : std::span(result->answers).subspan(1))
    answer.text = syntax::judge(*site.tree, site.lines, file.hole, answer.text).text;
  return result;
}

void print_json(const engine::InfillResult& result, const PlannedFile& file) {
  nlohmann::json answers = nlohmann::json::array();
  for (const auto& answer : result.answers) {
    answers.push_back({{"text", answer.text}, {"finish_reason", name(answer.reason)}, {"tokens", answer.tokens}});
  }
  const nlohmann::json out = {{"answers", answers},
                              {"nfe", result.decode.nfe},
                              {"ms", result.prompt_milliseconds + result.decode.milliseconds},
                              {"prompt_ms", result.prompt_milliseconds},
                              {"prompt_tokens", result.prompt_tokens},
                              {"replaces", {{"begin", file.begin}, {"end", file.end}}}};
  std::cout << out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

// What the answer takes the place of, when that is more than blanks.
void print_replaced(const PlannedFile& file, const std::string& text) {
  const std::string replaced = text.substr(file.begin, file.end - file.begin);
  if (!is_blank(replaced)) std::cout << "-- instead of: " << replaced << "\n";
}

}  // namespace

int run_complete(Options& options) {
  const auto spot = parse_spot(options.arguments, "complete");
  if (!spot) return wrong_spot(spot.status());
  const auto file = open_spot(*spot);
  if (!file) return failed(file.status());
  auto engine = open_engine(options);
  if (!engine) return failed(engine.status());
  const PlannedFile planned(*file, options);
  Watcher watcher((*engine)->tokenizer());
  engine::StepObserver observer;
  if (options.watch) observer = std::ref(watcher);
  const auto result = fill(**engine, planned, options, observer);
  if (!result) return failed(result.status());
  if (options.watch) watcher.erase();
  if (options.json) {
    print_json(*result, planned);
  } else {
    print_result(planned.request, *result);
    print_replaced(planned, file->text);
  }
  return 0;
}

}  // namespace cinnabar::daemon
