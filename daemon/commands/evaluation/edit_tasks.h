// Edits to be judged: rewrites by an instruction, judged by running assertions, and next edits, judged by how far they
// go the expected way. Read from JSON lines:
//
//   rewrite    {"id","path","text","instruction","test"[,"language","kind","before","after","fixed"]}; run_tests.h says what the
//              test is; `text` is what may be rewritten, `before` and `after` what stands around it, the test behind `text`
//   next edit  {"id","language","path","text","edits":[[old, new], ...],"expected":[[old, new], ...] or null}: each pair
//              replaces the first place of `old`; null: nothing is to be suggested. With a "kind" in a table of its own
//
// Not thread-safe.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "daemon/commands/evaluation/run_tests.h"

namespace cinnabar::daemon::evaluation {

struct RewriteJob {
  std::string id, kind = "rewrite", language = "python", path, before, text, after, instruction;
  std::string test;  // fails of `text`, holds of what it should become

  TestedCode with(const std::string& rewritten) const { return {before + rewritten, test, after}; }
};

struct NextEditJob {
  using Replacement = std::pair<std::string, std::string>;
  std::string id, kind, path, text;
  std::vector<Replacement> edits;
  std::optional<std::vector<Replacement>> expected;
};

struct EditJobs {
  std::vector<RewriteJob> rewrites;
  std::vector<NextEditJob> next_edits;
};
Status read_edit_job(const nlohmann::json& line, EditJobs& jobs);

// The text with the first `old` replaced, and where that was. Error: there is none.
struct Replaced {
  std::string text;
  std::size_t at = 0;
};
Result<Replaced> replaced(const std::string& text, const NextEditJob::Replacement& change);

// How much of the way from `before` to `expected` is covered by `given`, 0 .. 100: by character n-grams (chrF, 1 to 6,
// beta 2).
double delta_chrf(std::string_view before, std::string_view given, std::string_view expected);

struct RewriteScore {
  std::string kind;
  bool passed = false, refused = false, first = false;  // first: the model's first answer was taken
  int tokens = 0, forwards = 0;
  double ms = 0;         // until there was a text or a reason why there is none
  bool not_run = false;  // the machine lacks what its test is run with: it is in no other count
};
struct NextEditScore {
  std::string kind;
  bool expected = false, shown = false, exact = false;
  bool right = false;  // what is shown is part of what is expected, each of it
  double covered = 0;  // deltaChrF
  double ms = 0;
};
// deltaChrF * 2 * shown * quiet / (shown + quiet) / 100, as published for next-edit models.
double score_of(const std::vector<NextEditScore>& scores);
// Tables in Markdown; empty where nothing was judged.
std::string rewrite_table(const std::vector<RewriteScore>& scores);
std::string next_edit_table(const std::vector<NextEditScore>& scores);

}  // namespace cinnabar::daemon::evaluation
