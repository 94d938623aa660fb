// `cinnabar eval edits`: rewrites by an instruction, judged by running their tests, and next edits, judged by how far they
// go the expected way and by whether nothing is shown where nothing is to be done.
#include <chrono>
#include <iostream>

#include "daemon/commands/commands.h"
#include "daemon/commands/evaluation/edit_tasks.h"
#include "daemon/commands/evaluation/files.h"
#include "daemon/commands/given_options.h"
#include "daemon/commands/setup.h"
#include "daemon/completion/heading.h"
#include "daemon/editing/minimal_edit.h"
#include "daemon/editing/next_edit_machine.h"
#include "daemon/editing/rewrite.h"

namespace cinnabar::daemon {
namespace {

using evaluation::NextEditJob;
using evaluation::NextEditScore;
using evaluation::RewriteJob;
using evaluation::RewriteScore;
using evaluation::TestOutcome;

// Runs a machine to its end.
template <typename Machine>
Status run(engine::Engine& engine, const Options& options, Machine& machine) {
  while (const engine::InfillRequest* request = machine.request()) {
    const auto result = engine.infill(*request, limits_of(options));
    if (!result) return result.status();
    machine.take(*result);
  }
  return {};
}

double ms_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

Result<RewriteScore> judged(engine::Engine& engine, const Options& options, const RewriteJob& job) {
  RewriteScore score{job.kind};
  const auto before = evaluation::run_tests(job.language, job.with(job.text));
  if (!before) return before.status();
  if (*before == TestOutcome::passes) return Status::error(job.id + ": its test passes before anything is done");
  if (*before == TestOutcome::not_run) {
    std::cerr << job.id << ": not run; this machine has nothing to run it with\n";
    score.not_run = true;
    return score;
  }
  RewriteTask task;
  task.language = syntax::language_of_path(job.path);
  task.before = job.before;
  task.region = job.text;
  task.after = job.after;
  task.instruction = job.instruction;
  const auto start = std::chrono::steady_clock::now();
  RewriteMachine machine(std::move(task), {.defaults = options.request.defaults});
  if (Status done = run(engine, options, machine); !done) return done;
  score.ms = ms_since(start);
  score.tokens = machine.tokens();
  score.forwards = machine.forwards();
  score.first = machine.seen() == 1;
  const auto result = machine.result();
  score.refused = !result;
  if (result) {
    const auto after = evaluation::run_tests(job.language, job.with(*result));
    if (!after) return after.status();
    score.passed = *after == TestOutcome::passes;
  }
  std::cerr << job.id << ": " << (score.passed ? "passes" : result ? "fails" : "refused: " + result.message()) << "\n";
  return score;
}

std::string with_candidates(const std::string& text, std::vector<EditCandidate> shown) {
  std::sort(shown.begin(), shown.end(), [](const auto& one, const auto& other) { return one.begin > other.begin; });
  std::string given = text;
  for (const EditCandidate& one : shown) given.replace(one.begin, one.end - one.begin, one.text);
  return given;
}

// Whether what still lacks, when they are taken, touches none of them.
bool are_part_of(const std::string& text, std::vector<EditCandidate> shown, const std::string& expected) {
  std::sort(shown.begin(), shown.end(), [](const auto& one, const auto& other) { return one.begin < other.begin; });
  const auto lacking = minimal_changes(with_candidates(text, shown), expected);
  std::ptrdiff_t moved = 0;
  for (const EditCandidate& one : shown) {
    const auto begin = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(one.begin) + moved);
    const std::size_t end = begin + one.text.size();
    moved += static_cast<std::ptrdiff_t>(one.text.size()) - static_cast<std::ptrdiff_t>(one.end - one.begin);
    for (const auto& change : lacking) {
      if (change.begin < end && change.end > begin) return false;
      if (change.begin >= begin && change.begin <= end && !change.text.empty() && !one.text.starts_with('\n'))
        return false;
    }
  }
  return true;
}

Result<NextEditScore> judged(engine::Engine& engine, const Options& options, const NextEditJob& job) {
  EditHistory history;
  std::string text = job.text;
  std::size_t cursor = 0;
  for (const auto& change : job.edits) {
    const auto after = evaluation::replaced(text, change);
    if (!after) return Status::error(job.id + ": " + after.message());
    cursor = after->at + change.second.size();
    history.add(text, {after->at, after->at + change.first.size(), cursor}, after->text);
    text = after->text;
  }
  NextEditScore score{job.kind, job.expected.has_value()};
  std::string given = text;
  std::vector<EditCandidate> shown;
  const auto start = std::chrono::steady_clock::now();
  if (!history.edits().empty()) {
    const LineIndex lines(text);
    const auto* language = syntax::language_of_path(job.path);
    const auto tree = language == nullptr ? nullptr : syntax::Tree::parse(*language, text, lines);
    const auto machine = make_next_edit(
        options.request.next_edit_form, {text, history.edits(), cursor, tree.get()}, told_name(job.path, {}),
        {.eagerness = eagerness_in_nats(options.request.eagerness), .defaults = options.request.defaults});
    if (Status done = run(engine, options, *machine); !done) return done;
    shown = machine->shown();
    score.shown = !shown.empty();
    given = with_candidates(text, shown);
  }
  score.ms = ms_since(start);
  if (job.expected) {
    std::string expected = text;
    for (const auto& change : *job.expected) {
      const auto after = evaluation::replaced(expected, change);
      if (!after) return Status::error(job.id + ": " + after.message());
      expected = after->text;
    }
    score.exact = given == expected;
    score.right = score.shown && are_part_of(text, shown, expected);
    score.covered = evaluation::delta_chrf(text, given, expected);
  }
  if (score.shown != score.expected) std::cerr << job.id << (score.shown ? ": NOT QUIET\n" : ": nothing shown\n");
  return score;
}

template <typename Score, typename Job>
Status judge_all(engine::Engine& engine, const Options& options, const std::vector<Job>& jobs,
                 std::vector<Score>& scores) {
  for (const Job& job : jobs) {
    auto score = judged(engine, options, job);
    if (!score) return score.status();
    scores.push_back(*score);
  }
  return {};
}

}  // namespace

int run_eval_edits(Options& options) {
  evaluation::EditJobs jobs;
  const Status read = evaluation::each_line_of(
      options.command.arguments, [&](const nlohmann::json& line) { return evaluation::read_edit_job(line, jobs); });
  if (!read) return failed(read);
  if (jobs.rewrites.empty() && jobs.next_edits.empty())
    return failed(Status::error("no edits to judge; name files of JSON lines, or - for standard input"));
  auto engine = open_engine_as_given(options);
  if (!engine) return failed(engine.status());
  std::vector<RewriteScore> rewrites;
  std::vector<NextEditScore> next_edits;
  if (Status done = judge_all(**engine, options, jobs.rewrites, rewrites); !done) return failed(done);
  if (Status done = judge_all(**engine, options, jobs.next_edits, next_edits); !done) return failed(done);
  const std::string first = evaluation::rewrite_table(rewrites), second = evaluation::next_edit_table(next_edits);
  const std::string text = first + (first.empty() || second.empty() ? "" : "\n") + second;
  std::cout << text;
  if (!options.command.into.empty()) {
    const Status put = evaluation::put_between_marks(options.command.into, "cinnabar eval edits", text);
    if (!put) return failed(put);
  }
  if (next_edits.empty() || evaluation::score_of(next_edits) >= options.command.least) return 0;
  return failed(Status::error("the score of next edits is below " + evaluation::formatted(options.command.least, 2)));
}

}  // namespace cinnabar::daemon
