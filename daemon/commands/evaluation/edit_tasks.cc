#include "daemon/commands/evaluation/edit_tasks.h"

#include <algorithm>
#include <map>

#include "daemon/commands/evaluation/files.h"
#include "daemon/commands/evaluation/hole_line.h"

namespace cinnabar::daemon::evaluation {
namespace {

using nlohmann::json;

Result<std::vector<NextEditJob::Replacement>> read_pairs(const json& value, const std::string& name) {
  const Status wrong = Status::error("\"" + name + "\" is no list of pairs of old and new text");
  if (!value.is_array()) return wrong;
  std::vector<NextEditJob::Replacement> pairs;
  for (const json& pair : value) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string()) return wrong;
    pairs.emplace_back(pair[0].get<std::string>(), pair[1].get<std::string>());
  }
  return pairs;
}

Status read_members(const json& line, const std::vector<std::pair<const char*, std::string*>>& members) {
  for (const auto& [name, member] : members) {
    auto value = string_member(line, name, true);
    if (!value) return value.status();
    *member = std::move(value).value();
  }
  return {};
}

std::map<std::string_view, int> grams(std::string_view text, std::size_t n) {
  std::map<std::string_view, int> counts;
  for (std::size_t i = 0; i + n <= text.size(); ++i) ++counts[text.substr(i, n)];
  return counts;
}

double chrf(std::string_view given, std::string_view expected) {
  double total = 0;
  for (std::size_t n = 1; n <= 6; ++n) {
    const auto mine = grams(given, n), theirs = grams(expected, n);
    int common = 0, all_mine = 0, all_theirs = 0;
    for (const auto& [gram, count] : mine) {
      const auto found = theirs.find(gram);
      common += found == theirs.end() ? 0 : std::min(count, found->second);
      all_mine += count;
    }
    for (const auto& [gram, count] : theirs) all_theirs += count;
    const double precision = 1.0 * common / std::max(all_mine, 1), recall = 1.0 * common / std::max(all_theirs, 1);
    total += 5 * precision * recall / std::max(4 * precision + recall, 1e-9);
  }
  return 100 * total / 6;
}

struct Sums {
  double shown = 0, wanted = 0, quiet = 0, unwanted = 0, exact = 0, covered = 0, any = 0, right = 0;
  double shown_share() const { return 100 * shown / std::max(wanted, 1.0); }
  double quiet_share() const { return 100 * quiet / std::max(unwanted, 1.0); }
  double right_share() const { return 100 * right / std::max(any, 1.0); }
  double mean_covered() const { return covered / std::max(wanted, 1.0); }
};
Sums sums_of(const std::vector<NextEditScore>& scores) {
  Sums sums;
  for (const NextEditScore& one : scores) {
    (one.expected ? sums.wanted : sums.unwanted) += 1;
    if (!one.expected && !one.shown) sums.quiet += 1;
    sums.any += one.shown ? 1 : 0;
    sums.right += one.right ? 1 : 0;
    if (!one.expected) continue;
    sums.shown += one.shown ? 1 : 0;
    sums.exact += one.exact ? 1 : 0;
    sums.covered += one.covered;
  }
  return sums;
}

}  // namespace

Status read_edit_job(const json& line, EditJobs& jobs) {
  if (line.contains("instruction")) {
    RewriteJob job;
    Status read = read_members(line, {{"id", &job.id},
                                      {"path", &job.path},
                                      {"text", &job.text},
                                      {"instruction", &job.instruction},
                                      {"test", &job.test}});
    if (!read) return read;
    if (line.contains("kind") && line["kind"].is_string()) job.kind = line["kind"].get<std::string>();
    for (const auto& [name, member] :
         {std::pair{"language", &job.language}, {"before", &job.before}, {"after", &job.after}}) {
      if (!line.contains(name)) continue;
      if (read = read_members(line, {{name, member}}); !read) return read;
    }
    if (!can_be_tested(job.language))
      return Status::error("\"language\": tests in '" + job.language + "' cannot be run");
    jobs.rewrites.push_back(std::move(job));
    return {};
  }
  NextEditJob job;
  if (Status read = read_members(line, {{"id", &job.id}, {"path", &job.path}, {"text", &job.text}}); !read) return read;
  if (line.contains("kind") && line["kind"].is_string()) job.kind = line["kind"].get<std::string>();
  auto edits = read_pairs(line.value("edits", json()), "edits");
  if (!edits) return edits.status();
  job.edits = std::move(edits).value();
  if (const json expected = line.value("expected", json()); !expected.is_null()) {
    auto pairs = read_pairs(expected, "expected");
    if (!pairs) return pairs.status();
    job.expected = std::move(pairs).value();
  }
  jobs.next_edits.push_back(std::move(job));
  return {};
}

