// `cinnabar replay FILE`: runs each request of a recording again and compares the answer, bit for bit.
#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>

#include "base/lines.h"
#include "daemon/commands/command_line.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/setup.h"
#include "daemon/completion/ask.h"
#include "daemon/server/recording.h"
#include "daemon/server/shared_model.h"
#include "daemon/workspace/documents/region.h"
#include "lsp/json.h"

namespace cinnabar::daemon {
namespace {

enum class Comparison { same, different, not_compared };

std::string quoted(const std::string& text) { return lsp::write_json(text); }

// Out of time or cancelled: what was recorded is a beginning.
bool stopped_early(const engine::InfillAnswer& answer) {
  return answer.reason == engine::StopReason::deadline || answer.reason == engine::StopReason::cancelled;
}

Comparison compare(const engine::InfillAnswer& recorded, const engine::InfillAnswer& now, engine::Mode mode) {
  // Ill-formed text stands in the recording as JSON can say it, so both are compared in that form.
  const std::string before = quoted(recorded.text), after = quoted(now.text);
  if (before == after && recorded.reason == now.reason) return Comparison::same;
  if (!stopped_early(recorded)) return Comparison::different;
  // Denoising settles text in any order. Decoded in order, one is a beginning of the other: the whole answer may have
  // lost blanks at its end that the beginning still had.
  if (mode == engine::Mode::diffusion) return Comparison::not_compared;
  const std::size_t common = std::min(before.size(), after.size()) - 1;  // without the closing quote
  return before.compare(0, common, after, 0, common) == 0 ? Comparison::same : Comparison::different;
}

// Candidates stand by how probable they are, and one that repeats another is left out: stopped early, they may be others,
// in another order. Each has to be the beginning of one, or nothing can be said.
Comparison compare_stopped(const Recording& recording, const std::vector<engine::InfillAnswer>& now) {
  const bool all = std::all_of(recording.answers.begin(), recording.answers.end(), [&](const auto& recorded) {
    return std::any_of(now.begin(), now.end(), [&](const auto& answer) {
      return compare(recorded, answer, recording.options.request.defaults.mode) == Comparison::same;
    });
  });
  return all ? Comparison::same : Comparison::not_compared;
}

engine::InfillRequest request_of(const Recording& recording) {
  syntax::ParseLimits limits;
  limits.time = std::chrono::minutes(1);  // there was a tree in time when it was recorded
  const std::size_t offset = recording.before.size();
  const auto region = syntax::region_at(recording.before + recording.behind, offset, recording.language, "", limits);
  AskOptions how = ask_options(recording.options);
  how.defaults.heading = recording.heading;
  auto request = ask_at(region, offset, how, {recording.above, recording.context}).request;
  request.candidates = recording.candidates;
  request.former = recording.former;
  request.resume = recording.resume;
  return request;
}

// Keeps the model between lines that were recorded with the same one.
class Replayer {
 public:
  explicit Replayer(const Options& options) : given_(options) {}

  // Prints the line's verdict.
  Result<Comparison> replay(std::size_t number, const std::string& line) {
    auto recording = parse_recording(line);
    if (!recording) return recording.status();
    if (Status opened = open(*recording); !opened) return opened;
    auto result = engine_->infill(request_of(*recording), {});
    if (!result) return result.status();
    Comparison verdict = result->answers.size() == recording->answers.size() ? Comparison::same : Comparison::different;
    std::size_t at = 0;
    const bool stopped = std::any_of(recording->answers.begin(), recording->answers.end(), stopped_early);
    if (stopped && recording->candidates > 1) {
      verdict = compare_stopped(*recording, result->answers);
      print(number, verdict, *recording, *result, 0);
      return verdict;
    }
    for (; at < recording->answers.size() && verdict == Comparison::same; ++at)
      verdict = compare(recording->answers[at], result->answers[at], recording->options.request.defaults.mode);
    print(number, verdict, *recording, *result, at == 0 ? 0 : at - 1);
    return verdict;
  }

 private:
  // What the command line says goes before what was recorded.
  Status open(const Recording& recording) {
    Options wanted = recording.options;
    for (const Command& command : commands()) {
      if (command.run != run_replay) continue;
      auto both = parse_options(command, given_.command.given, 0, std::move(wanted));
      if (!both) return both.status();
      wanted = std::move(both).value();
    }
    if (engine_ && same_model(wanted.model, opened_)) return {};
    engine_.reset();
    auto engine = open_engine(wanted);
    if (!engine) return engine.status();
    engine_ = std::move(engine).value();
    opened_ = wanted.model;
    return {};
  }

  void print(std::size_t number, Comparison verdict, const Recording& recording, const engine::InfillResult& now,
             std::size_t at) const {
    std::cout << "line " << number << ": ";
    if (verdict == Comparison::different && now.answers.size() != recording.answers.size()) {
      std::cout << "different: recorded " << recording.answers.size() << " answers, now " << now.answers.size();
    } else if (verdict == Comparison::different) {
      const auto &then = recording.answers[at], &here = now.answers[at];
      std::cout << "different: recorded " << quoted(then.text) << " (" << name(then.reason) << "), now "
                << quoted(here.text) << " (" << name(here.reason) << ")";
    } else if (verdict == Comparison::not_compared) {
      std::cout << "not compared: it was stopped (" << name(recording.answers[at].reason)
                << (recording.candidates > 1 ? ") among several" : ") while denoising");
    } else {
      std::cout << "same";
    }
    if (verdict == Comparison::same && !recording.answers.empty() && stopped_early(recording.answers.front()))
      std::cout << " as far as it went (" << name(recording.answers.front().reason) << ")";
    std::cout << ", nfe " << now.decode.nfe;
    if (now.decode.nfe != recording.nfe) std::cout << ", recorded " << recording.nfe;
    if (engine_->device() != recording.device) std::cout << ", recorded on " << recording.device;
    std::cout << "\n" << std::flush;
  }

  const Options& given_;
  std::unique_ptr<engine::Engine> engine_;
  ModelOptions opened_;
};

}  // namespace

int run_replay(Options& options) {
  if (options.command.arguments.size() != 1) {
    std::cerr << "cinnabar: replay expects one FILE, as daemon --record FILE wrote it\n";
    return 2;
  }
  const std::string& path = options.command.arguments.front();
  std::ifstream in(path, std::ios::binary);
  if (!in) return failed(Status::error(path + ": cannot be read"));
  Replayer replayer(options);
  std::size_t counts[3] = {}, damaged = 0, number = 0;
  std::string line;
  while (next_line(in, line)) {
    ++number;
    auto verdict = line.size() <= kLongestLine ? replayer.replay(number, line)
                                               : Result<Comparison>(Status::error("longer than a line of a recording"));
    if (verdict) {
      ++counts[static_cast<std::size_t>(*verdict)];
      continue;
    }
    ++damaged;
    std::cerr << "cinnabar: " << path << ", line " << number << ": " << verdict.message() << "\n";
  }
  if (in.bad() || number == 0) return failed(Status::error(path + ": " + (in.bad() ? "cannot be read" : "is empty")));
  std::cout << number << " requests: " << counts[0] << " same, " << counts[1] << " different, " << counts[2]
            << " not compared, " << damaged << " not run\n";
  return counts[1] + damaged == 0 ? 0 : 1;
}

}  // namespace cinnabar::daemon
