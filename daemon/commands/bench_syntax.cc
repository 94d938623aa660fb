// `cinnabar bench syntax [FILE...]`: what syntax costs around a request in a large file: following a keystroke,
// planning the hole, judging its answer. No model.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <random>

#include "base/text.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/setup.h"
#include "daemon/commands/spot.h"
#include "daemon/completion/answer.h"
#include "daemon/completion/present.h"
#include "daemon/syntax/critic.h"
#include "daemon/workspace/documents/region.h"

namespace cinnabar::daemon {
namespace {

// Time of this thread on a core: what other programs do beside it does not count.
struct Clock {
  using time_point = std::chrono::nanoseconds;
  static time_point now() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  }
};

constexpr std::size_t kLines = 10'000;
constexpr int kRequests = 200;

// One function of each language; the file is made of many.
struct Sample {
  const char* path;
  const char* text;
};
constexpr Sample kSamples[] = {
    {"sample.py",
     "def total(values, factor=1):\n    \"\"\"Sums what is positive.\"\"\"\n    result = 0\n    for value in values:\n"
     "        if value > 0:\n            result += scaled(value, factor)\n    return result\n\n\n"},
    {"sample.cc",
     "// Sums what is positive.\nstatic int total(const std::vector<int>& values, int factor) {\n  int result = 0;\n"
     "  for (const int value : values) {\n    if (value > 0) {\n      result += scaled(value, factor);\n    }\n  }\n"
     "  return result;\n}\n\n"},
    {"sample.ts",
     "export function total(values: number[], factor = 1): number {\n  let result = 0;\n  for (const value of values) "
     "{\n"
     "    if (value > 0) {\n      result += scaled(value, { factor, round: (x) => Math.floor(x) });\n    }\n  }\n"
     "  return result;\n}\n\n"},
    {"sample.go",
     "// total sums what is positive.\nfunc total(values []int, factor int) int {\n\tresult := 0\n"
     "\tfor _, value := range values {\n\t\tif value > 0 {\n\t\t\tresult += scaled(value, factor)\n\t\t}\n\t}\n"
     "\treturn result\n}\n\n"},
    {"sample.rs",
     "/// Sums what is positive.\npub fn total(values: &[i32], factor: i32) -> i32 {\n    let mut result = 0;\n"
     "    for value in values {\n        if *value > 0 {\n            result += scaled(*value, factor);\n        }\n   "
     " }\n"
     "    result\n}\n\n"},
    {"Sample.java",
     "class Total {\n  /** Sums what is positive. */\n  static int total(int[] values, int factor) {\n    int result = "
     "0;\n"
     "    for (int value : values) {\n      if (value > 0) {\n        result += scaled(value, factor);\n      }\n    "
     "}\n"
     "    return result;\n  }\n}\n\n"},
};

// What is typed on a new line, and answers behind it: one that is right, and one that is wrong from its second line on.
constexpr std::string_view kTyped = "result = scaled(value";
constexpr std::string_view kRight = ", factor)";
constexpr std::string_view kWrong = ", factor)\nif (value))) {\nscaled(}]\nresult = (1\nvalue))\n}}\n(result\nscaled((";

struct Times {
  std::vector<double> parse, plan, judge, all;
};

double milliseconds(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

double at_share(std::vector<double> times, double share) {
  std::sort(times.begin(), times.end());
  return times[static_cast<std::size_t>(share * static_cast<double>(times.size() - 1))];
}

SnapshotPtr snapshot(const std::string& path, std::string text, std::uint64_t revision) {
  LineIndex lines(text);
  return std::make_shared<const DocumentSnapshot>(DocumentSnapshot::Identity{"file:///" + path, "", 1, revision},
                                                  std::move(text), std::move(lines));
}

// Ends of lines of code inside a body.
std::vector<std::size_t> places_in(std::string_view text) {
  std::vector<std::size_t> places;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    if (!is_blank(line) && (line.front() == ' ' || line.front() == '\t') && (line.back() == ';' || line.back() == ')'))
      places.push_back(end);
    at = end + 1;
  }
  return places;
}

void measure(const std::string& path, const std::string& text, std::string_view answer_text, Times& times) {
  const auto places = places_in(text);
  if (places.empty()) return;
  std::mt19937 random(1);
  syntax::Trees trees;
  engine::InfillAnswer answer;
  answer.text = answer_text;
  answer.reason = engine::StopReason::hole_end;
  for (std::uint64_t i = 0; i < kRequests; ++i) {
    const std::size_t place = places[random() % places.size()];
    const std::size_t line = line_begin(text, place);
    const std::string typed =
        "\n" + std::string(indentation_of(std::string_view(text).substr(line))) + std::string(kTyped);
    std::string before = text;
    before.insert(place, typed.substr(0, typed.size() - 1));
    const std::size_t cursor = place + typed.size();
    syntax::region_at(snapshot(path, before, 2 * i + 1), cursor - 1, trees);
    before.insert(place + typed.size() - 1, typed.substr(typed.size() - 1));
    const auto document = snapshot(path, before, 2 * i + 2);

    const auto start = Clock::now();
    const auto region = syntax::region_at(document, cursor, trees);
    const auto followed = Clock::now();
    if (!region->tree) return;
    AnswerMachine machine(ask_at(region, cursor, {}), {.repairs = 0});
    const auto planned = Clock::now();
    engine::InfillResult result;
    result.answers.push_back(answer);
    machine.take(std::move(result));
    machine.finish();
    const auto judged = Clock::now();
    times.parse.push_back(milliseconds(start, followed));
    times.plan.push_back(milliseconds(followed, planned));
    times.judge.push_back(milliseconds(planned, judged));
    times.all.push_back(milliseconds(start, judged));
  }
}

void print_row(const std::string& path, const char* answer, const Times& times) {
  if (times.all.empty()) {
    std::printf("%-24s no tree, or no place to type at\n", path.c_str());
    return;
  }
  std::printf("%-24s %-7s", path.c_str(), answer);
  for (const auto* each : {&times.parse, &times.plan, &times.judge, &times.all})
    std::printf("  %6.2f %6.2f", at_share(*each, 0.5), at_share(*each, 0.95));
  std::printf("\n");
  std::fflush(stdout);
}

std::string repeated(const std::string& text) {
  std::string whole;
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  for (std::size_t made = 0; made < kLines; made += std::max<std::size_t>(lines, 1)) whole += text;
  return whole;
}

void bench_file(const std::string& path, const std::string& text) {
  const std::string whole = repeated(text);
  for (const bool right : {true, false}) {
    Times times;
    measure(path.substr(path.rfind('/') + 1), whole, right ? kRight : kWrong, times);
    print_row(path, right ? "right" : "wrong", times);
  }
}

}  // namespace

int run_bench_syntax(Options& options) {
  std::printf(
      "files of %zu lines, %d requests each; milliseconds of a core, p50 and p95\n%-24s %-7s  %-14s %-14s %-14s "
      "%-14s\n",
      kLines, kRequests, "", "answer", " keystroke", " plan", " judge", " together");
  for (const std::string& path : options.command.arguments) {
    const auto file = open_spot({path, 1, 1});
    if (!file) return failed(file.status());
    bench_file(path, file->text);
  }
  if (options.command.arguments.empty()) {
    for (const Sample& sample : kSamples) bench_file(sample.path, sample.text);
  }
  return 0;
}

}  // namespace cinnabar::daemon