Result<Replaced> replaced(const std::string& text, const NextEditJob::Replacement& change) {
  const std::size_t at = text.find(change.first);
  if (at == std::string::npos) return Status::error("its text lacks '" + change.first + "'");
  std::string after = text;
  after.replace(at, change.first.size(), change.second);
  return Replaced{std::move(after), at};
}

double delta_chrf(std::string_view before, std::string_view given, std::string_view expected) {
  const double start = chrf(before, expected);
  return 100 * std::clamp((chrf(given, expected) - start) / std::max(100 - start, 1e-9), 0.0, 1.0);
}

double score_of(const std::vector<NextEditScore>& scores) {
  const Sums sums = sums_of(scores);
  const double shown = sums.shown_share(), quiet = sums.quiet_share();
  return sums.mean_covered() * 2 * shown * quiet / std::max(shown + quiet, 1e-9) / 10'000;
}

std::string rewrite_table(const std::vector<RewriteScore>& scores) {
  std::map<std::string, std::vector<const RewriteScore*>> kinds;
  for (const RewriteScore& one : scores) kinds[one.kind].push_back(&one);
  if (kinds.empty()) return {};
  std::string out =
      "| rewrites | tasks | pass their tests | by the first answer | refused | not run | forwards a token | p50 ms | "
      "p95 ms "
      "|\n|---|---|---|---|---|---|---|---|---|\n";
  for (const auto& [kind, all] : kinds) {
    const auto count = [&all = all](const auto& is) {
      return std::count_if(all.begin(), all.end(), [&](const auto* one) { return is(*one); });
    };
    double tokens = 0, forwards = 0;
    std::vector<double> times;
    for (const RewriteScore* one : all) {
      if (one->not_run) continue;
      tokens += one->tokens;
      forwards += one->forwards;
      times.push_back(one->ms);
    }
    const auto passed = count([](const auto& one) { return one.passed; });
    const double share =
        100.0 * static_cast<double>(passed) / static_cast<double>(std::max<std::size_t>(times.size(), 1));
    out += "| " + kind + " | " + std::to_string(times.size()) + " | " + std::to_string(passed) + " (" +
           formatted(share, 0) + " %) | " +
           std::to_string(count([](const auto& one) { return one.passed && one.first; })) + " | " +
           std::to_string(count([](const auto& one) { return one.refused; })) + " | " +
           std::to_string(count([](const auto& one) { return one.not_run; })) + " | " +
           formatted(forwards / std::max(tokens, 1.0), 2) + " | " + percentile(times, 0.5) + " | " +
           percentile(times, 0.95) + " |\n";
  }
  return out;
}

std::string next_edit_table(const std::vector<NextEditScore>& scores) {
  std::map<std::string, std::vector<NextEditScore>> kinds;
  for (const NextEditScore& one : scores) kinds[one.kind].push_back(one);
  if (kinds.empty()) return {};
  std::string out =
      "| next edits | shown | exact | deltaChrF | quiet where nothing is to be done | right of those shown | score | "
      "p50 ms | "
      "p95 ms |\n|---|---|---|---|---|---|---|---|---|\n";
  for (const auto& [kind, all] : kinds) {
    const Sums sums = sums_of(all);
    std::vector<double> times;
    for (const NextEditScore& one : all) times.push_back(one.ms);
    out += "| " + std::to_string(all.size()) + " " + (kind.empty() ? "scenarios" : kind) + " | " +
           formatted(sums.shown_share(), 0) + " % of " + formatted(sums.wanted, 0) + " | " + formatted(sums.exact, 0) +
           " | " + formatted(sums.mean_covered(), 1) + " | " + formatted(sums.quiet_share(), 0) + " % of " +
           formatted(sums.unwanted, 0) + " | " + formatted(sums.right_share(), 0) + " % of " + formatted(sums.any, 0) +
           " | " + formatted(score_of(all), 2) + " | " + percentile(times, 0.5) + " | " + percentile(times, 0.95) +
           " |\n";
  }
  return out;
}

}  // namespace cinnabar::daemon::evaluation
