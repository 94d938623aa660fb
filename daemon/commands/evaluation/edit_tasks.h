// Edits to be judged: rewrites by an instruction, judged by running assertions, and next edits, judged by how far they
// go the expected way. Read from JSON lines:
//
//   rewrite    {"id","language","path","text","instruction","test"[,"kind","fixed"]}; Python only
//   next edit  {"id","language","path","text","edits":[[old, new], ...],"expected":[[old, new], ...] or null}: each pair
//              replaces the first place of `old`; null: nothing is to be suggested
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

namespace cinnabar::daemon::evaluation {

struct RewriteJob {
  std::string id, kind = "rewrite", path, text, instruction;
  std::string test;  // Python: fails of `text`, holds of what it should become
};

struct NextEditJob {
  using Replacement = std::pair<std::string, std::string>;
  std::string id, path, text;
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

// Whether the assertions hold of the code. Error: there is no python3.
Result<bool> passes(const std::string& code, const std::string& test);

struct RewriteScore {
  std::string kind;
  bool passed = false, refused = false, first = false;  // first: the model's first answer was taken
  int tokens = 0, forwards = 0;
};
struct NextEditScore {
  bool expected = false, shown = false, exact = false;
  double covered = 0;  // deltaChrF
};
// deltaChrF * 2 * shown * quiet / (shown + quiet) / 100, as published for next-edit models.
double score_of(const std::vector<NextEditScore>& scores);
// Tables in Markdown; empty where nothing was judged.
std::string rewrite_table(const std::vector<RewriteScore>& scores);
std::string next_edit_table(const std::vector<NextEditScore>& scores);

}  // namespace cinnabar::daemon::evaluation
