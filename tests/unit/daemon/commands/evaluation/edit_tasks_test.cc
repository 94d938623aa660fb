// Edits to be judged: what is read, and the measures.
#include "daemon/commands/evaluation/edit_tasks.h"

#include <catch2/catch.hpp>

namespace cinnabar::daemon::evaluation {
namespace {

using nlohmann::json;

TEST_CASE("a line is a rewrite or a next edit, or an error that says what is wrong") {
  EditJobs jobs;
  const json rewrite = {{"id", "a"},   {"kind", "bug fix"},  {"path", "f.py"},
                        {"text", "x"}, {"instruction", "y"}, {"test", "z"}};
  CHECK(read_edit_job(rewrite, jobs));
  const json edits = json::array({json::array({"a", "b"})});
  CHECK(read_edit_job({{"id", "b"}, {"path", "f.py"}, {"text", "a"}, {"edits", edits}, {"expected", nullptr}}, jobs));
  CHECK(read_edit_job({{"id", "c"}, {"path", "f.py"}, {"text", "a"}, {"edits", edits}, {"expected", edits}}, jobs));
  REQUIRE(jobs.rewrites.size() == 1);
  CHECK(jobs.rewrites[0].kind == "bug fix");
  REQUIRE(jobs.next_edits.size() == 2);
  CHECK_FALSE(jobs.next_edits[0].expected);
  CHECK(jobs.next_edits[1].expected->at(0).second == "b");

  json other = rewrite;
  other["language"] = "lua";
  CHECK(read_edit_job(other, jobs).message() == "\"language\": tests in 'lua' cannot be run");
  other["language"] = "java";
  other["before"] = "class Main {\n";
  other["after"] = "}\n";
  REQUIRE(read_edit_job(other, jobs));
  CHECK(jobs.rewrites[1].with("int a;\n").code == "class Main {\nint a;\n");
  CHECK(jobs.rewrites[1].with("int a;\n").closing == "}\n");
  other["before"] = 1;
  CHECK_FALSE(read_edit_job(other, jobs));
  other = rewrite;
  other.erase("test");
  CHECK_FALSE(read_edit_job(other, jobs));
  CHECK(read_edit_job({{"id", "d"}, {"path", "f.py"}, {"text", "a"}, {"edits", {{"a"}}}}, jobs).message() ==
        "\"edits\" is no list of pairs of old and new text");
}

TEST_CASE("the first place is replaced, and none is an error") {
  const auto done = replaced("a b a", {"a", "xyz"});
  REQUIRE(done);
  CHECK(done->text == "xyz b a");
  CHECK(done->at == 0);
  CHECK(replaced("a", {"b", ""}).message() == "its text lacks 'b'");
}

TEST_CASE("how much of the way is covered") {
  const std::string before = "total = price\nprint(price)\n", expected = "total = cost\nprint(cost)\n";
  CHECK(delta_chrf(before, before, expected) == Approx(0));
  CHECK(delta_chrf(before, expected, expected) == Approx(100));
  const double half = delta_chrf(before, "total = cost\nprint(price)\n", expected);
  CHECK(half > 20);
  CHECK(half < 80);
  CHECK(delta_chrf(before, "something else", expected) == Approx(0));  // never below
}

TEST_CASE("the score, and the tables") {
  CHECK(score_of({}) == Approx(0));
  const std::vector<NextEditScore> scores = {{"", true, true, true, true, 100}, {"", true}, {"", false}};
  CHECK(score_of(scores) == Approx(50.0 * 2 * 50 * 100 / 150 / 10'000));
  CHECK(next_edit_table(scores).find(
            "| 3 scenarios | 50 % of 2 | 1 | 50.0 | 100 % of 1 | 100 % of 1 | 0.33 | 0 | 0 |") != std::string::npos);
  CHECK(next_edit_table({{"version pairs", false, true}})
            .find("| 1 version pairs | 0 % of 0 | 0 | 0.0 | 0 % of 1 | 0 % of 1 |") != std::string::npos);
  CHECK(next_edit_table({}).empty());
  RewriteScore one{"bug fix"};
  one.passed = one.first = true;
  one.tokens = 10;
  one.forwards = 2;
  one.ms = 20;
  RewriteScore not_run{"bug fix"};
  not_run.not_run = true;
  CHECK(rewrite_table({one, RewriteScore{"bug fix"}, not_run})
            .find("| bug fix | 2 | 1 (50 %) | 1 | 0 | 1 | 0.20 | 0 | 20 |") != std::string::npos);
  CHECK(rewrite_table({}).empty());
}

}  // namespace
}  // namespace cinnabar::daemon::evaluation
